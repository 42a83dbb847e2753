"""Trainings beside each other: the tables that people see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from vaegmm.app import in_page
from vaegmm.app.comparing import label_of, said
from vaegmm.app.run_routes import Training
from vaegmm.comparison import compare
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.runs import Run
from vaegmm.training import EpochLoss

QUICK = replace(PRESETS["quick"], epochs=2)


def draw(paths: list[str]) -> None:
    """The page, as far as it concerns the runs in these directories."""
    from vaegmm.app.comparing import compare
    from vaegmm.runs import Run

    compare([Run(path) for path in paths])


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Create runs that have done some epochs."""

    def make(name: str, config: TrainConfig = QUICK, n_epochs: int = 2) -> Run:
        run = Run.create(tmp_path / name, config, "digits", "cpu", title=f"Run *{name}*")
        run.write_losses(
            [
                EpochLoss(epoch, 90.0, 20.0, 1.0, 100.0 + config.seed, 21.0, 40.0 * epoch)
                for epoch in range(1, n_epochs + 1)
            ]
        )
        return run

    return make


def test_what_differs_and_seeds_as_one(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[list[Training]] = []
    monkeypatch.setattr(in_page, "trainings", lambda trainings, key: shown.append([*trainings]))
    runs = [make_run(f"seed{seed}", replace(QUICK, seed=seed)) for seed in range(3)]
    runs.append(make_run("other", replace(QUICK, kl_warmup=0.25), n_epochs=1))
    page = AppTest.from_function(draw, args=([str(run.path) for run in runs],)).run(timeout=60)
    assert not page.exception and not page.error
    group = "quick on digits, epochs 2"
    assert [training.group for training in shown[0]] == [group] * 3 + [None]
    assert shown[0][3].name == "Run *other*" and shown[0][3].id == "other"

    groups, differences = (table.value for table in page.dataframe)
    assert dict(zip(groups["label"], groups["0"], strict=True)) == {
        "Cross-entropy, validation": "101.0 ± 1.0 (n = 3)",
        "KL divergence, validation": "21.00 ± 0.00 (n = 3)",
        "Training took": "1 min 20 s ± 0 s (n = 3)",
    }
    assert differences.set_index("label").to_dict("index") == {
        "KL warm-up": {"0": "0.5", "1": "0.5", "2": "0.5", "3": "0.25"},
        "Seed": {"0": "0", "1": "1", "2": "2", "3": "0"},
        "Cross-entropy, validation": {
            "0": "100.0",
            "1": "101.0",
            "2": "102.0",
            "3": "100.0",
        },
        "Training took": {"0": "1 min 20 s", "1": "1 min 20 s", "2": "1 min 20 s", "3": "40 s"},
        "Epochs done": {"0": "2", "1": "2", "2": "2", "3": "1"},
    }
    page.toggle(key="with_equal").set_value(True).run()
    everything = page.dataframe[1].value.set_index("label")["0"]
    assert everything["VAE: hidden units"] == "392, 196, 98"
    assert everything["Images"] == "digits" and everything["Device"] == "cpu"

    (runs[0].path / "config.json").write_text("{")
    page.run()
    assert not page.exception
    assert "of this training is damaged" in page.error[0].value


def test_runs_that_are_the_same(make_run: Callable[..., Run]) -> None:
    path = str(make_run("one").path)
    page = AppTest.from_function(draw, args=([path, path],)).run(timeout=60)
    assert not page.exception
    assert "They differ in nothing." in [text.value for text in page.markdown]


def test_every_row_has_words(make_run: Callable[..., Run]) -> None:
    rows = compare([make_run("one")]).rows(with_equal=True)
    labels = [label_of(row.name) for row in rows]
    assert len(set(labels)) == len(labels)
    assert not [label for label in labels if "_" in label or "." in label]
    assert said("nmi", None) == "–" and said("vae.rescue_gradients", True) == "yes"

"""What several runs differ in, and their losses as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vaegmm.cli import main
from vaegmm.comparison import compare, group_names, losses_csv, titles
from vaegmm.config import PRESETS, JointConfig, TrainConfig
from vaegmm.runs import Run
from vaegmm.training import EpochLoss

QUICK = replace(PRESETS["quick"], epochs=2)


def history(n_epochs: int, level: float = 90.0) -> list[EpochLoss]:
    return [
        EpochLoss(epoch, level + epoch, 20.0, 1.0, level + 2 * epoch, None, 1.5 * epoch)
        for epoch in range(1, n_epochs + 1)
    ]


def a_run(
    config: TrainConfig = QUICK,
    losses: list[EpochLoss] | None = None,
    title: str = "a training",
    **more: Any,
) -> Any:
    """What is asked of a run, without its directory."""
    settings = {"data": "mnist", "device": None, **more.pop("settings", {})}
    return SimpleNamespace(
        **{"path": Path("runs/one"), "name": "one", "metrics": {}, **more},
        **{"title": title, "config": config, "settings": settings},
        losses=history(2) if losses is None else losses,
    )


def test_rows_that_differ_settings_first() -> None:
    other = replace(QUICK, joint=JointConfig(share=0.5), learning_rate=1e-4)
    runs = [
        a_run(metrics={"nmi": 0.5, "kl_per_latent": [1.0]}, title="one"),
        a_run(other, history(1), settings={"data": "/data/mine.npz"}, title="two"),
    ]
    comparison = compare(runs)
    assert {row.name: row.values for row in comparison.rows()} == {
        "data": ("mnist", "/data/mine.npz"),
        "joint.share": (0.0, 0.5),
        "learning_rate": (2e-3, 1e-4),
        "nmi": (0.5, None),
        "validation_cross_entropy": (94.0, 92.0),
        "seconds": (3.0, 1.5),
        "epochs_done": (2, 1),
    }
    everything = {row.name: row for row in comparison.rows(with_equal=True)}
    assert everything["vae.hidden_units"].values == ([392, 196, 98],) * 2
    assert not everything["vae.hidden_units"].differs
    assert "validation_kl" not in everything, "what none of them has"
    assert not comparison.groups

    sent = json.loads(json.dumps(comparison.to_dict()))
    assert sent["differs"][:2] == ["data", "joint.share"]
    assert sent["settings"]["attempts"] == [1, 1] and sent["figures"]["nmi"] == [0.5, None]
    rows = list(csv.reader(io.StringIO(comparison.to_csv())))
    assert rows[0] == ["name", "one", "two"] and rows[4] == ["nmi", "0.5", ""]


def test_runs_equal_but_for_the_seed_are_a_group() -> None:
    accuracies = [0.91, 0.95, 0.93]
    runs = [
        a_run(replace(QUICK, seed=seed), history(2, 90 + seed), metrics={"nmi": accuracy})
        for seed, accuracy in enumerate(accuracies)
    ]
    runs += [
        a_run(replace(QUICK, seed=3), history(1, 500)),  # has not done all its epochs
        a_run(replace(QUICK, batch_size=32)),
        a_run(replace(QUICK, seed=9), settings={"data": "fashion"}),
        a_run(replace(QUICK, seed=8), settings={"attempts": 5}),
    ]
    group = "quick on MNIST, epochs 2"
    assert group_names(runs) == [group] * 4 + [None] * 3
    [found] = compare(runs).groups
    assert found.name == group and found.members == (0, 1, 2, 3)
    assert found.figures["nmi"] == pytest.approx(
        (np.mean(accuracies), np.std(accuracies, ddof=1), 3)
    )
    assert found.figures["validation_cross_entropy"] == pytest.approx((95.0, 1.0, 3))

    # Two groups that the same words describe keep apart.
    one, other = (replace(QUICK, kl_warmup=warmup) for warmup in (0.1, 0.2))
    custom = [a_run(replace(config, seed=seed)) for config in (one, other) for seed in (0, 1)]
    assert group_names(custom) == ["custom on MNIST"] * 2 + ["custom on MNIST (2)"] * 2


def test_titles_tell_runs_apart(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "x", tmp_path / "a" / "y", tmp_path / "b" / "y"]
    runs = [a_run(path=path, name=path.name) for path in paths]
    assert titles(runs) == ["a training (x)", *(f"a training ({path})" for path in paths[1:])]
    assert titles([*runs[:1], a_run(title="other")]) == ["a training", "other"]


def test_losses_are_a_row_an_epoch() -> None:
    runs = [a_run(title='a, "quoted"'), a_run(replace(QUICK, seed=7), history(1), title="b")]
    rows = list(csv.DictReader(io.StringIO(losses_csv(*runs))))
    assert [(row["run"], row["seed"], row["epoch"]) for row in rows] == [
        ('a, "quoted"', "0", "1"),
        ('a, "quoted"', "0", "2"),
        ("b", "7", "1"),
    ]
    assert rows[1]["cross_entropy"] == "92.0" and rows[1]["validation_kl"] == ""
    assert rows[1]["seconds"] == "3.0"
    assert losses_csv(a_run(losses=[])) == "run,seed,epoch\n"


@pytest.fixture
def runs_of_seeds(tmp_path: Path) -> Callable[[], list[str]]:
    """Directories of two runs that have done their epochs, and differ in their seed."""

    def make() -> list[str]:
        paths = []
        for seed in range(2):
            run = Run.create(tmp_path / f"seed{seed}", replace(QUICK, seed=seed), "digits", "cpu")
            run.write_losses(history(2, 90 + seed))
            paths.append(str(run.path))
        return paths

    return make


def test_the_command_line_compares_runs(
    runs_of_seeds: Callable[[], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = runs_of_seeds()
    assert main(["compare", *paths]) == 0
    said = capsys.readouterr().out
    assert "\nseed " in said and "learning rate" not in said
    assert "over seeds (1, 2):" in said and "94.5 ± 0.7  (n = 2)" in said
    assert main(["compare", *paths, "--all"]) == 0
    assert "learning rate" in capsys.readouterr().out
    assert main(["compare", *paths, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["seed"] == [0, 1]
    assert main(["compare", *paths, "--csv"]) == 0
    assert "\nseed,0,1\n" in capsys.readouterr().out
    assert main(["compare", paths[0], paths[0]]) == 0
    assert "They differ in nothing" in capsys.readouterr().out
    assert main(["compare", paths[0]]) == 2
    assert "two or more" in capsys.readouterr().err

    out = tmp_path / "curves.csv"
    assert main(["curves", *paths, "--csv", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 5
    assert main(["curves", paths[0], "--csv", "-"]) == 0
    assert capsys.readouterr().out.startswith("run,seed,epoch,cross_entropy,")
    assert main(["curves", paths[0], "--csv", str(tmp_path / "no" / "folder.csv")]) == 2
    assert "csv must be a file that can be written" in capsys.readouterr().err
    assert main(["curves", str(tmp_path), "--csv", "-"]) == 2

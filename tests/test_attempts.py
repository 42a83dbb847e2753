"""Several attempts at one training, of which no label chooses one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vaegmm.cli import main
from vaegmm.config import AugmentationConfig, JointConfig, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM, load
from vaegmm.runs import Run, RunError, command_of, execution, finished_attempts
from vaegmm.training import Merit, Progress, TrainState, merit, train

TINY = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    epochs=3,
    batch_size=16,
    seed=2**32 - 1,  # the next seed after which is 0
)
FOUND = {2**32 - 1: 0.3, 0: 0.9, 1: 0.5}  # of each seed, in nats


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of 60 images with three labels: bright bars at three heights."""
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 40, (60, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 7 * label : 9 + 7 * label, 4:24] = 220
    np.savez(tmp_path / "bars.npz", images=images, labels=labels)
    return tmp_path / "bars.npz"


@pytest.fixture
def make_run(tmp_path: Path, data: Path) -> Callable[..., Run]:
    """Create runs by name."""

    def make(name: str, attempts: int = 3, config: TrainConfig = TINY) -> Run:
        return Run.create(tmp_path / name, config, data, "cpu", attempts=attempts)

    return make


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """Let each seed find what is said here instead of what it does."""
    values = dict(FOUND)

    def told(state: TrainState, images: np.ndarray, config: TrainConfig) -> Merit:
        return Merit(values[config.seed], "views' information")

    monkeypatch.setattr(execution, "merit", told)
    return values


def _assert_same(model: VAEGMM, expected: VAEGMM) -> None:
    for name, value in expected.vae.state_dict().items():
        assert torch.equal(model.vae.state_dict()[name], value), name
    np.testing.assert_array_equal(model.latents, expected.latents)
    np.testing.assert_array_equal(model.mixture.means_, expected.mixture.means_)
    assert [loss["cross_entropy"] for loss in model.history] == [
        loss["cross_entropy"] for loss in expected.history
    ]
    assert model.metrics == expected.metrics


def _files(run: Run) -> set[str]:
    return {path.name for path in run.path.iterdir()} - {"film.bin"}


def test_the_attempt_with_the_highest_merit_is_the_run_s_result(
    make_run: Callable[..., Run], found: dict[int, float]
) -> None:
    run, plain = make_run("run"), make_run("plain", 1, replace(TINY, seed=0))
    reports: list[Progress] = []

    model = run.execute(reports.append)

    _assert_same(model, plain.execute())
    _assert_same(load(run.model_path), model)
    assert [loss.cross_entropy for loss in run.losses] == [
        loss["cross_entropy"] for loss in model.history
    ]
    attempts = finished_attempts(run)
    assert [(each.seed, each.merit) for each in attempts] == list(FOUND.items())
    assert {each.merit_of for each in attempts} == {"views' information"}
    assert attempts[1].metrics == model.metrics != attempts[0].metrics
    assert "clustering_accuracy" in attempts[0].metrics
    assert model.provenance["attempt"] == 2
    assert [each["seed"] for each in model.provenance["attempts"]] == list(FOUND)
    assert " --attempts 3 " in command_of(run) and " --attempts " not in command_of(plain)
    ends = [(each.attempt, each.epoch) for each in reports if each.finished_epoch]
    assert ends == [(attempt, epoch) for attempt in (1, 2, 3) for epoch in (1, 2, 3)]
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    left = [each.seconds_left for each in reports if each.finished_epoch]
    assert all(seconds is not None for seconds in left) and left[-1] == 0 < min(left[:-1])
    assert "attempts.jsonl" in _files(run)
    assert _files(run) - {"attempts.jsonl"} == _files(plain)


# Where an interruption hits, by what it hits, and the call that ends.
MOMENTS = {
    "the second attempt's second epoch": ("_save", 5),
    "before its first": ("train", 2),
    "judging it": ("merit", 2),
    "keeping the first": ("keep", 1),
    "keeping it": ("keep", 2),
    "choosing": ("chosen", 1),
    "what is kept": ("forget_best", 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_run_goes_on_with_its_attempt(
    moment: str,
    make_run: Callable[..., Run],
    found: dict[int, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = make_run("expected", 1, replace(TINY, seed=0)).execute()
    run = make_run("run", 2)
    name, last_call = MOMENTS[moment]
    function, n_calls = getattr(execution, name), 0

    def interrupting(*arguments: object, **options: object) -> object:
        nonlocal n_calls
        n_calls += 1
        if n_calls == last_call:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(execution, name, interrupting)
        with pytest.raises(KeyboardInterrupt):
            run.execute()
    done = [each.epoch for each in run.losses]
    reports: list[Progress] = []

    model = Run.open(run.path).execute(reports.append)

    _assert_same(model, expected)
    assert [each.seed for each in finished_attempts(run)] == [TINY.seed, 0]
    if moment == "the second attempt's second epoch":
        assert done == [1]
        assert [(each.attempt, each.epoch) for each in reports if each.finished_epoch] == [
            (2, 2),
            (2, 3),
        ]


def test_a_merit_that_is_not_finite_is_the_lowest(
    make_run: Callable[..., Run], found: dict[int, float]
) -> None:
    found[TINY.seed], found[0] = float("nan"), -5.0
    run = make_run("run", 2)
    assert run.execute().provenance["attempt"] == 2
    assert [each.merit for each in finished_attempts(run)] == [None, -5.0]


def test_the_film_is_that_of_the_chosen_attempt(
    make_run: Callable[..., Run], found: dict[int, float]
) -> None:
    run = make_run("run", 3)

    def write(report: Progress) -> None:
        run.film_path.write_text(f"of attempt {report.attempt}")

    run.execute(write)
    assert run.film_path.read_text() == "of attempt 2"


def test_one_attempt_is_a_plain_training(make_run: Callable[..., Run]) -> None:
    run = make_run("run", 1)
    model = run.execute()
    assert finished_attempts(run) == []
    assert "attempts" not in model.provenance and "attempts.jsonl" not in _files(run)


def test_views_are_what_an_attempt_is_preferred_by_and_else_the_likelihood() -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 28, 28)).astype(np.uint8)
    state = TrainState.start(TINY)
    list(train(state, images[:30], TINY, images[30:]))
    last = state.history[-1]
    held_out = last.validation_cross_entropy, last.validation_kl
    assert merit(state, images[:30], TINY) == (pytest.approx(-sum(held_out)), "likelihood")  # type: ignore[arg-type]

    joint = replace(
        TINY,
        augmentation=AugmentationConfig(shift=1),
        joint=JointConfig(share=0.4, n_components=2, n_init=1),
    )
    state = TrainState.start(joint)
    list(train(state, images, joint))
    told = merit(state, images, joint)
    assert told.kind == "views' information" and told.value <= np.log(2) + 1e-6
    assert told == merit(state, images, joint)


@pytest.mark.parametrize("attempts", [0, 101, 2.0, True])
def test_attempts_are_from_1_to_100(attempts: object, make_run: Callable[..., Run]) -> None:
    with pytest.raises(InputError, match="attempts must be a whole number from 1 to 100"):
        make_run("run", attempts)
    run = make_run("run")
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"attempts": 3', '"attempts": "3"'))
    with pytest.raises(RunError, match="is damaged: attempts"):
        _ = run.attempts


def test_the_command_line_says_which_attempt(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    words = [
        "train",
        "--preset",
        "quick",
        "--epochs",
        "1",
        "--components",
        "2",
        "--data",
        str(data),
    ]
    assert main([*words, "--attempts", "2", "--out", out]) == 0
    shown = capsys.readouterr()
    assert "attempt 2/2, epoch 1/1: " in shown.err
    assert {each.merit_of for each in finished_attempts(Run.open(out))} == {"likelihood"}
    assert main(["train", "--resume", "--attempts", "3", "--out", out]) == 2
    assert "keeps its configuration; got --attempts" in capsys.readouterr().err


def test_attempts_that_people_damaged_are_made_again(
    make_run: Callable[..., Run], found: dict[int, float]
) -> None:
    run = make_run("run", 2)
    model = run.execute()
    record = run.path / "attempts.jsonl"
    for text in ("[]", record.read_text().replace("0.9", '"high"'), "\ud800"):
        record.write_text(text, errors="surrogatepass")
        assert finished_attempts(run) == []
    run.model_path.unlink()  # and with it what the second was compared with

    _assert_same(Run.open(run.path).execute(), model)

    assert [each.seed for each in finished_attempts(run)] == [TINY.seed, 0]


@pytest.mark.slow
def test_torchrun_makes_all_attempts_over_two_processes(make_run: Callable[..., Run]) -> None:
    alone, run = make_run("alone", 2), make_run("run", 2)
    alone.execute()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "vaegmm", "train", "--resume", "--out"]
    done = subprocess.run(
        [*command, str(run.path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    attempts, expected = finished_attempts(run), finished_attempts(alone)
    assert [each.seed for each in attempts] == [each.seed for each in expected]
    merits = [each.merit for each in attempts]
    assert merits == pytest.approx([each.merit for each in expected], rel=1e-3)

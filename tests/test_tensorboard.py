"""Event files that TensorBoard reads: as a training goes on, resumed, and afterwards."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vaegmm import tensorboard
from vaegmm.cli import main
from vaegmm.config import (
    AugmentationConfig,
    JointConfig,
    MixtureConfig,
    TrainConfig,
    VAEConfig,
)
from vaegmm.errors import InputError
from vaegmm.film import read_film
from vaegmm.runs import Run, best_of, finished_attempts
from vaegmm.training import Progress

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import (
    IMAGES,
    SCALARS,
    EventAccumulator,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

TINY = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    augmentation=AugmentationConfig(shift=1),
    joint=JointConfig(share=0.5, n_components=3, n_init=1),
    epochs=4,
    batch_size=16,
)
N_STEPS = 5  # of an epoch: 80 images are trained on


@pytest.fixture(autouse=True)
def short_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the joint stage begin with a mixture that was hardly trained."""
    monkeypatch.setattr("vaegmm.training.start._START_STEPS", 2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of 120 images with three labels: bright bars at three heights."""
    labels = np.arange(120) % 3
    images = np.random.default_rng(0).integers(0, 40, (120, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 7 * label : 9 + 7 * label, 4:24] = 220
    np.savez(tmp_path / "bars.npz", images=images, labels=labels)
    return tmp_path / "bars.npz"


@pytest.fixture
def make_run(tmp_path: Path, data: Path) -> Callable[..., Run]:
    """Create runs by name."""

    def make(name: str = "run", attempts: int = 1) -> Run:
        return Run.create(tmp_path / name, TINY, data, "cpu", attempts=attempts)

    return make


def _read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0, IMAGES: 0})
    return events.Reload()


def _scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = _read(folder)
    return {
        tag: [(each.step, each.value) for each in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def _image_steps(folder: Path, tag: str) -> list[int]:
    return [each.step for each in _read(folder).Images(tag)]


def _hyperparameters(folder: Path) -> Any:
    content = _read(folder).SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    return HParamsPluginData.FromString(content).session_start_info.hparams


def _embeddings(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "embedding").iterdir())


def _execute(run: Run, stop_after: int | None = None) -> None:
    board = tensorboard.Board(run)

    def on_progress(report: Progress) -> None:
        board(report)
        if report.finished_epoch and report.epoch == stop_after:
            raise KeyboardInterrupt

    try:
        run.execute(on_progress)
        board.finish()
    finally:
        board.close()
    assert board.error is None


def _next_second() -> None:
    """Wait: event files are named after the second, and read in the order of their names."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.02)


def test_a_training_writes_what_tensorboard_shows(make_run: Callable[..., Run]) -> None:
    run = make_run()
    _execute(run)
    folder = run.path / "tensorboard"
    scalars = _scalars(folder)
    steps = [N_STEPS * epoch for epoch in (1, 2, 3, 4)]

    losses = run.losses
    assert scalars["epoch"] == list(zip(steps, (1, 2, 3, 4), strict=True))
    for tag, values in {
        "cross_entropy/training": [loss.cross_entropy for loss in losses],
        "cross_entropy/validation": [loss.validation_cross_entropy for loss in losses],
        "kl/training": [loss.kl for loss in losses],
        "kl/validation": [loss.validation_kl for loss in losses],
    }.items():
        assert [step for step, _ in scalars[tag]] == steps
        np.testing.assert_allclose([value for _, value in scalars[tag]], values, rtol=1e-6)
    film = read_film(run.film_path)
    last = film.frames[-1]
    assert [step for step, _ in scalars["kl_per_latent/1"]] == steps
    assert scalars["kl_per_latent/1"][-1][1] == pytest.approx(last.header["kl_per_latent"][1])
    assert scalars["latents_in_use"][-1][1] == sum(last.header["in_use"])
    # Hyperparameters and figures are the training's own, not those of a run beside it.
    assert not [path for path in folder.iterdir() if path.is_dir() and path.name != "embedding"]
    accuracy = pytest.approx(run.metrics["clustering_accuracy"])
    assert scalars["test/clustering_accuracy"] == [(4 * N_STEPS, accuracy)]
    told = _hyperparameters(folder)
    assert told["vae.latent_dim"].number_value == 2
    assert told["vae.hidden_units"].string_value == "16"
    assert told["data"].string_value.endswith("bars.npz")


def test_samples_and_latents_come_from_the_film(make_run: Callable[..., Run]) -> None:
    run = make_run()
    _execute(run)
    folder, film = run.path / "tensorboard", read_film(run.film_path)
    shown = [0, 1, 3, *(N_STEPS * epoch for epoch in (1, 2, 3, 4))]

    assert _image_steps(folder, "reconstructions") == shown
    assert _image_steps(folder, "components") == [3 * N_STEPS, 4 * N_STEPS]
    picture = _read(folder).Images("reconstructions")[-1]
    assert (picture.height, picture.width) == (2 * 3 * 28, 8 * 28)  # 24 pairs, or fewer
    assert _embeddings(folder) == [
        *(f"{step:09d}.tsv" for step in shown),
        "labels.tsv",
        "sprite.png",
    ]
    latents = np.loadtxt(folder / "embedding" / f"{shown[-1]:09d}.tsv")
    np.testing.assert_allclose(latents, film.frames[-1].arrays["latents"], rtol=1e-3, atol=1e-3)
    labels = (folder / "embedding" / "labels.tsv").read_text().split()
    assert labels == [str(label) for label in film.opening.arrays["labels"]]
    # The sprite's images are those of the points: their bars lie where the labels say.
    sprite = np.asarray(Image.open(folder / "embedding" / "sprite.png"))
    n_columns = sprite.shape[1] // 28
    for number, label in enumerate(labels):
        row, column = divmod(number, n_columns)
        cell = sprite[28 * row : 28 * (row + 1), 28 * column : 28 * (column + 1)]
        assert cell[5 + 7 * int(label), 14] == 220
    config = (folder / "projector_config.pbtxt").read_text()
    assert config.count("tensor_path") == len(shown)
    assert f"latents at step {shown[-1]}" in config and "single_image_dim: 28" in config


def test_a_resumed_training_goes_on_without_doubles(make_run: Callable[..., Run]) -> None:
    run, expected = make_run(), make_run("expected")
    _execute(expected)
    for stop_after in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            _execute(run, stop_after)
        _next_second()
    _execute(run)

    folders = run.path / "tensorboard", expected.path / "tensorboard"
    assert len(list(folders[0].glob("events.*"))) > len(list(folders[1].glob("events.*")))
    of_resumed, of_expected = map(_scalars, folders)
    assert of_resumed == of_expected
    for tag in ("reconstructions", "components"):
        assert _image_steps(folders[0], tag) == _image_steps(folders[1], tag)
    assert _embeddings(folders[0]) == _embeddings(folders[1])


def test_a_training_that_begins_again_forgets_what_was_before(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_collapsed(*_: object) -> bool:
        _next_second()
        return True

    monkeypatch.setattr("vaegmm.training.loop._has_collapsed", has_collapsed)
    run = make_run()
    _execute(run)
    assert run.status.progress is not None and run.status.progress.restarts == 1
    folder = run.path / "tensorboard"
    scalars = _scalars(folder)
    for tag, values in {
        "epoch": [loss.epoch for loss in run.losses],
        "kl/training": [loss.kl for loss in run.losses],
    }.items():
        np.testing.assert_allclose([value for _, value in scalars[tag]], values, rtol=1e-6)
    assert _image_steps(folder, "components") == [3 * N_STEPS, 4 * N_STEPS]


def test_each_attempt_has_a_folder(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run(attempts=2)
    _execute(run)
    folders = sorted((run.path / "tensorboard").iterdir())
    assert [folder.name for folder in folders] == ["attempt-1", "attempt-2"]
    for number, folder in enumerate(folders):
        scalars = _scalars(folder)
        assert [value for _, value in scalars["epoch"]] == [1, 2, 3, 4]
        assert "test/nmi" in scalars and scalars["latents_in_use"]
        assert _hyperparameters(folder)["seed"].number_value == number
    exported = tensorboard.export(run, tmp_path / "logs")
    kept = best_of(finished_attempts(run))
    assert _hyperparameters(exported)["seed"].number_value == kept.seed


def test_a_run_is_exported_afterwards(
    make_run: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run()
    with pytest.raises(InputError, match="must have a finished epoch to be exported"):
        tensorboard.export(run, tmp_path / "logs")
    _execute(run)
    words = ["export", str(run.path), "--tensorboard", str(tmp_path / "logs")]
    for _ in range(2):  # again: nothing is there twice
        assert main(words) == 0
        _next_second()
    assert f"tensorboard --logdir {tmp_path / 'logs'}" in capsys.readouterr().out
    live, exported = run.path / "tensorboard", tmp_path / "logs" / "run"
    assert _scalars(exported) == _scalars(live)
    assert _image_steps(exported, "reconstructions") == _image_steps(live, "reconstructions")
    assert _embeddings(exported) == _embeddings(live)


def test_a_run_without_a_film_or_its_data_is_exported_as_far_as_it_goes(
    make_run: Callable[..., Run], tmp_path: Path, data: Path
) -> None:
    run = make_run()
    run.execute()
    data.unlink()
    folder = tensorboard.export(run, tmp_path / "logs")
    assert _embeddings(folder)[-1] == "labels.tsv"  # and no sprite
    run.film_path.unlink()
    folder = tensorboard.export(run, tmp_path / "other")
    assert len(_scalars(folder)["kl/training"]) == 4
    assert not (folder / "embedding").exists()


def test_a_full_disk_ends_the_events_not_the_training(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    board = tensorboard.Board(run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboard.Events, "add_loss", full)
    run.execute(board)
    board.finish()
    assert run.is_finished
    assert board.error == "The events for TensorBoard end here: No space left on device."


def test_without_tensorboard_the_command_says_what_to_install(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if "tensorboard" in name and "vaegmm" not in name:
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    words = ["train", "--tensorboard", "--data", str(data), "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_command_line_writes_events_and_goes_on_with_them(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    words = ["train", "--preset", "quick", "--epochs", "2", "--components", "2"]
    words += ["--data", str(data), "--out", str(out), "--tensorboard"]
    with monkeypatch.context() as patch:
        patch.setattr(tensorboard.Board, "finish", _interrupt)
        patch.setattr("vaegmm.runs.execution.evaluate", _interrupt)
        assert main(words) == 130
    assert len(_scalars(out / "tensorboard")["epoch"]) == 2
    _next_second()
    assert main(["train", "--resume", "--out", str(out)]) == 0
    scalars = _scalars(out / "tensorboard")
    assert "test/nmi" in scalars


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt

"""The film that a run writes: it changes no weight, ends with the disk, and survives any end."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vaegmm.config import (
    AugmentationConfig,
    JointConfig,
    MixtureConfig,
    TrainConfig,
    VAEConfig,
)
from vaegmm.film import FilmWriter, file, read_film
from vaegmm.runs import Run
from vaegmm.training import loop, start

TINY = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    augmentation=AugmentationConfig(shift=1),
    joint=JointConfig(share=0.5, n_components=3, n_init=2),
    epochs=4,
    batch_size=16,
)


_START_STEPS = start._START_STEPS


@pytest.fixture(scope="module", autouse=True)
def short_starts() -> Iterator[None]:
    """Train each start for a few steps only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "_START_STEPS", 5)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 images with three labels: bright bars at three heights."""
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    images = generator.integers(0, 40, (90, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 7 * label : 9 + 7 * label, 4:24] = 220
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture
def make_run(tmp_path: Path, data: Path) -> Callable[..., Run]:
    def make(name: str = "run", config: TrainConfig = TINY, **options: object) -> Run:
        return Run.create(tmp_path / name, config, data, "cpu", **options)

    return make


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Run:
    run = Run.create(tmp_path_factory.mktemp("runs") / "uninterrupted", TINY, data, "cpu")
    run.execute()
    return run


def _timeless(run: Run) -> list[tuple[dict[str, object], dict[str, bytes]]]:
    """All that the frames of a run's film hold, but the seconds they were taken at."""
    return [
        (
            {name: value for name, value in frame.header.items() if name != "seconds"},
            {name: array.tobytes() for name, array in frame.arrays.items()},
        )
        for frame in read_film(run.film_path).frames
    ]


def _weights(run: Run) -> dict[str, torch.Tensor]:
    from vaegmm import load

    model = load(run.model_path)
    return {**model.vae.state_dict(), "mixture": torch.from_numpy(model.mixture.means_)}


def _assert_same_weights(run: Run, expected: Run) -> None:
    ours, theirs = _weights(run), _weights(expected)
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_a_film_changes_no_weight(make_run, uninterrupted):
    without = make_run(film=False)
    without.execute()
    assert not without.film_path.exists() and uninterrupted.film_path.exists()
    _assert_same_weights(without, uninterrupted)


def test_a_runs_film_is_of_its_data_and_its_training(uninterrupted):
    film = read_film(uninterrupted.film_path)
    header = film.opening.header
    assert (header["epochs"], header["steps"], header["joint_epochs"]) == (4, 4, 2)
    assert header["label_names"] == ["0", "1", "2"] and header["n_components"] == 3
    assert [f.header["epoch"] for f in film.frames if f.kind == "epoch"] == [1, 2, 3, 4]
    assert [f.header["validation_cross_entropy"] for f in film.frames if f.kind == "epoch"] == [
        loss.validation_cross_entropy for loss in uninterrupted.losses
    ]
    assert uninterrupted.status.film_error is None


@pytest.mark.parametrize("call", [2, 4, 5, 7, 8])
def test_an_interrupted_film_goes_on_without_doubles(make_run, uninterrupted, call):
    run = make_run()
    calls = []

    def interrupt(report: object) -> None:
        calls.append(report)
        if len(calls) == call:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.execute(interrupt)
    with run.film_path.open("ab") as film:
        film.write(b"\xff\x00\x00")  # torn
    run.execute()
    assert _timeless(run) == _timeless(uninterrupted)
    _assert_same_weights(run, uninterrupted)


def test_an_attempt_that_collapsed_stays_in_the_film(make_run, monkeypatch):
    verdicts = iter([True, False])
    monkeypatch.setattr(loop, "_has_collapsed", lambda *_: next(verdicts))
    run = make_run()
    run.execute()
    frames = read_film(run.film_path).frames
    of_attempt = [[f for f in frames if f.header["restarts"] == attempt] for attempt in (0, 1)]
    assert [f.place[1] for f in of_attempt[0]] == [f.place[1] for f in of_attempt[1]]
    assert frames == of_attempt[0] + of_attempt[1]
    seconds = [f.header["seconds"] for f in frames]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("frame", [0, 1, 5])
def test_a_full_disk_ends_the_film_and_not_the_training(
    make_run, uninterrupted, monkeypatch, frame
):
    """The file system takes half of a block, and then no more."""
    written, original = [], FilmWriter._append

    class Full:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, data):
            if len(data) < 100:
                raise OSError(28, "No space left on device")
            return self._file.write(data[: len(data) // 2])

    def full(*arguments, **options):
        return Full(Path.open(*arguments, **options))

    def append(self, data):
        written.append(data)
        if len(written) == frame + 1:
            monkeypatch.setattr(file, "open", full, raising=False)
        original(self, data)

    monkeypatch.setattr(FilmWriter, "_append", append)
    run = make_run()
    run.execute()
    assert run.status.state == "finished"
    assert "No space left" in run.status.film_error
    _assert_same_weights(run, uninterrupted)
    if frame:
        assert len(read_film(run.film_path).frames) == frame - 1
    else:
        assert not run.film_path.exists()
    assert len(written) == frame + 1, "the film is tried again after it has ended"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:300] + b"edited by hand" + data[314:],
        lambda data: b"",
        lambda data: None,
        lambda data: data.replace(b"VAEFILM1", b"VAEFILM9"),
    ],
)
def test_a_damaged_film_is_begun_anew_with_a_word(make_run, uninterrupted, damage):
    run = make_run()
    with pytest.raises(KeyboardInterrupt):
        run.execute(_interrupt_after(epoch=2))
    damaged = damage(run.film_path.read_bytes())
    if damaged is None:
        run.film_path.unlink()
    else:
        run.film_path.write_bytes(damaged)
    run.execute()
    _assert_same_weights(run, uninterrupted)
    assert "begins after epoch 2" in run.status.film_error
    frames = read_film(run.film_path).frames
    assert [f.header["epoch"] for f in frames if f.kind == "epoch"] == [3, 4]


def _interrupt_after(epoch: int) -> Callable[[loop.Progress], None]:
    def interrupt(report: loop.Progress) -> None:
        if report.finished_epoch and report.epoch == epoch:
            raise KeyboardInterrupt

    return interrupt


@pytest.mark.slow
def test_a_run_survives_being_killed_twenty_times(make_run, monkeypatch):
    """Resumed to the same weights, at most one epoch lost, its film whole."""
    monkeypatch.setattr(start, "_START_STEPS", _START_STEPS)  # as in the processes of their own
    config = replace(TINY, epochs=60, batch_size=2)
    whole, killed = make_run("whole", config), make_run("killed", config)
    whole.execute()
    generator = np.random.default_rng(0)
    context = multiprocessing.get_context("forkserver")
    # Imported once, not twenty times: what a training imports, and what its optimizer does.
    context.set_forkserver_preload(["vaegmm.runs", "torch._dynamo", "sklearn.cluster"])
    for kill in range(20):
        enough = len(killed.losses) + int(generator.integers(0, 4))
        process = context.Process(target=killed.execute)
        process.start()
        deadline = time.monotonic() + 120
        while len(killed.losses) < enough or killed.last_status().state != "training":
            assert process.is_alive() and time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(generator.uniform(0, 0.05))
        process.kill()
        process.join()
        kept = len(killed.losses)
        assert kept >= enough - 1, f"more than an epoch was lost by kill {kill}"
        frames = read_film(killed.film_path).frames
        assert sum(f.kind == "epoch" for f in frames) in (kept, kept + 1)
    killed.execute()
    _assert_same_weights(killed, whole)
    assert _timeless(killed) == _timeless(whole)

"""A training for TensorBoard: losses, samples, latents and figures as its event files.

One folder holds one training, which TensorBoard calls a run. Its step is the optimizer's:

    cross_entropy/…, kl/…, kl_weight, epoch    scalars of each epoch
    kl_per_latent/…, latents_in_use            likewise, from the film
    reconstructions, components                images of each frame of the film
    embedding/                                 latents of some frames, with labels and a sprite
    hyperparameters, and test/…                with the result

What the film tells is missing where a training has none.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vaegmm import data
from vaegmm.config import TrainConfig
from vaegmm.data import DataError
from vaegmm.errors import InputError
from vaegmm.film import Film, FilmError, Frame, read_film
from vaegmm.images import spread
from vaegmm.runs import Run, best_of, finished_attempts
from vaegmm.training import EpochLoss, Progress
from vaegmm.vae import IMAGE_SHAPE

EMBEDDINGS = 20  # of a training, beside those of its first epoch: each is a file of its own
_COLUMNS = 8  # of a picture of samples


def require_tensorboard() -> None:
    """Refuse to go on without the package that writes event files.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise InputError(
            "tensorboard must be installed to write event files; it is not. "
            "Install it with: pip install tensorboard",
            reason="no tensorboard",
        ) from error


class Board:
    """Writes the event files of a run as it trains; give it to `Run.execute` as `on_progress`.

    The events that an interrupted training has left are declared void (`purge_step`) and written
    anew from the run's losses and film, so that none is missing and none is there twice. With
    several attempts each has a folder of its own.

    Args:
        run: what is trained.
        folder: where to; the run's directory / tensorboard if None.

    Attributes:
        error: why it has ended before the training; None where it has not.

    Raises:
        InputError: if tensorboard is not installed.
    """

    def __init__(self, run: Run, folder: str | Path | None = None) -> None:
        require_tensorboard()
        self.error: str | None = None
        self._run = run
        self._folder = Path(folder or run.path / "tensorboard")
        self._events: Events | None = None
        self._place: tuple[int, int] | None = None  # attempt and restarts

    def __call__(self, report: Progress) -> None:
        """Write what a report tells. A full disk ends the events, not the training."""
        if self.error is None:
            with self._ending():
                self._observe(report)

    def finish(self) -> None:
        """Write hyperparameters and figures of the finished run."""
        if self.error is None:
            with self._ending():
                self._close()
                for number, config, figures in _results(self._run):
                    folder = _folder_of(self._folder, number, self._run.attempts)
                    _add_figures(folder, self._run, config, figures)

    def close(self) -> None:
        """End the files where they stand."""
        with contextlib.suppress(OSError):
            self._close()

    def _observe(self, report: Progress) -> None:
        place = report.attempt, report.restarts
        if place != self._place:
            self._close()
            folder = _folder_of(self._folder, report.attempt, report.attempts)
            self._events = Events(folder, self._run, report.steps)
            self._place = place
            for loss in self._run.losses[: report.epoch - 1]:
                self._events.add_loss(loss)
        if report.finished_epoch and self._events:
            self._events.add_loss(report.finished_epoch)
            if _is_due(report.epoch, report.epochs):
                self._events.add_film(_film(self._run), report.restarts)
            self._events.flush()

    def _close(self) -> None:
        if self._events:
            events, self._events = self._events, None
            events.close()

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = f"The events for TensorBoard end here: {error.strerror or error}."
            self.close()


def export(run: Run, folder: str | Path) -> Path:
    """Write event files of a run that may have been trained without any.

    Args:
        run: finished or not, with one finished epoch at least.
        folder: where to; a folder of the run's name is made in it, or written anew.

    Returns:
        That folder.

    Raises:
        InputError: if tensorboard is not installed, the run has no finished epoch, or the folder
            cannot be written.
    """
    require_tensorboard()
    losses, progress = run.losses, run.status.progress
    if not losses or progress is None:
        raise InputError(
            f"a run must have a finished epoch to be exported; {run.path} has none.",
            reason="nothing to export",
        )
    to = Path(folder) / run.name
    try:
        events = Events(to, run, progress.steps)
        for loss in losses:
            events.add_loss(loss)
        film = _film(run)
        events.add_film(film, film.frames[-1].header["restarts"] if film and film.frames else 0)
        events.close()
        if run.is_finished:
            _add_figures(to, run, _kept(run), run.metrics)
    except OSError as error:
        raise InputError(
            f"{to} cannot be written: {error}. Free some space, or choose another place.",
            reason="folder cannot be written",
        ) from error
    return to


class Events:
    """The event files of one training in one folder.

    Args:
        folder: made where it is missing; events that it holds already become void.
        run: what is trained.
        steps: of an epoch.
    """

    def __init__(self, folder: Path, run: Run, steps: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(folder / "embedding", ignore_errors=True)
        self._writer: Any = SummaryWriter(str(folder), purge_step=0)
        self._folder, self._run, self._steps = folder, run, steps
        self._began = datetime.fromisoformat(run.settings["created"]).timestamp()
        self._n_frames = 0  # written so far

    def add_loss(self, loss: EpochLoss) -> None:
        """Write the losses of an epoch."""
        scalars = {
            "cross_entropy/training": loss.cross_entropy,
            "cross_entropy/validation": loss.validation_cross_entropy,
            "kl/training": loss.kl,
            "kl/validation": loss.validation_kl,
            "kl_weight": loss.kl_weight,
            "epoch": loss.epoch,
        }
        self._add_scalars(scalars, loss.epoch * self._steps, loss.seconds)

    def add_film(self, film: Film | None, restarts: int) -> None:
        """Write what the film has gained since it was last seen.

        Args:
            film: as far as it is there.
            restarts: of the training; frames from before are left out.
        """
        if film is None:
            return
        frames = [f for f in film.frames if f.header["restarts"] == restarts and f.kind != "start"]
        for frame in frames[self._n_frames :]:
            step = (frame.header["epoch"] - 1) * self._steps + frame.header["step"]
            self._add_frame(film.opening, frame, step)
            is_epoch = frame.kind == "epoch"
            if not is_epoch or _is_due(frame.header["epoch"], film.opening.header["epochs"]):
                self._add_embedding(film.opening, frame, step)
        self._n_frames = len(frames)

    def flush(self) -> None:
        """Let readers see all that was written."""
        self._writer.flush()

    def close(self) -> None:
        """End the files."""
        self._writer.close()

    def _add_scalars(
        self, scalars: Mapping[str, float | None], step: int, seconds: float | None
    ) -> None:
        for name, value in scalars.items():
            if value is not None:
                self._writer.add_scalar(name, value, step, self._time(seconds))

    def _add_frame(self, opening: Frame, frame: Frame, step: int) -> None:
        header, arrays = frame.header, frame.arrays
        if frame.kind == "epoch":
            scalars = {f"kl_per_latent/{i}": kl for i, kl in enumerate(header["kl_per_latent"])}
            scalars["latents_in_use"] = sum(header["in_use"])
            self._add_scalars(scalars, step, header["seconds"])
        pictures = {
            "reconstructions": _pairs(opening.arrays["images"], arrays["reconstructions"]),
        }
        if "component_images" in arrays:
            pictures["components"] = _grid(arrays["component_images"])
        for name, picture in pictures.items():
            time = self._time(header["seconds"])
            self._writer.add_image(name, picture, step, time, dataformats="HW")

    def _add_embedding(self, opening: Frame, frame: Frame, step: int) -> None:
        """Write a frame's latents for TensorBoard's projector."""
        from tensorboard.plugins import projector

        folder, latents = self._folder / "embedding", frame.arrays["latents"]
        if not folder.exists():
            folder.mkdir()
            _write_sprite(self._run, len(latents), folder / "sprite.png")
            if "labels" in opening.arrays:
                names = opening.header["label_names"]
                labels = [_name(names, label) for label in opening.arrays["labels"].tolist()]
                (folder / "labels.tsv").write_text("\n".join(labels) + "\n", encoding="utf-8")
        np.savetxt(folder / f"{step:09d}.tsv", latents, "%.4g", delimiter="\t")
        config = projector.ProjectorConfig()
        for path in sorted(folder.glob("[0-9]*.tsv"), reverse=True):  # the first is shown first
            entry = config.embeddings.add()
            entry.tensor_name = f"latents at step {int(path.stem)}"
            entry.tensor_path = f"embedding/{path.name}"
            if (folder / "labels.tsv").exists():
                entry.metadata_path = "embedding/labels.tsv"
            if (folder / "sprite.png").exists():
                entry.sprite.image_path = "embedding/sprite.png"
                entry.sprite.single_image_dim.extend(IMAGE_SHAPE)
        projector.visualize_embeddings(str(self._folder), config)

    def _time(self, seconds: float | None) -> float | None:
        """Return when a moment of the training was: pauses between its processes don't count."""
        return None if seconds is None else self._began + seconds


def _folder_of(folder: Path, attempt: int, attempts: int) -> Path:
    return folder if attempts == 1 else folder / f"attempt-{attempt}"


def _is_due(epoch: int, epochs: int) -> bool:
    """Whether the film is read, and the latents are written, after an epoch."""
    return epoch == 1 or epoch * EMBEDDINGS // epochs > (epoch - 1) * EMBEDDINGS // epochs


def _film(run: Run) -> Film | None:
    try:
        return read_film(run.film_path)
    except FilmError:
        return None


def _results(run: Run) -> list[tuple[int, TrainConfig, dict[str, Any]]]:
    """Return number, configuration and figures of each attempt."""
    if run.attempts == 1:
        return [(1, run.config, run.metrics)]
    return [
        (each.attempt, replace(run.config, seed=each.seed), each.metrics)
        for each in finished_attempts(run)
    ]


def _kept(run: Run) -> TrainConfig:
    """Return what the run's result was trained with."""
    attempts = finished_attempts(run)
    return replace(run.config, seed=best_of(attempts).seed) if attempts else run.config


def _add_figures(folder: Path, run: Run, config: TrainConfig, figures: dict[str, Any]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    hyperparameters = {"data": run.settings["data"], **_flat(config.to_dict())}
    numbers = {f"test/{name}": value for name, value in figures.items() if _is_number(value)}
    progress = run.status.progress
    step = config.epochs * progress.steps if progress else 0
    with SummaryWriter(str(folder)) as writer:
        # Under another name they would be a run of their own, apart from its curves.
        writer.add_hparams(hyperparameters, numbers, run_name=".", global_step=step)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """Return nested settings as one level, as TensorBoard shows them."""
    flat: dict[str, bool | float | str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            is_plain = isinstance(value, bool | int | float | str)
            flat[prefix + name] = value if is_plain else " ".join(map(str, value))
    return flat


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _grid(images: np.ndarray, columns: int = _COLUMNS) -> np.ndarray:
    """Lay out images, shape (N, 784) or (N, 28, 28), row by row as one picture, shape (H, W)."""
    height, width = IMAGE_SHAPE
    rows = -(-len(images) // columns)
    cells = np.zeros((rows * columns, height, width), np.uint8)
    cells[: len(images)] = images.reshape(-1, height, width)
    lines = cells.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    return lines.reshape(rows * height, columns * width)


def _pairs(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Lay out each line of inputs above their outputs."""
    lines = [
        _grid(images[at : at + _COLUMNS])
        for at in range(0, len(inputs), _COLUMNS)
        for images in (inputs, outputs)
    ]
    return np.concatenate(lines)


def _name(names: list[str], label: int) -> str:
    # Names are people's own: the file has a line for each.
    return " ".join(names[label].split()) if label < len(names) else str(label)


def _write_sprite(run: Run, n_points: int, path: Path) -> None:
    """Write the validation images of the film's points as one picture, if they can be had."""
    try:
        images = data.load(run.settings["data"]).validation.images
    except DataError:
        return
    # As vaegmm.film.camera chooses its points.
    rows = spread(len(images), n_points)
    # The projector takes as many columns as rows.
    Image.fromarray(_grid(images[rows], math.ceil(math.sqrt(n_points)))).save(path)

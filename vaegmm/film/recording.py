"""The film of a training in this process, which never stands in the training's way."""

from __future__ import annotations

from pathlib import Path

from vaegmm.config import TrainConfig
from vaegmm.data import Dataset
from vaegmm.film.camera import Camera
from vaegmm.film.file import FilmError, FilmWriter, Frame
from vaegmm.training import Progress, TrainState


class Recorder:
    """Writes a training's film as it goes on, from the epoch that its state has reached.

    Args:
        path: of the film's file.
        config: the training.
        dataset: what it is trained on.
        state: where the training goes on.

    Attributes:
        error: why the film has ended before the training, or begins after it; None where it is
            whole.
    """

    def __init__(
        self, path: str | Path, config: TrainConfig, dataset: Dataset, state: TrainState
    ) -> None:
        self.error: str | None = None
        self._writer: FilmWriter | None = None
        self._path = Path(path)
        held_out = dataset.validation
        self._camera = Camera(config, held_out.images, held_out.labels, len(dataset.train))
        opening = self._camera.opening(dataset.title, dataset.name, tuple(dataset.label_names))
        try:
            if state.history or state.restarts:
                self._go_on(opening, state)
            if self._writer is None:
                self._writer = FilmWriter.begin(self._path, opening)
        except OSError as error:
            self._end(error)

    def take(self, state: TrainState, report: Progress) -> None:
        """Write the frame of a report, if it has one and the film has not ended."""
        if self._writer is None:
            return
        frame = self._camera.take(state, report)
        if frame is None:
            return
        try:
            self._writer.write(frame)
        except OSError as error:
            self._end(error)

    def _go_on(self, opening: Frame, state: TrainState) -> None:
        begun = f"The film begins after epoch {state.epoch}"
        try:
            self._writer = FilmWriter.go_on(self._path, opening, state.restarts, state.epoch)
            if self._writer.last is not None:
                self._camera.follow(self._writer.last)
        except FileNotFoundError:
            self.error = f"{begun}: there was none of the epochs before."
        except FilmError as error:
            self.error = f"{begun}: {error}"

    def _end(self, error: OSError) -> None:
        self._writer = None
        self.error = f"The film ends here, the training goes on: {error.strerror or error}."

"""Fits that somebody waits for: in threads of their own, watched and stopped from a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from vaegmm.app import cached
from vaegmm.app.start import Start, Wanted
from vaegmm.mixture import FitProgress
from vaegmm.model import VAEGMM

Report = Callable[[FitProgress], object]
Result = TypeVar("Result")


class _Stopped(Exception):
    """Nobody waits for the fit any more."""


class Fitting(Generic[Result]):
    """Something that fits a mixture on its way to a result.

    Args:
        fit: returns the result; it calls what it is given after each iteration.
    """

    def __init__(self, fit: Callable[[Report], Result]) -> None:
        self.progress: FitProgress | None = None  # None before the first iteration
        self.result: Result | None = None
        self.error: Exception | None = None
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._fit, args=[fit], daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether there is neither a result nor an error yet."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait for the end, but not longer than this."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """End it after the iteration in hand; there will be no result."""
        self._is_stopped.set()

    def _fit(self, fit: Callable[[Report], Result]) -> None:
        try:
            self.result = fit(self._report)
        except _Stopped:
            pass
        except ValueError as error:
            self.error = error

    def _report(self, progress: FitProgress) -> None:
        self.progress = progress
        if self._is_stopped.is_set():
            raise _Stopped


class Refit(Fitting[VAEGMM]):
    """A model on the way to another mixture.

    Args:
        model: it stays as it is.
        wanted: how large the mixture shall be, or where its fit shall begin.
    """

    def __init__(self, model: VAEGMM, wanted: Wanted | Start) -> None:
        self.fingerprint, self.wanted = model.fingerprint, wanted
        super().__init__(lambda report: cached.refitted(model, wanted, report))


class Replaying(Fitting[bytes]):
    """The fit of a model's own mixture once more, on the way to what a page plays back."""

    def __init__(self, model: VAEGMM) -> None:
        self.fingerprint = model.fingerprint
        super().__init__(lambda report: cached.played(model, report))

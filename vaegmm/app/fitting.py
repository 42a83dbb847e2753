"""A fit that somebody waits for: in a thread of its own, watched and stopped from a page."""

from __future__ import annotations

import threading

from vaegmm.app import cached
from vaegmm.mixture import FitProgress
from vaegmm.model import VAEGMM


class _Stopped(Exception):
    """Nobody waits for the fit any more."""


class Refit:
    """A model on the way to a mixture of another size.

    Args:
        model: it stays as it is.
        n_components: of the new mixture.
    """

    def __init__(self, model: VAEGMM, n_components: int) -> None:
        self.fingerprint = model.fingerprint
        self.n_components = n_components
        self.progress: FitProgress | None = None  # None before the first iteration
        self.result: VAEGMM | None = None
        self.error: Exception | None = None
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._fit, args=[model], daemon=True)
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

    def _fit(self, model: VAEGMM) -> None:
        try:
            self.result = cached.refitted(model, self.n_components, self._report)
        except _Stopped:
            pass
        except ValueError as error:
            self.error = error

    def _report(self, progress: FitProgress) -> None:
        self.progress = progress
        if self._is_stopped.is_set():
            raise _Stopped

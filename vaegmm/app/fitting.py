"""Fits that somebody waits for: in threads of their own, watched and stopped from a page."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from vaegmm.app import cached
from vaegmm.app.permission import is_public
from vaegmm.app.start import Start, Wanted
from vaegmm.errors import InputError
from vaegmm.mixture import FitProgress
from vaegmm.model import VAEGMM

Report = Callable[[FitProgress], object]
Result = TypeVar("Result")

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)  # fits, on a public server: it answers meanwhile
MOST_SECONDS = 120.0  # of waiting there, and of a fit
_turns = threading.BoundedSemaphore(AT_ONCE)


class _Stopped(Exception):
    """Nobody waits for the fit any more."""


class Fitting(Generic[Result]):
    """Something that fits a mixture on its way to a result.

    On a public server some wait for their turn, and what nobody can wait for ends with an error.

    Args:
        fit: returns the result; it calls what it is given after each iteration.
    """

    def __init__(self, fit: Callable[[Report], Result]) -> None:
        self._work = _Work(fit)
        self._thread = threading.Thread(target=self._work.do, daemon=True)
        self._thread.start()
        # The thread knows the work alone: a session that ends takes this with it.
        weakref.finalize(self, self._work.is_stopped.set)

    @property
    def progress(self) -> FitProgress | None:
        """The last iteration; None before the first."""
        return self._work.progress

    @property
    def result(self) -> Result | None:
        """What it has come to."""
        return self._work.result

    @property
    def error(self) -> Exception | None:
        """Why it has come to nothing."""
        return self._work.error

    @property
    def is_running(self) -> bool:
        """Whether there is neither a result nor an error yet."""
        return self._thread.is_alive()

    @property
    def is_waiting(self) -> bool:
        """Whether others' fits come first."""
        return self._work.is_waiting

    def wait(self, seconds: float) -> None:
        """Wait for the end, but not longer than this."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """End it after the iteration in hand; there will be no result."""
        self._work.is_stopped.set()


class _Work(Generic[Result]):
    """What the thread of a fit does, and what it leaves behind."""

    def __init__(self, fit: Callable[[Report], Result]) -> None:
        self.progress: FitProgress | None = None
        self.result: Result | None = None
        self.error: Exception | None = None
        self.is_waiting = False
        self.is_stopped = threading.Event()
        self._fit = fit
        self._has_turn = False
        self._deadline = float("inf")

    def do(self) -> None:
        """Fit."""
        try:
            self.result = self._fit(self._report)
        except _Stopped:
            pass
        except ValueError as error:
            self.error = error
        finally:
            if self._has_turn:
                _turns.release()

    def _report(self, progress: FitProgress) -> None:
        # Asked for after the first iteration: what is in a cache has none, and never waits.
        if is_public() and not self._has_turn:
            self._wait_for_turn()
        self.progress = progress
        self._check()

    def _wait_for_turn(self) -> None:
        self._deadline = time.monotonic() + MOST_SECONDS
        while not _turns.acquire(timeout=0.2):
            self.is_waiting = True
            self._check()
        self.is_waiting, self._has_turn = False, True
        self._deadline = time.monotonic() + MOST_SECONDS

    def _check(self) -> None:
        if self.is_stopped.is_set():
            raise _Stopped
        if time.monotonic() > self._deadline:
            raise InputError("the fit takes too long for a public server.", reason="long fit")


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

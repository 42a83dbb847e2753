"""How long a training will take on this machine: measured apart, while the page goes on."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import streamlit as st

from vaegmm.app.trainings.options import Options
from vaegmm.app.trainings.saying import duration
from vaegmm.config import TrainConfig
from vaegmm.estimation import Estimate, estimate

_POLL_SECONDS = 0.5
_AT_ONCE = 0.1  # seconds that the page waits: what was measured before is there by then


class Expected:
    """How long a training takes, which is measured now or was before."""

    def __init__(self, future: Future[Estimate | None]) -> None:
        self._future = future

    @property
    def is_known(self) -> bool:
        """Whether there is an answer."""
        return self._future.done()

    @property
    def answer(self) -> Estimate | None:
        """The estimate; None while there is none, or where none can be made."""
        is_made = self._future.done() and self._future.exception() is None
        return self._future.result() if is_made else None

    def wait(self, seconds: float) -> None:
        """Wait for the answer, but not longer than this."""
        with contextlib.suppress(NotYet):
            self._future.exception(seconds)


@st.cache_resource(max_entries=200, show_spinner=False)
def expect(
    config: TrainConfig, n_images: int, device: str | None, attempts: int, film: bool
) -> Expected:
    """Estimate how long a training takes; asked again, return what was answered."""
    return Expected(_measuring().submit(estimate, config, n_images, device, attempts, film))


def show(config: TrainConfig, n_images: int, options: Options) -> Expected:
    """Say how long a training will take, as soon as that is known."""
    expected = expect(config, n_images, options.device, options.attempts, options.film)
    expected.wait(_AT_ONCE)
    st.fragment(_say, run_every=None if expected.is_known else _POLL_SECONDS)(
        expected, expected.is_known
    )
    return expected


def _say(expected: Expected, was_known: bool) -> None:
    if expected.is_known and not was_known:
        st.rerun()  # nothing is left to poll for
    if not expected.is_known:
        st.caption("How long it will take is being measured …")
    elif (found := expected.answer) is not None:
        st.caption(
            f":material/schedule: About {duration(found.seconds)} on this machine "
            f"({duration(found.low)} to {duration(found.high)})."
        )
    else:
        st.caption("How long it will take cannot be measured: the network is too large to try.")


@st.cache_resource(show_spinner=False)
def _measuring() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="estimate")  # they time alone

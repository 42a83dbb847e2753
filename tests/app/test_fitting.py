"""A fit in a thread of its own: watched, stopped, and made once for all."""

from __future__ import annotations

from typing import Any

import pytest

from vaegmm import VAEGMM
from vaegmm.app import cached
from vaegmm.app.fitting import Refit
from vaegmm.app.start import Wanted


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    """Every test fits anew."""
    cached.refitted.clear()


def test_a_fit_ends_with_the_model_that_refit_gives(small_model: VAEGMM) -> None:
    fit = Refit(small_model, Wanted(5, "full"))
    fit.wait(60)
    assert not fit.is_running and fit.error is None
    assert fit.result is not None and fit.progress is not None
    assert fit.result.fingerprint == small_model.refit(5).fingerprint
    assert fit.progress.n_init == 5


def test_a_stopped_fit_has_no_result(small_model: VAEGMM, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(self: VAEGMM, n_components: int, progress: Any, **settings: Any) -> None:
        while True:
            progress("an iteration")

    with monkeypatch.context() as patch:
        patch.setattr(VAEGMM, "refit", endless)
        fit = Refit(small_model, Wanted(6, "full"))
        fit.wait(0.05)
        assert fit.is_running and fit.result is None
        fit.stop()
        fit.wait(60)
        assert not fit.is_running and fit.result is None and fit.error is None
    again = Refit(small_model, Wanted(6, "full"))
    again.wait(60)
    assert again.result is not None, "what was stopped is not remembered"


def test_what_cannot_be_fitted_says_so(small_model: VAEGMM) -> None:
    fit = Refit(small_model, Wanted(10**6, "full"))
    fit.wait(60)
    assert fit.result is None
    assert "n_components" in str(fit.error)


def test_a_second_fit_of_the_same_size_is_there_at_once(
    small_model: VAEGMM, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Refit(small_model, Wanted(4, "full"))
    first.wait(60)
    monkeypatch.setattr(VAEGMM, "refit", lambda *args, **kwargs: pytest.fail("was fitted again"))
    second = Refit(small_model, Wanted(4, "full"))
    second.wait(60)
    assert second.result is first.result

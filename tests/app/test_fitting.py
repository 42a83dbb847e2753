"""A fit in a thread of its own: watched, stopped, and made once for all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vaegmm import VAEGMM
from vaegmm.app import cached
from vaegmm.app.fitting import Refit, Replaying
from vaegmm.app.start import Start, Wanted
from vaegmm.errors import InputError

CIRCLES = (*np.eye(8).ravel(),) * 2
SENT = {
    **{"covariance_type": "full", "reg_covar": 1e-4, "weights": [1, 3]},
    **{"means": [0.0] * 8 + [1.0] * 8, "covariances": [*CIRCLES]},
}


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    """Every test fits anew."""
    cached.refitted.clear()
    cached.played.clear()


def test_a_fit_ends_with_the_model_that_refit_gives(small_model: VAEGMM) -> None:
    fit = Refit(small_model, Wanted(5, "full"))
    fit.wait(60)
    assert not fit.is_running and fit.error is None
    assert fit.result is not None and fit.progress is not None
    assert fit.result.fingerprint == small_model.refit(5).fingerprint
    assert not hasattr(fit.result.mixture, "history_"), "it takes more room than the mixture"
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
    played = Replaying(first.result)
    played.wait(60)
    assert played.result is not None and b'"onwards":false' in played.result


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_a_fit_begins_where_a_page_says(small_model: VAEGMM, covariance_type: str) -> None:
    start = Start.of({**SENT, "covariance_type": covariance_type}, 8)
    fit = Refit(small_model, start)
    fit.wait(60)
    assert fit.result is not None, fit.error
    mixture = fit.result.mixture
    assert mixture.covariance_type == covariance_type and mixture.reg_covar == 1e-4
    assert fit.result.config.mixture.covariance_type == covariance_type, "what a checkpoint needs"
    np.testing.assert_allclose(mixture.weights_init, [0.25, 0.75])
    expected = small_model.refit(
        2,
        n_init=1,
        covariance_type=covariance_type,
        reg_covar=1e-4,
        weights_init=[0.25, 0.75],
        means_init=np.repeat([[0.0], [1.0]], 8, axis=1),
        precisions_init=mixture.precisions_init,
    )
    np.testing.assert_array_equal(mixture.means_, expected.mixture.means_)


@pytest.mark.parametrize(
    "wrong",
    [
        {"covariance_type": "round"},
        {"reg_covar": -1},
        {"reg_covar": "a lot"},
        {"weights": []},
        {"weights": [1, -1]},
        {"weights": [0, 0]},
        {"weights": [1] * 301},
        {"means": [0.0] * 15},
        {"means": [float("nan")] * 16},
        {"means": None},
        {"covariances": [0.0] * 128},
    ],
)
def test_a_start_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        Start.of({**SENT, **wrong}, 8).options()
    assert error.value.reason == "start"

"""How many components: the truth is found, and each size is as good as one fitted alone."""

import numpy as np
import pytest
import torch
from oracles import TYPES, some_mixture

from vaegmm.mixture import GaussianMixture, select_components
from vaegmm.mixture.em import Parameters
from vaegmm.mixture.selection import split


def clouds(n_points=300, seed=0):
    """Three clusters of which two are elongated."""
    rng = np.random.default_rng(seed)
    parts = [[6, 0.4], [0.5, 0.5], [0.4, 5]]
    return np.concatenate(
        [rng.normal(size=(n_points, 2)) * part + 9 * k for k, part in enumerate(parts)]
    )


@pytest.mark.parametrize("criterion", ["bic", "held-out"])
def test_the_true_number_and_type_are_found(criterion):
    points = clouds()
    seen = []
    selection = select_components(
        points, range(1, 5), ["diag", "spherical"], criterion, progress=seen.append
    )
    assert seen == selection.sizes and len(seen) == 8
    assert selection.best.covariance_type == "diag"
    assert selection.best.n_components == 3 or criterion == "held-out"
    assert selection.mixture.n_components == selection.best.n_components
    assert np.isfinite(selection.best.held_out) == (criterion == "held-out")
    if criterion == "bic":
        assert selection.best.bic == pytest.approx(selection.mixture.bic(points))


@pytest.mark.filterwarnings("ignore:EM did not converge")
def test_no_size_is_worse_than_one_fitted_alone_nor_than_a_smaller_one():
    points = clouds(100)
    sizes = select_components(points, [1, 2, 5], tol=1e-6).sizes
    bounds = [size.log_likelihood for size in sizes]
    assert np.diff(bounds).min() > 0
    for size, bound in zip(sizes, bounds, strict=True):
        alone = GaussianMixture(size.n_components, tol=1e-6).fit(points)
        assert bound > alone.score(points) - 1e-3
        assert size.mixture.means_init is None


def test_points_of_their_own_may_be_held_out():
    points, others = clouds(100), clouds(50, seed=1)
    selection = select_components(points, [1, 3], criterion="held-out", held_out=others)
    assert selection.best.held_out == pytest.approx(selection.mixture.score(others))


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_split_keeps_mean_and_covariance(covariance_type):
    mixture = some_mixture(covariance_type)
    parts = (mixture.weights_, mixture.means_, mixture.covariances_)
    before = Parameters.of(covariance_type, *(torch.from_numpy(np.array(p)) for p in parts))
    after = split(before, 1)
    assert len(after.weights) == 3
    assert after.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(after.weights @ after.means, before.weights @ before.means)
    if covariance_type == "full":
        totals = []
        for p in (before, after):
            shift = p.means - before.weights @ before.means
            own = p.covariances + shift[:, :, None] * shift[:, None]
            totals.append(torch.einsum("k,kij->ij", p.weights, own))
        np.testing.assert_allclose(totals[1], totals[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"components": []}, "components and covariance_types must not be empty"),
        ({"criterion": "luck"}, "criterion one of bic, aic, held-out"),
        ({"criterion": "held-out", "held_out": 0.0}, "held_out must be a share that leaves some"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        select_components(clouds(20), **options)

"""Online EM against EM on all points, and labels against what they imply."""

import numpy as np
import pytest
import torch
from oracles import TYPES

from vaegmm.mixture import GaussianMixture, NormalInverseWishart


def stream(n_points, seed=0):
    """Three clusters that overlap."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0, 0.0], [3.0, 1.0, 0.0], [0.0, 3.0, 2.0]])
    roots = 0.7 * np.random.default_rng(7).normal(size=(3, 3, 3))
    labels = rng.integers(3, size=n_points)
    return centres[labels] + (roots[labels] @ rng.normal(size=(n_points, 3, 1)))[..., 0]


@pytest.mark.parametrize("covariance_type", TYPES)
def test_one_pass_comes_near_to_all_points_at_once(covariance_type):
    points = stream(40_000)
    settings = {"covariance_type": covariance_type, "tol": 1e-6}
    batch = GaussianMixture(3, **settings).fit(points)
    online = GaussianMixture(3, **settings)
    for part in np.split(points, 40):
        online.partial_fit(part)
    assert online.score(points) > batch.score(points) - 0.01
    assert online.n_samples_seen_ == pytest.approx(len(points))


def test_the_first_call_is_a_fit():
    points = stream(300)
    one, other = GaussianMixture(3).partial_fit(points), GaussianMixture(3).fit(points)
    np.testing.assert_array_equal(one.means_, other.means_)


def test_a_rate_of_one_averages_all_that_was_seen():
    """With one component EM is an average: that of all points, whatever the batches' sizes."""
    points = stream(1000)
    online = GaussianMixture(1, forgetting_rate=1.0, reg_covar=0)
    for part in np.split(points, [50, 400, 450]):
        online.partial_fit(part)
    np.testing.assert_allclose(online.means_[0], points.mean(0), atol=1e-10)
    np.testing.assert_allclose(online.covariances_[0], np.cov(points.T, bias=True), atol=1e-10)


def test_the_lower_the_rate_the_sooner_it_follows():
    before, after = stream(4000), stream(4000, seed=1) + 5
    lag = []
    for rate in (0.55, 1.0):
        online = GaussianMixture(3, forgetting_rate=rate)
        for part in [*np.split(before, 10), *np.split(after, 10)]:
            online.partial_fit(part)
        lag.append(-online.score(after))
    assert lag[0] < lag[1]


def test_a_fit_goes_on_online_and_with_holes_weights_and_a_prior():
    points = stream(2000)
    mixture = GaussianMixture(3, prior=NormalInverseWishart()).fit(points[:1000])
    before = mixture.score(points)
    holes = np.where(np.random.default_rng(0).random(points.shape) < 0.2, np.nan, points)
    weights = np.ones(1000)
    mixture.partial_fit(torch.from_numpy(holes[1000:]), sample_weight=weights)
    assert isinstance(mixture.means_, torch.Tensor)
    assert mixture.score(points) > before - 0.02
    with pytest.raises(ValueError, match="X has 2 features"):
        mixture.partial_fit(points[:, :2])


# Labels ------------------------------------------------------------------------------------------


def labelled(n_known=8, seed=0):
    """Two overlapping classes of two clusters each, of which a few labels are known."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 0, 1, 1], 100)
    centres = np.repeat([[0.0, 0.0], [4.0, 4.0], [0.0, 4.0], [4.0, 0.0]], 100, axis=0)
    points = centres + 0.9 * rng.normal(size=(400, 2))
    known = np.full(400, -1)
    for label in (0, 1):
        chosen = rng.choice(np.flatnonzero(truth == label), n_known, replace=False)
        known[chosen] = label
    return points, known, truth


@pytest.mark.parametrize("covariance_type", TYPES)
def test_labels_bind_components_and_likelihood_never_falls(covariance_type):
    points, known, truth = labelled()
    mixture = GaussianMixture(
        4, component_labels="auto", covariance_type=covariance_type, tol=0, max_iter=25
    ).fit(points, known)
    assert mixture.component_labels_.tolist() == [0, 0, 1, 1]
    assert np.diff(mixture.lower_bounds_).min() > -1e-6  # reg_covar lowers it a little
    says = mixture.component_labels_[mixture.predict(points)]
    assert (says == truth).mean() > 0.85


def test_the_bound_is_the_likelihood_of_points_and_known_labels():
    points, known, _ = labelled()
    holes = np.where(np.random.default_rng(1).random(points.shape) < 0.2, np.nan, points)
    bound = [1, 0, -1, 1]
    mixture = GaussianMixture(
        4, component_labels=bound, tol=0, max_iter=4, history=True, reg_covar=1e-9
    ).fit(holes, known)
    then = GaussianMixture.from_parameters(*mixture.history_[2])
    log_joint = np.log(then.predict_proba(holes)) + then.score_samples(holes)[:, None]
    allowed = (known[:, None] == -1) | (known[:, None] == np.array(bound))
    expected = np.logaddexp.reduce(np.where(allowed, log_joint, -np.inf), axis=1).mean()
    assert mixture.lower_bounds_[2] == pytest.approx(expected, abs=1e-8)


def test_all_labels_known_is_one_fit_for_each():
    points, _, truth = labelled()
    both = GaussianMixture(2, component_labels="auto", max_iter=3, tol=0).fit(points, truth)
    for label in (0, 1):
        own = points[truth == label]
        np.testing.assert_allclose(both.means_[label], own.mean(0), atol=1e-9)
        np.testing.assert_allclose(
            both.covariances_[label], np.cov(own.T, bias=True) + 1e-6 * np.eye(2), atol=1e-9
        )


def test_labels_go_on_online():
    points, known, truth = labelled(n_known=30)
    mixture = GaussianMixture(4, component_labels="auto").partial_fit(points[::2], known[::2])
    mixture.partial_fit(points[1::2], known[1::2]).partial_fit(points[:50])
    assert (mixture.component_labels_[mixture.predict(points)] == truth).mean() > 0.85


def test_without_component_labels_y_is_ignored():
    points, known, _ = labelled()
    one, other = GaussianMixture(3).fit(points, known), GaussianMixture(3).fit(points)
    np.testing.assert_array_equal(one.means_, other.means_)


@pytest.mark.parametrize(
    ("bound", "y", "message"),
    [
        ("auto", np.full(400, -1), "y must hold at least one known label"),
        ("auto", np.zeros(3), "y must hold 400 whole numbers of at least -1"),
        ("auto", np.full(400, 0.5), "y must hold 400 whole numbers of at least -1"),
        ("auto", np.arange(400) % 9, "n_components must be at least the number of labels"),
        ("all", np.zeros(400), "component_labels must be 'auto' or one label a component"),
        ([0, 0, -1], np.arange(400) % 2, r"component_labels must bind .* got none for \[1\]"),
    ],
)
def test_labels_that_do_not_fit_are_refused(bound, y, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(3, component_labels=bound).fit(labelled()[0], y)

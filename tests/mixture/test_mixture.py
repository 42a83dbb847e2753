"""The mixture against scikit-learn, the invariants of EM, and data that are hard to fit."""

import copy
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.mixture import GaussianMixture as Peer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import vaegmm.mixture.ascent
from vaegmm.mixture import ConvergenceWarning, EmptyComponentWarning, GaussianMixture
from vaegmm.mixture.covariance import COVARIANCES
from vaegmm.mixture.em import Parameters

TYPES = ["full", "tied", "diag", "spherical"]


def blobs(n_points=400, dimension=3, n_clusters=4, seed=0):
    """Well-separated clusters with covariances of their own, and which is which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_clusters, size=n_points)
    centres = rng.normal(size=(n_clusters, dimension)) * 6
    roots = rng.normal(size=(n_clusters, dimension, dimension)) / np.sqrt(dimension)
    noise = rng.normal(size=(n_points, dimension))
    return centres[labels] + np.einsum("nij,nj->ni", roots[labels], noise), labels


def random_start(covariance_type, z, n_components=4, seed=0):
    """Parameters to give to both mixtures: random points, the covariance of the data."""
    rng = np.random.default_rng(seed)
    precision = np.linalg.inv(np.cov(z.T, bias=True) + 0.1 * np.eye(z.shape[1]))
    precisions = {
        "full": np.repeat(precision[None], n_components, 0),
        "tied": precision,
        "diag": np.repeat(np.diag(precision)[None], n_components, 0),
        "spherical": np.full(n_components, np.trace(precision) / len(precision)),
    }[covariance_type]
    return {
        "weights_init": rng.dirichlet(np.full(n_components, 5.0)),
        "means_init": z[rng.choice(len(z), n_components, replace=False)],
        "precisions_init": precisions,
    }


def fitted(z, n_components=4, **params):
    """A fit that may stop early without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(n_components, **params).fit(z)


# Against scikit-learn, from identical parameters -----------------------------------------------


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.filterwarnings("ignore:Best performing initialization")
def test_a_fit_equals_scikit_learns(covariance_type):
    z, _ = blobs()
    start = random_start(covariance_type, z)
    params = {"covariance_type": covariance_type, "tol": 0, "max_iter": 15, **start}
    peer, ours = Peer(4, **params).fit(z), GaussianMixture(4, **params).fit(z)
    names = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")
    for name in names:
        expected, actual = getattr(peer, name), getattr(ours, name)
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-8, err_msg=name)
    np.testing.assert_allclose(ours.lower_bounds_, peer.lower_bounds_, rtol=0, atol=1e-8)
    assert ours.n_iter_ == peer.n_iter_ == 15
    assert ours.lower_bound_ == ours.lower_bounds_[-1]


@pytest.mark.parametrize("covariance_type", TYPES)
def test_predictions_equal_scikit_learns(covariance_type):
    z, _ = blobs()
    peer = Peer(4, covariance_type=covariance_type, random_state=0).fit(z)
    ours = GaussianMixture.from_parameters(
        peer.weights_, peer.means_, peer.covariances_, covariance_type
    )
    np.testing.assert_allclose(ours.predict_proba(z), peer.predict_proba(z), rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.score_samples(z), peer.score_samples(z), rtol=0, atol=1e-8)
    assert (ours.predict(z) == peer.predict(z)).all()
    assert ours.score(z) == pytest.approx(peer.score(z), abs=1e-8)
    assert ours.bic(z) == pytest.approx(peer.bic(z), rel=1e-8)
    assert ours.aic(z) == pytest.approx(peer.aic(z), rel=1e-8)


@parametrize_with_checks([GaussianMixture(n_components=2)])
def test_it_is_an_estimator_to_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_it_takes_part_in_a_pipeline_and_a_grid_search_over_bic():
    z, _ = blobs(n_clusters=3)
    search = GridSearchCV(
        GaussianMixture(),
        {"n_components": [1, 3, 8]},
        scoring=lambda mixture, points: -mixture.bic(points),
        cv=2,
    ).fit(z)
    assert search.best_params_ == {"n_components": 3}
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(3)).fit(z)
    assert pipeline.predict_proba(z).shape == (len(z), 3)


def test_it_clones_pickles_and_shows_what_was_set():
    mixture = GaussianMixture(3, covariance_type="diag", random_state=7)
    assert (
        repr(mixture) == "GaussianMixture(n_components=3, covariance_type='diag', random_state=7)"
    )
    assert clone(mixture).get_params() == mixture.get_params()
    z, _ = blobs()
    again = pickle.loads(pickle.dumps(mixture.fit(z)))
    assert (again.predict_proba(z) == mixture.predict_proba(z)).all()
    with pytest.raises(ValueError, match="Invalid parameter 'components'"):
        mixture.set_params(components=3)


# What is kept between evaluations ---------------------------------------------------------------


def anew(mixture):
    """The same parameters in a mixture that has evaluated nothing yet."""
    return pickle.loads(pickle.dumps(mixture))


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_second_evaluation_equals_the_first_and_is_not_prepared_again(
    covariance_type, dtype, monkeypatch
):
    z, _ = blobs()
    mixture, z = fitted(z, covariance_type=covariance_type), z.astype(dtype)
    first = mixture.predict_proba(z), mixture.score_samples(z[:7])
    monkeypatch.setattr(Parameters, "whitening", lambda _: pytest.fail("prepared again"))
    assert (mixture.predict_proba(z) == first[0]).all()
    assert (mixture.score_samples(z[:7]) == first[1]).all()


def test_a_mixture_that_is_mostly_evaluated_in_double_precision_still_is_the_second_time():
    z, _ = blobs(n_clusters=2)
    thin = np.repeat(np.diag([1e-12, 1, 1])[None], 4, 0)
    mixture = GaussianMixture.from_parameters(np.full(4, 0.25), z[:4], thin)
    single = z.astype(np.float32)
    first = mixture.score_samples(single)
    assert (mixture.score_samples(single) == first).all()
    assert (anew(mixture).score_samples(single) == first).all()


def fit_again(mixture, z):
    mixture.fit(z[:100])


def assign(mixture, z):
    mixture.means_ = mixture.means_ + 1


def write_into(mixture, z):
    mixture.weights_[0] *= 0.5


def narrow(mixture, z):
    mixture.covariances_ = mixture.covariances_ / 4
    mixture.precisions_cholesky_ = mixture.precisions_cholesky_ * 2


@pytest.mark.parametrize("as_kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("change", [fit_again, assign, write_into, narrow])
def test_other_parameters_are_prepared_anew(change, as_kind):
    z, _ = blobs()
    z = as_kind(z)
    mixture = fitted(z)
    before = mixture.score_samples(z)
    change(mixture, z)
    after = mixture.score_samples(z)
    assert (after != before).any()
    assert (after == anew(mixture).score_samples(z)).all()


def test_a_mixture_set_by_hand_evaluates_as_a_fitted_one():
    z, _ = blobs()
    mixture, by_hand = fitted(z), GaussianMixture(4)
    names = ("weights_", "means_", "covariances_", "precisions_cholesky_", "n_features_in_")
    for name in names:
        setattr(by_hand, name, getattr(mixture, name))
    assert (by_hand.predict_proba(z) == mixture.predict_proba(z)).all()


def test_a_copy_holds_nothing_that_was_prepared():
    z, _ = blobs()
    mixture = fitted(z)
    size = len(pickle.dumps(mixture))
    mixture.predict(z)
    assert len(pickle.dumps(mixture)) == size
    other = copy.copy(mixture)
    other.means_ = other.means_ + 1
    expected = mixture.score_samples(z)
    assert (other.score_samples(z) != expected).all()
    assert (mixture.score_samples(z) == expected).all()


def test_threads_evaluate_one_mixture_at_once():
    z, _ = blobs()
    mixture = fitted(z)
    batches = [batch.astype(dtype) for batch in np.split(z, 40) for dtype in ("f4", "f8")]
    expected = [anew(mixture).predict_proba(batch) for batch in batches]
    with ThreadPoolExecutor(8) as threads:
        for actual, wanted in zip(
            threads.map(mixture.predict_proba, batches), expected, strict=True
        ):
            assert (actual == wanted).all()


def test_importing_the_mixture_leaves_scikit_learn_alone():
    code = "import sys, vaegmm.mixture; sys.exit('sklearn' in sys.modules)"
    package = "import sys, types; sys.modules['vaegmm'] = p = types.ModuleType('vaegmm')\n"
    package += f"p.__path__ = {list(sys.modules['vaegmm'].__path__)!r}\n"
    assert subprocess.run([sys.executable, "-c", package + code], check=False).returncode == 0


# Invariants of EM ------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    covariance_type=st.sampled_from(TYPES),
    n_points=st.integers(20, 120),
    dimension=st.integers(1, 4),
    n_components=st.integers(1, 5),
    weighted=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_likelihood_never_falls(covariance_type, n_points, dimension, n_components, weighted, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n_points, dimension)) * rng.uniform(0.01, 100, dimension)
    sample_weight = rng.exponential(size=n_points) if weighted else None
    mixture = GaussianMixture(
        n_components, covariance_type=covariance_type, tol=0, max_iter=30, reg_covar=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", EmptyComponentWarning)
        try:
            mixture.fit(z, sample_weight=sample_weight)
        except (ValueError, EmptyComponentWarning):
            # A component closed in on a point, or emptied: other tests see to those.
            assume(False)
    assert np.diff(mixture.lower_bounds_).min(initial=0) >= -1e-9


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_component_that_closes_in_on_a_point_is_refused(covariance_type):
    z = np.array([[1.0, 1.0], [1.0, 1.0], [5.0, 2.0], [6.0, 4.0], [7.0, 3.0], [5.5, 3.5]])
    mixture = GaussianMixture(
        2, covariance_type=covariance_type, reg_covar=0, means_init=z[[0, 3]], tol=0
    )
    if covariance_type == "tied":  # one component alone cannot close in
        assert np.isfinite(mixture.fit(z).lower_bound_)
        return
    with pytest.raises(ValueError, match="reg_covar must be large enough"):
        mixture.fit(z)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_weight_counts_like_so_many_copies_of_a_point(covariance_type):
    z, _ = blobs(150)
    counts = np.random.default_rng(1).integers(0, 4, size=len(z))
    params = {"covariance_type": covariance_type, "max_iter": 10, "tol": 0}
    weighted = GaussianMixture(4, **params).fit(z, sample_weight=counts)
    copied = GaussianMixture(4, **params).fit(np.repeat(z, counts, axis=0))
    np.testing.assert_allclose(weighted.means_, copied.means_, rtol=1e-9)
    np.testing.assert_allclose(weighted.covariances_, copied.covariances_, rtol=1e-8, atol=1e-10)
    assert weighted.lower_bound_ == pytest.approx(copied.lower_bound_, abs=1e-10)


def test_the_unit_of_sample_weight_does_not_matter():
    z, _ = blobs(150)
    weight = np.random.default_rng(1).exponential(size=len(z))
    one = GaussianMixture(4, tol=0, max_iter=5).fit(z, sample_weight=weight)
    other = GaussianMixture(4, tol=0, max_iter=5).fit(z, sample_weight=1e6 * weight)
    np.testing.assert_allclose(one.covariances_, other.covariances_, rtol=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_weights_means_and_covariances_are_the_moments_of_the_data(covariance_type):
    """After an M-step the mixture as a whole has the mean, and the variance, of the data."""
    z, _ = blobs()
    mixture = GaussianMixture(4, covariance_type=covariance_type, reg_covar=0).fit(z)
    np.testing.assert_allclose(mixture.weights_.sum(), 1, atol=1e-12)
    np.testing.assert_allclose(mixture.weights_ @ mixture.means_, z.mean(0), atol=1e-9)
    covariances = COVARIANCES[covariance_type].spread(
        torch.from_numpy(mixture.covariances_), *mixture.means_.shape
    )
    variances = covariances.numpy()
    if variances.ndim == 3:
        variances = variances.diagonal(axis1=1, axis2=2)
    total = mixture.weights_ @ (variances + (mixture.means_ - z.mean(0)) ** 2)
    np.testing.assert_allclose(total.sum(), z.var(0).sum(), rtol=1e-9)


def test_the_order_of_the_points_does_not_matter():
    z, _ = blobs()
    one, other = GaussianMixture(4).fit(z), GaussianMixture(4).fit(z[::-1])
    np.testing.assert_allclose(one.means_, other.means_, rtol=1e-8)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_samples_have_the_mixtures_moments(covariance_type):
    z, _ = blobs()
    mixture = GaussianMixture(4, covariance_type=covariance_type).fit(z)
    drawn, components = mixture.sample(40_000)
    assert drawn.shape == (40_000, 3) and (np.diff(components) >= 0).all()
    np.testing.assert_allclose(np.bincount(components) / 40_000, mixture.weights_, atol=0.01)
    for k in range(4):
        own = drawn[components == k]
        covariance = {
            "full": lambda k: mixture.covariances_[k],
            "tied": lambda k: mixture.covariances_,
            "diag": lambda k: np.diag(mixture.covariances_[k]),
            "spherical": lambda k: mixture.covariances_[k] * np.eye(3),
        }[covariance_type](k)
        scale = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose((own.mean(0) - mixture.means_[k]) / scale, 0, atol=0.06)
        difference = (np.cov(own.T) - covariance) / np.outer(scale, scale)
        np.testing.assert_allclose(difference, 0, atol=0.08)
    again, _ = mixture.sample(40_000)
    assert (again == drawn).all()
    assert not np.allclose(mixture.sample(5, random_state=1)[0], drawn[:5])


# The interface ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "init_params", ["auto", "kmeans", "k-means++", "random_from_data", "random"]
)
def test_every_start_is_reproducible_and_leads_uphill(init_params):
    z, _ = blobs()
    one, same, other = (
        fitted(z, init_params=init_params, random_state=seed, max_iter=50) for seed in (3, 3, 4)
    )
    assert (one.means_ == same.means_).all()
    assert not np.array_equal(one.means_, other.means_)
    assert one.lower_bounds_[-1] > one.lower_bounds_[0] - 1e-12


def test_k_means_starts_find_the_clusters():
    z, labels = blobs(n_clusters=4)
    found = GaussianMixture(4, n_init=3).fit_predict(z)
    for k in range(4):
        assert len(set(found[labels == k])) == 1


def test_of_several_starts_the_most_likely_is_kept():
    z = np.random.default_rng(0).normal(size=(200, 2))
    rng = np.random.RandomState(0)
    several = fitted(z, 6, n_init=5, init_params="random_from_data", random_state=0)
    single = fitted(z, 6, n_init=1, init_params="random_from_data", random_state=0)
    assert several.lower_bound_ >= single.lower_bound_
    assert fitted(z, 2, random_state=rng).converged_
    assert fitted(z, 2, random_state=None).converged_


def test_a_warm_start_goes_on_where_the_last_fit_stopped():
    z, _ = blobs()
    whole = fitted(z, tol=0, max_iter=10)
    parts = fitted(z, tol=0, max_iter=4, warm_start=True)
    parts.set_params(max_iter=6).fit(z)
    np.testing.assert_allclose(parts.means_, whole.means_, rtol=1e-9)
    assert parts.lower_bounds_ == pytest.approx(whole.lower_bounds_[4:], abs=1e-9)
    with pytest.raises(ValueError, match="n_components must be that of the last fit"):
        parts.set_params(n_components=5).fit(z)


def test_history_holds_the_parameters_of_every_iteration():
    z, _ = blobs()
    mixture = fitted(z, tol=0, max_iter=5, history=True)
    assert len(mixture.history_) == 6
    for step, bound in zip(mixture.history_, mixture.lower_bounds_, strict=False):
        then = GaussianMixture.from_parameters(*step)
        assert then.score(z) == pytest.approx(bound, abs=1e-10)
    assert (mixture.history_[-1].means == mixture.means_).all()
    assert not hasattr(fitted(z), "history_")


@pytest.mark.filterwarnings("error")
def test_arrays_that_cannot_be_written_are_as_good_as_others():
    points = np.random.default_rng(0).normal(size=(50, 3))
    parameters = [np.full(2, 0.5), np.zeros((2, 3)), np.stack([np.eye(3)] * 2)]
    for array in (points, *parameters):
        array.setflags(write=False)
    weights, means, covariances = parameters
    assert GaussianMixture.from_parameters(*parameters).predict(points).shape == (50,)
    mixture = GaussianMixture(
        2, weights_init=weights, means_init=means, precisions_init=covariances, max_iter=1, tol=0
    )
    mixture.fit(points)
    mixture.means_.setflags(write=False)
    assert mixture.predict(points).shape == (50,)


def test_given_means_are_the_start():
    z, labels = blobs()
    means = np.stack([z[labels == k].mean(0) for k in (2, 0, 3, 1)])
    mixture = GaussianMixture(4, means_init=means).fit(z)
    np.testing.assert_allclose(mixture.means_, means, atol=0.2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_give_tensors_of_the_same_type(dtype):
    z = torch.from_numpy(blobs()[0]).to(dtype)
    mixture = GaussianMixture(4).fit(z)
    drawn, components = mixture.sample(3)
    outputs = [mixture.means_, mixture.predict_proba(z), mixture.score_samples(z), drawn]
    assert all(isinstance(t, torch.Tensor) and t.dtype == dtype for t in outputs)
    assert mixture.predict(z).dtype == components.dtype == torch.int64
    arrays = GaussianMixture(4).fit(z.numpy())
    np.testing.assert_array_equal(arrays.means_, mixture.means_.numpy())
    assert isinstance(arrays.predict(z), torch.Tensor)
    assert isinstance(mixture.predict(z.numpy()), np.ndarray)
    assert arrays.means_.dtype == z.numpy().dtype


@pytest.mark.parametrize("covariance_type", TYPES)
def test_float32_comes_as_close_as_float32_can(covariance_type):
    z, _ = blobs()
    params = {"covariance_type": covariance_type, "tol": 0, "max_iter": 10}
    double = GaussianMixture(4, **params).fit(z)
    single = GaussianMixture(4, **params).fit(z.astype(np.float32))
    np.testing.assert_allclose(single.means_, double.means_, rtol=1e-3, atol=1e-3)
    assert single.lower_bound_ == pytest.approx(double.lower_bound_, abs=1e-4)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_mixture_comes_back_from_its_parameters(covariance_type):
    z, _ = blobs()
    mixture = GaussianMixture(4, covariance_type=covariance_type).fit(z)
    again = GaussianMixture.from_parameters(
        mixture.weights_, mixture.means_, mixture.covariances_, covariance_type, random_state=5
    )
    np.testing.assert_allclose(again.predict_proba(z), mixture.predict_proba(z), atol=1e-12)
    assert again.random_state == 5 and again.n_components == 4
    with pytest.raises(ValueError, match="covariances must have shape"):
        GaussianMixture.from_parameters(mixture.weights_, mixture.means_, np.ones((7, 7)))
    with pytest.raises(ValueError, match="covariances must be positive definite"):
        GaussianMixture.from_parameters([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]])


def test_looking_seldom_changes_nothing(monkeypatch):
    """On a GPU several iterations run between two looks at the likelihood."""
    z, _ = blobs()
    often = GaussianMixture(4, history=True).fit(z)
    far = {"means_init": np.concatenate([z[:3], [[1e3] * 3]])}
    with pytest.warns(EmptyComponentWarning):
        often_reseeded = GaussianMixture(4, **far).fit(z)
    monkeypatch.setitem(vaegmm.mixture.ascent._ITERATIONS_PER_LOOK, "cpu", 8)
    seldom = GaussianMixture(4, history=True).fit(z)
    with pytest.warns(EmptyComponentWarning):
        seldom_reseeded = GaussianMixture(4, **far).fit(z)
    for one, other in ((often, seldom), (often_reseeded, seldom_reseeded)):
        assert one.n_iter_ == other.n_iter_ and one.n_iter_ % 8 != 0
        assert one.lower_bounds_ == other.lower_bounds_
        assert (one.covariances_ == other.covariances_).all()
    assert len(often.history_) == len(seldom.history_)


@pytest.mark.parametrize("apart", [False, True])
def test_iterations_do_not_wait_for_the_device(monkeypatch, apart):
    """Reading a number from a GPU waits for it: that happens at the looks, not in between."""
    reads = []

    def counted(read):
        return lambda tensor, *args, **kwargs: reads.append(1) or read(tensor, *args, **kwargs)

    for name in ("item", "tolist", "__bool__", "__float__", "__int__", "__index__", "nonzero"):
        monkeypatch.setattr(torch.Tensor, name, counted(getattr(torch.Tensor, name)))
    monkeypatch.setitem(vaegmm.mixture.ascent._ITERATIONS_PER_LOOK, "cpu", 8)
    z, _ = blobs()
    if apart:  # some components get a frame of their own
        z = np.concatenate([z, 1e-7 * z[:100] + 30])
    means = z[[0, 1, 2, -1]]
    counts = []
    for max_iter in (8, 40):
        reads.clear()
        GaussianMixture(4, means_init=means, tol=0, max_iter=max_iter).fit(z)
        counts.append(len(reads))
    assert counts[1] - counts[0] <= 4 * 3, "three at each of four further looks"


def test_progress_tells_of_every_iteration_of_every_start():
    seen = []
    mixture = GaussianMixture(2, n_init=3, tol=0, max_iter=4).fit(blobs()[0], progress=seen.append)
    expected = [(start, iteration) for start in (1, 2, 3) for iteration in (1, 2, 3, 4)]
    assert [(p.start, p.iteration) for p in seen] == expected
    assert {p.n_init for p in seen} == {3}
    assert mixture.lower_bound_ == max(p.lower_bound for p in seen if p.iteration == 4)


def test_what_progress_raises_ends_the_fit_and_leaves_the_mixture():
    points = blobs()[0]
    mixture = GaussianMixture(2, random_state=0).fit(points)
    before = mixture.means_.copy()

    def stop(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt

    mixture.set_params(n_components=5, tol=0)
    with pytest.raises(KeyboardInterrupt):
        mixture.fit(points, progress=stop)
    np.testing.assert_array_equal(mixture.means_, before)
    assert len(mixture.predict_proba(points)[0]) == 2


def test_verbose_prints_every_iteration(capsys):
    mixture = GaussianMixture(2, verbose=2).fit(blobs()[0])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "start 1 of 1"
    assert len([line for line in lines if line.startswith("iteration")]) == mixture.n_iter_
    assert lines[-1].startswith(f"converged after {mixture.n_iter_} iterations")


def test_it_says_when_it_has_not_converged():
    with pytest.warns(ConvergenceWarning, match="did not converge within max_iter=2"):
        z = np.random.default_rng(0).normal(size=(100, 2))
        mixture = GaussianMixture(4, max_iter=2, tol=1e-12).fit(z)
    assert not mixture.converged_


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "n_components must be an integer of at least 1; got n_components=0."),
        ({"max_iter": 1.5}, "max_iter must be an integer of at least 0; got max_iter=1.5."),
        ({"tol": -1}, "tol must be a number of at least 0; got tol=-1."),
        ({"reg_covar": np.nan}, "reg_covar must be a number of at least 0; got reg_covar=nan."),
        ({"covariance_type": "round"}, "covariance_type must be one of full, tied, diag, spher"),
        ({"init_params": "best"}, "init_params must be one of auto, kmeans, k-means++, random, r"),
        ({"random_state": "x"}, "random_state must be None, an integer or a numpy generator"),
        ({"means_init": [[0.0]]}, r"means_init must have shape (10, 3); got (1, 1)."),
        ({"weights_init": np.ones(10)}, "weights_init must be at least 0 and sum to 1; got a sum"),
        ({"precisions_init": -np.ones((10, 3, 3))}, "precisions_init must be positive definite"),
        ({"forgetting_rate": 0.5}, "forgetting_rate must be above 0.5 and at most 1; got forg"),
        ({"prior": "weak"}, "prior must be a NormalInverseWishart or None; got 'weak'."),
        ({"distributed": True}, "distributed=True must be used inside a process group; got none."),
    ],
)
def test_parameters_out_of_range_are_refused(params, message):
    with pytest.raises(ValueError) as error:
        GaussianMixture(**params).fit(blobs()[0])
    assert message in str(error.value)


def test_more_components_than_points_are_refused():
    with pytest.raises(ValueError, match="n_components must not exceed the number of points; got"):
        GaussianMixture(11).fit(np.random.default_rng(0).normal(size=(10, 2)))


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.zeros(5), "X must be two-dimensional"),
        (np.zeros((0, 2)), "0 sample"),
        (
            np.array([[1.0, np.nan]] * 5),
            "X must have at least one number in every column; got none",
        ),
        (np.array([[1.0, np.inf]] * 5), "X must be finite; got infinity"),
    ],
)
def test_points_that_cannot_be_fitted_are_refused(z, message):
    for points in (z, torch.from_numpy(z)):
        with pytest.raises(ValueError, match=message):
            GaussianMixture(2).fit(points)


@pytest.mark.parametrize("weight", [np.ones(3), -np.ones(400), np.zeros(400), np.full(400, np.nan)])
def test_sample_weight_must_be_one_sensible_number_a_point(weight):
    with pytest.raises(ValueError, match="sample_weight must"):
        GaussianMixture(2).fit(blobs()[0], sample_weight=weight)


# Data that are hard to fit ---------------------------------------------------------------------


def assert_sound(mixture, z):
    """Finite parameters, positive variances, probabilities that sum to 1."""
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert np.isfinite(getattr(mixture, name)).all(), name
    covariances = mixture.covariances_
    if mixture.covariance_type in ("full", "tied"):
        covariances = covariances.diagonal(axis1=-2, axis2=-1)
    assert (covariances > 0).all()
    assert np.isfinite(mixture.lower_bounds_).all()
    np.testing.assert_allclose(mixture.predict_proba(z).sum(1), 1, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    covariance_type=st.sampled_from(TYPES),
    dtype=st.sampled_from([np.float32, np.float64]),
    n_points=st.integers(1, 40),
    n_distinct=st.integers(1, 10),
    dimension=st.integers(1, 4),
    n_components=st.integers(1, 6),
    constant=st.booleans(),
    offset=st.sampled_from([0.0, 1e3, -1e6]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    init_params=st.sampled_from(["auto", "kmeans", "random", "random_from_data"]),
    seed=st.integers(0, 2**16),
)
def test_degenerate_data_are_fitted_or_refused_with_the_remedy(
    covariance_type, dtype, n_points, n_distinct, dimension, n_components, constant, offset,
    scale, init_params, seed,
):  # fmt: skip
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n_distinct, dimension))[rng.integers(n_distinct, size=n_points)]
    if constant:
        z[:, 0] = 1
    z = (offset + scale * z).astype(dtype)
    mixture = GaussianMixture(
        n_components, covariance_type=covariance_type, init_params=init_params, max_iter=20
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            mixture.fit(z)
        except ValueError as error:
            assert "n_components must not exceed" in str(error) or "Raise reg_covar" in str(error)
        else:
            assert_sound(mixture, z)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_far_points_in_float32(covariance_type, dtype):
    """scikit-learn's issue 30382: variances came out as -1."""
    z = np.array([[9999.0], [0.0]], dtype=dtype)
    mixture = GaussianMixture(2, covariance_type=covariance_type, reg_covar=0.1).fit(z)
    np.testing.assert_allclose(mixture.covariances_.ravel(), 0.1, rtol=1e-6)
    np.testing.assert_allclose(sorted(mixture.means_.ravel()), [0, 9999], atol=1e-3)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("reg_covar", [1e-6, 1e-2])
def test_duplicates_get_the_least_covariance(covariance_type, reg_covar):
    z = np.repeat(9 * np.random.default_rng(0).normal(size=(3, 2)), 20, axis=0)
    mixture = fitted(z, 3, covariance_type=covariance_type, reg_covar=reg_covar)
    assert_sound(mixture, z)
    expected = {"full": reg_covar * np.eye(2), "tied": reg_covar * np.eye(2)}
    expected = expected.get(covariance_type, reg_covar)
    np.testing.assert_allclose(mixture.covariances_ - expected, 0, atol=1e-9 * reg_covar + 1e-15)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_without_regularisation_duplicates_are_refused_with_the_remedy(covariance_type):
    z = np.ones((20, 2))
    with pytest.raises(ValueError, match=r"reg_covar must be large enough .* Raise reg_covar, low"):
        GaussianMixture(2, covariance_type=covariance_type, reg_covar=0).fit(z)


def test_tight_clusters_far_apart_keep_their_precision():
    """The shared frame would cancel eight digits and more of these; their own doesn't."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 500, 3)) @ np.diag([1.0, 1e-2, 1e-4])
    for dtype, unit, tolerance in ((np.float64, 1e-6, 1e-5), (np.float32, 1e-1, 1e-2)):
        z = np.concatenate([unit * noise[0], unit * noise[1] + 1000]).astype(dtype)
        mixture = GaussianMixture(2, reg_covar=0).fit(z)
        for part in (z[:500], z[500:]):
            own = mixture.covariances_[mixture.predict(part[:1])[0]]
            exact = np.cov(part.astype(np.float64).T, bias=True)
            scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
            np.testing.assert_allclose((own - exact) / scale, 0, atol=tolerance)


def test_an_emptied_component_is_reseeded_at_the_worst_explained_points():
    z, _ = blobs(n_clusters=3)
    z = np.concatenate([z, [[40.0, 40.0, 40.0]] * 5])
    means = np.concatenate([z[:3], [[1e4, 1e4, 1e4]]])
    start = {"means_init": means, "weights_init": [1 / 4] * 4}
    start["precisions_init"] = np.repeat(np.eye(3)[None] / 30, 4, axis=0)
    with pytest.warns(EmptyComponentWarning, match=r"^1 components emptied and were reseeded"):
        mixture = GaussianMixture(4, **start).fit(z)
    assert_sound(mixture, z)
    assert mixture.weights_.min() > 0.005
    assert len(set(mixture.predict(z[-5:]))) == 1
    np.testing.assert_allclose(mixture.means_[mixture.predict(z[-1:])[0]], 40, atol=1)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_reseeding_comes_to_an_end(covariance_type):
    z = np.repeat([[0.0, 0.0], [5.0, 5.0]], 10, axis=0)
    with pytest.warns(EmptyComponentWarning):
        mixture = GaussianMixture(6, covariance_type=covariance_type, max_iter=30).fit(z)
    assert_sound(mixture, z)


def test_many_columns_are_fitted_one_component_at_a_time():
    z = np.random.default_rng(0).normal(size=(200, 40))
    start = random_start("full", z, 2)
    peer = Peer(2, max_iter=3, tol=0, reg_covar=0.1, **start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(z)
    ours = GaussianMixture(2, max_iter=3, tol=0, reg_covar=0.1, **start).fit(z)
    np.testing.assert_allclose(ours.covariances_, peer.covariances_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.score_samples(z), peer.score_samples(z), atol=1e-8)


def test_single_points_and_single_components_are_fine():
    z = np.random.default_rng(0).normal(size=(30, 2))
    mixture = GaussianMixture(1, reg_covar=0).fit(z)
    np.testing.assert_allclose(mixture.covariances_[0], np.cov(z.T, bias=True), atol=1e-12)
    every = GaussianMixture(30).fit(z)
    assert_sound(every, z)
    assert_sound(GaussianMixture(1).fit(z[:1]), z[:1])

"""The mixture against scikit-learn, and the invariants of EM."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Peer

from vaegmm.mixture import GaussianMixture

TYPES = ["full", "tied", "diag", "spherical"]


@pytest.mark.parametrize("covariance_type", TYPES)
def test_predictions_equal_scikit_learns_from_identical_parameters(covariance_type):
    z = np.random.default_rng(0).normal(size=(300, 3)) * [1.0, 2.0, 0.1]
    peer = Peer(4, covariance_type=covariance_type, random_state=0).fit(z)
    ours = GaussianMixture.from_parameters(
        peer.weights_, peer.means_, peer.covariances_, covariance_type
    )
    np.testing.assert_allclose(ours.predict_proba(z), peer.predict_proba(z), atol=1e-8)
    np.testing.assert_allclose(ours.score_samples(z), peer.score_samples(z), atol=1e-8)
    assert ours.bic(z) == pytest.approx(peer.bic(z), rel=1e-8)
    assert ours.aic(z) == pytest.approx(peer.aic(z), rel=1e-8)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_likelihood_never_falls(covariance_type):
    z = np.random.default_rng(0).normal(size=(300, 3)) * [1.0, 2.0, 0.1]
    mixture = GaussianMixture(4, covariance_type=covariance_type, reg_covar=0, tol=0).fit(z)
    assert (np.diff(mixture.lower_bounds_) >= -1e-9).all()

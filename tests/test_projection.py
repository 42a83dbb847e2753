"""The PCA projection against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA as Peer

from vaegmm.projection import PCA


@pytest.fixture
def latents():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(500, 5)) * [3, 2, 1, 0.5, 0.1] @ rng.normal(size=(5, 5)) + 7).astype(
        np.float32
    )


def test_it_is_scikit_learns(latents):
    ours, peer = PCA.fit(latents), Peer().fit(latents.astype(np.float64))
    np.testing.assert_allclose(ours.mean, peer.mean_, rtol=1e-6)
    # An axis has no sign of its own.
    np.testing.assert_allclose(np.abs(ours.components), np.abs(peer.components_), atol=1e-6)
    np.testing.assert_allclose(ours.explained_variance_ratio, peer.explained_variance_ratio_)
    np.testing.assert_allclose(
        np.abs(ours.transform(latents, 3)), np.abs(peer.transform(latents)[:, :3]), atol=1e-4
    )


def test_axes_are_orthonormal_and_fall_in_variance(latents):
    pca = PCA.fit(latents)
    np.testing.assert_allclose(pca.components @ pca.components.T, np.eye(5), atol=1e-12)
    assert (np.diff(pca.explained_variance) <= 0).all()
    assert pca.explained_variance_ratio.sum() == pytest.approx(1)


def test_the_projection_has_the_announced_variance(latents):
    pca = PCA.fit(latents)
    np.testing.assert_allclose(pca.transform(latents, 5).var(0), pca.explained_variance, rtol=1e-4)


def test_all_axes_lead_back(latents):
    pca = PCA.fit(latents)
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(latents, 5)), latents, atol=1e-3)
    np.testing.assert_allclose(pca.inverse_transform(np.zeros((1, 2)))[0], pca.mean, rtol=1e-6)


def test_signs_do_not_depend_on_the_order_of_the_latents(latents):
    one, other = PCA.fit(latents), PCA.fit(latents[::-1])
    np.testing.assert_allclose(one.components, other.components, atol=1e-9)
    assert (one.components.max(1) == np.abs(one.components).max(1)).all()


@pytest.mark.parametrize("latents", [np.ones((10, 3)), np.ones((1, 3)), np.zeros((4, 1))])
def test_latents_without_variance_have_a_projection(latents):
    pca = PCA.fit(latents)
    assert np.isfinite(pca.transform(latents, 2)).all()
    assert (pca.explained_variance_ratio == 0).all()

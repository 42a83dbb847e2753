"""The PCA projection against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA as Peer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from vaegmm.projection import PCA, discriminant_axes


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


def parameters_of(points, labels):
    """The mixture in which each component is the points of one label."""
    parts = [points[labels == label] for label in np.unique(labels)]
    weights = np.array([len(part) for part in parts]) / len(points)
    means = np.stack([part.mean(0) for part in parts])
    return weights, means, np.stack([np.cov(part, rowvar=False, bias=True) for part in parts])


def test_discriminants_span_scikit_learns_plane():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), [200, 300, 250, 350])
    skew = rng.normal(size=(5, 5)) * [4, 3, 1, 1, 0.3]
    points = rng.normal(size=(len(labels), 5)) @ skew + rng.normal(size=(4, 5))[labels]
    weights, means, covariances = parameters_of(points, labels)
    axes = discriminant_axes(weights, means, covariances, np.eye(4), 3)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    peer = LinearDiscriminantAnalysis(solver="eigen").fit(points, labels)
    for n_axes in (1, 2, 3):
        theirs = peer.scalings_[:, :n_axes]
        outside = theirs - axes[:n_axes].T @ (axes[:n_axes] @ theirs)
        assert np.abs(outside).max() < 1e-9 * np.abs(theirs).max()


def test_discriminants_part_groups_not_components():
    """Two components of one group may lie far apart: that tells nothing of the groups."""
    weights, covariances = np.full(4, 0.25), np.stack([np.eye(3)] * 4)
    means = np.array([[0, 0, 9], [0, 0, -9], [2, 0, 9], [2, 0, -9]], float)
    groups = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], float)
    axes = discriminant_axes(weights, means, covariances, groups, 2)
    np.testing.assert_allclose(axes, [[1, 0, 0], [0, 0, 1]], atol=1e-9)  # then the widest
    by_component = discriminant_axes(weights, means, covariances, np.eye(4), 1)
    np.testing.assert_allclose(by_component, [[0, 0, 1]], atol=1e-9)


def test_without_groups_to_part_the_axes_are_principal():
    covariance = np.diag([1.0, 4.0, 2.0])
    one = discriminant_axes(np.ones(1), np.zeros((1, 3)), covariance[None], np.ones((1, 1)), 3)
    np.testing.assert_allclose(one, [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-12)
    # A label that no component has is no group; one latent has one axis.
    groups = np.array([[1.0, 0.0]])
    line = discriminant_axes(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)), groups, 3)
    np.testing.assert_allclose(line, [[1.0]])

"""Every digit in the style of one."""

from __future__ import annotations

import numpy as np
import pytest

from vaegmm import VAEGMM
from vaegmm.style import in_style_of, label_gaussians


def test_a_digit_itself_stays_what_it_is(small_model: VAEGMM) -> None:
    labels, means, covariances = label_gaussians(small_model)
    z = means[3] + np.linalg.cholesky(covariances[3])[:, 0]
    style = in_style_of(small_model, z, labels[3])
    np.testing.assert_allclose(style.latents[3], z, atol=1e-5)
    np.testing.assert_array_equal(style.labels, labels)
    np.testing.assert_allclose(style.images, small_model.decode(style.latents))
    assert style.images.shape == (len(labels), 28, 28)


def test_the_way_carries_one_gaussian_onto_the_other_without_turning(small_model: VAEGMM) -> None:
    labels, means, covariances = label_gaussians(small_model)
    own = 1
    dimension = means.shape[1]
    step = 0.1  # small: what is far out is brought nearer
    columns = [
        (in_style_of(small_model, means[own] + step * axis, labels[own]).latents - means) / step
        for axis in np.eye(dimension)
    ]
    ways = np.stack(columns, axis=2)  # (L, D, D)
    for way, covariance in zip(ways, covariances, strict=True):
        np.testing.assert_allclose(way @ covariances[own] @ way.T, covariance, rtol=2e-3, atol=2e-3)
        np.testing.assert_allclose(way, way.T, atol=1e-3)
        assert (np.linalg.eigvalsh((way + way.T) / 2) > 0).all()


def test_what_is_far_out_is_brought_nearer(small_model: VAEGMM) -> None:
    labels, means, covariances = label_gaussians(small_model)
    far = in_style_of(small_model, means[0] + 100.0, labels[0])
    for z, mean, covariance in zip(far.latents, means, covariances, strict=True):
        offset = z - mean
        distance = np.sqrt(offset @ np.linalg.solve(covariance, offset))
        assert distance == pytest.approx(3.9, rel=1e-2)


def test_the_gaussian_of_a_label_has_the_moments_of_its_components(small_model: VAEGMM) -> None:
    labels, means, covariances = label_gaussians(small_model)
    mixture, names = small_model.mixture, small_model.require_names().names
    chosen = names == labels[0]
    weights = mixture.weights_[chosen] / mixture.weights_[chosen].sum()
    np.testing.assert_allclose(means[0], weights @ mixture.means_[chosen])
    second = sum(
        w * (np.outer(m, m) + s)
        for w, m, s in zip(
            weights, mixture.means_[chosen], mixture.covariances_[chosen], strict=True
        )
    )
    np.testing.assert_allclose(covariances[0], second - np.outer(means[0], means[0]), atol=1e-9)


def test_a_label_without_a_component_is_refused(small_model: VAEGMM) -> None:
    with pytest.raises(ValueError, match="label must be one that a component is named after"):
        in_style_of(small_model, small_model.latents[0], 77)

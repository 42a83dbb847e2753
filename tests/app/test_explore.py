"""What the pages show is what the model says."""

from __future__ import annotations

import numpy as np
import pytest

from vaegmm import VAEGMM, GaussianMixture
from vaegmm.app import explore
from vaegmm.data import Dataset
from vaegmm.reading import read_image


def test_the_nearest_latents_are_the_nearest(small_model: VAEGMM) -> None:
    rows, distances = explore.nearest_latents(small_model, small_model.latents[40], 5)
    assert rows[0] == 40
    assert distances[0] == 0
    assert (np.diff(distances) >= 0).all()
    everything = np.linalg.norm(small_model.latents - small_model.latents[40], axis=1)
    np.testing.assert_allclose(distances, np.sort(everything)[:5], rtol=1e-6)
    assert len(explore.nearest_latents(small_model, small_model.latents[0], 10**6).rows) == len(
        small_model.latents
    )


def test_the_way_leads_to_the_runner_up(small_model: VAEGMM, digits: Dataset) -> None:
    reading = read_image(small_model, digits.test.images[0])
    way = explore.way_to_runner_up(small_model, reading)
    assert way.runner_up != reading.label
    assert way.runner_up in explore.named_labels(small_model)
    np.testing.assert_allclose(way.images[0], small_model.decode(reading.z)[0], atol=1e-6)
    ends = small_model.decode(small_model.mixture.means_)
    assert min(np.abs(end - way.images[-1]).max() for end in ends) < 1e-5
    assert way.turn is None or way.labels[way.turn] == way.runner_up


def test_a_way_needs_two_names(small_model: VAEGMM, digits: Dataset) -> None:
    alone = small_model.refit(1, n_init=1)
    with pytest.raises(ValueError, match="two labels at least; got one"):
        explore.way_to_runner_up(alone, read_image(alone, digits.test.images[0]))


def test_scores_are_those_of_the_model(small_model: VAEGMM, digits: Dataset) -> None:
    images = digits.test.images[:50]
    scores = explore.Scores.of(small_model, images)
    np.testing.assert_array_equal(scores.predicted, small_model.predict(images))
    np.testing.assert_allclose(scores.cross_entropy, small_model.cross_entropy(images))
    np.testing.assert_array_equal(scores.components, small_model.responsibilities(images).argmax(1))


def test_em_is_followed_from_its_start_to_its_end(small_model: VAEGMM) -> None:
    iterations = explore.em_iterations(small_model, 4)
    numbers = [iteration.number for iteration in iterations]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    bounds = [iteration.log_likelihood for iteration in iterations[:-1]]
    assert (np.diff(bounds) >= -1e-9).all()
    assert np.isnan(iterations[-1].log_likelihood)
    for iteration in iterations:
        assert iteration.means.shape == (4, 2)
        assert (np.linalg.eigvalsh(iteration.covariances) > 0).all()


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_covariances_of_every_type_become_matrices(covariance_type: str) -> None:
    z = np.random.default_rng(0).normal(size=(60, 2))
    mixture = GaussianMixture(2, covariance_type=covariance_type).fit(z)  # type: ignore[arg-type]
    matrices = explore.as_matrices(mixture.covariances_, mixture)
    assert matrices.shape == (2, 2, 2)
    full = GaussianMixture.from_parameters(mixture.weights_, mixture.means_, matrices.copy())
    np.testing.assert_allclose(full.score_samples(z), mixture.score_samples(z))

"""One pass over some images says what the single calls say, and encodes each image once."""

from __future__ import annotations

import numpy as np
import pytest

from vaegmm import VAEGMM
from vaegmm.data import Dataset
from vaegmm.reading import read_image
from vaegmm.vae import VAE

ANSWERS = [
    *("mean", "std", "responsibilities", "label_probabilities", "log_likelihood"),
    *("reconstruction", "cross_entropy", "excess", "typicality"),
]


@pytest.fixture
def images(digits: Dataset) -> np.ndarray:
    return digits.test.images[:9]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each pass through the encoder had, as they happen."""
    posterior, passes = VAE.posterior, []

    def counted(vae, pixels):
        passes.append(len(pixels))
        return posterior(vae, pixels)

    monkeypatch.setattr(VAE, "posterior", counted)
    return passes


def test_the_single_calls_give_what_the_pass_gives(small_model: VAEGMM, images: np.ndarray) -> None:
    inference = small_model.infer(images)
    calls = {
        "responsibilities": small_model.responsibilities,
        "label_probabilities": small_model.predict_proba,
        "reconstruction": small_model.reconstruct,
        "cross_entropy": small_model.cross_entropy,
        "typicality": small_model.typicality,
        "mean": small_model.encode,
    }
    for name, call in calls.items():
        np.testing.assert_array_equal(getattr(inference, name), call(images), err_msg=name)
    np.testing.assert_array_equal(
        inference.log_likelihood, small_model.mixture.score_samples(inference.mean)
    )
    np.testing.assert_array_equal(
        inference.label_probabilities.argmax(1), small_model.predict(images)
    )
    for ours, theirs in zip(
        (inference.mean, inference.std), small_model.posterior(images), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("order", [ANSWERS, ANSWERS[::-1]])
def test_every_image_and_each_of_its_moved_views_is_encoded_once(
    small_model: VAEGMM, images: np.ndarray, encoded: list[int], order: list[str]
) -> None:
    _ = small_model.ranks
    inference = small_model.infer(images)
    assert encoded == [], "nothing is computed before it is asked for"
    for name in order * 2:
        assert len(getattr(inference, name)) == len(images)
    assert sorted(encoded) == [len(images), 4 * len(images)]


def test_a_reading_is_one_pass(small_model: VAEGMM, images: np.ndarray, encoded: list[int]) -> None:
    read_image(small_model, images[0])
    assert sorted(encoded) == [1, 4]


def test_responsibilities_are_the_mean_over_the_image_and_its_neighbours(
    small_model: VAEGMM, images: np.ndarray
) -> None:
    edge = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    views = [
        edge[:, 1:-1, 1:-1],
        *(edge[:, 1:-1, 2:], edge[:, 1:-1, :-2], edge[:, 2:, 1:-1], edge[:, :-2, 1:-1]),
    ]
    expected = np.mean(
        [small_model.mixture.predict_proba(small_model.encode(view)) for view in views], axis=0
    )
    actual = small_model.infer(images).responsibilities
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)
    assert np.abs(actual - small_model.mixture.predict_proba(small_model.encode(images))).max() > 0


def test_many_images_are_answered_as_few(
    small_model: VAEGMM, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = small_model.infer(images)
    _ = [getattr(whole, name) for name in ANSWERS]
    monkeypatch.setattr("vaegmm.inference._CHUNK", 4)
    pieces = small_model.infer(images)
    for name in ANSWERS:
        actual, expected = getattr(pieces, name), getattr(whole, name)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_excess_is_what_the_image_itself_would_not_cost(
    small_model: VAEGMM, images: np.ndarray
) -> None:
    pixels = (images / 255).clip(1e-12, 1 - 1e-12)
    entropy = -(pixels * np.log(pixels) + (1 - pixels) * np.log1p(-pixels)).sum((1, 2))
    inference = small_model.infer(images)
    np.testing.assert_allclose(
        inference.excess, inference.cross_entropy - entropy, rtol=1e-3, atol=1e-2
    )
    assert (inference.excess >= 0).all()


def test_only_labels_need_names(small_model: VAEGMM, images: np.ndarray) -> None:
    unnamed = small_model.refit(5)
    unnamed.names = None
    inference = unnamed.infer(images)
    assert inference.responsibilities.shape == (len(images), 5)
    with pytest.raises(ValueError, match="components must have names to classify"):
        _ = inference.label_probabilities


def test_a_refit_ranks_under_its_own_mixture(small_model: VAEGMM, images: np.ndarray) -> None:
    before = small_model.typicality(images)
    other = small_model.refit(3)
    log_likelihood = other.mixture.score_samples(other.ranked_means)
    np.testing.assert_array_equal(other.ranks.log_likelihood, np.sort(log_likelihood))
    np.testing.assert_array_equal(small_model.typicality(images), before)

"""A model that has also seen a few labelled images."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vaegmm import VAEGMM, GaussianMixture
from vaegmm.data import Dataset
from vaegmm.errors import InputError
from vaegmm.examples import MASS, REACH, SPREAD, Examples


@pytest.fixture(scope="module")
def mixture() -> GaussianMixture:
    z = np.random.default_rng(0).normal(size=(500, 3)) @ np.diag([1.0, 2.0, 0.3])
    return GaussianMixture(n_components=4, random_state=0).fit(z)


@pytest.fixture
def examples(mixture: GaussianMixture) -> Examples:
    """Three examples, two of them of label 1."""
    return Examples.beside(mixture).with_more(
        np.array([[0, 0, 0], [0.2, 0, 0], [9, 9, 9]], np.float32),
        np.array([1, 0, 1]),
        np.array([1.0, 0.6, 2.0]),
    )


def test_they_vote_as_components_of_the_mixture_do(
    mixture: GaussianMixture, examples: Examples
) -> None:
    within = np.einsum("k,kij->ij", mixture.weights_, mixture.covariances_)
    np.testing.assert_allclose(examples.covariance, SPREAD * within)
    z = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32) / 4
    density = np.exp(mixture.score_samples(z))
    joint = np.zeros((50, 3))
    for e, centre in enumerate(examples.latents):
        joint[:, e] = (
            MASS * examples.weights[e] * multivariate_normal(centre, examples.covariance).pdf(z)
        )
        away = z - centre
        squared = (away @ np.linalg.inv(examples.covariance) * away).sum(1)
        joint[squared > REACH * 3, e] = 0
    assert 0 < (joint[:, 0] == 0).sum() < 50, "some lie within reach and some beyond"
    shares = joint / (density + joint.sum(1))[:, None]
    expected = np.stack([shares[:, 1], shares[:, 0] + shares[:, 2]], 1)
    votes = examples.votes(z, mixture.score_samples(z), 2)
    np.testing.assert_allclose(votes, expected, rtol=1e-6, atol=1e-15)


def test_where_the_mixture_is_unlikely_an_example_decides(
    mixture: GaussianMixture, examples: Examples
) -> None:
    far = np.array([[9, 9, 9.01], [1e4, 0, 0]], np.float32)
    votes = examples.votes(far, mixture.score_samples(far), 3)
    assert votes[0, 1] == pytest.approx(1)
    assert votes[1].tolist() == [0, 0, 0], "beyond its reach it has no say, however far"


def test_views_of_one_drawing_count_as_one(examples: Examples) -> None:
    nine = examples.with_more(np.zeros((9, 3), np.float32), np.zeros(9, int), np.full(9, 1 / 9))
    assert (examples.count, nine.count) == (4, 5)
    assert len(nine) == 12
    assert len(examples) == 3


def test_they_know_their_own_z(examples: Examples) -> None:
    z = examples.latents[[1, 2, 0]] + np.array([[1e-6], [0.1], [0]], np.float32)
    assert examples.hold(z).tolist() == [True, False, True]


# VAEGMM.adapt


@pytest.fixture(scope="module")
def strange(small_model: VAEGMM, digits: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Two images with labels that the model would not give them."""
    images = digits.test.images[:2]
    return images, (small_model.predict(images) + 3) % 10


def test_a_few_images_teach_it_and_leave_it_as_it_was(
    small_model: VAEGMM, digits: Dataset, strange: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = strange
    before = small_model.predict_proba(digits.test.images)
    adapted = small_model.adapt(images, labels)
    np.testing.assert_array_equal(adapted.predict(images), labels)
    assert adapted.label_probabilities(adapted.encode(images)).argmax(1).tolist() == labels.tolist()
    np.testing.assert_array_equal(small_model.predict_proba(digits.test.images), before)
    assert small_model.n_examples == 0
    assert adapted.n_examples == 2
    after = adapted.predict_proba(digits.test.images)
    np.testing.assert_allclose(after.sum(1), 1, atol=1e-6)
    untouched = adapted.infer(digits.test.images).votes.sum(1) == 0
    assert 0 < untouched.mean() < 1
    np.testing.assert_array_equal(after[untouched], before[untouched])
    for method in ("responsibilities", "typicality", "encode"):
        np.testing.assert_array_equal(
            getattr(adapted, method)(digits.test.images),
            getattr(small_model, method)(digits.test.images),
        )
    for mine, other in zip(adapted.sample(5, 3), small_model.sample(5, 3), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_examples_come_together(
    small_model: VAEGMM, strange: tuple[np.ndarray, np.ndarray], digits: Dataset
) -> None:
    images, labels = strange
    at_once = small_model.adapt(images, labels, [1, 0.5])
    one_by_one = small_model.adapt(images[:1], labels[:1]).adapt(images[1:], labels[1:], [0.5])
    some = digits.test.images[:50]
    np.testing.assert_allclose(
        at_once.predict_proba(some), one_by_one.predict_proba(some), atol=1e-5
    )
    first = small_model.adapt(images[:1], labels[:1])
    assert len({m.fingerprint for m in (small_model, first, at_once)}) == 3
    heavier = small_model.adapt(images, labels, [1, 2])
    assert heavier.fingerprint != at_once.fingerprint
    votes = [m.infer(images[1:]).votes[0, labels[1]] for m in (at_once, heavier)]
    assert votes[0] < votes[1]


def test_what_was_measured_before_is_said_to_be(
    small_model: VAEGMM, strange: tuple[np.ndarray, np.ndarray]
) -> None:
    adapted = small_model.adapt(*strange).adapt(*strange)
    assert adapted.metrics == {"before_adaptation": small_model.metrics}
    assert "before_adaptation" not in small_model.metrics


def test_another_mixture_keeps_the_examples(
    small_model: VAEGMM, strange: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = strange
    adapted = small_model.adapt(images, labels).refit(5, n_init=1)
    plain = small_model.refit(5, n_init=1)
    np.testing.assert_array_equal(
        adapted.names.label_given_component, plain.names.label_given_component
    )
    np.testing.assert_array_equal(adapted.predict(images), labels)
    expected = Examples.beside(plain.mixture).covariance
    np.testing.assert_allclose(adapted.examples.covariance, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((2, 3))}, "images must have shape"),
        ({"labels": [1]}, "labels must have one entry an image; got shape=(1,) for 2 images"),
        ({"labels": [1, 2.5]}, "labels must be whole numbers"),
        ({"labels": [0, 10]}, "labels must lie from 0 to 9, the labels of this model; got 10."),
        ({"weights": [1]}, "weights must be one positive finite number an image; got shape=(1,)"),
        ({"weights": [1, 0]}, "one of them not positive or not finite"),
        ({"weights": [1, np.inf]}, "one of them not positive or not finite"),
        ({"weights": "heavy"}, "weights must be one positive finite number an image"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    small_model: VAEGMM, digits: Dataset, arguments: dict, message: str
) -> None:
    good = {"images": digits.test.images[:2], "labels": [1, 2]}
    with pytest.raises(InputError, match=re.escape(message)):
        small_model.adapt(**good | arguments)


def test_without_names_there_is_nothing_to_vote_for(small_model: VAEGMM, digits: Dataset) -> None:
    model = replace(small_model)
    vars(model).update(vars(small_model), names=None)
    with pytest.raises(ValueError, match="components must have names"):
        model.adapt(digits.test.images[:1], [0])

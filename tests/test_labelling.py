"""Names of components: soft, cautious, and honest where nothing is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaegmm.labelling import (
    UNNAMED,
    ComponentNames,
    name_by_probabilities,
    name_components,
    names_from_power,
)
from vaegmm.metrics import expected_calibration_error


def one_hot(components, n_components):
    return np.eye(n_components)[components]


def test_a_component_is_named_after_the_images_it_is_responsible_for():
    names = name_components(one_hot([0, 0, 0, 1, 1], 2), np.array([7, 7, 3, 4, 4]), n_classes=10)
    assert names.names.tolist() == [7, 4]
    assert names.n_labels == 5
    # Two of three votes, less what the cautious beginning takes away.
    assert names.label_given_component[0, 7] == pytest.approx((2 + 0.1 * 2 / 5) / 3.1)


def test_naming_is_soft():
    # By majority both components would be a 0: each image prefers the other digit's by a little.
    responsibilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.55, 0.45]])
    names = name_components(responsibilities, np.array([0, 1, 1]), n_classes=2)
    assert names.names.tolist() == [1, 1]
    assert names.label_given_component[0, 0] == pytest.approx((0.9 + 0.1 / 3) / 2.15)


def test_a_component_that_no_image_reaches_is_unnamed_and_knows_only_the_frequencies():
    names = name_components(one_hot([0, 0, 0, 1], 3), np.array([0, 0, 1, 1]), n_classes=3)
    assert names.names.tolist() == [0, 1, UNNAMED]
    np.testing.assert_allclose(names.label_given_component[2], [0.5, 0.5, 0.0])


def test_a_name_takes_half_an_image():
    for mass, expected in ((0.49, UNNAMED), (0.51, 1)):
        responsibilities = np.array([[1 - mass, mass], [1.0, 0.0]])
        names = name_components(responsibilities, np.array([1, 0]), n_classes=2)
        assert names.names[1] == expected


@settings(deadline=None)
@given(
    arrays(float, (12, 5), elements=st.floats(1e-6, 1)),
    arrays(np.int64, 12, elements=st.integers(0, 3)),
    arrays(float, (7, 5), elements=st.floats(1e-6, 1)),
)
def test_probabilities_sum_to_one(responsibilities, labels, others):
    responsibilities /= responsibilities.sum(1, keepdims=True)
    others /= others.sum(1, keepdims=True)
    names = name_components(responsibilities, labels, n_classes=4)
    assert (names.label_given_component >= 0).all()
    np.testing.assert_allclose(names.label_given_component.sum(1), 1)
    np.testing.assert_allclose(names.label_probabilities(others).sum(1), 1)
    named = names.names != UNNAMED
    assert (names.names[named] == names.label_given_component.argmax(1)[named]).all()


def test_label_probabilities_weigh_components_by_responsibility():
    names = name_components(one_hot([0, 1], 2), np.array([0, 1]), n_classes=2)
    certain = names.label_probabilities(np.eye(2))
    np.testing.assert_allclose(certain, names.label_given_component)
    between = names.label_probabilities(np.array([[0.25, 0.75]]))
    np.testing.assert_allclose(between[0], 0.25 * certain[0] + 0.75 * certain[1])


def test_known_labels_are_probabilities_of_one():
    rng = np.random.default_rng(0)
    responsibilities, labels = rng.dirichlet(np.ones(4), 30), rng.integers(0, 3, 30)
    hard = name_components(responsibilities, labels, 3)
    soft = name_by_probabilities(responsibilities, np.eye(3)[labels], 30)
    np.testing.assert_array_equal(hard.label_given_component, soft.label_given_component)
    np.testing.assert_array_equal(hard.names, soft.names)


@pytest.mark.parametrize(
    ("n_images", "labels", "message"),
    [
        (3, [0, 1], "labels must have one entry an image, and at least one; got 2 labels for 3"),
        (0, [], "labels must have one entry an image, and at least one; got 0 labels for 0"),
        (2, [0, 5], "labels must lie from 0 to 4; got 0 to 5."),
        (2, [-1, 0], "labels must lie from 0 to 4; got -1 to 0."),
    ],
)
def test_labels_that_do_not_fit_are_refused(n_images, labels, message):
    with pytest.raises(ValueError, match=message):
        name_components(np.full((n_images, 2), 0.5), np.array(labels, dtype=int), n_classes=5)


def blurred(n_images, seed=0, blur=0.4):
    """Components that are digits, and responsibilities that are as often right as they say.

    Between two components an image lends its label to both, so names are less sure than they
    could be.
    """
    generator = np.random.default_rng(seed)
    responsibilities = generator.dirichlet(np.full(4, blur), n_images)
    at = responsibilities.cumsum(1) > generator.random(n_images)[:, None]
    return responsibilities, at.argmax(1)


def test_the_temperature_makes_names_as_sure_as_they_are_right():
    responsibilities, labels = blurred(4000)
    names = name_components(responsibilities, labels, n_classes=4)
    assert names.temperature < 0.8
    others, truth = blurred(4000, seed=1)
    calibrated = names.label_probabilities(others)
    raw = names.at_temperature(1.0).label_probabilities(others)
    error, error_before = (expected_calibration_error(p, truth) for p in (calibrated, raw))
    assert error < 0.02
    assert error_before > 3 * error
    np.testing.assert_allclose(calibrated.sum(1), 1)
    names_of_components = names.label_given_component.argmax(1)
    assert (names_of_components == names.names).all()  # surer, not different


def test_few_labels_leave_the_temperature_alone():
    assert name_components(*blurred(199), n_classes=4).temperature == 1
    assert name_components(*blurred(1000), n_classes=4).temperature != 1


def test_every_temperature_gives_probabilities():
    for temperature in (0.01, 100.0):
        names = ComponentNames(np.array([[1 - 1e-9, 1e-9], [0.5, 0.5]]), np.array([0, 0]), 2)
        probabilities = names.at_temperature(temperature).label_probabilities(np.eye(2))
        np.testing.assert_allclose(probabilities.sum(1), 1)
        assert probabilities[1].tolist() == [0.5, 0.5]


def test_a_temperature_can_be_taken_back():
    names = name_components(*blurred(4000), n_classes=4)
    raw = names.at_temperature(1.0)
    assert raw.temperature == 1
    assert raw.label_given_component.max() < names.label_given_component.max()
    np.testing.assert_allclose(
        raw.at_temperature(names.temperature).label_given_component, names.label_given_component
    )


def test_a_temperature_changes_how_sure_names_are_and_hardly_what_they_say():
    responsibilities, labels = blurred(4000, blur=0.2)
    names = name_components(responsibilities, labels, n_classes=4)
    said = names.label_probabilities(responsibilities).argmax(1)
    raw = names.at_temperature(1.0).label_probabilities(responsibilities).argmax(1)
    assert (said == labels).mean() >= (raw == labels).mean() - 0.01


def test_names_from_before_say_nearly_what_they_said():
    responsibilities, labels = blurred(4000, blur=0.05)
    raw = name_components(responsibilities, labels, n_classes=4).at_temperature(1.0)
    powers = raw.label_probabilities(responsibilities) ** (1 / 0.6)
    expected = powers / powers.sum(1, keepdims=True)
    others = names_from_power(raw, 0.6, responsibilities)
    assert np.abs(others.label_probabilities(responsibilities) - expected).mean() < 0.02
    assert np.abs(raw.label_probabilities(responsibilities) - expected).mean() > 0.05

"""Learning a hand from drawings."""

from __future__ import annotations

import numpy as np
import pytest

from vaegmm import VAEGMM
from vaegmm.adaptation import LEAST_TO_JUDGE, learn, read, views_of, worth
from vaegmm.data import Dataset
from vaegmm.reading import read_strokes

SEVEN = [[[0.2, 0.2], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]], [[0.4, 0.5], [0.7, 0.5]]]


def leaning(lean: float) -> list:
    """A seven, leaning more or less."""
    return [[[x + lean * y, y] for x, y in stroke] for stroke in SEVEN]


def test_a_drawing_is_learned_by_the_views_it_is_read_by(small_model: VAEGMM) -> None:
    images, weights = views_of(small_model, SEVEN)
    believed = [view for view in read_strokes(small_model, SEVEN).views if view.weight >= 0.01]
    np.testing.assert_array_equal(images, [view.image for view in believed])
    np.testing.assert_allclose(weights, [view.weight for view in believed], rtol=0.1)
    assert weights.sum() == pytest.approx(1)


def test_strokes_and_images_are_learned(small_model: VAEGMM, digits: Dataset) -> None:
    image = digits.test.images[5]
    other = (small_model.predict(image)[0] + 1) % 10
    learned = learn(small_model, [SEVEN, image], [2, other])
    assert learned.n_examples == 2
    reading = read_strokes(learned, SEVEN)
    assert reading.label == 2 != read(small_model, SEVEN)
    assert read(learned, image) == other
    # It adds up: votes, and the rest of the clusters.
    sums = [
        view.weight
        * (
            view.votes
            + (1 - view.votes.sum()) * (view.responsibilities @ learned.names.label_given_component)
        )
        for view in reading.views
    ]
    np.testing.assert_allclose(np.sum(sums, 0), reading.probabilities)


def test_what_drawings_are_worth_is_measured_on_those_left_out(small_model: VAEGMM) -> None:
    drawings = [leaning(lean) for lean in np.linspace(-0.2, 0.2, LEAST_TO_JUDGE)]
    wrong = (read(small_model, drawings[0]) + 1) % 10
    labels = [wrong] * len(drawings)
    value = worth(small_model, drawings, labels)
    before = [read(small_model, drawing) == wrong for drawing in drawings]
    after = [
        read(learn(small_model, drawings[:i] + drawings[i + 1 :], labels[1:]), drawings[i]) == wrong
        for i in range(len(drawings))
    ]
    assert value is not None
    assert (value.before, value.after, value.of) == (np.mean(before), np.mean(after), len(labels))
    assert value.before < value.after
    assert worth(small_model, drawings[1:], labels[1:]) is None


def test_what_cannot_be_learned_is_refused(small_model: VAEGMM) -> None:
    with pytest.raises(ValueError, match="drawings must not be empty"):
        learn(small_model, [], [])
    with pytest.raises(ValueError, match="got 1 for 2 drawings"):
        learn(small_model, [SEVEN, SEVEN], [7])
    with pytest.raises(ValueError, match="blank drawing"):
        learn(small_model, [[]], [7])

"""What a model says of one digit."""

from __future__ import annotations

import numpy as np
import pytest

from vaegmm import VAEGMM
from vaegmm.data import Dataset
from vaegmm.preprocess import digit_from_strokes, drawing_parts, has_dot, partial_drawings
from vaegmm.reading import STRANGE, read_image, read_strokes
from vaegmm.typicality import evidence

SEVEN = [[[0.2, 0.2], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]], [[0.4, 0.5], [0.7, 0.5]]]


def test_an_image_is_read_as_the_model_reads_it(small_model: VAEGMM, digits: Dataset) -> None:
    image = digits.test.images[3]
    reading = read_image(small_model, image)
    np.testing.assert_allclose(reading.probabilities, small_model.predict_proba(image)[0])
    assert reading.label == small_model.predict(image)[0]
    assert reading.typicality == small_model.typicality(image)[0]
    assert reading.is_strange == (reading.typicality < STRANGE)
    assert [view.weight for view in reading.views] == [1.0]
    assert reading.verdict in ("sure", "unsure")
    noise = np.random.default_rng(0).integers(0, 255, (28, 28)).astype(np.uint8)
    assert read_image(small_model, noise).is_strange
    assert read_image(small_model, noise).verdict == "strange"


def test_a_drawing_is_read_with_its_parts(small_model: VAEGMM) -> None:
    reading = read_strokes(small_model, SEVEN)
    parts = [digit_from_strokes(part) for part in partial_drawings(SEVEN)]
    images = np.stack([view.image for view in reading.views])
    np.testing.assert_array_equal(images, [digit_from_strokes(SEVEN), *parts])
    np.testing.assert_array_equal([v.label for v in reading.views], small_model.predict(images))
    np.testing.assert_allclose([view.z for view in reading.views], small_model.encode(images))
    assert reading.typicality == reading.views[0].typicality
    typicality = [view.typicality for view in reading.views]
    np.testing.assert_allclose(typicality, small_model.typicality(images))


def test_a_view_is_believed_for_what_it_is_and_for_what_was_left_out(small_model: VAEGMM) -> None:
    reading = read_strokes(small_model, SEVEN)
    inference = small_model.infer(np.stack([view.image for view in reading.views]))
    looks = 0.5 * evidence(inference.log_likelihood, inference.excess)
    parts = drawing_parts(SEVEN)
    before = [2.5, *(-2 * p.share + 2.2 * p.turn + 2.2 * p.leftward for p in parts)]
    expected = np.exp(looks + before - (looks + before).max())
    weights = [view.weight for view in reading.views]
    np.testing.assert_allclose(weights, expected / expected.sum(), atol=1e-5)


def test_parts_tell_how_a_beginning_turns_and_where_an_end_goes() -> None:
    flag = [[[0.3, 0.3], [0.5, 0.1], [0.5, 0.9]]]  # up to the right, then down
    length = np.hypot(0.2, 0.2) + 0.8
    for part in drawing_parts(flag)[::2]:
        is_flag = part.share * length < np.hypot(0.2, 0.2) - 0.1 * length
        assert part.turn == pytest.approx(1) if is_flag else part.turn < 0.95
        assert part.leftward == 0
    left, right = ([[[0.5, 0.1], [0.5, 0.5], [x, 0.5]]] for x in (0.1, 0.9))
    for strokes, leftward in ((left, 1), (right, -1)):
        ends = drawing_parts(strokes)[1::2]
        assert [(part.share, part.turn) for part in ends] == [
            (s, 0) for s in (0.08, 0.16, 0.24, 0.32)
        ]
        assert [part.leftward for part in ends] == pytest.approx([leftward] * 4)
    short = drawing_parts(SEVEN)[-1]
    assert short.strokes == [SEVEN[0]]
    assert short[1:] == (0, 0, 0)


def test_a_reading_adds_up(small_model: VAEGMM) -> None:
    reading = read_strokes(small_model, SEVEN)
    label_given_component = small_model.names.label_given_component
    total = np.zeros(10)
    for view in reading.views:
        for component, share in enumerate(view.responsibilities):
            total += view.weight * share * label_given_component[component]
    np.testing.assert_allclose(total, reading.probabilities, atol=1e-6)
    assert total.sum() == pytest.approx(1)
    assert sum(view.weight for view in reading.views) == pytest.approx(1)


def test_parts_leave_out_ends_and_the_short_stroke() -> None:
    parts = partial_drawings(SEVEN)
    assert parts[-1] == [SEVEN[0]]
    for part in parts[:-1]:
        assert len(part) == 2
        assert part[1] == SEVEN[1]
        kept = {tuple(part[0][0]), tuple(part[0][-1])} & {
            tuple(SEVEN[0][0]),
            tuple(SEVEN[0][-1]),
        }
        assert len(kept) == 1, "one end goes, the other stays"
    assert partial_drawings([]) == []


def test_a_part_that_is_no_more_than_a_dot_is_left_out(small_model: VAEGMM) -> None:
    short = [[[0.5, 0.5], [0.5, 0.52001]]]
    assert partial_drawings(short) == []
    dense = [[[0.5, 0.5], [0.515, 0.5]] * 20, [[0.5, 0.5], [0.53, 0.5]]]
    parts = partial_drawings(dense)
    assert dense[:1] not in parts, "without the short stroke there is no more than a dot"
    assert len(parts) == 8
    reading = read_strokes(small_model, short)
    assert len(reading.views) == 1


def test_what_is_no_drawing_is_refused(small_model: VAEGMM) -> None:
    with pytest.raises(ValueError, match="more than a dot"):
        read_strokes(small_model, [[[0.5, 0.5]]])


def test_no_digit_has_a_dot(small_model: VAEGMM) -> None:
    question = [SEVEN[0], [[0.45, 0.97], [0.46, 0.98]]]
    assert read_strokes(small_model, question).typicality == 0
    assert read_strokes(small_model, question).verdict == "strange"
    touching = [SEVEN[0], [[0.5, 0.2], [0.51, 0.21]]]  # the pen was put down on the line again
    assert not has_dot(touching)
    assert not has_dot(SEVEN)
    assert not has_dot([SEVEN[0]])
    assert has_dot([[[0.5, 0.1], [0.5, 0.7]], [[0.5, 0.9]]])
    reading = read_strokes(small_model, touching)
    assert reading.typicality == reading.views[0].typicality


def test_what_runs_off_the_pad_is_said_to(small_model: VAEGMM) -> None:
    assert read_strokes(small_model, SEVEN, pad=(1, 1)).verdict != "off the pad"
    for shift in ([0.45, 0], [-0.5, 0], [0, 0.5], [0, -0.21]):
        moved = [(np.array(line) + shift).tolist() for line in SEVEN]
        reading = read_strokes(small_model, moved, pad=(1, 1))
        assert reading.verdict == "off the pad"
        assert read_strokes(small_model, moved).verdict != "off the pad"
        np.testing.assert_allclose(
            reading.probabilities, read_strokes(small_model, SEVEN).probabilities, atol=0.05
        )
    wide = [(np.array(line) + np.array([1.5, 0])).tolist() for line in SEVEN]
    assert not read_strokes(small_model, wide, pad=(3, 1)).is_off_pad
    clipped = [[[0.3, 0.5], [0.3, 1.0], [0.6, 1.0]]]  # by a pad that keeps points inside
    assert read_strokes(small_model, clipped, pad=(1, 1)).is_off_pad

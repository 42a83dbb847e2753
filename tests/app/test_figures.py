"""Figures say what the arrays say."""

from __future__ import annotations

import numpy as np

from vaegmm.app import figures
from vaegmm.app.figures import loss_curves


def test_loss_curves_show_each_epoch_of_each_training() -> None:
    figure = loss_curves(
        {"one": ([9.0, 5.0, 4.0], [8.0, 6.0, 5.0]), "two": ([7.0, 3.0], [6.0, 4.0])}
    )
    shown = [(trace.name, trace.line.dash, trace.x, trace.y) for trace in figure.data]
    assert shown == [
        ("one", "solid", (1, 2, 3), (9.0, 5.0, 4.0)),
        ("one", "dot", (1, 2, 3), (8.0, 6.0, 5.0)),
        ("two", "solid", (1, 2), (7.0, 3.0)),
        ("two", "dot", (1, 2), (6.0, 4.0)),
    ]
    colours = [trace.line.color for trace in figure.data]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert [trace.showlegend for trace in figure.data] == [True, False, True, False]


def test_one_training_needs_no_legend_and_one_epoch_is_a_dot() -> None:
    figure = loss_curves({"one": ([9.0], [None])})
    assert not any(trace.showlegend for trace in figure.data)
    assert {trace.mode for trace in figure.data} == {"markers"}
    assert loss_curves({"one": ([], [])}).data[0].y == ()


def test_sizes_fall_and_keep_the_name_of_their_component() -> None:
    figure = figures.component_sizes(
        np.array([0.2, 0.5, 0.3]), np.array([1, 0, 1]), {0: "zero", 1: "one"}
    )
    drawn = {
        int(k): (trace.name, int(place), float(size))
        for trace in figure.data
        for k, place, size in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    assert drawn == {1: ("zero", 1, 50), 2: ("one", 2, 30), 0: ("one", 3, 20)}


def test_the_confusion_matrix_shows_counts_and_shares() -> None:
    shares, counts = figures.confusion_matrix(np.array([[3, 1], [0, 0]]), ["a", "b"]).data
    np.testing.assert_allclose(shares.z, [[0.75, 0.25], [0, 0]])
    written = {(y, x): text for x, y, text in zip(counts.x, counts.y, counts.text, strict=True)}
    assert written == {("a", "a"): 3, ("a", "b"): 1, ("b", "a"): 0, ("b", "b"): 0}


def test_an_ellipse_is_one_standard_deviation_wide() -> None:
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    x, y = figures.ellipses(np.array([[1.0, 2.0]]), covariance[None])
    assert np.isnan(x[-1])
    centred = np.stack([x[:-1] - 1, y[:-1] - 2])
    distance = (centred * np.linalg.solve(covariance, centred)).sum(0)
    np.testing.assert_allclose(distance, 1)


def test_the_playback_has_a_frame_and_a_step_an_iteration() -> None:
    frames = [
        (number, bound, np.zeros((3, 2)), np.broadcast_to(np.eye(2), (3, 2, 2)))
        for number, bound in [(0, -5.0), (1, -4.0), (7, float("nan"))]
    ]
    figure = figures.em_playback(np.random.default_rng(0).normal(size=(20, 2)), frames)
    assert [frame.name for frame in figure.frames] == ["0", "1", "7"]
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == ["0: -5.000 nats", "1: -4.000 nats", "end"]
    assert [step.args[0][0] for step in steps] == ["0", "1", "7"]

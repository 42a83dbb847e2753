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


def test_the_best_size_of_all_types_is_ringed() -> None:
    curves = {"full": {5: 3.0, 10: 1.0}, "diag": {5: 4.0, 20: 2.0}}
    figure = figures.size_curves(curves, "BIC", is_low_best=True)
    assert [list(trace.marker.size) for trace in figure.data] == [[10, 16], [10, 10]]
    assert [tuple(map(tuple, trace.customdata)) for trace in figure.data] == [
        ((5, "full"), (10, "full")),
        ((5, "diag"), (20, "diag")),
    ]
    assert figures.size_curves(curves, "x", is_low_best=False).data[1].marker.size[0] == 16


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

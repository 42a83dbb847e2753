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

"""Figures say what the arrays say."""

from __future__ import annotations

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

"""Figures say what the arrays say."""

from __future__ import annotations

from vaegmm.app import figures


def test_the_best_size_of_all_types_is_ringed() -> None:
    curves = {"full": {5: 3.0, 10: 1.0}, "diag": {5: 4.0, 20: 2.0}}
    figure = figures.size_curves(curves, "BIC", is_low_best=True)
    assert [list(trace.marker.size) for trace in figure.data] == [[10, 16], [10, 10]]
    assert [tuple(map(tuple, trace.customdata)) for trace in figure.data] == [
        ((5, "full"), (10, "full")),
        ((5, "diag"), (20, "diag")),
    ]
    assert figures.size_curves(curves, "x", is_low_best=False).data[1].marker.size[0] == 16

"""Numbers are said alike on every page."""

import pytest

from vaegmm.app.words import share


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (0.7815, 1, "78.2 %"),
        (0.9795, 1, "98.0 %"),
        (0.97949, 1, "97.9 %"),
        (0, 1, "0.0 %"),
        (1, 0, "100 %"),
        (0.125, 0, "13 %"),
        (1e-12, 1, "0.0 %"),
    ],
)
def test_shares_are_rounded_half_up(value, digits, said):
    assert share(value, digits) == said

"""How numbers are said on every page: the same rounding everywhere."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def share(value: float, digits: int = 1) -> str:
    """Say a share in [0, 1] in per cent: 0.7815 is "78.2 %".

    Halves are rounded up, as people and the README do; the binary number next to 0.7815 lies
    below it.
    """
    per_cent = Decimal(repr(round(float(value), 9))) * 100
    return f"{per_cent.quantize(Decimal(10) ** -digits, ROUND_HALF_UP)} %"

"""The colour of a label, and the shades of it that its components have: everywhere the same."""

from __future__ import annotations

import colorsys

# One colour a digit, 0 to 9: ten that are as far apart as ten can be, also for colour-blind eyes,
# given to the digits so that those that lie side by side in the latent space (4 and 9, 7 and 9, 3,
# 5 and 8) are furthest apart. .streamlit/config.toml has the same list.
# Source: Petroff, Accessible Color Sequences for Data Visualization, 2021.
PALETTE = (
    "#b9ac70",
    "#717581",
    "#94a4a2",
    "#832db6",
    "#ffa90e",
    "#92dadd",
    "#a96b59",
    "#bd1f01",
    "#e76300",
    "#3f90da",
)
UNNAMED_COLOUR = "#cfcdc9"  # lighter than the greys among the ten


def colour_of(label: int) -> str:
    """Return the colour of a label; grey for a negative one, which means unnamed."""
    return PALETTE[label % len(PALETTE)] if label >= 0 else UNNAMED_COLOUR


def shades_of(label: int) -> list[tuple[float, str]]:
    """Return a colour scale from a lighter to a darker shade of a label's colour."""
    red, green, blue = (int(colour_of(label)[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    ends = (min(lightness + 0.16, 0.85), max(lightness - 0.16, 0.2))
    scale = []
    for place, end in enumerate(ends):
        rgb = (round(255 * part) for part in colorsys.hls_to_rgb(hue, end, saturation))
        scale.append((float(place), f"rgb({','.join(map(str, rgb))})"))
    return scale

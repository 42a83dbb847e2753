"""The colour of a label, everywhere the same; browser/colours.js has the shades of it."""

from __future__ import annotations

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

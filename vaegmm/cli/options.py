"""What several commands take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaegmm.model import VAEGMM

# The names are those of vaegmm.data, which --help doesn't wait for.
DATA_HELP = (
    "mnist, fashion, digits, kmnist, qmnist, qmnist-50k, emnist-digits, emnist-letters, "
    "emnist-balanced, usps, FILE.npz, FILE.npy or FOLDER"
)


def add_checkpoint(command: argparse.ArgumentParser) -> None:
    """Let a command take a checkpoint, and how to print what it says of it."""
    command.add_argument("checkpoint", metavar="CHECKPOINT")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")


def load_model(options: argparse.Namespace) -> VAEGMM:
    """Load the checkpoint of `add_checkpoint`."""
    from vaegmm.devices import choose_device
    from vaegmm.model import load

    return load(options.checkpoint, choose_device(options.device))


def whole_numbers(text: str, name: str) -> list[int]:
    """Read whole numbers that are parted by commas.

    Raises:
        ValueError: if one is none.
    """
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{name} must be whole numbers, by commas; got {text!r}.") from None

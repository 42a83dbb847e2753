"""A smaller film of a large one: fewer epochs, and all that happens fast."""

from __future__ import annotations

import numpy as np

from vaegmm.errors import InputError
from vaegmm.film.file import MAGIC, Film, Frame, encode


def thin(film: Film, most_bytes: int) -> Film:
    """Keep as many frames of a film as a file of so many bytes has room for.

    Epochs give way, evenly; the first steps, the starts of the joint stage, its first epoch, and
    the first and last epoch stay all, of the attempt that counts where the training has begun
    again. Where that is still too much, the last start stands for all.

    Raises:
        InputError: if even that has no room.
    """
    sizes = {id(frame): len(encode(frame)) for frame in film.frames}
    overhead = len(MAGIC) + len(encode(film.opening))
    n_epochs = sum(frame.kind == "epoch" for frame in film.frames)
    for has_starts in (True, False):
        for most_epochs in range(n_epochs, -1, -1):
            kept = _kept(film, most_epochs, has_starts)
            n_bytes = overhead + sum(sizes[id(frame)] for frame in kept)
            if n_bytes <= most_bytes:
                return Film(film.opening, kept)
    raise InputError(
        f"most_bytes must be at least {n_bytes} for this film; got {most_bytes}.",
        reason="small film",
    )


def _kept(film: Film, most_epochs: int, has_starts: bool) -> list[Frame]:
    """Return the frames that stay if about so many epochs do."""
    attempt = max((frame.place[0] for frame in film.frames), default=0)
    epochs = [frame for frame in film.frames if frame.kind == "epoch"]
    starts = [f for f in film.frames if f.kind == "start" and f.place[0] == attempt]
    joint = film.opening.header["epochs"] - film.opening.header["joint_epochs"] + 1
    rows = np.linspace(0, len(epochs) - 1, most_epochs).round().astype(int)
    staying = [f for f in epochs if f.place in ((attempt, 1), (attempt, joint))]
    staying += [f for f in film.frames if f.kind == "step" and f.place[0] == attempt]
    staying += starts if has_starts else starts[-1:]
    staying += [*epochs[-1:], *(epochs[row] for row in rows)]
    chosen = {id(frame) for frame in staying}
    return [frame for frame in film.frames if id(frame) in chosen]

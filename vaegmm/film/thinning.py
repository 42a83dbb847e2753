"""A smaller film of a large one: fewer epochs, and all that happens fast."""

from __future__ import annotations

from vaegmm.errors import InputError
from vaegmm.film.file import MAGIC, Film, Frame, encode


def thin(film: Film, most_bytes: int) -> Film:
    """Keep as many frames of a film as a file of so many bytes has room for.

    Of epochs only every second, third, … stays; the first steps, the starts of the joint stage, its
    first epoch, and the first and last epoch stay all, of the attempt that counts where the
    training has begun again. Where that is still too much, the last start stands for all.

    Raises:
        InputError: if even that has no room.
    """
    sizes = {id(frame): len(encode(frame)) for frame in film.frames}
    room = most_bytes - len(MAGIC) - len(encode(film.opening))
    n_epochs = sum(frame.kind == "epoch" for frame in film.frames)
    for keeps_starts in (True, False):
        for every in range(1, n_epochs + 2):
            kept = _kept(film, every, keeps_starts)
            least = sum(sizes[id(frame)] for frame in kept)
            if least <= room:
                return Film(film.opening, kept)
    raise InputError(
        f"most_bytes must be at least {most_bytes - room + least} for this film; got {most_bytes}.",
        reason="small film",
    )


def _kept(film: Film, every: int, keeps_starts: bool) -> list[Frame]:
    """Return the frames that stay if only every so many epochs do."""
    attempt = max((frame.place[0] for frame in film.frames), default=0)
    epochs = [frame for frame in film.frames if frame.kind == "epoch"]
    starts = [f for f in film.frames if f.kind == "start" and f.place[0] == attempt]
    joint = film.opening.header["epochs"] - film.opening.header["joint_epochs"] + 1
    staying = {id(frame) for frame in (starts if keeps_starts else starts[-1:])}
    staying |= {id(f) for f in film.frames if f.kind == "step" and f.place[0] == attempt}
    staying |= {id(f) for f in epochs if f.place in ((attempt, 1), (attempt, joint))}
    staying |= {id(f) for f in [*epochs[every - 1 :: every], *epochs[-1:]]}
    return [frame for frame in film.frames if id(frame) in staying]

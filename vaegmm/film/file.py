"""A film's file: what it is of, then one frame after the other, as a training writes them.

    8 bytes   magic
    uint32    length of a block, n, little-endian
    n bytes   the block: zlib's compression of what `vaegmm.blocks.pack` writes
    …         further blocks likewise

The first block is the film's header, with the inputs; each further one a frame. docs/film.md lists
what they hold. A process that is killed leaves at most the last block unfinished: readers pass over
it, and whoever goes on with the film cuts it off.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vaegmm.blocks import pack, unpack
from vaegmm.errors import ReasonedError

MAGIC = b"VAEFILM1"
#: Of one frame in the file.
MOST_BYTES = 60_000

_LENGTH = struct.Struct("<I")
_LEVEL = 3  # of zlib: twice as fast as 6, for 2 % more bytes
_MOST_INFLATED = 2**24  # bytes: a stranger's block must not fill the memory


class FilmError(ReasonedError):
    """A film cannot be read; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Frame:
    """One block: what JSON says, and arrays by name."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def kind(self) -> str:
        """One of film, step, epoch and start."""
        return str(self.header["kind"])

    def equals(self, other: Frame) -> bool:
        """Whether both hold the same."""
        return (
            self.header == other.header
            and self.arrays.keys() == other.arrays.keys()
            and all(np.array_equal(self.arrays[name], other.arrays[name]) for name in self.arrays)
        )

    @property
    def place(self) -> tuple[int, int]:
        """Of which epoch it is, after how many restarts: (restarts, epoch)."""
        return int(self.header["restarts"]), int(self.header["epoch"])


@dataclass(frozen=True)
class Film:
    """A film in memory."""

    opening: Frame  # what it is of
    frames: list[Frame] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """Return the content of a file that holds this film."""
        return MAGIC + b"".join(map(encode, (self.opening, *self.frames)))


def encode(frame: Frame) -> bytes:
    """Return a frame as a block of a film's file, with its length before it."""
    block = zlib.compress(pack(frame.header, frame.arrays), _LEVEL)
    return _LENGTH.pack(len(block)) + block


def read_film(path: str | Path) -> Film:
    """Read a film as far as it is there: of one that grows, all finished frames.

    Raises:
        FilmError: if there is none, or it is damaged before its end.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FilmError(f"{path} cannot be read: {error}.", reason="no film") from error
    return film_from_bytes(data, str(path))


def film_from_bytes(data: bytes, name: str = "the film") -> Film:
    """Read a film from its file's content; `name` is what errors call it.

    Raises:
        FilmError: if it is none, or damaged before its end.
    """
    frames = [frame for frame, _ in _blocks(data, name)]
    return Film(frames[0], frames[1:])


class FilmWriter:
    """Appends frames to a film's file, which is whole after each.

    Use `begin` for a new file, `go_on` for one that is there.
    """

    def __init__(self, path: str | Path, last: Frame | None = None) -> None:
        self.path = Path(path)
        self.last = last  # the last frame of kind step or epoch that the file holds

    @classmethod
    def begin(cls, path: str | Path, opening: Frame) -> FilmWriter:
        """Begin a film, in place of one that may be there.

        Raises:
            OSError: if it cannot be written; no file is left.
        """
        writer = cls(path)
        writer.path.unlink(missing_ok=True)
        writer._append(MAGIC + encode(opening))
        return writer

    @classmethod
    def go_on(cls, path: str | Path, opening: Frame, restarts: int, epoch: int) -> FilmWriter:
        """Go on with a film after an epoch: what comes later in it is cut off.

        Args:
            path: of the film.
            opening: what it must be of.
            restarts: how often the training has begun again by then.
            epoch: the last one that is kept.

        Raises:
            FilmError: if it is damaged before its end, or of another training.
            OSError: if it cannot be read or cut.
        """
        writer = cls(path)
        end = len(MAGIC)
        for number, (frame, frame_end) in enumerate(_blocks(writer.path.read_bytes(), str(path))):
            if number == 0 and not frame.equals(opening):
                raise _damaged(str(path), "it is of another training")
            if number and frame.place > (restarts, epoch):
                break
            end = frame_end
            if frame.kind in ("step", "epoch"):
                writer.last = frame
        os.truncate(writer.path, end)
        return writer

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Raises:
            OSError: if it cannot be written; the file then ends as it did before.
        """
        self._append(encode(frame))
        if frame.kind in ("step", "epoch"):
            self.last = frame

    def _append(self, data: bytes) -> None:
        with open(self.path, "ab", buffering=0) as file:
            end = file.tell()
            try:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                    if not end:
                        self.path.unlink()
                raise


def _blocks(data: bytes, name: str) -> Iterator[tuple[Frame, int]]:
    """Yield each finished block of a film, and where it ends."""
    if data[: len(MAGIC)] != MAGIC:
        raise _damaged(name, "it does not begin as a film does")
    at, number = len(MAGIC), 0
    while at + _LENGTH.size <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        block = data[at + _LENGTH.size : at + _LENGTH.size + length]
        if len(block) < length:
            break
        at += _LENGTH.size + length
        yield _decode(block, name, number), at
        number += 1
    if not number:
        raise _damaged(name, "it ends before it says what it is of")


def _decode(block: bytes, name: str, number: int) -> Frame:
    try:
        header, arrays = unpack(zlib.decompressobj().decompress(block, _MOST_INFLATED))
        del header["arrays"], header["fingerprint"]  # of the packing, which made them
        frame = Frame(header, arrays)
        if (frame.kind == "film") != (number == 0):
            raise ValueError("a header is where a frame is expected, or the reverse")
        if number:
            frame.place  # noqa: B018 - raises what is wrong with it
    except (zlib.error, KeyError, TypeError, ValueError) as error:
        raise _damaged(name, f"block {number}: {error}") from error
    return frame


def _damaged(name: str, why: str) -> FilmError:
    return FilmError(
        f"{name} is not a film that can be played: {why}. Train again to make it anew.",
        reason="damaged film",
        name=Path(name).name,
    )

"""Images that stay in their files, for data sets that are larger than memory."""

from __future__ import annotations

import hashlib
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaegmm.errors import InputError
from vaegmm.vae import IMAGE_SHAPE, N_PIXELS

_CHUNK = 10_000  # images that are read at once where all are: 8 MB


@dataclass(frozen=True)
class Shard:
    """A file, or a part of one, with the bytes of images one after the other."""

    path: Path
    offset: int  # bytes before the first image
    n_images: int


class StoredImages:
    """Images that are read when they are asked for, indexed as the array of them all would be.

    Nothing is kept in memory but which images they are. A file is opened for each look at it and
    read at the place: threads and processes share nothing, and no mapped pages count as this
    process's memory.

    Args:
        shards: where the images lie, in this order.
        rows: which of them these are, in which order, shape (N,); all, as they lie, if None.
    """

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(self, shards: tuple[Shard, ...], rows: np.ndarray | None = None) -> None:
        self.shards = shards
        self._ends = np.cumsum([shard.n_images for shard in shards])
        self._rows = rows

    def __len__(self) -> int:
        return int(self._ends[-1]) if self._rows is None else len(self._rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, 28, 28)."""
        return len(self), *IMAGE_SHAPE

    def take(self, rows: np.ndarray) -> StoredImages:
        """Return the images at these indices, still in their files."""
        # Of 10,000,000 images, 40 MB instead of 80.
        return StoredImages(self.shards, self._places(rows).astype(np.uint32))

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Read the images at these indices, shape (M, 28, 28) uint8.

        Raises:
            InputError: if a file has gone or become shorter.
        """
        places = self._places(rows)
        order = np.argsort(places, kind="stable")
        read = self._read(places[order])
        images = np.empty_like(read)
        images[order] = read
        return images.reshape(-1, *IMAGE_SHAPE)

    def digest(self) -> bytes:
        """Return a digest of all images in the files, as they lie there, read in chunks."""
        digest = hashlib.sha256()
        whole = StoredImages(self.shards)
        for start in range(0, len(whole), _CHUNK):
            digest.update(whole[start : start + _CHUNK].data)
        return digest.digest()

    def _places(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return where in the files these of the images are, counted over all shards."""
        n_images = len(self)
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(n_images))
        elif rows.dtype == bool:
            rows = np.flatnonzero(rows)
        low, high = (int(rows.min()), int(rows.max())) if len(rows) else (0, 0)
        if low < -n_images or high >= max(n_images, 1):
            raise IndexError(f"rows must lie below the {n_images} images; got {low} to {high}.")
        if low < 0:
            rows = np.where(rows < 0, rows + n_images, rows)
        return rows if self._rows is None else self._rows[rows].astype(np.int64)

    def _read(self, places: np.ndarray) -> np.ndarray:
        """Read images at rising places, shape (M, 784): neighbours at once."""
        images = np.empty((len(places), N_PIXELS), np.uint8)
        numbers = self._ends.searchsorted(places, side="right")
        for number in np.unique(numbers):
            shard, first = (
                self.shards[number],
                int(self._ends[number]) - self.shards[number].n_images,
            )
            start, end = numbers.searchsorted([number, number + 1])
            here = places[start:end] - first
            breaks = np.flatnonzero(np.diff(here) != 1) + 1
            bounds = [0, *breaks.tolist(), len(here)]
            try:
                with open(shard.path, "rb", buffering=0) as file:
                    for one, other in itertools.pairwise(bounds):
                        file.seek(shard.offset + int(here[one]) * N_PIXELS)
                        _fill(images[start + one : start + other], file)
            except OSError as error:
                raise InputError(
                    f"{shard.path} must stay as it is while it is in use; it cannot be read any "
                    f"more: {error}.",
                    reason="images gone",
                    name=shard.path.name,
                ) from error
        return images


def _fill(images: np.ndarray, file: io.RawIOBase) -> None:
    """Read until these images are full: one call may return less."""
    view = images.data.cast("B")
    while len(view):
        n_read = file.readinto(view)
        if not n_read:
            raise OSError("it has become shorter")
        view = view[n_read:]

"""One's own images as files that stay where they are: a .npy, or a folder of shards."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.lib import format as npy

from vaegmm.data.dataset import DataError, Dataset, StoredSplit, split
from vaegmm.errors import handed_on
from vaegmm.images import as_labels
from vaegmm.stored import Shard, StoredImages
from vaegmm.vae import IMAGE_SHAPE, N_PIXELS

_Found = TypeVar("_Found")
SUFFIXES = (".npy", ".npz")
_LABELS = ".labels.npy"  # beside NAME.npy lies NAME.labels.npy


def load_npy(path: Path) -> Dataset:
    """Load a data set from a .npy file, of which only what is held out is read."""
    return load_shards(path, [path])


def load_shards(path: Path, files: list[Path]) -> Dataset:
    """Load a data set from a folder's files of images, in this order."""
    opened = [_open_npz(file) if file.suffix == ".npz" else _open_npy(file) for file in files]
    shards = tuple(shard for shard, _ in opened)
    labels = [found for _, found in opened if found is not None]
    if labels and len(labels) < len(shards):
        without = next(shard.path for shard, found in opened if found is None)
        raise DataError(
            f"{path} must have labels for all of its files or for none; {without.name} has none.",
            reason="labels of some",
            name=path.name,
            without=without.name,
        )
    whole = StoredSplit(StoredImages(shards), np.concatenate(labels) if labels else None)
    n_labels = max((int(found.max()) + 1 for found in labels), default=0)
    return split(str(path), path.name, whole, tuple(str(label) for label in range(n_labels)))


def shards_in(folder: Path) -> list[Path]:
    """Return the files in a folder that hold images as arrays, in the order of their names."""
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix in SUFFIXES
        and not file.name.startswith(".")
        and not file.name.endswith(_LABELS)
        and file.is_file()
    )


def _open_npy(path: Path) -> tuple[Shard, np.ndarray | None]:
    """Find the images of a .npy, and read the labels beside it."""
    shard = _find(path, "npy", lambda file: _shard(path, file))
    beside = path.with_name(path.stem + _LABELS)
    if not beside.is_file():
        return shard, None
    found = _find(beside, "npy", lambda file: npy.read_array(file, allow_pickle=False))
    return shard, _checked(found, shard.n_images, beside)


def _open_npz(path: Path) -> tuple[Shard, np.ndarray | None]:
    """Find the images of a .npz whose arrays lie in it as they are, and read its labels."""

    def find(file: BinaryIO) -> tuple[Shard, np.ndarray | None]:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if "images.npy" not in members:
                raise DataError(
                    f"{path} must hold an array named `images`; it holds {sorted(members)}.",
                    reason="npz without images",
                    name=path.name,
                )
            images, labels = members["images.npy"], None
            if images.compress_type != zipfile.ZIP_STORED:
                raise DataError(
                    f"{path} must not be compressed to be read in parts. Write it with "
                    "numpy.savez instead of numpy.savez_compressed.",
                    reason="compressed shard",
                    name=path.name,
                )
            if "labels.npy" in members:
                with archive.open("labels.npy") as member:
                    labels = npy.read_array(member, allow_pickle=False)
            # A local header of 30 bytes, a name and an extra field, of the lengths it says.
            file.seek(images.header_offset + 26)
            n_name, n_extra = np.frombuffer(file.read(4), "<u2").tolist()
            file.seek(n_name + n_extra, 1)
            return _shard(path, file, file.tell() + images.file_size), labels

    shard, labels = _find(path, "npz", find)
    return shard, None if labels is None else _checked(labels, shard.n_images, path)


def _shard(path: Path, file: BinaryIO, end: int | None = None) -> Shard:
    """Read the header of an array of images, of which the file holds what comes before `end`."""
    major, _ = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    shape, is_by_column, dtype = read_header(file)
    n_images = shape[0] if shape else 0
    if shape[1:] not in (IMAGE_SHAPE, (N_PIXELS,)):
        raise DataError(
            f"images must have shape (N, 28, 28) or (N, 784); those of {path} have {shape}.",
            reason="image shape",
            name=path.name,
            shape=" × ".join(map(str, shape)) or "one number",
        )
    if dtype != np.uint8 or (is_by_column and n_images > 1):
        raise DataError(
            f"images must be uint8, row by row, to be read in parts; those of {path} are "
            f"{dtype}{', column by column' if is_by_column else ''}. Convert them with "
            "numpy.ascontiguousarray(images, numpy.uint8).",
            reason="stored image type",
            name=path.name,
        )
    if n_images == 0:
        raise DataError(
            f"images must not be empty; {path} has none.", reason="no images", name=path.name
        )
    offset = file.tell()
    n_bytes = (path.stat().st_size if end is None else end) - offset
    if n_bytes < n_images * N_PIXELS:
        raise DataError(
            f"{path} must hold the {n_images} images that it announces; it is cut off after "
            f"{max(0, n_bytes) // N_PIXELS}.",
            reason="images cut off",
            name=path.name,
            n_images=n_images,
        )
    return Shard(path, offset, n_images)


def _find(path: Path, kind: str, find: Callable[[BinaryIO], _Found]) -> _Found:
    """Look into a file, and say of whatever goes wrong that it is none of its kind."""
    try:
        with open(path, "rb") as file:
            return find(file)
    except DataError:
        raise
    # A damaged or hostile file raises zipfile's, zlib's, numpy's or the memory's error.
    except Exception as error:
        raise DataError(
            f"{path} is no readable .{kind} file: {error}",
            reason="no npz" if kind == "npz" else "no npy",
            name=path.name,
        ) from error


def _checked(labels: np.ndarray, n_images: int, path: Path) -> np.ndarray:
    try:
        return as_labels(labels, n_images).astype(np.int16)  # of MOST_LABELS, a quarter of the room
    except ValueError as error:
        raise DataError(
            f"{path} has no usable labels: {error}", **handed_on(error, name=path.name)
        ) from error

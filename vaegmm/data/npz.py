"""One's own images as a .npz file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaegmm.data.dataset import DataError, Dataset, Split, split
from vaegmm.errors import InputError, handed_on
from vaegmm.images import as_bytes, as_labels

if TYPE_CHECKING:  # most uses of data sets need no Pillow, which preprocess imports
    from vaegmm.preprocess import Stroke

# Of a .npz: what it holds of drawings are all points of all strokes, where each stroke ends among
# them, and where each drawing ends among the strokes.
_STROKES = ("stroke_points", "stroke_ends", "drawing_ends")
_ARRAYS = ("images", "labels", *_STROKES)


def load_npz(path: Path) -> Dataset:
    """Load a data set from a .npz file, split by chance."""
    whole = read_npz(path)
    n_labels = 0 if whole.labels is None else int(whole.labels.max()) + 1
    return split(str(path), path.name, whole, tuple(str(label) for label in range(n_labels)))


def read_npz(path: str | Path) -> Split:
    """Read all of a .npz file: images and, where it has them, labels and strokes.

    Raises:
        DataError: if it is no such file, or damaged.
    """
    path = Path(path)
    try:
        # Never unpickle: an array of objects raises a ValueError here.
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ValueError("it holds one array without a name; write it with numpy.savez.")
        with archive:
            arrays = {name: archive[name] for name in archive.files if name in _ARRAYS}
            names = archive.files
    # A damaged or hostile archive raises zipfile's, zlib's, numpy's or the memory's error.
    except Exception as error:
        # Of an archive that is whole, numpy refuses what it would have to unpickle.
        is_pickled = isinstance(error, ValueError) and zipfile.is_zipfile(path)
        raise DataError(
            f"{path} is no readable .npz file: {error}",
            reason="pickled arrays" if is_pickled else "no npz",
            name=path.name,
        ) from error
    if "images" not in arrays:
        raise DataError(
            f"{path} must hold an array named `images`; it holds {names}.",
            reason="npz without images",
            name=path.name,
        )
    labels = strokes = None
    try:
        images = as_bytes(arrays["images"])
        if "labels" in arrays:
            labels = as_labels(arrays["labels"], len(images))
        if any(name in arrays for name in _STROKES):
            strokes = _as_strokes(arrays, len(images))
    except ValueError as error:
        raise DataError(
            f"{path} is no usable data set: {error}", **handed_on(error, name=path.name)
        ) from error
    return Split(images, labels, strokes)


def as_npz(
    images: np.ndarray, labels: np.ndarray, strokes: Sequence[Sequence[Stroke]] | None = None
) -> bytes:
    """Return labelled images as the bytes of a .npz that `load` takes.

    It is not compressed, so that a page can read it.

    Args:
        images: shape (N, 28, 28) uint8.
        labels: shape (N,).
        strokes: what each image was drawn with, N lists of strokes, empty where it was not.
    """
    arrays: dict[str, Any] = {"images": images, "labels": labels}
    if strokes is not None:
        lines = [[line for line in drawing if len(line)] for drawing in strokes]
        each = [np.asarray(line, np.float64) for drawing in lines for line in drawing]
        arrays["stroke_points"] = np.concatenate([np.empty((0, 2)), *each])
        arrays["stroke_ends"] = np.cumsum([len(line) for line in each], dtype=np.int32)
        arrays["drawing_ends"] = np.cumsum([len(drawing) for drawing in lines], dtype=np.int32)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _as_strokes(arrays: dict[str, np.ndarray], n_images: int) -> list[list[Stroke]]:
    """Check the strokes of a .npz and return those of each image."""
    try:
        points, stroke_ends, drawing_ends = (np.asarray(arrays[name]) for name in _STROKES)
        is_whole = (
            points.ndim == 2
            and points.shape[1] == 2
            and np.issubdtype(points.dtype, np.floating)
            and drawing_ends.shape == (n_images,)
            and _are_ends(stroke_ends, 1, len(points))
            and _are_ends(drawing_ends, 0, len(stroke_ends))
        )
    except (KeyError, ValueError):
        is_whole = False
    if not is_whole:
        raise InputError(
            "strokes must be stroke_points of shape (P, 2), where each ends among them "
            "(stroke_ends, rising to P), and where each image's end among the strokes "
            "(drawing_ends, one an image, rising to the number of strokes).",
            reason="strokes of a file",
        )
    strokes = [line.tolist() for line in np.split(points, stroke_ends[:-1])] if len(points) else []
    starts = np.append(0, drawing_ends[:-1])
    return [strokes[start:end] for start, end in zip(starts, drawing_ends, strict=True)]


def _are_ends(values: np.ndarray, least: int, last: int) -> bool:
    """Whether these are the ends of runs of at least so many, the last of which ends there."""
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        return False
    lengths = np.diff(values.astype(np.int64), prepend=0)
    return bool((lengths >= least).all()) and lengths.sum() == last

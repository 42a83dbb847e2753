"""A data set by its name or path."""

from __future__ import annotations

from pathlib import Path

from vaegmm.data.dataset import DataError, Dataset
from vaegmm.data.folder import load_folder
from vaegmm.data.named import NAMES, load_named
from vaegmm.data.npz import load_npz
from vaegmm.data.shards import load_npy

_TAKEN = f"{', '.join(NAMES)}, a .npz or .npy file"


def load(name: str | Path) -> Dataset:
    """Load a data set by name, one of `NAMES`, or by the path of a file or folder.

    A `.npz` holds `images` and, if you have them, `labels`, and strokes as `as_npz` writes them. A
    folder holds images, in one sub-folder a label or all together without labels. What is larger
    than memory is a `.npy` of bytes, with its labels beside it in `NAME.labels.npy`, or a folder of
    such files, or of `.npz` files that are not compressed: of those the images to train on are read
    when they are needed.

    Raises:
        DataError: if it is not there, cannot be downloaded, or is no data set.
    """
    name = str(name)
    if name in NAMES:
        return load_named(name)
    path = Path(name).expanduser()
    if path.is_dir():
        return load_folder(path)
    if path.suffix == ".npz" and path.is_file():
        return load_npz(path)
    if path.suffix == ".npy" and path.is_file():
        return load_npy(path)
    if path.exists():
        raise DataError(
            f"data must be {_TAKEN} or a folder; got {name}. "
            "Save your images as a .npz with an array `images`, or put them in a folder.",
            reason="kind of data",
            name=path.name,
        )
    raise DataError(
        f"data must be {_TAKEN} or a folder of images; there is no file or folder {name}.",
        reason="no such data",
        name=name,
    )

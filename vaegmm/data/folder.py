"""One's own images as files in folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vaegmm.data.dataset import DataError, Dataset, Split, split
from vaegmm.data.shards import load_shards, shards_in
from vaegmm.errors import handed_on
from vaegmm.images import MOST_LABELS
from vaegmm.vae import IMAGE_SHAPE

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def load_folder(path: Path) -> Dataset:
    """Load a data set from a folder of images, of one folder a label, or of arrays of images."""
    try:
        loose = _image_files(path)
        folders = {
            folder: _image_files(folder) for folder in sorted(path.iterdir()) if folder.is_dir()
        }
        shards = shards_in(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error}", reason="unreadable folder", name=path.name
        ) from error
    folders = {folder: files for folder, files in folders.items() if files}
    if folders and loose:
        raise DataError(
            f"{path} must hold either images or one sub-folder a label; it holds both "
            f"({len(loose)} images beside {len(folders)} sub-folders).",
            reason="mixed folder",
            name=path.name,
        )
    if not folders and not loose and shards:
        return load_shards(path, shards)
    if not folders and not loose:
        suffixes = ", ".join(IMAGE_SUFFIXES)
        raise DataError(
            f"{path} must hold images ({suffixes}, or arrays in .npy or .npz); it holds none.",
            reason="empty folder",
            name=path.name,
            suffixes=suffixes,
        )
    if loose:
        images = np.stack([read_image(file) for file in loose])
        return split(str(path), path.name, Split(images, None), ())
    images = np.stack([read_image(file) for files in folders.values() for file in files])
    names = tuple(folder.name for folder in folders)
    numbers = np.arange(len(names))
    if all(name.isdecimal() and int(name) < MOST_LABELS for name in names):
        # Folders that are named by numbers mean those numbers.
        numbers = np.array([int(name) for name in names])
        names = tuple(str(number) for number in range(numbers.max() + 1))
    labels = np.repeat(numbers, [len(files) for files in folders.values()])
    return split(str(path), path.name, Split(images, labels), names)


def read_image(path: str | Path) -> np.ndarray:
    """Read one image file, shape (28, 28) uint8.

    A grey picture of 28×28 pixels is taken as it is; any other is brought to MNIST's form.

    Raises:
        DataError: if it is no readable image, or shows nothing.
    """
    # Imported here: most uses of data sets need no Pillow.
    from vaegmm.photo import digit_from_image, open_picture

    try:
        picture = open_picture(path)
    except ValueError as error:
        raise DataError(
            f"{path} cannot be used: {error}", **handed_on(error, name=Path(path).name)
        ) from error
    if picture.size == IMAGE_SHAPE and picture.mode == "L":
        return np.array(picture)
    try:
        return digit_from_image(picture)
    except ValueError as error:
        raise DataError(
            f"{path} shows no digit: {error}", **handed_on(error, name=Path(path).name)
        ) from error


def _image_files(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        # What starts with a dot belongs to the file system (macOS writes "._1.png").
        if file.suffix.lower() in IMAGE_SUFFIXES
        and not file.name.startswith(".")
        and file.is_file()
    )

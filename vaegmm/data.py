"""Data sets: MNIST, Fashion-MNIST, the bundled digits, and your own files."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import socket
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from vaegmm.errors import InputError, ReasonedError, handed_on
from vaegmm.images import MOST_LABELS, as_bytes, as_labels
from vaegmm.vae import IMAGE_SHAPE

if TYPE_CHECKING:  # most uses of data sets need no Pillow, which preprocess imports
    from vaegmm.preprocess import Stroke

NAMES = ("mnist", "fashion", "digits")
DIGIT_NAMES = tuple(str(digit) for digit in range(10))
FASHION_NAMES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
# Of a .npz: what it holds of drawings are all points of all strokes, where each stroke ends among
# them, and where each drawing ends among the strokes.
_STROKES = ("stroke_points", "stroke_ends", "drawing_ends")
_ARRAYS = ("images", "labels", *_STROKES)
LEAST_IMAGES = 6  # of a data set: one to validate with, one to test with
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_SPLIT_SEED = 0  # one split for everyone, so that figures can be compared
_SECONDS_TO_ANSWER = 5.0  # a mirror that is silent for longer cannot be reached
_SECONDS_TO_DOWNLOAD = 600.0  # for as long, a second process waits for the first one's download


class DataError(ReasonedError):
    """A data set cannot be had; the message says where it was looked for and what to do."""


@dataclass(frozen=True)
class Split:
    """Some images of a data set, with their labels where it has any."""

    images: np.ndarray  # (N, 28, 28) uint8
    labels: np.ndarray | None  # (N,) int64
    # N drawings, each a list of strokes, which is empty where there is only the image.
    strokes: list[list[Stroke]] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: np.ndarray) -> Split:
        """Return the images at these indices."""
        return Split(
            self.images[indices],
            None if self.labels is None else self.labels[indices],
            None if self.strokes is None else [self.strokes[index] for index in indices],
        )


@dataclass(frozen=True)
class Dataset:
    """One data set, split once and for all.

    `train` is for the autoencoder and the mixture, which never see its labels; `validation`'s
    labels name the components; `test` is scored.
    """

    name: str  # as given on the command line
    title: str  # as shown to people
    train: Split
    validation: Split
    test: Split
    label_names: tuple[str, ...]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all images, which tells whether a model was trained on this data set."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            digest.update(np.ascontiguousarray(split.images).tobytes())
        return digest.hexdigest()[:16]

    @property
    def everything(self) -> Split:
        """All images: training, validation and test."""
        splits = (self.train, self.validation, self.test)
        labels = [split.labels for split in splits if split.labels is not None]
        strokes = [split.strokes for split in splits if split.strokes is not None]
        return Split(
            np.concatenate([split.images for split in splits]),
            np.concatenate(labels) if len(labels) == len(splits) else None,
            list(chain.from_iterable(strokes)) if len(strokes) == len(splits) else None,
        )


def data_folder() -> Path:
    """Return where archives are kept: VAEGMM_DATA, or ~/.cache/vaegmm."""
    return Path(os.environ.get("VAEGMM_DATA") or Path.home() / ".cache" / "vaegmm").expanduser()


def load(name: str | Path) -> Dataset:
    """Load a data set by name (`mnist`, `fashion`, `digits`) or by the path of a file or folder.

    A `.npz` holds `images` and, if you have them, `labels`, and strokes as `as_npz` writes them. A
    folder holds images, in one sub-folder a label or all together without labels.

    Raises:
        DataError: if it is not there, cannot be downloaded, or is no data set.
    """
    name = str(name)
    if name == "mnist":
        return _torchvision_dataset("mnist", "MNIST", "MNIST", DIGIT_NAMES)
    if name == "fashion":
        return _torchvision_dataset("fashion", "Fashion-MNIST", "FashionMNIST", FASHION_NAMES)
    if name == "digits":
        return _bundled_digits()
    path = Path(name).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".npz" and path.is_file():
        return _npz(path)
    if path.exists():
        raise DataError(
            f"data must be mnist, fashion, digits, a .npz file or a folder; got {name}. "
            "Save your images as a .npz with an array `images`, or put them in a folder.",
            reason="kind of data",
            name=path.name,
        )
    raise DataError(
        f"data must be mnist, fashion, digits, a .npz file or a folder of images; "
        f"there is no file or folder {name}.",
        reason="no such data",
        name=name,
    )


def is_available(name: str) -> bool:
    """Tell whether a named data set can be loaded without a download."""
    if name == "digits":
        return True
    return _has_archives({"mnist": "MNIST", "fashion": "FashionMNIST"}[name], ("", ".gz"))


def _has_archives(class_name: str, suffixes: tuple[str, ...]) -> bool:
    raw = data_folder() / class_name / "raw"
    return all(
        any((raw / f"{part}-ubyte{suffix}").is_file() for suffix in suffixes)
        for part in (
            "train-images-idx3",
            "train-labels-idx1",
            "t10k-images-idx3",
            "t10k-labels-idx1",
        )
    )


def _torchvision_dataset(
    name: str, title: str, class_name: str, label_names: tuple[str, ...]
) -> Dataset:
    # Imported here: torchvision takes a second, and only this needs it.
    import torchvision.datasets

    folder = data_folder()
    parts = []
    try:
        with _downloading(folder, class_name):
            for is_train in (True, False):
                part = getattr(torchvision.datasets, class_name)(
                    str(folder), train=is_train, download=True
                )
                images, labels = part.data.numpy(), part.targets.numpy()
                parts.append(Split(as_bytes(images), as_labels(labels, len(images))))
    # torchvision lets urllib's, http's, gzip's and zlib's errors through, and its own assertions.
    except Exception as error:
        raw = folder / class_name / "raw"
        reason = " ".join(str(error).split()) or type(error).__name__
        if _has_archives(class_name, ("",)):
            raise DataError(
                f"{title} in {raw} is damaged ({reason}). Delete the files there that don't end "
                "in .gz; they will be unpacked again.",
                reason="damaged archives",
                title=title,
            ) from error
        raise DataError(
            f"{title} must be in {raw} or within reach of a download; it is neither ({reason}). "
            "Use --data digits, which needs no network, or put the four archives there "
            "(for another folder set VAEGMM_DATA).",
            reason="no download",
            title=title,
        ) from error
    train, test = parts
    n_validation = len(train) // 12  # 5,000 of 60,000
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(train))
    return Dataset(
        name=name,
        title=title,
        train=train.take(np.sort(order[n_validation:])),
        validation=train.take(np.sort(order[:n_validation])),
        test=test,
        label_names=label_names,
    )


@contextlib.contextmanager
def _downloading(folder: Path, class_name: str) -> Iterator[None]:
    """Let one process at a time download and unpack, and give up on mirrors that don't answer."""
    if _has_archives(class_name, ("",)):
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    timeout = socket.getdefaulttimeout()
    with FileLock(folder / f".{class_name}.lock", timeout=_SECONDS_TO_DOWNLOAD):
        # torchvision sets none of its own: behind a silent firewall it would wait for minutes.
        socket.setdefaulttimeout(_SECONDS_TO_ANSWER)
        try:
            yield
        finally:
            socket.setdefaulttimeout(timeout)


def _bundled_digits() -> Dataset:
    from sklearn.datasets import load_digits

    from vaegmm.mnist_form import in_mnist_form

    bunch = load_digits()
    images = np.stack([in_mnist_form(image / 16) for image in bunch.images])
    everything = Split(images, bunch.target.astype(np.int64))
    return _split("digits", "digits (bundled with scikit-learn)", everything, DIGIT_NAMES)


def _npz(path: Path) -> Dataset:
    split = read_npz(path)
    n_labels = 0 if split.labels is None else int(split.labels.max()) + 1
    return _split(str(path), path.name, split, tuple(str(label) for label in range(n_labels)))


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


def _folder(path: Path) -> Dataset:
    try:
        loose = _image_files(path)
        folders = {
            folder: _image_files(folder) for folder in sorted(path.iterdir()) if folder.is_dir()
        }
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
    if not folders and not loose:
        suffixes = ", ".join(IMAGE_SUFFIXES)
        raise DataError(
            f"{path} must hold images ({suffixes}); it holds none.",
            reason="empty folder",
            name=path.name,
            suffixes=suffixes,
        )
    if loose:
        images = np.stack([read_image(file) for file in loose])
        return _split(str(path), path.name, Split(images, None), ())
    images = np.stack([read_image(file) for files in folders.values() for file in files])
    names = tuple(folder.name for folder in folders)
    numbers = np.arange(len(names))
    if all(name.isdecimal() and int(name) < MOST_LABELS for name in names):
        # Folders that are named by numbers mean those numbers.
        numbers = np.array([int(name) for name in names])
        names = tuple(str(number) for number in range(numbers.max() + 1))
    labels = np.repeat(numbers, [len(files) for files in folders.values()])
    return _split(str(path), path.name, Split(images, labels), names)


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


def _split(name: str, title: str, everything: Split, label_names: tuple[str, ...]) -> Dataset:
    """Hold out a sixth for validation and a sixth for the test, seeded."""
    if len(everything) < LEAST_IMAGES:
        raise DataError(
            f"{title} must hold at least {LEAST_IMAGES} images; it holds {len(everything)}.",
            reason="few images",
            name=title,
            least=LEAST_IMAGES,
            found=len(everything),
        )
    n_held_out = len(everything) // 6
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(everything))
    return Dataset(
        name=name,
        title=title,
        train=everything.take(order[2 * n_held_out :]),
        validation=everything.take(order[n_held_out : 2 * n_held_out]),
        test=everything.take(order[:n_held_out]),
        label_names=label_names,
    )

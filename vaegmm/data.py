"""Data sets: MNIST, Fashion-MNIST, the bundled digits, and your own files."""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaegmm.images import as_bytes, as_labels
from vaegmm.vae import IMAGE_SHAPE

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
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_SPLIT_SEED = 0  # one split for everyone, so that figures can be compared


class DataError(Exception):
    """A data set cannot be had; the message says where it was looked for and what to do."""


@dataclass(frozen=True)
class Split:
    """Some images of a data set, with their labels where it has any."""

    images: np.ndarray  # (N, 28, 28) uint8
    labels: np.ndarray | None  # (N,) int64

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: np.ndarray) -> Split:
        """Return the images at these indices."""
        return Split(self.images[indices], None if self.labels is None else self.labels[indices])


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

    @property
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
        return Split(
            np.concatenate([split.images for split in splits]),
            np.concatenate(labels) if len(labels) == len(splits) else None,
        )


def data_folder() -> Path:
    """Return where archives are kept: VAEGMM_DATA, or ~/.cache/vaegmm."""
    return Path(os.environ.get("VAEGMM_DATA") or Path.home() / ".cache" / "vaegmm").expanduser()


def load(name: str | Path) -> Dataset:
    """Load a data set by name (`mnist`, `fashion`, `digits`) or by the path of a file or folder.

    A `.npz` holds `images` and, if you have them, `labels`. A folder holds images, in one
    sub-folder a label or all together without labels.

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
            "Save your images as a .npz with an array `images`, or put them in a folder."
        )
    raise DataError(
        f"data must be mnist, fashion, digits, a .npz file or a folder of images; "
        f"there is no file or folder {name}."
    )


def is_available(name: str) -> bool:
    """Tell whether a named data set can be loaded without a download."""
    if name == "digits":
        return True
    raw = data_folder() / {"mnist": "MNIST", "fashion": "FashionMNIST"}[name] / "raw"
    return all(
        any((raw / f"{part}{suffix}").is_file() for suffix in ("", ".gz"))
        for part in (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
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
        for is_train in (True, False):
            part = getattr(torchvision.datasets, class_name)(
                str(folder), train=is_train, download=True
            )
            parts.append(Split(part.data.numpy(), part.targets.numpy().astype(np.int64)))
    # torchvision lets urllib's, gzip's and its own errors through, all for the same two reasons.
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(
            f"{title} could not be read from {folder} or downloaded ({error}). "
            f"Use --data digits, which needs no network, or put the archives into "
            f"{folder / class_name / 'raw'} (another folder: set VAEGMM_DATA)."
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


def _bundled_digits() -> Dataset:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.stack([_digit_in_mnist_form(image) for image in bunch.images])
    everything = Split(images, bunch.target.astype(np.int64))
    return _split("digits", "digits (bundled with scikit-learn)", everything, DIGIT_NAMES)


def _digit_in_mnist_form(image: np.ndarray) -> np.ndarray:
    """Bring an 8×8 digit with values 0 to 16 to MNIST's form, shape (28, 28) uint8.

    As MNIST was made: the digit's box scaled to 20 pixels, its centre of mass at the centre.
    """
    from PIL import Image
    from scipy import ndimage

    rows, columns = np.nonzero(image)
    box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = (round(side * 20 / max(box.shape)) for side in box.shape)
    scaled = np.asarray(
        Image.fromarray((box / 16).astype(np.float32)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
    )
    canvas = np.zeros(IMAGE_SHAPE)
    canvas[:height, :width] = scaled.clip(0, 1)
    centre = (np.array(IMAGE_SHAPE) - 1) / 2
    shifted = ndimage.shift(canvas, centre - ndimage.center_of_mass(canvas), order=1)
    return np.rint(shifted.clip(0, 1) * 255).astype(np.uint8)


def _npz(path: Path) -> Dataset:
    try:
        # Never unpickle: an array of objects raises a ValueError here.
        with np.load(path, allow_pickle=False) as archive:
            if "images" not in archive:
                raise DataError(
                    f"{path} must hold an array named `images`; it holds {sorted(archive)}."
                )
            images = archive["images"]
            labels = archive.get("labels")
        images = as_bytes(images)
        if labels is not None:
            labels = as_labels(labels, len(images))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no readable data set: {error}") from error
    n_labels = 0 if labels is None else int(labels.max()) + 1
    names = tuple(str(label) for label in range(n_labels))
    return _split(str(path), path.name, Split(images, labels), names)


def _folder(path: Path) -> Dataset:
    sub_folders = sorted(entry for entry in path.iterdir() if entry.is_dir())
    sub_folders = [folder for folder in sub_folders if _image_files(folder)]
    loose = _image_files(path)
    if sub_folders and loose:
        raise DataError(
            f"{path} must hold either images or one sub-folder a label; it holds both "
            f"({len(loose)} images beside {len(sub_folders)} sub-folders)."
        )
    files = [(file, None) for file in loose] + [
        (file, label) for label, folder in enumerate(sub_folders) for file in _image_files(folder)
    ]
    if not files:
        raise DataError(f"{path} must hold images ({', '.join(IMAGE_SUFFIXES)}); it holds none.")
    images = [read_image(file) for file, _ in files]
    names = tuple(folder.name for folder in sub_folders)
    labels = np.array([label for _, label in files], dtype=np.int64) if names else None
    if labels is not None and all(name.isdigit() for name in names):
        # Folders that are named by numbers mean those numbers.
        labels = np.array([int(name) for name in names])[labels]
        names = tuple(str(label) for label in range(int(labels.max()) + 1))
    return _split(str(path), path.name, Split(np.stack(images), labels), names)


def read_image(path: str | Path) -> np.ndarray:
    """Read one image file, shape (28, 28) uint8.

    A grey picture of 28×28 pixels is taken as it is; any other is brought to MNIST's form.

    Raises:
        DataError: if it is no readable image, or shows nothing.
    """
    from PIL import Image

    from vaegmm.preprocess import digit_from_image

    try:
        with Image.open(path) as picture:
            if picture.size == IMAGE_SHAPE and picture.mode == "L":
                return np.asarray(picture)
            return digit_from_image(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is no readable image: {error}") from error


def _image_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)


def _split(name: str, title: str, everything: Split, label_names: tuple[str, ...]) -> Dataset:
    """Hold out a sixth for validation and a sixth for the test, seeded."""
    n_held_out = len(everything) // 6
    if n_held_out < 1:
        raise DataError(f"{title} must hold at least 6 images; it holds {len(everything)}.")
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(everything))
    return Dataset(
        name=name,
        title=title,
        train=everything.take(order[2 * n_held_out :]),
        validation=everything.take(order[n_held_out : 2 * n_held_out]),
        test=everything.take(order[:n_held_out]),
        label_names=label_names,
    )

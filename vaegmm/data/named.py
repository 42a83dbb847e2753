"""Data sets that have a name: the bundled digits, and those that torchvision downloads."""

from __future__ import annotations

import contextlib
import os
import socket
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from vaegmm.data.dataset import SPLIT_SEED, DataError, Dataset, Split, split
from vaegmm.images import as_bytes, as_labels
from vaegmm.vae import IMAGE_SHAPE

DIGIT_NAMES = tuple(string.digits)
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
# The hiragana お き す つ な は ま や れ を, in letters that every machine has a font for.
KUZUSHIJI_NAMES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
LETTER_NAMES = tuple(string.ascii_uppercase)  # of either case
# The lower-case letters that are not written like their capitals have labels of their own.
BALANCED_NAMES = (*string.digits, *string.ascii_uppercase, *"abdefghnqrt")
_SECONDS_TO_ANSWER = 5.0  # a mirror that is silent for longer cannot be reached
_SECONDS_TO_DOWNLOAD = 600.0  # for as long, a second process waits for the first one's download


@dataclass(frozen=True)
class NamedSet:
    """A data set that is loaded by its name."""

    title: str  # as shown to people
    label_names: tuple[str, ...]
    n_train: int  # images to train on, without those that validate
    megabytes: int = 0  # to download where it is not on the machine
    source: _Source | None = None  # None: it comes with scikit-learn


@dataclass(frozen=True)
class _Source:
    """How torchvision reads a data set, and where it keeps it in the data folder."""

    class_name: str
    # What it is read from: each file, and the archive that it is unpacked from.
    files: Mapping[str, str]
    train: Mapping[str, Any] = field(default_factory=lambda: {"train": True})
    test: Mapping[str, Any] = field(default_factory=lambda: {"train": False})
    first_label: int = 0
    is_transposed: bool = False  # rows are kept as columns

    def read(self, folder: Path, options: Mapping[str, Any]) -> Split:
        """Read one part, downloading and unpacking what is missing."""
        # Imported here: torchvision takes a second, and only this needs it.
        import torchvision.datasets

        part = getattr(torchvision.datasets, self.class_name)(str(folder), download=True, **options)
        images, labels = np.asarray(part.data), np.asarray(part.targets)
        if self.is_transposed:
            images = images.transpose(0, 2, 1)
        if images.shape[1:] != IMAGE_SHAPE:
            images = _in_mnist_form(images / 255)
        if labels.ndim == 2:  # of QMNIST: the label, then who wrote it, and where
            labels = labels[:, 0]
        images = as_bytes(np.ascontiguousarray(images))
        return Split(images, as_labels(labels - self.first_label, len(images)))


def _idx(class_name: str, **options: Any) -> _Source:
    """A data set that is kept in the four files of MNIST."""
    names = (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )
    raw = f"{class_name}/raw"
    return _Source(class_name, {f"{raw}/{name}": f"{raw}/{name}.gz" for name in names}, **options)


def _emnist(which: str, first_label: int = 0) -> _Source:
    """One of the data sets in EMNIST's one archive."""
    names = (
        f"emnist-{which}-{part}-{kind}-ubyte"
        for part in ("train", "test")
        for kind in ("images-idx3", "labels-idx1")
    )
    return _Source(
        "EMNIST",
        {f"EMNIST/raw/{name}": "EMNIST/raw/gzip.zip" for name in names},
        {"train": True, "split": which},
        {"train": False, "split": which},
        first_label,
        is_transposed=True,
    )


def _qmnist(test: str) -> _Source:
    names = (
        f"qmnist-{part}-{kind}"
        for part in ("train", "test")
        for kind in ("images-idx3-ubyte", "labels-idx2-int")
    )
    raw = "QMNIST/raw"
    files = {f"{raw}/{name}": f"{raw}/{name}.gz" for name in names}
    return _Source("QMNIST", files, {"what": "train"}, {"what": test})


#: By name, in the order in which they are offered.
NAMED = {
    "mnist": NamedSet("MNIST", DIGIT_NAMES, 55_000, 12, _idx("MNIST")),
    "fashion": NamedSet("Fashion-MNIST", FASHION_NAMES, 55_000, 31, _idx("FashionMNIST")),
    "digits": NamedSet("digits (bundled with scikit-learn)", DIGIT_NAMES, 1_199),
    "kmnist": NamedSet("Kuzushiji-MNIST", KUZUSHIJI_NAMES, 55_000, 21, _idx("KMNIST")),
    "qmnist": NamedSet("QMNIST", DIGIT_NAMES, 55_000, 21, _qmnist("test10k")),
    "qmnist-50k": NamedSet(
        "QMNIST, its 50,000 further test images", DIGIT_NAMES, 55_000, 21, _qmnist("test50k")
    ),
    "emnist-digits": NamedSet("EMNIST digits", DIGIT_NAMES, 220_000, 562, _emnist("digits")),
    "emnist-letters": NamedSet("EMNIST letters", LETTER_NAMES, 114_400, 562, _emnist("letters", 1)),
    "emnist-balanced": NamedSet(
        "EMNIST balanced", BALANCED_NAMES, 103_400, 562, _emnist("balanced")
    ),
    "usps": NamedSet(
        "USPS",
        DIGIT_NAMES,
        6_684,
        8,
        _Source("USPS", {"usps.bz2": "usps.bz2", "usps.t.bz2": "usps.t.bz2"}),
    ),
}
NAMES = tuple(NAMED)


def data_folder() -> Path:
    """Return where archives are kept: VAEGMM_DATA, or ~/.cache/vaegmm."""
    return Path(os.environ.get("VAEGMM_DATA") or Path.home() / ".cache" / "vaegmm").expanduser()


def is_available(name: str) -> bool:
    """Tell whether a named data set can be loaded without a download."""
    source, folder = NAMED[name].source, data_folder()
    return source is None or all(
        (folder / file).is_file() or (folder / archive).is_file()
        for file, archive in source.files.items()
    )


def load_named(name: str) -> Dataset:
    """Load a data set by its name, one of `NAMES`.

    Where it comes as a training and a test part, a twelfth of the training part, chosen once and
    for all, validates.

    Raises:
        DataError: if it is not there and cannot be downloaded, or is damaged.
    """
    named = NAMED[name]
    if named.source is None:
        return split(name, named.title, _bundled_digits(), named.label_names)
    train, test = _parts(named, named.source)
    n_validation = len(train) // 12  # 5,000 of 60,000
    order = np.random.default_rng(SPLIT_SEED).permutation(len(train))
    return Dataset(
        name=name,
        title=named.title,
        train=train.take(np.sort(order[n_validation:])),
        validation=train.take(np.sort(order[:n_validation])),
        test=test,
        label_names=named.label_names,
    )


def _parts(named: NamedSet, source: _Source) -> tuple[Split, Split]:
    """Read the training and the test part, and check that they are what they are said to be."""
    folder = data_folder()
    try:
        with _alone(folder, source):
            parts = source.read(folder, source.train), source.read(folder, source.test)
        found = max(int(part.labels.max()) for part in parts if part.labels is not None)
        if found >= len(named.label_names):
            raise ValueError(f"there is a label {found + source.first_label} among its labels")
        return parts
    # torchvision lets urllib's, http's, gzip's and zlib's errors through, and its own assertions.
    except Exception as error:
        place = (folder / next(iter(source.files))).parent
        reason = " ".join(str(error).split()) or type(error).__name__
        if _is_unpacked(folder, source):
            files = ", ".join(Path(file).name for file in source.files)
            raise DataError(
                f"{named.title} in {place} is damaged ({reason}). Delete the files {files} there; "
                "they will be had again, from their archives or by a download.",
                reason="damaged archives",
                title=named.title,
                files=files,
            ) from error
        archives = ", ".join(sorted({Path(file).name for file in source.files.values()}))
        raise DataError(
            f"{named.title} must be in {place} or within reach of a download; it is neither "
            f"({reason}). Use --data digits, which needs no network, or put {archives} there "
            "(for another folder set VAEGMM_DATA).",
            reason="no download",
            title=named.title,
        ) from error


def _is_unpacked(folder: Path, source: _Source) -> bool:
    return all((folder / file).is_file() for file in source.files)


@contextlib.contextmanager
def _alone(folder: Path, source: _Source) -> Iterator[None]:
    """Let one process at a time download and unpack, and give up on mirrors that don't answer."""
    is_unpacked = _is_unpacked(folder, source)
    folder.mkdir(parents=True, exist_ok=True)
    # What is being downloaded or unpacked has its name already, so that readers wait too.
    lock = FileLock(folder / f".{source.class_name}.lock", timeout=_SECONDS_TO_DOWNLOAD)
    try:
        lock.acquire()
    except Timeout:
        raise
    except (OSError, NotImplementedError):
        if not is_unpacked:
            raise
        # A folder that can only be read, or knows no locks: what is there is there.
    timeout = socket.getdefaulttimeout()
    if not is_unpacked:
        # torchvision sets none of its own: behind a silent firewall it would wait for minutes.
        socket.setdefaulttimeout(_SECONDS_TO_ANSWER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)
        lock.release()


def _bundled_digits() -> Split:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return Split(_in_mnist_form(bunch.images / 16), bunch.target.astype(np.int64))


def _in_mnist_form(images: np.ndarray) -> np.ndarray:
    """Bring small pictures of digits in [0, 1], shape (N, H, W), to MNIST's form."""
    from vaegmm.mnist_form import in_mnist_form

    return np.stack([in_mnist_form(image) for image in images])

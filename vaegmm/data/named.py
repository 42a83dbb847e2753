"""Data sets that have a name: MNIST, Fashion-MNIST and the bundled digits."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock

from vaegmm.data.dataset import SPLIT_SEED, DataError, Dataset, Split, split
from vaegmm.images import as_bytes, as_labels

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
_SECONDS_TO_ANSWER = 5.0  # a mirror that is silent for longer cannot be reached
_SECONDS_TO_DOWNLOAD = 600.0  # for as long, a second process waits for the first one's download


def data_folder() -> Path:
    """Return where archives are kept: VAEGMM_DATA, or ~/.cache/vaegmm."""
    return Path(os.environ.get("VAEGMM_DATA") or Path.home() / ".cache" / "vaegmm").expanduser()


def load_named(name: str) -> Dataset:
    """Load a data set by its name, one of `NAMES`.

    Raises:
        DataError: if it is not there and cannot be downloaded.
    """
    if name == "mnist":
        return _torchvision_dataset("mnist", "MNIST", "MNIST", DIGIT_NAMES)
    if name == "fashion":
        return _torchvision_dataset("fashion", "Fashion-MNIST", "FashionMNIST", FASHION_NAMES)
    return _bundled_digits()


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
    order = np.random.default_rng(SPLIT_SEED).permutation(len(train))
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
    return split("digits", "digits (bundled with scikit-learn)", everything, DIGIT_NAMES)

"""A data set and its parts, split once and for all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from vaegmm.errors import ReasonedError
from vaegmm.stored import StoredImages

if TYPE_CHECKING:  # most uses of data sets need no Pillow, which preprocess imports
    from vaegmm.preprocess import Stroke

LEAST_IMAGES = 6  # of a data set: one to validate with, one to test with
MOST_HELD_OUT = 20_000  # more validates and tests no better, and has to fit in memory
SPLIT_SEED = 0  # one split for everyone, so that figures can be compared


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

    def in_memory(self) -> Split:
        """Return the same, which it is."""
        return self


@dataclass(frozen=True)
class StoredSplit:
    """Some images of a data set that is larger than memory: they stay in their files."""

    images: StoredImages  # (N, 28, 28) uint8
    labels: np.ndarray | None  # (N,) int16
    strokes: None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: np.ndarray) -> StoredSplit:
        """Return the images at these indices, which stay where they are."""
        labels = None if self.labels is None else self.labels[indices]
        return StoredSplit(self.images.take(indices), labels)

    def in_memory(self) -> Split:
        """Read the images."""
        labels = None if self.labels is None else self.labels.astype(np.int64)
        return Split(self.images[:], labels)


@dataclass(frozen=True)
class Dataset:
    """One data set, split once and for all.

    `train` is for the autoencoder and the mixture, which never see its labels; `validation`'s
    labels name the components; `test` is scored.
    """

    name: str  # as given on the command line
    title: str  # as shown to people
    train: Split | StoredSplit
    validation: Split
    test: Split
    label_names: tuple[str, ...]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all images, which tells whether a model was trained on this data set."""
        digest = hashlib.sha256()
        if isinstance(self.train.images, StoredImages):
            # Of all images in the order of the files: another would have to be read one by one.
            digest.update(self.train.images.digest())
            return digest.hexdigest()[:16]
        for split in (self.train, self.validation, self.test):
            digest.update(np.ascontiguousarray(split.images).tobytes())
        return digest.hexdigest()[:16]

    @property
    def everything(self) -> Split:
        """All images: training, validation and test."""
        splits = (self.train.in_memory(), self.validation, self.test)
        labels = [split.labels for split in splits if split.labels is not None]
        strokes = [split.strokes for split in splits if split.strokes is not None]
        return Split(
            np.concatenate([split.images for split in splits]),
            np.concatenate(labels) if len(labels) == len(splits) else None,
            list(chain.from_iterable(strokes)) if len(strokes) == len(splits) else None,
        )


def split(
    name: str, title: str, everything: Split | StoredSplit, label_names: tuple[str, ...]
) -> Dataset:
    """Hold out a sixth for validation and a sixth for the test, of at most 20,000, seeded."""
    if len(everything) < LEAST_IMAGES:
        raise DataError(
            f"{title} must hold at least {LEAST_IMAGES} images; it holds {len(everything)}.",
            reason="few images",
            name=title,
            least=LEAST_IMAGES,
            found=len(everything),
        )
    n_held_out = min(len(everything) // 6, MOST_HELD_OUT)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(everything))
    return Dataset(
        name=name,
        title=title,
        train=everything.take(order[2 * n_held_out :]),
        validation=everything.take(order[n_held_out : 2 * n_held_out]).in_memory(),
        test=everything.take(order[:n_held_out]).in_memory(),
        label_names=label_names,
    )

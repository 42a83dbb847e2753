"""Data sets: MNIST, Fashion-MNIST, the bundled digits, and your own files."""

from vaegmm.data.dataset import LEAST_IMAGES, DataError, Dataset, Split, StoredSplit
from vaegmm.data.folder import IMAGE_SUFFIXES, read_image
from vaegmm.data.loading import load
from vaegmm.data.named import (
    DIGIT_NAMES,
    FASHION_NAMES,
    NAMED,
    NAMES,
    NamedSet,
    data_folder,
    is_available,
)
from vaegmm.data.npz import as_npz, read_npz

__all__ = [
    "DIGIT_NAMES",
    "FASHION_NAMES",
    "IMAGE_SUFFIXES",
    "LEAST_IMAGES",
    "NAMED",
    "NAMES",
    "DataError",
    "Dataset",
    "NamedSet",
    "Split",
    "StoredSplit",
    "as_npz",
    "data_folder",
    "is_available",
    "load",
    "read_image",
    "read_npz",
]

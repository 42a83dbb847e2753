"""What counts as a batch of images, and how it becomes pixels for the network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from vaegmm.errors import InputError
from vaegmm.stored import StoredImages
from vaegmm.vae import IMAGE_SHAPE, N_PIXELS

# Of more images, as many stand for all where their z is kept and mixtures are fitted to it: a
# cluster of one in 200 still has 1,250 of them, and its mean is known to 3 % of its spread.
MOST_ENCODED = 250_000
MOST_LABELS = 1000  # more is an identifier taken for a label, and tables of it fill the memory


def as_images(images: ArrayLike | Tensor, name: str = "images") -> np.ndarray:
    """Check images and bring them to one shape, without changing their scale.

    Args:
        images: shape (N, 28, 28), (N, 784) or (28, 28); uint8, or float in [0, 1]; numpy or torch.
        name: what to call them in an error.

    Returns:
        The same pixels, uint8 or float32, shape (N, 28, 28).

    Raises:
        ValueError: if they are empty, of another shape or type, not finite or out of range.
    """
    array = _as_array(images, name)
    if array.shape == IMAGE_SHAPE:
        array = array[None]
    fits = array.ndim >= 2 and array.shape[1:] in (IMAGE_SHAPE, (N_PIXELS,))
    if not fits:
        raise InputError(
            f"{name} must have shape (N, 28, 28) or (N, 784); got shape={array.shape}. "
            "Bring a picture of another size to MNIST's form with "
            "vaegmm.preprocess.digit_from_image.",
            reason="image shape",
            shape=" × ".join(map(str, array.shape)) or "one number",
        )
    if len(array) == 0:
        raise InputError(f"{name} must not be empty; got {name}=0.", reason="no images")
    array = array.reshape(-1, *IMAGE_SHAPE)
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"{name} must be uint8, or float in [0, 1]; got dtype={array.dtype}. "
            "Convert with .astype(numpy.uint8).",
            reason="image type",
        )
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(
            f"{name} must be finite; got NaN or infinity among its pixels.",
            reason="image range",
        )
    if low < 0 or high > 1:
        raise InputError(
            f"{name} must lie in [0, 1] where they are float; got values from {low} to {high}. "
            "Divide by 255, or pass uint8.",
            reason="image range",
        )
    return array.astype(np.float32)


def as_bytes(images: ArrayLike | Tensor, name: str = "images") -> np.ndarray:
    """Check images like `as_images` and return them as uint8, shape (N, 28, 28)."""
    array = as_images(images, name)
    return array if array.dtype == np.uint8 else np.rint(array * 255).astype(np.uint8)


def as_pixels(images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Turn `as_images`' result into float32 pixels in [0, 1], shape (N, 784), on a device."""
    flat = to_device(images, device)
    return flat.float() / 255 if flat.dtype == torch.uint8 else flat


def to_device(images: np.ndarray, device: torch.device | str) -> Tensor:
    """Move `as_images`' result to a device as it is, shape (N, 784)."""
    # torch has no read-only tensors: what may not be written is copied.
    flat = torch.from_numpy(np.require(images, requirements=["C", "W"]))
    return flat.to(device).reshape(len(images), N_PIXELS)


class StoredPixels:
    """Pixels of images that stay in their files, indexed as the tensor of them all would be.

    Args:
        images: that are read when they are asked for.
        device: where they go then.
    """

    def __init__(self, images: StoredImages, device: torch.device) -> None:
        self.images = images
        self.device = device

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | Tensor) -> Tensor:
        """Read the images at these indices, shape (M, 784) uint8."""
        chosen = rows if isinstance(rows, slice) else rows.cpu().numpy()
        return to_device(self.images[chosen], self.device)


Pixels = Tensor | StoredPixels


def as_training_pixels(
    images: ArrayLike | Tensor | StoredImages, device: torch.device, name: str = "images"
) -> Pixels:
    """Return pixels of shape (N, 784) uint8 to be indexed: on the device, or in their files.

    Raises:
        ValueError: if the images are unusable.
    """
    if isinstance(images, StoredImages):
        return StoredPixels(images, device)
    return to_device(as_bytes(images, name), device)


def spread(n_images: int, most: int) -> np.ndarray:
    """Return which of so many images stand for all: at most `most`, evenly spread, rising."""
    return np.linspace(0, n_images - 1, min(n_images, most)).astype(np.int64)


def as_labels(labels: ArrayLike | Tensor, n_images: int, name: str = "labels") -> np.ndarray:
    """Check that labels are whole numbers from 0, one an image.

    Returns:
        Labels as int64, shape (N,).

    Raises:
        ValueError: if their number, type or range is another.
    """
    array = _as_array(labels, name)
    if array.shape != (n_images,):
        raise InputError(
            f"{name} must have one entry an image; got shape={array.shape} for {n_images} images.",
            reason="label count",
            n_images=n_images,
        )
    rule = f"{name} must be whole numbers from 0 to {MOST_LABELS - 1}; got"
    if not np.issubdtype(array.dtype, np.integer) and not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"{rule} dtype={array.dtype}. Number your labels.",
            reason="label numbers",
            most=MOST_LABELS - 1,
        )
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    wrong = (whole != array) | (whole < 0) | (whole >= MOST_LABELS)
    if wrong.any():
        raise InputError(
            f"{rule} {array[wrong][0]} among them. Number your labels.",
            reason="label numbers",
            most=MOST_LABELS - 1,
        )
    return whole


def _as_array(values: ArrayLike | Tensor, name: str) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        # numpy has no bfloat16.
        values = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{name} must be one array; got rows of different lengths.",
            reason="image shape",
            shape="rows of different lengths",
        ) from error

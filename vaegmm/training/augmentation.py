"""Random views of images: the ways in which people write the same digit differently."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vaegmm.config import AugmentationConfig
from vaegmm.training.additions import add_strokes
from vaegmm.vae import IMAGE_SHAPE


def augment(images: Tensor, config: AugmentationConfig, generator: torch.Generator) -> Tensor:
    """Rotate, scale, shear, shift and thicken each image by its own random amount.

    Some also get a stroke more. What that moves of an image's centre of mass is moved back, since
    MNIST's digits are centred by it.

    Args:
        images: pixels in [0, 1], shape (N, 784).
        config: the half-widths of the uniform distributions that the amounts are drawn from, and
            the shares of the images that get strokes.
        generator: on the device of `images`.

    Returns:
        Views of the images, pixels in [0, 1], shape (N, 784).
    """
    n, device = len(images), images.device
    # Always the same number of draws, so that one amount does not change what the others draw.
    uniform = torch.rand(7, n, generator=generator, device=device) * 2 - 1
    angle = uniform[0] * math.radians(config.rotation)
    scale_x = 1 + uniform[1] * config.scale
    scale_y = 1 + uniform[2] * config.scale
    shear = uniform[3] * config.shear
    shift = uniform[4:6] * config.shift
    if config.flags or config.bars:
        images, moved = add_strokes(images, config.flags, config.bars, generator)
        shift = shift + moved
    shift = shift * 2 / IMAGE_SHAPE[0]  # affine_grid counts in half-sizes of the image
    cos, sin = angle.cos(), angle.sin()
    # Output coordinates to input coordinates: rotation · shear · scale.
    rows = torch.stack(
        [
            torch.stack([cos / scale_x, (cos * shear - sin) / scale_y, shift[0]], -1),
            torch.stack([sin / scale_x, (sin * shear + cos) / scale_y, shift[1]], -1),
        ],
        dim=1,
    )  # (N, 2, 3)
    views = images.reshape(n, 1, *IMAGE_SHAPE)
    grid = F.affine_grid(rows, list(views.shape), align_corners=False)
    views = F.grid_sample(views, grid, mode="bilinear", align_corners=False)
    if config.thickness:
        views = _change_thickness(views, uniform[6] * config.thickness)
    return views.reshape(n, -1)


def _change_thickness(views: Tensor, amount: Tensor) -> Tensor:
    """Blend each view with its dilation (amount > 0) or its erosion (amount < 0).

    The 3×3 neighbourhood moves a stroke's two edges by one pixel each, so half of a blend is one
    pixel of width.
    """
    amount = amount[:, None, None, None]
    target = torch.where(amount > 0, _dilate(views), -_dilate(-views))
    return torch.lerp(views, target, amount.abs() / 2)


def _dilate(images: Tensor) -> Tensor:
    """Replace each pixel by the largest of its 3×3 neighbourhood inside the image.

    Many times as fast as max_pool2d, which costs as much as the network's forward pass.
    """
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = torch.maximum(
        torch.maximum(padded[..., :-2, :], padded[..., 2:, :]), padded[..., 1:-1, :]
    )
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 2:]), rows[..., 1:-1])

"""Random views: nothing at zero, the announced amounts otherwise."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaegmm.config import AugmentationConfig
from vaegmm.training.augmentation import augment
from vaegmm.vae import N_PIXELS

CENTRE = 13.5


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(n: int, seed: int = 0) -> torch.Tensor:
    """What `augment` draws from -1 to 1: angle, two scales, shear, two shifts, thickness."""
    return torch.rand(7, n, generator=generator(seed)) * 2 - 1


def blob(row: float, column: float, width: float = 1.5) -> torch.Tensor:
    """A round spot, shape (28, 28)."""
    axis = torch.arange(28.0)
    squares = (axis[:, None] - row).square() + (axis - column).square()
    return (-squares / (2 * width**2)).exp()


def centre_of_mass(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and columns of the centres, each of shape (N,)."""
    images = images.reshape(-1, 28, 28)
    axis = torch.arange(28.0)
    mass = images.sum((1, 2))
    return (images.sum(2) @ axis) / mass, (images.sum(1) @ axis) / mass


def views_of(image: torch.Tensor, n: int = 64, **amounts: float) -> torch.Tensor:
    return augment(image.reshape(1, -1).repeat(n, 1), AugmentationConfig(**amounts), generator())


def test_zero_amounts_change_nothing():
    images = torch.rand(20, N_PIXELS, generator=generator())
    views = augment(images, AugmentationConfig(), generator(1))
    torch.testing.assert_close(views, images, atol=1e-5, rtol=0)


@settings(deadline=None, max_examples=30)
@given(
    st.builds(
        AugmentationConfig,
        rotation=st.floats(0, 180),
        scale=st.floats(0, 0.9),
        shear=st.floats(0, 2),
        shift=st.floats(0, 30),
        thickness=st.floats(0, 1),
    ),
    st.integers(0, 100),
)
def test_views_stay_images(config, seed):
    images = (torch.rand(8, N_PIXELS, generator=generator(seed)) > 0.5).float()
    views = augment(images, config, generator(seed))
    assert views.shape == images.shape
    assert views.min() >= 0
    assert views.max() <= 1


def test_the_same_seed_gives_the_same_views():
    images = torch.rand(5, N_PIXELS, generator=generator())
    config = AugmentationConfig(10, 0.1, 0.2, 1, 0.5)
    assert torch.equal(augment(images, config, generator(3)), augment(images, config, generator(3)))
    assert not torch.equal(
        augment(images, config, generator(3)), augment(images, config, generator(4))
    )


def test_one_amount_does_not_change_what_the_others_draw():
    spot = blob(CENTRE, CENTRE)
    shifted = centre_of_mass(views_of(spot, shift=3))
    # A round spot in the middle looks the same from every angle.
    turned_too = centre_of_mass(views_of(spot, shift=3, rotation=0.001))
    for one, other in zip(shifted, turned_too, strict=True):
        torch.testing.assert_close(one, other, atol=1e-2, rtol=0)


def test_rotation_turns_by_the_drawn_angle():
    n = 64
    rows, columns = centre_of_mass(views_of(blob(CENTRE, CENTRE + 8), n, rotation=60))
    angle = draws(n)[0] * math.radians(60)
    # Rows count downwards: a positive angle turns the spot on the right upwards.
    torch.testing.assert_close(columns - CENTRE, 8 * angle.cos(), atol=0.02, rtol=0)
    torch.testing.assert_close(rows - CENTRE, -8 * angle.sin(), atol=0.02, rtol=0)


def test_scale_moves_points_from_the_centre_by_the_drawn_share():
    n = 64
    _, columns = centre_of_mass(views_of(blob(CENTRE, CENTRE + 6), n, scale=0.3))
    rows, _ = centre_of_mass(views_of(blob(CENTRE - 6, CENTRE), n, scale=0.3))
    torch.testing.assert_close(columns - CENTRE, 6 * (1 + 0.3 * draws(n)[1]), atol=0.03, rtol=0)
    torch.testing.assert_close(CENTRE - rows, 6 * (1 + 0.3 * draws(n)[2]), atol=0.03, rtol=0)


def test_shear_slants_by_the_drawn_tangent():
    n = 64
    rows, columns = centre_of_mass(views_of(blob(CENTRE - 6, CENTRE), n, shear=0.5))
    torch.testing.assert_close(columns - CENTRE, 6 * 0.5 * draws(n)[3], atol=0.03, rtol=0)
    torch.testing.assert_close(rows, torch.full((n,), CENTRE - 6), atol=0.03, rtol=0)


def test_shift_moves_by_the_drawn_pixels():
    n = 64
    rows, columns = centre_of_mass(views_of(blob(CENTRE, CENTRE), n, shift=4))
    torch.testing.assert_close(columns - CENTRE, -4 * draws(n)[4], atol=0.02, rtol=0)
    torch.testing.assert_close(rows - CENTRE, -4 * draws(n)[5], atol=0.02, rtol=0)


def test_thickness_widens_a_stroke_by_the_drawn_pixels():
    n, width = 64, 4
    bar = torch.zeros(28, 28)
    bar[:, 12 : 12 + width] = 1
    views = views_of(bar, n, thickness=1)
    widths = views.reshape(n, 28, 28).sum(2)  # of every row
    expected = (width + draws(n)[6])[:, None].expand(n, 28)
    torch.testing.assert_close(widths, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("amounts", [{"rotation": 30}, {"shift": 5}, {"thickness": 1}])
def test_a_blank_image_stays_blank(amounts):
    assert views_of(torch.zeros(28, 28), **amounts).abs().max() == 0

"""Random views: nothing at zero, the announced amounts otherwise."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaegmm.config import AugmentationConfig
from vaegmm.training.additions import add_strokes
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


def stem() -> torch.Tensor:
    """An upright stroke from row 5 to row 22 in the middle, shape (28, 28)."""
    image = torch.zeros(28, 28)
    image[5:23, 12:15] = 1
    return image


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
        flags=st.floats(0, 1),
        bars=st.floats(0, 1),
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


@pytest.mark.parametrize("amounts", [{"flags": 0.25}, {"bars": 0.25}])
def test_the_drawn_share_of_images_gets_a_stroke_and_the_others_stay(amounts):
    n = 400
    plain = views_of(stem(), n, rotation=10, shift=1, thickness=0.5)
    views = views_of(stem(), n, rotation=10, shift=1, thickness=0.5, **amounts)
    is_same = (views == plain).all(1)
    # Some strokes lie on the ink.
    assert 0.18 < 1 - is_same.float().mean() <= 0.3


def test_a_flag_goes_left_from_an_end_of_the_ink():
    added = add_strokes(stem().reshape(1, -1).repeat(200, 1), 1, 0, generator())[0] - stem().ravel()
    rows, columns = torch.nonzero(added.reshape(-1, 28, 28) > 0.5)[:, 1:].T
    assert columns.max() <= 14 + 2  # half the pen's width is right of the stem
    assert columns.min() >= 12 - 11 - 2  # no flag is longer than 11 pixels
    # From its top end or from its bottom end, never from its middle.
    assert ((rows <= 5 + 12) | (rows >= 22 - 12)).all()
    beside = added.reshape(-1, 28, 28)[:, 13:15, :11].amax((1, 2))
    assert (beside > 0.5).float().mean() < 0.1


def test_a_bar_crosses_the_ink_level_with_a_pen_as_wide():
    added = add_strokes(stem().reshape(1, -1).repeat(200, 1), 0, 1, generator())[0] - stem().ravel()
    widths = added.reshape(-1, 28, 28).sum(1)  # of the bars, in every column
    assert widths[:, 16].mean() > 1
    assert widths[:, 11].mean() > 1
    # What is wide enough to be seen on both sides is as wide as the stem there.
    crossing = widths[(widths[:, 9] > 1) & (widths[:, 18] > 1)][:, [10, 17]]
    assert len(crossing) > 20
    torch.testing.assert_close(crossing.mean(), torch.tensor(3.0), atol=0.5, rtol=0)


@pytest.mark.parametrize("amounts", [{"flags": 1}, {"bars": 1}])
def test_a_stroke_more_leaves_the_centre_of_mass_where_it_was(amounts):
    expected = centre_of_mass(stem()[None])
    for centre, place in zip(centre_of_mass(views_of(stem(), **amounts)), expected, strict=True):
        torch.testing.assert_close(centre, place.expand(64), atol=0.05, rtol=0)


@pytest.mark.parametrize(
    "amounts", [{"rotation": 30}, {"shift": 5}, {"thickness": 1}, {"flags": 1}, {"bars": 1}]
)
def test_a_blank_image_stays_blank(amounts):
    assert views_of(torch.zeros(28, 28), **amounts).abs().max() == 0

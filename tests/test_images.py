"""What counts as images and labels, and what is refused in which words."""

import re
import warnings

import numpy as np
import pytest
import torch

from vaegmm.images import MOST_LABELS, as_bytes, as_images, as_labels, as_pixels, to_device


@pytest.fixture
def some_bytes():
    return np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 784)])
@pytest.mark.parametrize("form", [np.asarray, torch.from_numpy, np.ndarray.tolist])
def test_any_form_becomes_one(some_bytes, shape, form):
    if form is np.ndarray.tolist:
        # A list has lost its type: whole numbers in it are not known to be bytes.
        images = form((some_bytes / 255).reshape(shape))
        np.testing.assert_allclose(as_images(images), some_bytes / 255, atol=1e-7)
    else:
        np.testing.assert_array_equal(as_images(form(some_bytes.reshape(shape))), some_bytes)


def test_one_image_is_a_batch_of_one(some_bytes):
    np.testing.assert_array_equal(as_images(some_bytes[0]), some_bytes[:1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_become_float32(some_bytes, dtype):
    images = as_images((some_bytes / 255).astype(dtype))
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, some_bytes / 255, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_tensors_of_any_precision_are_taken(some_bytes, dtype):
    images = torch.from_numpy(some_bytes).to(dtype).div(255).requires_grad_()
    np.testing.assert_allclose(as_images(images), some_bytes / 255, atol=1e-2)


def test_black_and_white_becomes_bytes(some_bytes):
    np.testing.assert_array_equal(as_images(some_bytes > 127), (some_bytes > 127) * np.uint8(255))


def test_bytes_survive_the_way_through_floats(some_bytes):
    np.testing.assert_array_equal(as_bytes(some_bytes.astype(np.float32) / 255), some_bytes)
    np.testing.assert_array_equal(as_bytes(some_bytes), some_bytes)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 28, 28)), "images must not be empty; got images=0."),
        (np.zeros((0, 784), np.uint8), "images must not be empty; got images=0."),
        (np.zeros((3, 27, 28)), "images must have shape (N, 28, 28) or (N, 784); got shape=(3, 27"),
        (np.zeros((3, 1, 28, 28)), "images must have shape (N, 28, 28) or (N, 784)"),
        (np.zeros(784), "images must have shape (N, 28, 28) or (N, 784); got shape=(784,)"),
        (np.zeros((3, 783)), "images must have shape"),
        (np.float32(1), "images must have shape"),
        (None, "images must have shape"),
        ([], "images must have shape"),
        ([[0.5] * 784, [0.5]], "images must be one array; got rows of different lengths."),
        (np.zeros((3, 28, 28), np.int64), "images must be uint8, or float in [0, 1]; got dtype=in"),
        (np.zeros((3, 28, 28), object), "images must be uint8, or float in [0, 1]; got dtype=ob"),
        (np.zeros((3, 28, 28), complex), "images must be uint8, or float in [0, 1]"),
        (np.full((3, 28, 28), "a"), "images must be uint8, or float in [0, 1]"),
        (np.full((3, 28, 28), np.nan), "images must be finite; got NaN or infinity"),
        (np.full((3, 28, 28), np.inf), "images must be finite; got NaN or infinity"),
        (np.full((3, 28, 28), 255.0), "images must lie in [0, 1] where they are float; got values"),
        (np.full((3, 28, 28), -0.1), "got values from -0.1 to -0.1. Divide by 255, or pass uint8."),
        (np.full((3, 28, 28), 1 + 1e-9), "got values from 1.000000001 to 1.000000001."),
    ],
)
def test_what_is_no_image_is_refused_in_these_words(images, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        as_images(images)


def test_one_bad_pixel_is_enough(some_bytes):
    images = some_bytes / 255
    images[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="must be finite"):
        as_images(images)


def test_an_error_calls_the_images_by_their_name():
    with pytest.raises(ValueError, match=r"^validation images must not be empty"):
        as_bytes(np.zeros((0, 784)), "validation images")


def test_pixels_are_flat_floats_in_the_unit_interval(some_bytes):
    pixels = as_pixels(some_bytes)
    assert pixels.dtype == torch.float32
    assert pixels.shape == (3, 784)
    np.testing.assert_allclose(pixels.numpy(), some_bytes.reshape(3, 784) / 255, atol=1e-7)
    np.testing.assert_array_equal(as_pixels(as_images(some_bytes / 255)), pixels)


def test_images_that_may_not_be_written_are_taken_without_a_warning(some_bytes):
    some_bytes.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_pixels(as_images(some_bytes))
        as_pixels(as_images(some_bytes[:, ::-1]))


def test_bytes_move_to_the_device_as_bytes(some_bytes):
    moved = to_device(some_bytes, "cpu")
    assert moved.dtype == torch.uint8
    assert moved.shape == (3, 784)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 9, 3],
        np.array([0, 9, 3], np.uint8),
        np.array([0.0, 9.0, 3.0]),
        torch.tensor([0, 9, 3]),
        (0, MOST_LABELS - 1, 1),
    ],
)
def test_labels_become_whole_numbers(labels):
    result = as_labels(labels, 3)
    assert result.dtype == np.int64
    assert result.tolist() == [int(label) for label in labels]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], "labels must have one entry an image; got shape=(2,) for 3 images."),
        ([[0], [1], [2]], "labels must have one entry an image; got shape=(3, 1) for 3 images."),
        ([0, 1, -1], "labels must be whole numbers from 0 to 999; got -1 among them."),
        ([0, 1, 0.5], "labels must be whole numbers from 0 to 999; got 0.5 among them."),
        ([0, 1, np.nan], "labels must be whole numbers from 0 to 999; got nan among them."),
        ([0, 1, np.inf], "labels must be whole numbers from 0 to 999; got inf among them."),
        ([0, 1, 10**12], "labels must be whole numbers from 0 to 999; got 1000000000000 among"),
        ([0, 1, 2**63], "labels must be whole numbers from 0 to 999; got"),
        (["a", "b", "c"], "labels must be whole numbers from 0 to 999; got dtype=<U1."),
        ([True, False, True], "labels must be whole numbers from 0 to 999; got dtype=bool."),
        ([0, 1, 1j], "labels must be whole numbers from 0 to 999; got dtype=complex128."),
        ([0, [1], 2], "labels must be one array; got rows of different lengths."),
    ],
)
def test_what_is_no_label_is_refused_in_these_words(labels, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        as_labels(labels, 3)

"""Ink is brought to MNIST's form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from vaegmm.mnist_form import BOX, in_mnist_form


def test_ink_keeps_its_form():
    ink = np.zeros((8, 8))
    ink[1:7, 3] = 1
    image = in_mnist_form(ink)
    assert np.ptp(np.nonzero(image > 60)[0]) + 1 == pytest.approx(BOX, abs=1)
    np.testing.assert_allclose(ndimage.center_of_mass(image), 13.5, atol=0.1)

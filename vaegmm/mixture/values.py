"""Values as people give and take them: arrays or tensors, and seeds."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import torch
from torch import Tensor


def arrays(dtype: torch.dtype, *values: Tensor) -> list[Any]:
    """Arrays of their own memory."""
    return [value.to("cpu", dtype, copy=True).numpy() for value in values]


def tensors(dtype: torch.dtype, *values: Tensor) -> list[Any]:
    """Tensors of their own memory, on the device where they are."""
    return [value.to(dtype, copy=True) for value in values]


def tensor(value: Any) -> Tensor:
    """A tensor of what is one, or what numpy makes an array of."""
    # A copy of what is no tensor: torch warns of arrays that cannot be written.
    return value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))


def seed_of(random_state: Any) -> int:
    """A seed from what scikit-learn allows as `random_state`."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, numbers.Integral):
        return int(random_state) % 2**53
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    raise ValueError(
        f"random_state must be None, an integer or a numpy generator; got {random_state!r}."
    )


def generator_of(random_state: Any) -> torch.Generator:
    """A generator on the CPU, so that a seed means the same on every device."""
    return torch.Generator().manual_seed(seed_of(random_state))

"""Points from anywhere, walked over in chunks: arrays, memory maps, .npy shards, iterables."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: Bytes of a memory map that are in memory at a time.
_PIECE = 16 * 2**20

#: Chunks that are computed with are a power of two of points long, on a CPU at most this many.
LONGEST_CHUNK = 2**14

#: Points (n, D) and their weights (n,) or None.
Block = tuple[Tensor, Tensor | None]


class Points:
    """Points to fit or to predict, and their weights, in blocks.

    Args:
        X: shape (N, D), as an array, a tensor, a memory map, anything numpy makes an array of; or
            larger than memory: the path of a .npy file, a list of such paths, or any iterable of
            blocks (n, D) that can be walked over again and again.
        sample_weight: shape (N,), or None.
        allow_missing: NaN is a number that is missing, and no error.

    Raises:
        ValueError, TypeError: if X isn't two-dimensional, numeric, dense and finite.
    """

    def __init__(self, X: Any, sample_weight: Any = None, allow_missing: bool = False) -> None:
        #: Whether results go back as tensors.
        self.torch = isinstance(X, Tensor)
        #: Whether any number is missing.
        self.has_missing = False
        self._blocks = _blocks(X)
        first = next(iter(self._blocks), None)
        if first is None:
            raise ValueError("X must hold at least one block of points; got an empty iterable.")
        first = _opened(first)
        _check_block(first)
        self.torch = isinstance(first, Tensor)
        self.device = first.device if isinstance(first, Tensor) else torch.device("cpu")
        single = (torch.float32, torch.float16, torch.bfloat16, np.float32, np.float16)
        self.dtype = torch.float32 if first.dtype in single else torch.float64
        self.n_features = first.shape[1]
        self.weights = None
        if sample_weight is not None:
            if not isinstance(sample_weight, Tensor):
                sample_weight = torch.from_numpy(np.array(sample_weight, dtype=np.float64))
            self.weights = sample_weight.to(self.device, self.dtype)
        self.n_points = 0
        self._scan(allow_missing)

    def _scan(self, allow_missing: bool) -> None:
        """Count the points, and see that they can be computed with."""
        for x in self._walk():
            self.n_points += len(x)
            if not x.isfinite().all():
                self.has_missing = self.has_missing or bool(x.isnan().any())
                if x.isinf().any() or not allow_missing:
                    kind = "infinity" if x.isinf().any() else "NaN"
                    raise ValueError(
                        f"X must be finite; got {kind}. Remove or impute those points first."
                    )
        if self.n_points == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape=(0, {self.n_features})) while a minimum of "
                "1 is required."
            )
        if self.weights is None:
            return
        if self.weights.shape != (self.n_points,):
            raise ValueError(
                "sample_weight must hold one number a point; got "
                f"sample_weight.shape={tuple(self.weights.shape)}, points={self.n_points}."
            )
        finite = self.weights.isfinite().all() and (self.weights >= 0).all()
        if not (finite and self.weights.sum() > 0):
            raise ValueError(
                "sample_weight must be finite, at least zero, and not zero throughout; got a sum "
                f"of {self.weights.sum().item()}."
            )

    def __len__(self) -> int:
        return self.n_points

    def _walk(self) -> Iterator[Tensor]:
        for item in self._blocks:
            block = _opened(item)
            _check_block(block)
            if block.shape[1] != self.n_features:
                raise ValueError(
                    "blocks of X must have the same columns; got "
                    f"{block.shape[1]} columns after {self.n_features}."
                )
            yield from _pieces(block, self.dtype)

    def __iter__(self) -> Iterator[Block]:
        """Blocks (n, D) and their weights (n,)."""
        start = 0
        for x in self._walk():
            yield x, None if self.weights is None else self.weights[start : start + len(x)]
            start += len(x)

    def rows(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the points and their weights, by sorted indices, on the points' device."""
        found, weights, start = [], [], 0
        for x, weight in self:
            chosen = indices[(indices >= start) & (indices < start + len(x))] - start
            chosen = chosen.to(x.device)
            found.append(x[chosen])
            weights.append(torch.ones_like(found[-1][:, 0]) if weight is None else weight[chosen])
            start += len(x)
        return torch.cat(found), torch.cat(weights)


def evenly(blocks: Iterable[Block], length: int) -> Iterator[Block]:
    """The same points in blocks of equal length, but for the last one.

    Rounding depends on where blocks are cut; cut here, it is the same for every source.
    """
    held: list[Block] = []
    missing = length
    for x, weights in blocks:
        start = 0
        while start < len(x):
            end = min(start + missing, len(x))
            part = x[start:end], None if weights is None else weights[start:end]
            missing -= end - start
            start = end
            if missing == 0:
                yield _joined([*held, part]) if held else part
                held, missing = [], length
            else:  # copied, since a source may fill the same buffer again
                held.append((part[0].clone(), part[1]))
    if held:
        yield _joined(held)


def _joined(blocks: list[Block]) -> Block:
    weights = [w for _, w in blocks if w is not None]
    return torch.cat([x for x, _ in blocks]), torch.cat(weights) if weights else None


def share(X: Any, rank: int, size: int) -> list[Any]:
    """The points that one of several processes walks over: a run of rows.

    Shares are even to within a sixteenth; they end where a chunk ends, so that, with more than
    2^18 points a process, the processes round exactly as one process would.

    Args:
        X: an array, tensor or memory map (N, D), the path of a .npy file, or a list of these.
        rank: which process, 0 to size - 1.
        size: how many processes.

    Returns:
        Blocks for `GaussianMixture(distributed=True).fit`.
    """
    blocks = [_opened(block) for block in _blocks(X)]
    n_points = sum(len(block) for block in blocks)
    unit = max(1, n_points // size // 16)
    unit = min(LONGEST_CHUNK, 2 ** int(math.log2(unit)))
    first = n_points * rank // size // unit * unit
    last = n_points if rank == size - 1 else n_points * (rank + 1) // size // unit * unit
    parts, start = [], 0
    for block in blocks:
        part = block[max(first - start, 0) : max(last - start, 0)]
        if len(part):
            parts.append(part)
        start += len(block)
    return parts


def _blocks(X: Any) -> Iterable[Any]:
    """Arrays, tensors or paths, each of them a block."""
    if isinstance(X, (Tensor, np.ndarray, str, os.PathLike)):
        return [X]
    if hasattr(X, "toarray"):
        raise TypeError(
            f"X must be dense; got the sparse {type(X).__name__}. Convert it with X.toarray()."
        )
    first = X[0] if isinstance(X, (list, tuple)) and X else None
    if isinstance(first, (str, os.PathLike)) or getattr(first, "ndim", 0) == 2:
        return X
    if hasattr(X, "__array__") or isinstance(X, (list, tuple)):
        return [np.asarray(X)]
    if not isinstance(X, Iterable):
        raise TypeError(f"X must be an array (N, D) or blocks of one; got {type(X).__name__}.")
    if isinstance(X, Iterator):
        raise TypeError(
            f"X must be something to walk over again and again; got {type(X).__name__}, which "
            "ends after one walk. Pass a list of blocks, or an object whose __iter__ starts anew."
        )
    return X


def _opened(block: Any) -> Any:
    if isinstance(block, (str, os.PathLike)):
        return np.load(block, mmap_mode="r", allow_pickle=False)
    return block if isinstance(block, Tensor) else np.asanyarray(block)


def _check_block(block: Any) -> None:
    if block.ndim != 2:
        raise ValueError(
            f"X must be two-dimensional, (points, columns); got shape {tuple(block.shape)}. "
            "Reshape your data: X.reshape(-1, 1) is one column, X.reshape(1, -1) one point."
        )
    if block.shape[1] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={tuple(block.shape)}) while a minimum of 1 is "
            "required."
        )
    complex_type = block.is_complex() if isinstance(block, Tensor) else block.dtype.kind == "c"
    if complex_type:
        raise ValueError(f"Complex data not supported; X must be real, got {block.dtype}.")


def _pieces(block: Any, dtype: torch.dtype) -> Iterator[Tensor]:
    """A block as tensors; what can't be shared with torch is copied piece by piece."""
    if isinstance(block, Tensor):
        yield block.detach().to(dtype)
        return
    target = np.float32 if dtype == torch.float32 else np.float64
    mapped = _memory_map(block)
    shareable = block.dtype == target and block.flags.writeable and block.flags.c_contiguous
    if mapped is None and shareable:
        yield torch.from_numpy(block)
        return
    rows = max(1, _PIECE // (block.shape[1] * block.dtype.itemsize))
    for start in range(0, len(block), rows):
        yield torch.from_numpy(np.array(block[start : start + rows], dtype=target, order="C"))
        if mapped is not None:
            # Pages that have been read stay resident until memory runs out; they are let go,
            # and the file's cache has them for the next walk.
            mapped.madvise(mmap.MADV_DONTNEED)


def _memory_map(array: np.ndarray) -> mmap.mmap | None:
    """The file mapping under an array, where its pages may be dropped."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if getattr(base, "mode", None) == "c":
            return None  # copy on write: dropping pages would drop what was written
        base = base.base
    return base if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED") else None

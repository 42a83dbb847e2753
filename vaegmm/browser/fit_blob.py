"""A recorded fit as one block of bytes, in the form of `blocks.py`: what the page plays back."""

from __future__ import annotations

import numpy as np

from vaegmm.blocks import pack
from vaegmm.mixture import Recording
from vaegmm.model import VAEGMM

#: Of the frames. 60 iterations of 100 components in 8 dimensions are 1.1 MB.
MOST_BYTES = 2 * 2**20
_LEAST_FRAMES = 12


def fit_blob(model: VAEGMM, recording: Recording, onwards: bool = False) -> bytes:
    """Write the fit of a model's mixture for the page.

    Frames are float32, covariances their lower triangles; of very long and large fits only some
    iterations are kept, so that the block stays below MOST_BYTES.

    Args:
        model: whose mixture the fit ends with.
        recording: of the fit.
        onwards: whether it begins with the mixture itself, since its own fit is not known.
    """
    mixture, names = model.mixture, model.names
    n_components, dimension = recording.means.shape[1:]
    numbers = 1 + dimension + dimension * (dimension + 1) // 2
    recording = recording.thinned(max(MOST_BYTES // (4 * n_components * numbers), _LEAST_FRAMES))
    rows, columns = np.tril_indices(dimension)
    arrays: dict[str, np.ndarray] = {
        "numbers": recording.numbers.astype(np.int32),
        "weights": recording.weights.astype(np.float32),
        "means": recording.means.astype(np.float32),
        "covariances": recording.covariances[..., rows, columns].astype(np.float32),
        "log_likelihoods": recording.log_likelihoods.astype(np.float64),
        "lower_bounds": recording.lower_bounds.astype(np.float64),
    }
    if names is not None:
        arrays["names"] = names.names.astype(np.int32)
    header = {
        "kind": "fit",
        "n_frames": len(recording.numbers),
        "n_iterations": len(recording.lower_bounds),
        "n_components": n_components,
        "dimension": dimension,
        "n_points": len(model.latents),
        "covariance_type": mixture.covariance_type,
        "reg_covar": float(mixture.reg_covar),
        "is_named": names is not None,
        "converged": bool(mixture.converged_),
        "onwards": onwards,
    }
    return pack(header, arrays)

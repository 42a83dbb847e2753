"""A trained model as one safetensors file: tensors, and everything else as JSON in its header."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vaegmm.config import TrainConfig
from vaegmm.labelling import ComponentNames
from vaegmm.mixture import GaussianMixture
from vaegmm.model import VAEGMM
from vaegmm.projection import PCA
from vaegmm.vae import VAE

FORMAT = 1
_HEADER_KEY = "vaegmm"


class CheckpointError(Exception):
    """A checkpoint cannot be read or written; the message says which, why, and what to do."""


def save(model: VAEGMM, path: str | Path) -> None:
    """Write a model to one file. What was there before stays whole until the new file is.

    Raises:
        CheckpointError: if the file cannot be written.
    """
    mixture, names = model.mixture, model.names
    arrays = {
        "latents": model.latents,
        "excess": model.excess,
        "mixture.weights": mixture.weights_,
        "mixture.means": mixture.means_,
        "mixture.covariances": mixture.covariances_,
        "mixture.lower_bounds": np.asarray(mixture.lower_bounds_, dtype=np.float64),
        **{f"pca.{name}": value for name, value in asdict(model.pca).items()},
    }
    if names is not None:
        arrays["names.label_given_component"] = names.label_given_component
        arrays["names.names"] = names.names.astype(np.int64)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
    tensors |= {
        f"vae.{name}": value.detach().cpu().contiguous()
        for name, value in model.vae.state_dict().items()
    }
    header = {
        "format": FORMAT,
        "config": model.config.to_dict(),
        "label_names": model.label_names,
        "n_labels": 0 if names is None else names.n_labels,
        "converged": bool(mixture.converged_),
        "history": model.history,
        "metrics": model.metrics,
        "provenance": model.provenance,
    }
    write_tensors(path, tensors, header)


def load(path: str | Path, device: str | torch.device = "cpu") -> VAEGMM:
    """Read a model that `save` wrote.

    Raises:
        CheckpointError: if the file is missing, truncated, foreign or from a newer vaegmm.
    """
    tensors, header = read_tensors(path)
    if header.get("format") != FORMAT:
        found = header.get("format")
        advice = "Update vaegmm." if isinstance(found, int) and found > FORMAT else ""
        raise CheckpointError(
            f"{path} must have checkpoint format {FORMAT}; it has {found!r}. {advice}".strip()
        )
    try:
        return _build(tensors, header, device)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error


def _build(
    tensors: dict[str, Tensor], header: dict[str, Any], device: str | torch.device
) -> VAEGMM:
    config = TrainConfig.from_dict(header["config"])
    model = VAEGMM(config, device)
    model.vae = VAE(config.vae)
    model.vae.load_state_dict(
        {name.removeprefix("vae."): t for name, t in tensors.items() if name.startswith("vae.")}
    )
    model.vae.to(device).eval()
    arrays = {name: t.numpy() for name, t in tensors.items() if not name.startswith("vae.")}
    model.latents, model.excess = arrays["latents"], arrays["excess"]
    if model.latents.ndim != 2 or model.latents.shape[1] != config.vae.latent_dim:
        raise ValueError(f"stored latents have shape {model.latents.shape}")
    if model.excess.shape != model.latents.shape[:1]:
        raise ValueError(f"stored excess has shape {model.excess.shape}")
    model.pca = PCA(arrays["pca.mean"], arrays["pca.components"], arrays["pca.explained_variance"])
    parameters = dict(asdict(config.mixture))
    parameters.pop("n_components")
    model.mixture = GaussianMixture.from_parameters(
        arrays["mixture.weights"],
        arrays["mixture.means"],
        arrays["mixture.covariances"],
        **parameters,
    )
    bounds = arrays["mixture.lower_bounds"]
    model.mixture.lower_bounds_ = bounds.tolist()
    model.mixture.lower_bound_ = float(bounds[-1])
    model.mixture.n_iter_ = len(bounds)
    model.mixture.converged_ = bool(header["converged"])
    model.label_names = tuple(header["label_names"])
    if "names.names" in arrays:
        model.names = ComponentNames(
            arrays["names.label_given_component"], arrays["names.names"], int(header["n_labels"])
        )
        expected = (len(model.mixture.weights_), len(model.label_names))
        if model.names.label_given_component.shape != expected:
            raise ValueError(f"names do not fit {expected[0]} components, {expected[1]} labels")
    model.history = list(header["history"])
    model.metrics = dict(header["metrics"])
    model.provenance = dict(header["provenance"])
    return model


def write_tensors(path: str | Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write tensors and a JSON header to a safetensors file, atomically.

    Raises:
        CheckpointError: if the file cannot be written; a previous one is left as it was.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        save_file(tensors, temporary, metadata={_HEADER_KEY: json.dumps(header)})
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)  # mkstemp's file is its owner's alone
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} cannot be written: {error}. What was there before is unchanged; "
            "free some space, or choose another place."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def read_header(path: str | Path) -> dict[str, Any]:
    """Read only the JSON header of a checkpoint.

    Raises:
        CheckpointError: if the file is missing, truncated or not one of ours.
    """
    return _read(path, with_tensors=False)[1]


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Raises:
        CheckpointError: if the file is missing, truncated or not one of ours.
    """
    return _read(path, with_tensors=True)


def _read(path: str | Path, with_tensors: bool) -> tuple[dict[str, Tensor], dict[str, Any]]:
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path} must be a checkpoint file; there is no such file.")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_HEADER_KEY])
            names = file.keys() if with_tensors else ()
            tensors = {name: file.get_tensor(name) for name in names}
    except KeyError as error:
        raise CheckpointError(
            f"{path} must be a vaegmm checkpoint; it is a safetensors file of something else."
        ) from error
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} must be a vaegmm checkpoint; it is truncated or another kind of file "
            f"({error})."
        ) from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{path} must be a vaegmm checkpoint; its header is not readable.")
    return tensors, header

"""A trained model as one safetensors file: tensors, and everything else as JSON in its header."""

from __future__ import annotations

import json
import math
import os
import platform
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
from vaegmm.errors import ReasonedError
from vaegmm.examples import Examples
from vaegmm.labelling import UNNAMED, ComponentNames, names_from_power
from vaegmm.mixture import GaussianMixture
from vaegmm.parts import Parts
from vaegmm.prior import Prior
from vaegmm.projection import PCA
from vaegmm.vae import VAE

FORMAT = 1
#: Of adapted models, which an older vaegmm would read as if they were not.
ADAPTED_FORMAT = 2
_HEADER_KEY = "vaegmm"


class CheckpointError(ReasonedError):
    """A checkpoint cannot be read or written; the message says which, why, and what to do."""


def write_parts(parts: Parts, path: str | Path) -> None:
    """Write a model's parts to one file. What was there before stays whole until the new file is.

    Raises:
        CheckpointError: if the file cannot be written.
    """
    mixture, names = parts.mixture, parts.names
    arrays = {
        "latents": parts.latents,
        "ranked.means": parts.ranked_means,
        "ranked.excess": parts.ranked_excess,
        "mixture.weights": mixture.weights_,
        "mixture.means": mixture.means_,
        "mixture.covariances": mixture.covariances_,
        "mixture.lower_bounds": mixture.lower_bounds_,
        **{f"pca.{name}": value for name, value in asdict(parts.pca).items()},
    }
    if names is not None:
        arrays["names.label_given_component"] = names.label_given_component
        arrays["names.names"] = names.names
    examples = parts.examples
    if examples is not None:
        arrays["examples.latents"] = examples.latents
        arrays["examples.labels"] = examples.labels
        arrays["examples.weights"] = examples.weights
        arrays["examples.covariance"] = examples.covariance
    tensors = {
        name: torch.from_numpy(np.array(array, _dtype(name), order="C"))
        for name, array in arrays.items()
    }
    tensors |= {
        f"vae.{name}": value.detach().cpu().contiguous()
        for name, value in parts.vae.state_dict().items()
    }
    if parts.prior is not None:
        tensors |= {f"prior.{name}": value for name, value in parts.prior._asdict().items()}
    header = {
        "format": FORMAT if examples is None else ADAPTED_FORMAT,
        "config": parts.config.to_dict(),
        "label_names": parts.label_names,
        "n_labels": 0 if names is None else names.n_labels,
        "names_temperature": 1.0 if names is None else names.temperature,
        "temperature": 1.0,  # of the sums, which older versions raise to its reciprocal
        "converged": bool(mixture.converged_),
        "history": parts.history,
        "metrics": parts.metrics,
        "provenance": {"versions": library_versions(), **parts.provenance},
    }
    if examples is not None:
        header["adapted"] = {"n_examples": examples.count, "mass": examples.mass}
    write_tensors(path, tensors, header)


def to_bytes(parts: Parts) -> bytes:
    """Return what `write_parts` writes.

    Raises:
        CheckpointError: if it cannot be written to a temporary file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        write_parts(parts, path)
        return path.read_bytes()


def read_parts(path: str | Path) -> Parts:
    """Read what `write_parts` wrote, to the CPU.

    Raises:
        CheckpointError: if the file is missing, truncated, foreign or from a newer vaegmm.
    """
    tensors, header = read_tensors(path)
    found = header.get("format")
    if found not in (FORMAT, ADAPTED_FORMAT):
        is_newer = isinstance(found, int) and found > ADAPTED_FORMAT
        advice = " Update vaegmm." if is_newer else ""
        raise CheckpointError(
            f"{path} must have checkpoint format {FORMAT} or {ADAPTED_FORMAT}; "
            f"it has {found!r}.{advice}",
            reason="newer checkpoint" if is_newer else "damaged checkpoint",
            name=Path(path).name,
        )
    try:
        return _build(tensors, header)
    # A stranger's file can be wrong in any way; whatever stumbles over it, it's the file.
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged: {error}", reason="damaged checkpoint", name=Path(path).name
        ) from error


def library_versions() -> dict[str, str]:
    """Return the versions of what a model's figures depend on."""
    from vaegmm import __version__

    return {
        "vaegmm": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _build(tensors: dict[str, Tensor], header: dict[str, Any]) -> Parts:
    config = TrainConfig.from_dict(header["config"])
    label_names = tuple(str(name) for name in header["label_names"])
    with torch.device("meta"):  # without memory: nothing says yet that the sizes are honest
        vae = VAE(config.vae)
    weights = {f"vae.{name}": tuple(value.shape) for name, value in vae.state_dict().items()}
    shapes = _shapes(config, tensors)
    if "names.names" in tensors:
        n_components = config.mixture.n_components
        shapes["names.names"] = (n_components,)
        shapes["names.label_given_component"] = (n_components, len(label_names))
    if "prior.weights" in tensors:  # trained with a mixture
        k, d = config.joint.n_components, config.vae.latent_dim
        shapes |= {"prior.weights": (k,), "prior.means": (k, d)}
        shapes["prior.precisions_cholesky"] = (k, d, d)
    if header["format"] == ADAPTED_FORMAT:
        n_examples, d = len(tensors["examples.labels"]), config.vae.latent_dim
        shapes |= {"examples.labels": (n_examples,), "examples.weights": (n_examples,)}
        shapes |= {"examples.latents": (n_examples, d), "examples.covariance": (d, d)}
    _check_tensors(tensors, weights | shapes)
    arrays = {name: tensors[name].numpy() for name in shapes}

    parts = Parts(config)
    # Copies: the file's own tensors are views of it, and training changes weights in place.
    vae.load_state_dict(
        {name.removeprefix("vae."): tensors[name].clone() for name in weights}, assign=True
    )
    parts.vae = vae.eval()
    if "prior.weights" in shapes:
        parts.prior = Prior(*(tensors[f"prior.{name}"].clone() for name in Prior._fields))
    parts.latents = arrays["latents"]
    parts.ranked_means, parts.ranked_excess = arrays["ranked.means"], arrays["ranked.excess"]
    parts.pca = PCA(arrays["pca.mean"], arrays["pca.components"], arrays["pca.explained_variance"])
    parameters = asdict(config.mixture)
    del parameters["n_components"]
    mixture = GaussianMixture.from_parameters(
        arrays["mixture.weights"],
        arrays["mixture.means"],
        arrays["mixture.covariances"],
        **parameters,
    )
    mixture.lower_bounds_ = arrays["mixture.lower_bounds"].tolist()
    mixture.lower_bound_ = mixture.lower_bounds_[-1]
    mixture.n_iter_ = len(mixture.lower_bounds_)
    mixture.converged_ = bool(header["converged"])
    parts.mixture = mixture
    parts.label_names = label_names
    if "names.names" in arrays:
        names = arrays["names.names"]
        if names.min() < UNNAMED or names.max() >= len(label_names):
            raise ValueError(f"component names lie from {names.min()} to {names.max()}")
        parts.names = ComponentNames(
            arrays["names.label_given_component"],
            names,
            int(header["n_labels"]),
            _temperature(header, "names_temperature"),
        )
        of_sums = _temperature(header, "temperature")
        if of_sums != 1:
            responsibilities = mixture.predict_proba(parts.ranked_means)
            parts.names = names_from_power(parts.names, of_sums, responsibilities)
    if header["format"] == ADAPTED_FORMAT:
        parts.examples = _examples(arrays, float(header["adapted"]["mass"]), len(label_names))
    parts.history = [dict(loss) for loss in header["history"]]
    parts.metrics = dict(header["metrics"])
    parts.provenance = dict(header["provenance"])
    return parts


def _examples(arrays: dict[str, np.ndarray], mass: float, n_classes: int) -> Examples:
    latents, labels, weights, covariance = (
        arrays[f"examples.{part}"] for part in ("latents", "labels", "weights", "covariance")
    )
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels of examples lie from {labels.min()} to {labels.max()}")
    if not (0 < mass < math.inf and (weights > 0).all()):
        raise ValueError("examples have no weight")
    np.linalg.cholesky(covariance)  # raises where it is none
    return Examples(latents, labels, weights, covariance, mass)


def _temperature(header: dict[str, Any], name: str) -> float:
    temperature = float(header.get(name, 1.0))  # older files have none
    if not 0 < temperature < math.inf:
        raise ValueError(f"the temperature is {temperature}")
    return temperature


def _shapes(config: TrainConfig, tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape that every tensor beside weights and names must have."""
    k, d = config.mixture.n_components, config.vae.latent_dim
    n_ranked = len(tensors["ranked.means"])
    covariances = {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,)}
    return {
        "latents": (len(tensors["latents"]), d),
        "ranked.means": (n_ranked, d),
        "ranked.excess": (n_ranked,),
        "mixture.weights": (k,),
        "mixture.means": (k, d),
        "mixture.covariances": covariances[config.mixture.covariance_type],
        "mixture.lower_bounds": (len(tensors["mixture.lower_bounds"]),),
        "pca.mean": (d,),
        "pca.components": (d, d),
        "pca.explained_variance": (d,),
    }


def _dtype(name: str) -> str:
    """Return how a tensor is stored: single precision where there are many numbers."""
    if name in ("names.names", "examples.labels"):
        return "int64"
    if name == "examples.latents":
        return "float32"
    part = name.partition(".")[0]
    return "float32" if part in ("vae", "prior", "latents", "ranked") else "float64"


def _check_tensors(tensors: dict[str, Tensor], shapes: dict[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)} where {shape} is expected")
        if tensor.dtype != getattr(torch, _dtype(name)):
            raise ValueError(f"{name} has type {tensor.dtype} where {_dtype(name)} is expected")
        if not tensor.numel() or not tensor.isfinite().all():
            raise ValueError(f"{name} is empty or not finite")


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
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)  # mkstemp's file is its owner's alone
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} cannot be written: {error}. What was there before is unchanged; "
            "free some space, or choose another place.",
            reason="unwritable checkpoint",
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
        raise CheckpointError(
            f"{path} must be a checkpoint file; there is no such file.",
            reason="no such checkpoint",
            name=path.name,
        )
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_HEADER_KEY)
            header = None if text is None else json.loads(text)
            names = file.keys() if with_tensors and header is not None else ()
            tensors = {name: file.get_tensor(name) for name in names}
    # A stranger's file: safetensors, JSON and torch each stumble in their own ways.
    except Exception as error:
        raise CheckpointError(
            f"{path} must be a vaegmm checkpoint; it is truncated or another kind of file "
            f"({error}).",
            reason="damaged checkpoint",
            name=path.name,
        ) from error
    if not isinstance(header, dict):
        raise CheckpointError(
            f"{path} must be a vaegmm checkpoint; it is a safetensors file of something else.",
            reason="foreign checkpoint",
            name=path.name,
        )
    return tensors, header

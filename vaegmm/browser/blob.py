"""A model as one block of bytes, in the form in which a page computes with it.

`vaegmm.blocks` gives the layout, docs/browser.md what the header and the arrays are.
"""

from __future__ import annotations

import copy
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from vaegmm.blocks import pack
from vaegmm.mixture import as_matrices
from vaegmm.model import VAEGMM
from vaegmm.projection import discriminant_axes
from vaegmm.typicality import TypicalityRanks
from vaegmm.vae import VAE

MOST_LATENTS = 500_000  # of 8 numbers they are 8 MB; more points than pixels say nothing new
MOST_RANKS = 10_000  # a rank among as many is good to 1e-4
#: What weights of float16 may move latents, pixels and probabilities by.
HALF_TOLERANCE = 3e-3

# Arrays of up to so many numbers stay float32. Those of the default layers, biases and the matrices
# beside the latents, take 14 kB more, and their rounding alone moves a pixel by up to 0.001.
_SMALL = 4096
_USUAL = (0.05, 0.95)  # quantiles of the stored z
_N_CHECKED = 512  # images on which weights of float16 are compared
_N_AXES = 3

Weights = Literal["float16", "float32"]


def to_blob(model: VAEGMM, weights: Weights | None = None, title: str | None = None) -> bytes:
    """Write what a page needs of a model. The same model gives the same bytes.

    Args:
        model: a fitted model, with or without names.
        weights: the type of the network's large matrices; by default float16 where that moves no
            figure by HALF_TOLERANCE and changes no label, float32 elsewhere.
        title: what people call the model; by default the data set's title.

    Raises:
        ValueError: if weights of float16 are asked for, and some are too large for it.
    """
    if weights is None:
        weights = "float16" if halves_suffice(model) else "float32"
    data = model.provenance.get("data", {})
    arrays = {
        **_network_arrays(model.vae, weights),
        **_mixture_arrays(model),
        **_rank_arrays(model.ranks),
        **_latent_arrays(model),
        **_example_arrays(model),
    }
    vae = model.vae.config
    header: dict[str, Any] = {
        "title": str(data.get("title", "")) if title is None else title,
        "vae": {
            "latent_dim": vae.latent_dim,
            "hidden_units": list(vae.hidden_units),
            "mean_activation": vae.mean_activation,
            "std_activation": vae.std_activation,
            "output_activation": vae.output_activation,
            "std_floor": vae.std_floor,
            "pixel_margin": vae.pixel_margin,
        },
        "data": {"name": data.get("name"), "fingerprint": data.get("fingerprint")},
        "n_components": len(model.mixture.weights_),
        "covariance_type": model.mixture.covariance_type,
        "label_names": list(model.label_names),
        "n_latents": len(model.latents),
        "n_stored": len(arrays["latents.steps"]),
        "n_ranks": len(arrays["ranks.evidence"]),
        "examples": None
        if model.examples is None
        else {"n": len(model.examples), "mass": model.examples.mass},
    }
    return pack(header, arrays)


def halves_suffice(model: VAEGMM) -> bool:
    """Whether weights of float16 leave the model's figures as they are, to HALF_TOLERANCE.

    Compared on decoded stored z, the images that every model has with it: latents,
    reconstructions, responsibilities and, where the components have names, p(label) and labels.
    Typicality is no figure here: among few training images one rank is more than the tolerance.
    """
    rounded = copy.copy(model)
    rounded.vae = copy.deepcopy(model.vae)
    with torch.no_grad():
        for parameter in rounded.vae.parameters():
            if parameter.numel() > _SMALL:
                parameter.copy_(parameter.half())
            if not parameter.isfinite().all():
                return False
    images = model.decode(model.latents[_spread(len(model.latents), _N_CHECKED)])
    ours, theirs = _figures(model, images), _figures(rounded, images)
    if any(np.abs(ours[name] - theirs[name]).max() >= HALF_TOLERANCE for name in ours):
        return False
    if model.names is None:
        return True
    return bool((ours["p(label)"].argmax(1) == theirs["p(label)"].argmax(1)).all())


def _figures(model: VAEGMM, images: np.ndarray) -> dict[str, np.ndarray]:
    figures = {
        "z": model.encode(images),
        "reconstruction": model.reconstruct(images),
        "responsibilities": model.responsibilities(images),
    }
    if model.names is not None:
        figures["p(label)"] = model.names.label_probabilities(figures["responsibilities"])
    return figures


def _network_arrays(vae: VAE, dtype: Weights) -> dict[str, np.ndarray]:
    """Return weights with inputs in rows, shape (inputs, outputs): zero inputs are skipped so."""
    layers: dict[str, nn.Linear] = {"mean": vae.mean, "std": vae.std, "output": vae.output}
    for name, part in (("encoder", vae.encoder), ("decoder", vae.decoder)):
        linear = [layer for layer in part if isinstance(layer, nn.Linear)]
        layers |= {f"{name}.{number}": layer for number, layer in enumerate(linear)}
    arrays: dict[str, np.ndarray] = {}
    for name, layer in layers.items():
        arrays[f"{name}.weight"] = layer.weight.detach().cpu().numpy().T
        arrays[f"{name}.bias"] = layer.bias.detach().cpu().numpy()
    if dtype == "float32":
        return arrays
    large = {name: array for name, array in arrays.items() if array.size > _SMALL}
    largest = max(float(np.abs(array).max()) for array in large.values())
    if not largest < float(np.finfo(np.float16).max):
        raise ValueError(
            f"weights must be float32 where one is beyond float16's range; got {largest:.6g}."
        )
    return arrays | {name: array.astype(np.float16) for name, array in large.items()}


def _mixture_arrays(model: VAEGMM) -> dict[str, np.ndarray]:
    mixture, names = model.mixture, model.names
    covariances = as_matrices(mixture.covariances_, mixture)
    roots = as_matrices(mixture.precisions_cholesky_, mixture)
    arrays: dict[str, np.ndarray] = {
        "mixture.weights": np.asarray(mixture.weights_, np.float64),
        "mixture.means": np.asarray(mixture.means_, np.float64),
        "mixture.covariances": covariances.astype(np.float32),
        "mixture.precisions_cholesky": roots.astype(np.float32),
        "discriminant_axes": discriminant_axes(
            mixture.weights_, mixture.means_, covariances, _groups(model), _N_AXES
        ),
    }
    if names is not None:
        arrays["names.label_given_component"] = names.label_given_component.astype(np.float32)
        arrays["names.names"] = names.names.astype(np.int32)
    return arrays


def _groups(model: VAEGMM) -> np.ndarray:
    """Return p(group | component), shape (K, G): labels, or components where there are no names."""
    if model.names is None:
        return np.eye(len(model.mixture.weights_))
    return model.names.label_given_component


def _rank_arrays(ranks: TypicalityRanks) -> dict[str, np.ndarray]:
    kept = _spread(len(ranks.evidence), MOST_RANKS)
    return {
        "ranks.log_likelihood": ranks.log_likelihood[kept].astype(np.float32),
        "ranks.evidence": ranks.evidence[kept].astype(np.float32),
    }


def _latent_arrays(model: VAEGMM) -> dict[str, np.ndarray]:
    """Return stored z in steps of 1 / 65535 of each latent's range, and what belongs to them."""
    n_latents = len(model.latents)
    rows = _spread(n_latents, MOST_LATENTS)
    latents = model.latents[rows].astype(np.float64)
    low = latents.min(0)
    step = (latents.max(0) - low) / np.iinfo(np.uint16).max
    steps = np.rint((latents - low) / np.where(step > 0, step, 1)).astype(np.uint16)
    n_components = len(model.mixture.weights_)
    components = model.mixture.predict(model.latents[rows])
    pca = model.pca
    arrays = {
        "latents.low": low,
        "latents.step": step,
        "latents.steps": steps,
        "latents.components": components.astype(np.uint8 if n_components <= 256 else np.uint16),
        "usual_range": np.quantile(model.latents, _USUAL, axis=0).astype(np.float64),
        "pca.mean": pca.mean.astype(np.float64),
        "pca.components": pca.components.astype(np.float64),
        "pca.explained_variance": pca.explained_variance.astype(np.float64),
    }
    if len(rows) < n_latents:
        arrays["latents.rows"] = rows.astype(np.uint32)
    return arrays


def _example_arrays(model: VAEGMM) -> dict[str, np.ndarray]:
    """Return the examples of an adapted model."""
    examples = model.examples
    if examples is None:
        return {}
    return {
        "examples.latents": examples.latents,
        "examples.labels": examples.labels.astype(np.int32),
        "examples.weights": examples.weights,
        "examples.covariance": examples.covariance,
    }


def _spread(n: int, most: int) -> np.ndarray:
    """Return at most `most` of n rows, evenly spread, rising."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)

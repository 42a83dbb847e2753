"""What a training looks like at one moment: its state becomes a frame of its film."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaegmm.config import TrainConfig
from vaegmm.film.file import MOST_BYTES, Frame
from vaegmm.gaussian import kl_to_standard_normal
from vaegmm.metrics import are_latents_in_use
from vaegmm.prior import Prior
from vaegmm.projection import PCA
from vaegmm.training import FIRST_STEPS, Progress, TrainState
from vaegmm.vae import N_PIXELS

N_IMAGES = 24  # whose reconstructions are shown
MOST_POINTS = 2000  # of the map
MOST_EPOCHS = 1000  # of longer trainings only every so many epochs have a frame

_N_AXES = 2
# Beyond these a frame goes without the decoded means, or the covariances, of the components.
_MOST_COMPONENT_IMAGES = 24
_MOST_COVARIANCES = 8192  # numbers
_HEADER_BYTES = 3000
_BYTES_OF_IMAGE = N_PIXELS / 2  # compressed, or with 16 grey levels where noise cannot be
_LARGEST_HALF = float(np.finfo(np.float16).max)


class Camera:
    """Takes the frames of one training. It draws no random numbers.

    Args:
        config: the training.
        images: of validation, uint8, shape (N, 28, 28).
        labels: theirs, shape (N,), or None.
        n_train: how many images are trained on.
    """

    def __init__(
        self,
        config: TrainConfig,
        images: np.ndarray,
        labels: np.ndarray | None,
        n_train: int,
    ) -> None:
        self._config = config
        shown = _shown(len(images), labels)
        points = _spread(len(images), min(MOST_POINTS, _most_points(config)))
        self._n_train, self._n_shown = n_train, len(shown)
        self._rows = np.concatenate([shown, points])  # of the validation images, both
        self._n_held_out = len(images)
        self._images = torch.from_numpy(np.ascontiguousarray(images[self._rows]))
        self._images = self._images.reshape(len(self._rows), N_PIXELS)
        self._labels = None if labels is None else labels[self._rows].astype(np.int32)
        self._axes: np.ndarray | None = None  # of the last frame
        self._seen: tuple[Tensor, dict[str, Any]] | None = None  # before the joint stage
        self._has_views = bool(config.augmentation.is_active and config.joint.consistency)
        self._every = math.ceil(config.epochs / MOST_EPOCHS)

    def follow(self, frame: Frame) -> None:
        """Let the next frame turn the map as little as it can from this one."""
        axes = frame.arrays.get("axes")
        if axes is not None and axes.shape == (_N_AXES, self._config.vae.latent_dim):
            self._axes = axes

    def opening(self, title: str, data: str, label_names: tuple[str, ...]) -> Frame:
        """Return what the film is of: the inputs, and what the training is to be."""
        config = self._config
        n_steps = -(-self._n_train // config.batch_size)
        header = {
            "kind": "film",
            "title": title,
            "data": data,
            "label_names": list(label_names),
            "epochs": config.epochs,
            "steps": n_steps,
            "joint_epochs": config.joint_epochs,
            "latent_dim": config.vae.latent_dim,
            "n_components": config.joint.n_components if config.joint_epochs else None,
            "starts_by": "information" if self._has_views else "likelihood",
        }
        arrays = {"images": self._images[: self._n_shown].numpy()}
        if self._labels is not None:
            arrays["image_labels"] = self._labels[: self._n_shown]
            arrays["labels"] = self._labels[self._n_shown :]
        return Frame(header, arrays)

    @torch.no_grad()
    def take(self, state: TrainState, report: Progress) -> Frame | None:
        """Return the frame of a report, of those that get one."""
        if report.finished_epoch:
            is_due = report.epoch in (1, report.epochs) or report.epoch % self._every == 0
            return self._of_network(state, report, "epoch") if is_due else None
        if report.starts_tried:
            return self._of_start(state, report)
        if report.epoch == 1 and report.step in (0, *FIRST_STEPS):
            return self._of_network(state, report, "step")
        return None

    def _of_network(self, state: TrainState, report: Progress, kind: str) -> Frame:
        mean, header = self._look(state, is_measured=kind == "epoch")
        header |= self._header(report, kind)
        points = mean[self._n_shown :]
        pca = PCA.fit(_finite(points))
        arrays = {
            "reconstructions": _as_bytes(state.vae.decode(mean[: self._n_shown])),
            "latents": _as_halves(points),
            "axes": self._turned(pca.components[:_N_AXES]),
            "centre": pca.mean.astype(np.float32),
        }
        if state.prior is not None:
            header["information"] = _number(float(state.prior.first_information))
            arrays |= self._of_prior(state, state.prior(), points)
        return Frame(header, arrays)

    def _of_start(self, state: TrainState, report: Progress) -> Frame | None:
        prior = state.best_start
        if prior is None:
            return None
        if self._seen is None or report.starts_tried == 1:  # they all begin with one network
            self._seen = self._look(state, is_measured=False)
        mean, header = self._seen
        header = header | self._header(report, "start")
        header["starts"] = [_number(merit) for merit in state.starts]
        if self._has_views:
            header["information"] = _number(max(state.starts))
        prior = Prior(*(part.to(mean.device) for part in prior))
        arrays = self._of_prior(state, prior, mean[self._n_shown :])
        names = ("component_images", "component_labels")
        return Frame(header, {name: arrays[name] for name in names if name in arrays})

    def _look(self, state: TrainState, is_measured: bool) -> tuple[Tensor, dict[str, Any]]:
        """Encode the images shown and those of the map.

        Args:
            state: the training's.
            is_measured: whether the validation loss of this very state has encoded them already.

        Returns:
            Posterior means, and what they say of each latent.
        """
        known = state.held_out
        if is_measured and known is not None and len(known.mean) == self._n_held_out:
            rows = torch.from_numpy(self._rows).to(known.mean.device)
            mean, std = known.mean[rows], known.std[rows]
        else:
            mean, std = state.vae.posterior(self._images.to(state.vae.device).float() / 255)
        prior = None if state.prior is None else state.prior()
        centre, width = _marginals(prior, mean)
        points = slice(self._n_shown, None)
        kl = kl_to_standard_normal((mean[points] - centre) / width, std[points] / width).mean(0)
        return mean, {
            "kl_per_latent": [round(value, 4) for value in _finite(kl).tolist()],
            "in_use": are_latents_in_use(_finite(mean[points])).tolist(),
        }

    def _of_prior(self, state: TrainState, prior: Prior, latents: Tensor) -> dict[str, np.ndarray]:
        components = prior.log_joint(latents).argmax(1).cpu().numpy()
        labels = None if self._labels is None else self._labels[self._n_shown :]
        arrays = {
            "weights": _finite(prior.weights).astype(np.float32),
            "means": _as_halves(prior.means),
            "components": components.astype(np.uint16),
            "component_labels": _majorities(components, labels, len(prior.weights)),
        }
        if _has_covariances(self._config):
            arrays["covariances"] = _as_halves(_covariances(prior))
        if _has_component_images(self._config):
            arrays["component_images"] = _as_bytes(state.vae.decode(prior.means))
        return arrays

    def _header(self, report: Progress, kind: str) -> dict[str, Any]:
        loss = report.finished_epoch
        return {
            "kind": kind,
            "epoch": report.epoch,
            "step": report.step,
            "seconds": round(report.seconds_before + report.seconds, 3),
            "cross_entropy": round(report.cross_entropy, 4),
            "kl": round(report.kl, 4),
            "kl_weight": round(report.kl_weight, 6),
            "validation_cross_entropy": None if loss is None else loss.validation_cross_entropy,
            "validation_kl": None if loss is None else loss.validation_kl,
            "restarts": report.restarts,
            "information": None,
        }

    def _turned(self, axes: np.ndarray) -> np.ndarray:
        """Turn the plane's axes within it to where they are nearest to those of the last frame."""
        if len(axes) < _N_AXES:  # one latent: a line
            axes = np.concatenate([axes, np.zeros((_N_AXES - len(axes), axes.shape[1]))])
        if self._axes is not None:
            # Schönemann's solution of the orthogonal Procrustes problem.
            left, _, right = np.linalg.svd(self._axes @ axes.T)
            axes = left @ right @ axes
        self._axes = axes.astype(np.float32)
        return self._axes


def _shown(n_images: int, labels: np.ndarray | None) -> np.ndarray:
    """Choose the images that are shown: of every label in turn, where there are labels."""
    if labels is None:
        return _spread(n_images, N_IMAGES)
    of_label = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turns = [(turn, row) for rows in of_label for turn, row in enumerate(rows[:N_IMAGES])]
    return np.array([row for _, row in sorted(turns, key=lambda pair: pair[0])][:N_IMAGES])


def _spread(n: int, most: int) -> np.ndarray:
    """Return at most `most` of n rows, evenly spread, rising."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)


def _most_points(config: TrainConfig) -> int:
    """Return how many points leave a frame below MOST_BYTES, whatever is in it."""
    d, k = config.vae.latent_dim, config.joint.n_components
    left = MOST_BYTES - _HEADER_BYTES - 40 * d - N_IMAGES * _BYTES_OF_IMAGE
    if config.joint_epochs:
        left -= k * (2 * d + 8)
        left -= 2 * k * d * d * _has_covariances(config)
        left -= k * _BYTES_OF_IMAGE * _has_component_images(config)
    return max(1, int(left / (2 * d + 2)))


def _has_covariances(config: TrainConfig) -> bool:
    return config.joint.n_components * config.vae.latent_dim**2 <= _MOST_COVARIANCES


def _has_component_images(config: TrainConfig) -> bool:
    return config.joint.n_components <= _MOST_COMPONENT_IMAGES


def _marginals(prior: Prior | None, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the prior along each latent, each of shape (D,)."""
    if prior is None:
        return like.new_zeros(like.shape[1]), like.new_ones(like.shape[1])
    weights = (prior.weights / prior.weights.sum())[:, None]
    mean = (weights * prior.means).sum(0)
    within = _covariances(prior).diagonal(dim1=-2, dim2=-1)
    variance = (weights * (within + (prior.means - mean).square())).sum(0)
    return mean, variance.sqrt()


def _covariances(prior: Prior) -> Tensor:
    """Return the components' covariances, shape (K, D, D)."""
    roots = prior.precisions_cholesky
    identity = torch.eye(roots.shape[-1], device=roots.device, dtype=roots.dtype)
    inverse = torch.linalg.solve_triangular(roots, identity.expand_as(roots), upper=True)
    return inverse.mT @ inverse


def _majorities(components: np.ndarray, labels: np.ndarray | None, n: int) -> np.ndarray:
    """Return the commonest label of each component's points, -1 where there is none, shape (K,)."""
    found = np.full(n, -1, np.int32)
    if labels is not None:
        for component in np.unique(components):
            found[component] = np.bincount(labels[components == component]).argmax()
    return found


def _as_bytes(pixels: Tensor) -> np.ndarray:
    return np.rint(_finite(pixels).clip(0, 1) * 255).astype(np.uint8)


def _as_halves(values: Tensor) -> np.ndarray:
    return _finite(values).clip(-_LARGEST_HALF, _LARGEST_HALF).astype(np.float16)


def _finite(values: Tensor) -> np.ndarray:
    """Return what JSON, images and axes can be made of, whatever a training has come to."""
    return np.nan_to_num(values.cpu().numpy(), posinf=_LARGEST_HALF, neginf=-_LARGEST_HALF)


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None

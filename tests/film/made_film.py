"""A film of a training that never was: ten clouds that part while their digits come out."""

from __future__ import annotations

import numpy as np

from vaegmm.film import Film, Frame

_SIDE = 28
LATENT_DIM = 8
N_COMPONENTS = 10


def made_film(epochs: int = 8, n_points: int = 300, title: str = "Made up") -> Film:
    """Make a film with steps, epochs, four starts and a joint stage in its second half.

    The same arguments make the same film.
    """
    generator = np.random.default_rng(0)
    labels = (np.arange(n_points) % N_COMPONENTS).astype(np.int32)
    drawn = _digits()
    images = drawn[np.arange(24) % N_COMPONENTS]
    homes = generator.normal(0, 2, (N_COMPONENTS, LATENT_DIM))
    places = generator.normal(0, 1, (n_points, LATENT_DIM))
    joint = epochs // 2
    opening = Frame(
        {
            "kind": "film",
            "title": title,
            "data": "digits",
            "label_names": [str(digit) for digit in range(10)],
            "epochs": epochs,
            "steps": 40,
            "joint_epochs": joint,
            "latent_dim": LATENT_DIM,
            "n_components": N_COMPONENTS,
            "starts_by": "information",
        },
        {
            "images": images,
            "image_labels": (np.arange(24) % N_COMPONENTS).astype(np.int32),
            "labels": labels,
        },
    )

    def frame(kind: str, epoch: int, step: int) -> Frame:
        done = (epoch - 1 + step / 40) / epochs
        is_joint = epoch > epochs - joint
        latents = homes[labels] * done + places * (1 - 0.6 * done)
        axes = np.linalg.svd(latents - latents.mean(0), full_matrices=False)[2][:2]
        axes *= np.where(axes[:, :1] < 0, -1, 1)
        blurred = drawn.mean(0) * (1 - done) + images * done
        arrays = {
            "reconstructions": blurred.astype(np.uint8),
            "latents": latents.astype(np.float16),
            "axes": axes.astype(np.float32),
            "centre": latents.mean(0).astype(np.float32),
        }
        if is_joint and kind == "epoch":
            arrays |= {
                "weights": np.full(N_COMPONENTS, 0.1, np.float32),
                "means": (homes * done).astype(np.float16),
                "covariances": np.tile(
                    np.eye(LATENT_DIM) * (1 - 0.6 * done) ** 2, (N_COMPONENTS, 1, 1)
                ).astype(np.float16),
                "components": labels.astype(np.uint16),
                "component_labels": np.arange(N_COMPONENTS, dtype=np.int32),
                "component_images": (drawn.mean(0) * (1 - done) + drawn * done).astype(np.uint8),
            }
        header = _header(kind, epoch, step, done)
        return Frame(header | {"information": 2.1 if is_joint else None}, arrays)

    frames = [frame("step", 1, step) for step in (0, 1, 3, 10, 30)]
    for epoch in range(1, epochs + 1):
        if epoch == epochs - joint + 1:
            frames += [_start(epoch, tried, drawn, epochs) for tried in range(1, 5)]
        frames.append(frame("epoch", epoch, 40))
    return Film(opening, frames)


def _header(kind: str, epoch: int, step: int, done: float) -> dict[str, object]:
    is_epoch = kind == "epoch"
    return {
        "kind": kind,
        "epoch": epoch,
        "step": step,
        "seconds": round(30 * done, 3),
        "cross_entropy": 80 + 460 * 0.02 ** min(1.0, 3 * done),
        "kl": 20 * min(1.0, 5 * done),
        "kl_weight": min(1.0, 2 * done),
        "validation_cross_entropy": 82 + 460 * 0.02 ** min(1.0, 3 * done) if is_epoch else None,
        "validation_kl": 20 * min(1.0, 5 * done) if is_epoch else None,
        "restarts": 0,
        "kl_per_latent": [3 * done * (latent < 7) for latent in range(LATENT_DIM)],
        "in_use": [done > 0.02 * (latent + 1) and latent < 7 for latent in range(LATENT_DIM)],
        "information": None,
    }


def _start(epoch: int, tried: int, drawn: np.ndarray, epochs: int) -> Frame:
    starts = [1.4, 1.9, 1.7, 2.1][:tried]
    header = _header("start", epoch, 0, (epoch - 1) / epochs)
    images = (drawn * max(starts) / 2.3).astype(np.uint8)
    return Frame(
        header | {"starts": starts, "information": max(starts)},
        {
            "component_images": images,
            "component_labels": np.arange(N_COMPONENTS, dtype=np.int32),
        },
    )


def _digits() -> np.ndarray:
    """Ten pictures that differ, shape (10, 784): rings of the digits' sizes, cut open."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE] - (_SIDE - 1) / 2
    pictures = []
    for digit in range(N_COMPONENTS):
        ring = np.exp(-((np.hypot(rows, columns) - 3 - 0.7 * digit) ** 2))
        angle = np.arctan2(rows, columns) + np.pi
        pictures.append(255 * ring * (angle > 0.4 * digit))
    return np.array(pictures).reshape(N_COMPONENTS, -1).astype(np.uint8)

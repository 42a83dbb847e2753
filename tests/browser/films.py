"""Films made up for tests: as a training writes them, without one."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaegmm.film.file import MAGIC, Frame, encode

SIDE = 28


def block(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Return a block of a film."""
    return encode(Frame(header, arrays))


def made_up(
    *,
    epochs: int = 4,
    joint_epochs: int = 2,
    n_samples: int = 24,
    n_points: int = 300,
    dimension: int = 4,
    n_components: int = 3,
    has_labels: bool = True,
    title: str = "Made up",
    seed: int = 0,
) -> list[bytes]:
    """Make a film in which clouds part and images clear up: the film's block, then each frame's."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_components, n_points).astype(np.int32)
    goals = random.normal(size=(n_components, dimension)) * 3
    noise = random.normal(size=(n_points, dimension))
    image_labels = (np.arange(n_samples) % n_components).astype(np.int32)
    images = np.stack([_ring(label, random.uniform(-3, 3, 2)) for label in image_labels])
    header = {
        **{"kind": "film", "title": title, "data": "digits", "epochs": epochs, "steps": 100},
        **{"label_names": [str(label) for label in range(n_components)]},
        **{"joint_epochs": joint_epochs, "latent_dim": dimension, "n_components": n_components},
    }
    arrays: dict[str, np.ndarray] = {"images": images.astype(np.uint8)}
    if has_labels:
        arrays |= {"image_labels": image_labels, "labels": labels}
    else:
        header["label_names"] = []
    moments: list[tuple[str, int, int]] = [("step", 1, step) for step in (0, 1, 3, 10, 30)]
    for epoch in range(1, epochs + 1):
        if epoch == epochs - joint_epochs + 1:
            moments += [("start", epoch, start) for start in range(1, 5)]
        moments.append(("epoch", epoch, 100))
    information = np.round(random.uniform(1, 2, 4), 3).tolist()
    blocks = [MAGIC + block(header, arrays)]
    components = np.stack([_ring(k, np.zeros(2)) for k in range(n_components)])
    for number, (kind, epoch, step) in enumerate(moments):
        share = (number + 1) / len(moments)
        kl = (np.arange(dimension, 0, -1) * share).round(3)
        said = {
            **{"kind": kind, "epoch": epoch, "step": 0 if kind == "start" else step},
            **{"seconds": 0.5 * number, "cross_entropy": 200 - 100 * share},
            **{"kl": float(kl.sum()), "kl_weight": 1.0, "restarts": 0, "information": None},
            **{"validation_cross_entropy": 202 - 100 * share if kind == "epoch" else None},
            **{"validation_kl": float(kl.sum()) if kind == "epoch" else None},
            **{"kl_per_latent": kl.tolist(), "in_use": (kl > 0.5).tolist(), "starts": []},
        }
        if kind == "start":
            said |= {"starts": information[:step], "information": max(information[:step])}
            blocks.append(block(said, {"component_images": components.astype(np.uint8)}))
            continue
        clouds = goals[labels] * share
        latents = clouds + noise * (0.3 + 0.7 * share)
        angle = 0.2 * number
        axes = np.zeros((2, dimension), np.float32)
        axes[:, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        blurred = images * share + images.mean(0) * (1 - share)
        arrays = {
            "reconstructions": blurred.astype(np.uint8),
            "latents": latents.astype(np.float16),
            "axes": axes,
            "centre": latents.mean(0).astype(np.float32),
        }
        if epoch > epochs - joint_epochs:
            arrays |= {
                "weights": np.full(n_components, 1 / n_components, np.float16),
                "means": (goals * share).astype(np.float16),
                "covariances": np.stack([np.eye(dimension) * 0.9] * n_components).astype("f2"),
                "components": labels.astype(np.uint16),
                "component_labels": np.arange(n_components, dtype=np.int32)
                if has_labels
                else np.full(n_components, -1, np.int32),
                "component_images": components.astype(np.uint8),
            }
        blocks.append(block(said, arrays))
    return blocks


def _ring(label: np.int32 | int, shift: np.ndarray) -> np.ndarray:
    """Draw a ring, wider for each label, moved a little: shape (784,)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    far = np.hypot(rows - 13.5 - shift[0], columns - 13.5 - shift[1])
    return (255 * np.exp(-((far - 4 - 2.0 * label) ** 2) / 3)).reshape(-1)

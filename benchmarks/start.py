"""The default start beside k-means: stripes, scikit-learn's examples, latent vectors, and its cost.

    python benchmarks/start.py                                        # stripes, examples and cost
    python benchmarks/start.py --model checkpoints/mnist.safetensors  # and the model's stored z

For each data set and seed both starts are followed by EM until it stands still; what is printed is
how much higher, in nats a point, the default start ends: at worst, and on average over the seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.metrics import adjusted_rand_score

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from em import ITERATIONS, make_points, make_start, measure_start  # noqa: E402

from vaegmm.mixture import GaussianMixture  # noqa: E402


def stripes(seed: int) -> Any:
    """Four parallel stripes of 500 points, 10 : 0.3, 2 apart."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(500, 2)) * [10, 0.3] + [0, 2 * k] for k in range(4)])


def examples() -> dict[str, tuple[Any, int]]:
    """The data sets of scikit-learn's examples of mixtures and of clustering, and K."""
    rng = np.random.RandomState(0)
    oblong = rng.randn(500, 2) @ [[0.0, -0.1], [1.7, 0.4]]
    selection = np.r_[oblong, 0.7 * rng.randn(500, 2) + [-6, 3]]
    pdf = np.r_[rng.randn(300, 2) + 20, rng.randn(300, 2) @ [[0.0, -0.7], [3.5, 0.7]]]
    x = np.arange(100) * 4 * np.pi / 100 - 6
    sine = np.c_[x + 0.1 * rng.randn(100), 3 * (np.sin(x) + 0.2 * rng.randn(100))]
    aniso = datasets.make_blobs(500, random_state=170)[0] @ [[0.6, -0.6], [-0.4, 0.8]]
    spreads = [1.0, 2.5, 0.5]
    return {
        "iris (gmm_covariances)": (datasets.load_iris().data, 3),
        **{f"gmm_selection, K = {k}": (selection, k) for k in range(2, 7)},
        "gmm_pdf": (pdf, 2),
        "gmm_sin": (sine, 10),
        "gmm_init": (datasets.make_blobs(4000, centers=4, cluster_std=0.6, random_state=0)[0], 4),
        "circles": (datasets.make_circles(500, factor=0.5, noise=0.05, random_state=30)[0], 2),
        "moons": (datasets.make_moons(500, noise=0.05, random_state=30)[0], 2),
        "blobs": (datasets.make_blobs(500, random_state=30)[0], 3),
        "no structure": (np.random.RandomState(30).rand(500, 2), 3),
        "anisotropic": (aniso, 3),
        "varied": (datasets.make_blobs(500, cluster_std=spreads, random_state=170)[0], 3),
    }


def gains(points: Any, n_components: int, seeds: int, **params: Any) -> list[float]:
    """How much higher the default start ends than k-means, in nats, one a seed."""
    found = []
    for seed in range(seeds):
        bounds = [
            GaussianMixture(n_components, init_params=kind, random_state=seed, **params)
            .fit(points)
            .lower_bound_
            for kind in ("auto", "kmeans")
        ]
        found.append(bounds[0] - bounds[1])
    return found


def cost(n_components: int, repeats: int) -> tuple[float, float]:
    """CPU seconds of the default start, and of 50 iterations, on the points of em.py."""
    points = make_points()
    start = make_start(points, n_components)
    mixture = GaussianMixture(
        n_components,
        tol=0,
        max_iter=ITERATIONS[n_components],
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(start.covariances),
    )
    seconds = []
    for _ in range(repeats):
        before = time.process_time()
        mixture.fit(points)
        seconds.append((time.process_time() - before) * 50 / ITERATIONS[n_components])
    return measure_start(points, n_components, repeats), min(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--types", nargs="+", default=["full", "tied", "diag", "spherical"])
    parser.add_argument("--components", nargs="+", type=int, default=[10, 100, 200])
    parser.add_argument("--model", type=Path, help="a checkpoint, for its stored z")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 100], help="K for its z")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    truth = np.repeat(np.arange(4), 500)
    for kind in ("auto", "kmeans"):
        agreement = [
            adjusted_rand_score(
                truth, GaussianMixture(4, init_params=kind, random_state=s).fit_predict(stripes(s))
            )
            for s in range(10)
        ]
        found = sum(value > 0.95 for value in agreement)
        print(f"stripes, {kind}: found in {found} of 10 seeds", flush=True)
    for covariance_type in arguments.types:
        for name, (points, n_components) in examples().items():
            gain = gains(points, n_components, arguments.seeds, covariance_type=covariance_type)
            print(
                f"{covariance_type}, {name}: at worst {min(gain):+.4f}, mean {np.mean(gain):+.4f}",
                flush=True,
            )
    for n_components in arguments.components:
        start, fit = cost(n_components, arguments.repeats)
        print(
            f"K = {n_components}: start {start:.3f} CPU s, 50 iterations on 60,000 x 8 {fit:.3f}: "
            f"{start / fit:.3f} of it",
            flush=True,
        )
    if arguments.model:
        import vaegmm

        latents = vaegmm.load(arguments.model).latents.astype(np.float64)
        for n_components in arguments.sizes:
            gain = gains(latents, n_components, arguments.seeds)
            print(
                f"z, K = {n_components}: at worst {min(gain):+.4f}, mean {np.mean(gain):+.4f}, "
                f"seeds {[round(value, 4) for value in gain]}",
                flush=True,
            )


if __name__ == "__main__":
    main()

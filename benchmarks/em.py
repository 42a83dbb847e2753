"""EM beside its peers: CPU time, likelihood and memory, from identical parameters.

    python benchmarks/em.py                          # everything that is installed, to the terminal
    python benchmarks/em.py --markdown docs/benchmarks-em.md
    python benchmarks/em.py --components 10 --libraries vaegmm scikit-learn --cores 1

Every library runs the same number of iterations on the same points from the same weights, means
and covariances, full covariances, float64, in a process of its own that is pinned to as many
cores as it has threads. What it then holds is scored by one and the same function. Peers are
scikit-learn, gmmx, pomegranate, torchgmm and tgmm, those of them that can be imported:
`pip install gmmx pomegranate torchgmm tgmm` adds the last four.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

N_POINTS, DIMENSION = 60_000, 8

#: Components to iterations: about as long for each, with the slowest peer.
ITERATIONS = {10: 50, 100: 10, 200: 5}

REG_COVAR = 1e-6


class Mixture(NamedTuple):
    """Parameters as arrays: (K,), (K, D), (K, D, D)."""

    weights: Any
    means: Any
    covariances: Any


def make_points() -> Any:
    """Thirty oblong clusters that overlap, seeded."""
    import numpy as np

    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(30, DIMENSION))
    roots = 0.6 * rng.normal(size=(30, DIMENSION, DIMENSION))
    labels = rng.integers(30, size=N_POINTS)
    noise = rng.normal(size=(N_POINTS, DIMENSION, 1))
    return centres[labels] + (roots[labels] @ noise)[..., 0]


def make_start(points: Any, n_components: int) -> Mixture:
    """Random points as means, a part of the data's covariance for each."""
    import numpy as np

    rng = np.random.default_rng(1)
    means = points[rng.choice(len(points), n_components, replace=False)]
    covariances = np.repeat(0.3 * np.cov(points.T)[None], n_components, axis=0)
    return Mixture(np.full(n_components, 1 / n_components), means, covariances)


# One function a library: it prepares what isn't to be timed and returns what is. ------------------

Fit = Callable[[], Mixture]


def vaegmm(points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare this project's mixture."""
    from vaegmm.mixture import GaussianMixture

    return _prepare(GaussianMixture, points, start, iterations)


def scikit_learn(points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare scikit-learn's mixture."""
    from sklearn.mixture import GaussianMixture

    return _prepare(GaussianMixture, points, start, iterations)


def _prepare(estimator: Any, points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare an estimator that has scikit-learn's interface."""
    import numpy as np

    mixture = estimator(
        len(start.weights),
        tol=0,
        max_iter=iterations,
        reg_covar=REG_COVAR,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(start.covariances),
    )

    def fit() -> Mixture:
        mixture.fit(points)
        return Mixture(mixture.weights_, mixture.means_, mixture.covariances_)

    return fit


def gmmx(points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare gmmx's mixture; its compilation isn't timed.

    It refuses float64, by a check that comes before anything is computed; without that check it
    computes in float64 throughout.
    """
    import jax
    import numpy as np
    from gmmx import EMFitter, GaussianMixtureModelJax, gmm

    if points.dtype == np.float64:
        jax.config.update("jax_enable_x64", True)
        gmm.check_shape = lambda array, expected: None
    parts = (start.means, start.covariances, start.weights)
    model = GaussianMixtureModelJax.from_squeezed(*(p.astype(points.dtype) for p in parts))
    fitter = EMFitter(tol=0, max_iter=iterations, reg_covar=REG_COVAR)
    on_device = jax.numpy.asarray(points)
    compiled = EMFitter.fit.lower(fitter, on_device, model).compile()

    def fit() -> Mixture:
        result = jax.block_until_ready(compiled(fitter, on_device, model))
        mixture = result.gmm
        assert mixture.means.dtype == points.dtype
        if int(result.n_iter) != iterations:  # it takes a standstill in float32 for the end
            raise RuntimeError(f"stopped after {result.n_iter} of {iterations} iterations")
        return Mixture(mixture.weights_numpy, mixture.means_numpy, mixture.covariances.values_numpy)

    return fit


def pomegranate(points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare pomegranate's mixture, which has no regularisation to set."""
    import numpy as np
    import torch
    from pomegranate.distributions import Normal
    from pomegranate.gmm import GeneralMixtureModel

    def fit() -> Mixture:
        parts = [
            Normal(torch.tensor(mean), torch.tensor(covariance), covariance_type="full")
            for mean, covariance in zip(start.means, start.covariances, strict=True)
        ]
        mixture = GeneralMixtureModel(
            parts, priors=torch.tensor(start.weights), max_iter=iterations, tol=-np.inf
        )
        mixture.fit(torch.from_numpy(points))
        return Mixture(
            mixture.priors.numpy(),
            np.stack([part.means.numpy() for part in mixture.distributions]),
            np.stack([part.covs.numpy() for part in mixture.distributions]),
        )

    return fit


def torchgmm(points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare torchgmm's model and its Lightning module, all points in one batch."""
    import logging

    import numpy as np
    import pytorch_lightning as lightning
    import torch
    from torchgmm.bayes.core import cholesky_precision
    from torchgmm.bayes.gmm.lightning_module import GaussianMixtureLightningModule
    from torchgmm.bayes.gmm.model import GaussianMixtureModel, GaussianMixtureModelConfig

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    def fit() -> Mixture:
        config = GaussianMixtureModelConfig(len(start.weights), points.shape[1], "full")
        model = GaussianMixtureModel(config).double()
        model.component_probs.copy_(torch.from_numpy(start.weights))
        model.means.copy_(torch.from_numpy(start.means))
        roots = cholesky_precision(torch.from_numpy(start.covariances), "full")
        model.precisions_cholesky.copy_(roots)
        module = GaussianMixtureLightningModule(
            model, convergence_tolerance=0, covariance_regularization=REG_COVAR
        ).double()
        batches: Any = [torch.from_numpy(points)]
        loader: Any = torch.utils.data.DataLoader(batches, batch_size=None)
        lightning.Trainer(
            max_epochs=iterations,
            accelerator="cpu",
            precision="64-true",
            logger=False,
            enable_progress_bar=False,
            enable_checkpointing=False,
            enable_model_summary=False,
        ).fit(module, loader)
        precision = np.linalg.inv(model.precisions_cholesky.numpy())
        covariances = np.swapaxes(precision, 1, 2) @ precision
        return Mixture(model.component_probs.numpy(), model.means.numpy(), covariances)

    return fit


def tgmm(points: Any, start: Mixture, iterations: int) -> Fit:
    """Prepare tgmm's mixture."""
    import torch
    from tgmm import GaussianMixture

    weights, means, covariances = (torch.tensor(part, dtype=torch.float64) for part in start)
    on_device = torch.from_numpy(points)

    def fit() -> Mixture:
        mixture = GaussianMixture(
            n_components=len(weights),
            n_features=means.shape[1],
            max_iter=iterations,
            tol=0,
            convergence="absolute",
            reg_covar=REG_COVAR,
            init_weights=weights.clone(),
            init_means=means.clone(),
            init_covariances=covariances.clone(),
            device="cpu",
        )
        mixture.fit(on_device)
        if int(mixture.n_iter_) != iterations:
            raise RuntimeError(f"stopped after {mixture.n_iter_} of {iterations} iterations")
        found = (mixture.weights_, mixture.means_, mixture.covariances_)
        return Mixture(*(part.detach().numpy() for part in found))

    return fit


Prepare = Callable[[Any, Mixture, int], Fit]


def in_float32(prepare: Prepare) -> Prepare:
    """The same library on points in float32."""
    return lambda points, start, iterations: prepare(points.astype("f"), start, iterations)


#: Name in the table, module to import, preparation.
LIBRARIES: dict[str, tuple[str, Prepare]] = {
    "vaegmm": ("vaegmm", vaegmm),
    "scikit-learn": ("sklearn", scikit_learn),
    "gmmx": ("gmmx", gmmx),
    "pomegranate": ("pomegranate", pomegranate),
    "torchgmm": ("torchgmm", torchgmm),
    "tgmm": ("tgmm", tgmm),
    "vaegmm, float32": ("vaegmm", in_float32(vaegmm)),
    "gmmx, float32": ("gmmx", in_float32(gmmx)),
}


# In the process that measures --------------------------------------------------------------------


def log_likelihood(points: Any, mixture: Mixture) -> float:
    """Mean log-likelihood in nats, by one function for all libraries."""
    import numpy as np
    import torch

    from vaegmm.gaussian import log_multivariate_normal

    weights, means, covariances = (
        torch.from_numpy(np.array(part, dtype=np.float64)) for part in mixture
    )
    roots = torch.linalg.inv(torch.linalg.cholesky(covariances)).mT
    total = 0.0
    for part in torch.from_numpy(points).split(2000):
        joint = log_multivariate_normal(part, means, roots) + weights.log()
        total += joint.logsumexp(1).sum().item()
    return total / len(points)


def reset_peak() -> float:
    """Start a new high-water mark; return the megabytes resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(key: str) -> float:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(key))
    return int(line.split()[1]) / 1024


def measure(library: str, n_components: int, repeats: int) -> dict[str, float]:
    """Fit a few times; the fastest one counts."""
    warnings.simplefilter("ignore")
    points = make_points()
    start = make_start(points, n_components)
    fit = LIBRARIES[library][1](points, start, ITERATIONS[n_components])
    fastest, wall = float("inf"), float("inf")
    before = reset_peak()
    for _ in range(repeats):
        cpu, clock = time.process_time(), time.perf_counter()
        mixture = fit()
        cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
        fastest, wall = min(fastest, cpu), min(wall, clock)
    peak = _memory("VmHWM") - before
    result = {"cpu_s": fastest, "wall_s": wall, "peak_mb": peak}
    result["log_likelihood"] = log_likelihood(points, mixture)
    if library == "vaegmm":
        result["start_s"] = measure_start(points, n_components, repeats)
    return result


def measure_start(points: Any, n_components: int, repeats: int) -> float:
    """CPU seconds of the default start."""
    import torch

    from vaegmm.mixture.chunks import Points
    from vaegmm.mixture.covariance import COVARIANCES
    from vaegmm.mixture.priors import Ridge
    from vaegmm.mixture.start import best_start, draw_sample
    from vaegmm.processes import ALONE

    fastest = float("inf")
    full, ridge = COVARIANCES["full"], Ridge(REG_COVAR)
    for _ in range(repeats):
        generator = torch.Generator().manual_seed(0)
        before = time.process_time()
        sample = draw_sample(Points(points), n_components, ALONE, generator)
        best_start(sample, n_components, full, ridge, REG_COVAR, generator, tol=1e-4)
        fastest = min(fastest, time.process_time() - before)
    return fastest


# In the process that reports ---------------------------------------------------------------------


def run(library: str, n_components: int, cores: list[int], repeats: int) -> dict[str, Any]:
    """Measure in a fresh process, pinned to the given cores, with as many threads."""
    threads = str(len(cores))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, threads)}
    environment["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen={'true' if len(cores) > 1 else 'false'}"
    )
    command = [sys.executable, __file__, "--measure", library, str(n_components), str(repeats)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return {"error": reason[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(n_components: int, n_cores: int, results: dict[str, dict[str, Any]]) -> str:
    """One Markdown table: a row for each library."""
    iterations = ITERATIONS[n_components]
    reference = results.get("scikit-learn", {})
    ours = results.get("vaegmm", {})
    cores = "one core" if n_cores == 1 else f"{n_cores} cores"
    lines = [
        f"### K = {n_components}, {iterations} iterations, {cores}",
        "",
        "| library | CPU s | s elapsed | CPU ms an iteration | vaegmm is faster by | "
        "log-likelihood − scikit-learn's | memory beyond the data, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for library, result in results.items():
        if "error" in result:
            lines.append(f"| {library} | failed: {result['error'][:120]} | | | | | |")
            continue
        ratio = f"{result['cpu_s'] / ours['cpu_s']:.1f}×" if "cpu_s" in ours else "–"
        difference = "–"
        if "log_likelihood" in reference:
            difference = f"{result['log_likelihood'] - reference['log_likelihood']:+.1e}"
        lines.append(
            f"| {library} | {result['cpu_s']:.2f} | {result['wall_s']:.2f} "
            f"| {1000 * result['cpu_s'] / iterations:.1f} | {'' if library == 'vaegmm' else ratio} "
            f"| {difference} | {result['peak_mb']:.0f} |"
        )
    if "start_s" in ours:
        share = ours["start_s"] / (ours["cpu_s"] / iterations)
        lines += [
            "",
            f"The default start takes {ours['start_s']:.2f} CPU s: {share:.1f} iterations.",
        ]
    return "\n".join(lines) + "\n"


def machine(libraries: list[str]) -> str:
    """What the figures depend on."""
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    cpu = names[0].split(":")[1].strip() if names else platform.processor()
    packages = ["torch", "numpy"]
    packages += [x for x in libraries if x != "vaegmm" and not x.endswith("float32")]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return f"{cpu}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}."


def main() -> None:
    """Measure, print, and write the table where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libraries", nargs="+", choices=list(LIBRARIES), default=list(LIBRARIES))
    parser.add_argument("--components", nargs="+", type=int, default=[10, 100, 200])
    parser.add_argument("--cores", nargs="+", type=int, default=None, help="numbers of cores")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        library, n_components, repeats = arguments.measure
        print(json.dumps(measure(library, int(n_components), int(repeats))))
        return
    if unknown := set(arguments.components) - set(ITERATIONS):
        parser.error(f"--components must be among {list(ITERATIONS)}; got {sorted(unknown)}.")
    available = sorted(os.sched_getaffinity(0))
    installed = [x for x in arguments.libraries if importlib.util.find_spec(LIBRARIES[x][0])]
    sections = [
        "# EM beside its peers",
        f"{N_POINTS:,} points of {DIMENSION} columns, full covariances, float64; the same start "
        "and the same number of iterations for all. Time is that of the fastest of "
        f"{arguments.repeats} fits. gmmx refuses float64; it is measured with that check lifted, "
        "and both in float32 besides. pomegranate adds nothing to a variance. Made by "
        "`python benchmarks/em.py --markdown docs/benchmarks-em.md`.",
        machine(installed),
    ]
    if missing := [x for x in arguments.libraries if x not in installed]:
        sections.append(f"Not installed, so not measured: {', '.join(missing)}.")
    print("\n\n".join(sections) + "\n", flush=True)
    for n_cores in arguments.cores or range(1, min(2, len(available)) + 1):
        for n_components in arguments.components:
            results = {
                library: run(library, n_components, available[-n_cores:], arguments.repeats)
                for library in installed
            }
            sections.append(table(n_components, n_cores, results))
            print(sections[-1], flush=True)
    if arguments.markdown:
        arguments.markdown.write_text("\n\n".join(sections))


if __name__ == "__main__":
    main()

"""What each library of Gaussian mixtures can do: every tick is a call that was made here.

    python benchmarks/features.py            # all that can be imported
    python benchmarks/features.py --why      # and why there is no tick

A feature is tried on small data by the library's own way to it, and its result is looked at: a call
that fails, or returns what it should not, is no tick. Peers are scikit-learn, tgmm, gmmx,
pomegranate and torchgmm, those of them that can be imported.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1], 100)
POINTS = np.array([[0.0, 0.0, 0.0], [6.0, 6.0, 6.0]])[LABELS] + RNG.normal(size=(200, 3))
HOLES = np.where(RNG.random(POINTS.shape) < 0.2, np.nan, POINTS)
HOLES[np.isnan(HOLES).all(1), 0] = 3.0  # tgmm takes no points of which nothing is known
KNOWN = np.where(np.arange(200) % 20 == 0, LABELS, -1)
TENSOR = torch.from_numpy(POINTS)
STRIPES = [
    np.concatenate(
        [np.random.default_rng(s).normal(size=(500, 2)) * [10, 0.3] + [0, 2 * k] for k in range(4)]
    )
    for s in range(10)
]

Try = Callable[[], object]
Tries = dict[str, Try]

FEATURES = {
    "types": "full, tied, diagonal and spherical covariances",
    "weights": "weights of points",
    "starts": "best of several starts",
    "stripes": "four stripes found by default in 9 of 10 seeds",
    "memory": "points from files, never in memory as a whole",
    "partial_fit": "online EM on a stream (`partial_fit`)",
    "missing": "missing values in the fit",
    "impute": "conditional means of what is missing",
    "labels": "some labels known",
    "condition": "conditional mixtures",
    "prior": "a prior over means and covariances",
    "select": "best K and type in one call",
    "history": "progress of every iteration",
    "sklearn": "clones, and takes part in a grid search of scikit-learn",
}


def require(condition: Any) -> None:
    """Refuse a result that isn't what was asked for."""
    if not bool(condition):
        raise RuntimeError("the result is not what was asked for")


def finite(values: Any) -> None:
    """Refuse what isn't finite."""
    require(np.isfinite(np.asarray(values)).all())


def separates(labels: Any, points_known: Any = LABELS) -> None:
    """Refuse labels that don't tell the two clusters apart."""
    require(adjusted_rand_score(points_known, np.asarray(labels)) > 0.9)


def finds_stripes(fit_predict: Callable[[Any, int], Any]) -> None:
    """Refuse less than nine of ten."""
    truth = np.repeat(np.arange(4), 500)
    found = [
        adjusted_rand_score(truth, np.asarray(fit_predict(x, s))) for s, x in enumerate(STRIPES)
    ]
    require(sum(value > 0.95 for value in found) >= 9)


def from_files(fit: Callable[[Any], Any]) -> None:
    """Fit to the paths of two files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{i}.npy" for i in range(2)]
        for path, part in zip(paths, np.split(POINTS[::2], 2), strict=True):
            np.save(path, part)
        fit(paths)


def searched(estimator: Any) -> None:
    """Clone, and search over K."""
    search = GridSearchCV(clone(estimator), {"n_components": [1, 2]}, cv=2)
    require(search.fit(POINTS[RNG.permutation(200)]).best_params_ == {"n_components": 2})


def vaegmm() -> Tries:
    """How this project does it."""
    from vaegmm.mixture import GaussianMixture, NormalInverseWishart, select_components

    def online() -> None:
        mixture = GaussianMixture(2)
        for part in np.array_split(POINTS[np.random.default_rng(1).permutation(200)], 4):
            mixture.partial_fit(part)
        separates(mixture.predict(POINTS))

    def labelled() -> None:
        mixture = GaussianMixture(2, component_labels="auto").fit(POINTS, KNOWN)
        require((mixture.component_labels_[mixture.predict(POINTS)] == LABELS).all())

    def history() -> None:
        seen: list[Any] = []
        GaussianMixture(2).fit(POINTS, progress=seen.append)
        require(len(seen) > 1)

    fitted = GaussianMixture(2).fit(POINTS)
    kinds: Any = ("full", "tied", "diag", "spherical")
    return {
        "types": lambda: [GaussianMixture(2, covariance_type=t).fit(POINTS) for t in kinds],
        "weights": lambda: GaussianMixture(2).fit(POINTS, sample_weight=LABELS + 1.0),
        "starts": lambda: GaussianMixture(2, n_init=3).fit(POINTS),
        "stripes": lambda: finds_stripes(
            lambda x, seed: GaussianMixture(4, random_state=seed).fit_predict(x)
        ),
        "memory": lambda: from_files(GaussianMixture(2).fit),
        "partial_fit": online,
        "missing": lambda: separates(GaussianMixture(2).fit(HOLES).predict(POINTS)),
        "impute": lambda: finite(fitted.impute(HOLES)),
        "labels": labelled,
        "condition": lambda: require(fitted.condition({0: 6.0}).means_.shape == (2, 2)),
        "prior": lambda: GaussianMixture(2, prior=NormalInverseWishart()).fit(POINTS),
        "select": lambda: require(
            select_components(POINTS, (1, 2, 3), ("full", "diag")).best.n_components == 2
        ),
        "history": history,
        "sklearn": lambda: searched(GaussianMixture()),
    }


def scikit_learn() -> Tries:
    """How scikit-learn does it, or would."""
    from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

    kinds = ("full", "tied", "diag", "spherical")
    fitted = GaussianMixture(2).fit(POINTS)
    return {
        "types": lambda: [GaussianMixture(2, covariance_type=t).fit(POINTS) for t in kinds],
        "weights": lambda: fitted.fit(POINTS, sample_weight=LABELS + 1.0),
        "starts": lambda: GaussianMixture(2, n_init=3).fit(POINTS),
        "stripes": lambda: finds_stripes(
            lambda x, seed: GaussianMixture(4, random_state=seed).fit_predict(x)
        ),
        "memory": lambda: from_files(fitted.fit),
        "partial_fit": lambda: fitted.partial_fit(POINTS),
        "missing": lambda: fitted.fit(HOLES),
        "prior": lambda: BayesianGaussianMixture(n_components=2, mean_prior=[0, 0, 0]).fit(POINTS),
        "sklearn": lambda: searched(GaussianMixture()),
    }


def tgmm() -> Tries:
    """How tgmm does it."""
    from tgmm import GaussianMixture
    from tgmm.model_selection import select_model

    def new(n_components: int = 2, **params: Any) -> Any:
        return GaussianMixture(n_components=n_components, device="cpu", **params)

    fitted = new(random_state=0).fit(TENSOR)
    holes = torch.from_numpy(HOLES)

    def online() -> None:
        mixture = new(random_state=0).fit(TENSOR[::2])
        mixture.partial_fit(TENSOR[1::2])
        separates(mixture.predict(TENSOR))

    def labelled() -> None:
        mixture = new(random_state=0).fit(TENSOR, labels=torch.from_numpy(KNOWN))
        require((np.asarray(mixture.predict_class(TENSOR)) == LABELS).all())

    def missing() -> Any:
        mixture = new(random_state=0, missing="em").fit(holes)
        separates(mixture.predict(TENSOR))
        return mixture

    kinds = ("full", "tied_full", "diag", "spherical")
    weights = torch.from_numpy(LABELS + 1.0)
    prior: dict[str, Any] = {
        "mean_prior": torch.zeros(2, 3).double(),
        "mean_precision_prior": 0.1,
        "covariance_prior": torch.eye(3).double().repeat(2, 1, 1),
        "degrees_of_freedom_prior": 6.0,
    }
    return {
        "types": lambda: [new(covariance_type=t).fit(TENSOR) for t in kinds],
        "weights": lambda: new().fit(TENSOR, sample_weight=weights),
        "starts": lambda: new(n_init=3).fit(TENSOR),
        "stripes": lambda: finds_stripes(
            lambda x, seed: (
                new(4, random_state=seed).fit(torch.from_numpy(x)).predict(torch.from_numpy(x))
            )
        ),
        "memory": lambda: from_files(new().fit),
        "partial_fit": online,
        "missing": missing,
        "impute": lambda: finite(missing().impute(holes)),
        "labels": labelled,
        "condition": lambda: finite(fitted.condition(TENSOR[:1, :1], [0]).mean()),
        "prior": lambda: new(n_features=3, **prior).fit(TENSOR),
        "select": lambda: require(
            select_model(TENSOR, (1, 2, 3), ("full", "diag"), random_state=0).best_.n_components
            == 2
        ),
        "sklearn": lambda: searched(new()),
    }


def gmmx() -> Tries:
    """How gmmx does it."""
    import jax
    from gmmx import EMFitter, GaussianMixtureModelJax

    points = jax.numpy.asarray(POINTS.astype("f"))

    def start(kind: str = "full") -> Any:
        means, weights = POINTS[[0, 150]], np.array([0.5, 0.5])
        shapes: dict[str, Any] = {"full": np.eye(3), "diag": np.ones(3), "spherical": 1.0}
        shape = shapes.get(kind, np.eye(3))
        covariances = shape if kind == "tied" else np.stack([shape, shape])
        parts = (part.astype("f") for part in (means, covariances, weights))
        return GaussianMixtureModelJax.from_squeezed(*parts, covariance_type=kind)

    def types() -> None:
        for kind in ("full", "tied", "diag", "spherical"):
            EMFitter().fit(points, start(kind))

    fitter: Any = EMFitter()
    return {
        "types": types,
        "weights": lambda: fitter.fit(points, start(), sample_weight=LABELS + 1.0),
        "missing": lambda: finite(
            fitter.fit(jax.numpy.asarray(HOLES.astype("f")), start()).gmm.means_numpy
        ),
        "partial_fit": lambda: fitter.partial_fit(points),
    }


def pomegranate() -> Tries:
    """How pomegranate does it."""
    from pomegranate.distributions import Normal
    from pomegranate.gmm import GeneralMixtureModel

    def new(k: int = 2, kind: str = "full", **params: Any) -> Any:
        return GeneralMixtureModel(
            [Normal(covariance_type=kind) for _ in range(k)], random_state=0, **params
        )

    single = TENSOR.float()

    def online() -> None:
        mixture = new(inertia=0.3).fit(single[::2])
        mixture.summarize(single[1::2])
        mixture.from_summaries()
        separates(mixture.predict(single))

    def missing() -> None:
        holes = torch.from_numpy(HOLES).float()
        mixture = new().fit(torch.masked.masked_tensor(holes.nan_to_num(), ~holes.isnan()))
        separates(mixture.predict(single))

    def labelled() -> None:
        priors = torch.full((200, 2), 0.5)
        for label in (0, 1):
            priors[label == KNOWN] = torch.eye(2)[label]
        mixture = new().fit(single, priors=priors)
        require((np.asarray(mixture.predict(single, priors=priors)) == LABELS).mean() > 0.9)

    return {
        "types": lambda: [new(kind=t).fit(single) for t in ("full", "tied", "diag", "sphere")],
        "weights": lambda: new().fit(single, sample_weight=torch.from_numpy(LABELS + 1.0).float()),
        "starts": lambda: GeneralMixtureModel([Normal(), Normal()], n_init=3).fit(single),
        "stripes": lambda: finds_stripes(
            lambda x, seed: (
                new(4).fit(torch.from_numpy(x).float()).predict(torch.from_numpy(x).float())
            )
        ),
        "partial_fit": online,
        "missing": missing,
        "labels": labelled,
        "sklearn": lambda: searched(new()),
    }


def torchgmm() -> Tries:
    """How torchgmm does it."""
    from torchgmm.bayes import GaussianMixture

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    options = {"accelerator": "cpu", "enable_progress_bar": False, "logger": False}
    options |= {"enable_model_summary": False, "enable_checkpointing": False}
    single = TENSOR.float()

    def new(k: int = 2, **params: Any) -> Any:
        return GaussianMixture(k, trainer_params=options, **params)

    kinds = ("full", "tied", "diag", "spherical")
    return {
        "types": lambda: [new(covariance_type=t).fit(single) for t in kinds],
        "weights": lambda: new().fit(single, sample_weight=LABELS + 1.0),
        "starts": lambda: GaussianMixture(2, n_init=3).fit(single),
        "stripes": lambda: finds_stripes(
            lambda x, seed: new(4, covariance_type="full").fit_predict(torch.from_numpy(x).float())
        ),
        "missing": lambda: separates(new().fit(torch.from_numpy(HOLES).float()).predict(single)),
        "partial_fit": lambda: new().partial_fit(single),
        "sklearn": lambda: searched(new()),
    }


#: Name in the table, module to import, tries.
LIBRARIES: dict[str, tuple[str, Callable[[], Tries]]] = {
    "vaegmm": ("vaegmm", vaegmm),
    "scikit-learn": ("sklearn", scikit_learn),
    "tgmm": ("tgmm", tgmm),
    "gmmx": ("gmmx", gmmx),
    "pomegranate": ("pomegranate", pomegranate),
    "torchgmm": ("torchgmm", torchgmm),
}


def tried(tries: Tries, feature: str) -> str:
    """An empty string if it works, else why it doesn't."""
    if feature not in tries:
        return "has no such thing"
    try:
        tries[feature]()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
    return ""


def main() -> None:
    """Try everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--why", action="store_true", help="say what happened where there's no tick"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    results: dict[str, dict[str, str]] = {}
    for name, (module, tries) in LIBRARIES.items():
        if importlib.util.find_spec(module) is None:
            continue
        version = importlib.metadata.version(name)
        own = tries()
        results[f"{name} {version}"] = {feature: tried(own, feature) for feature in FEATURES}
    print("| | " + " | ".join(results) + " |")
    print("|---|" + ":---:|" * len(results))
    for feature, title in FEATURES.items():
        ticks = ("✓" if not found[feature] else "" for found in results.values())
        print(f"| {title} | {' | '.join(ticks)} |")
    if arguments.why:
        for name, found in results.items():
            for feature, reason in found.items():
                if reason:
                    print(f"{name}, {feature}: {reason}")


if __name__ == "__main__":
    main()

"""EM in the page, held to Python's: the same points and the same start give the same iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vaegmm import GaussianMixture
from vaegmm.mixture import record

if TYPE_CHECKING:
    from modules import Modules

RUN = """
async ({ z, means, settings, maxIter }) => {
  const em = await import("/model/em.js");
  const { beginAt } = await import("/model/starts.js");
  const k = settings.nComponents;
  let now = beginAt(z, means, settings);
  const frames = [now], bounds = [], likelihoods = [], begun = [];
  for (let t = 0; t < maxIter; t++) {
    const e = em.eStep(em.mixtureOf(now), z);
    const next = em.mStep(z, e.responsibilities, k, settings, now.means);
    likelihoods.push(e.logLikelihood);
    bounds.push(em.lowerBound(now, next, e.logLikelihood, settings.regCovar));
    begun.push(em.reseed(next, z, e.logLikelihoods));
    frames.push((now = next));
  }
  likelihoods.push(em.eStep(em.mixtureOf(now), z).logLikelihood);
  return { frames, bounds, likelihoods, begun, n: em.nParameters(k, 3, settings.covarianceType) };
}
"""


@pytest.fixture(scope="module")
def z() -> np.ndarray:
    """Three groups of points in space, in float32 as a page has them."""
    rng = np.random.default_rng(1)
    groups = [rng.normal(size=(100, 3)) * [1, 0.5, 2] + middle for middle in (0, 3, 6)]
    return np.concatenate(groups).astype(np.float32)


def in_page(modules: Modules, z: np.ndarray, means: np.ndarray, **settings: Any) -> Any:
    """Five iterations of EM in the page."""
    settings = {"nComponents": len(means), **settings}
    return modules.run(RUN, z=z, means=means, settings=settings, maxIter=5)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_iterations_are_python_s(modules: Modules, z: np.ndarray, covariance_type: str) -> None:
    means = z[[0, 5, 120, 250]].astype(np.float64)
    result = in_page(modules, z, means, covarianceType=covariance_type, regCovar=1e-3)
    points = z.astype(np.float64)
    mixture = GaussianMixture(
        4,
        covariance_type=covariance_type,
        means_init=means,
        **{"reg_covar": 1e-3, "max_iter": 5, "tol": 0.0, "history": True},
    ).fit(points)
    recording = record(mixture, points)
    for t, frame in enumerate(result["frames"]):
        np.testing.assert_allclose(frame["weights"], recording.weights[t], atol=1e-9)
        np.testing.assert_allclose(frame["means"], recording.means[t].ravel(), atol=1e-8)
        np.testing.assert_allclose(
            frame["covariances"], recording.covariances[t].ravel(), atol=1e-8
        )
    np.testing.assert_allclose(result["likelihoods"], recording.log_likelihoods, atol=1e-9)
    np.testing.assert_allclose(result["bounds"], recording.lower_bounds, atol=1e-9)
    free = (mixture.bic(points) + 2 * mixture.score(points) * len(z)) / np.log(len(z))
    assert result["n"] == pytest.approx(free)


def test_what_loses_its_points_begins_again_where_python_begins_it(
    modules: Modules, z: np.ndarray
) -> None:
    means = np.array([[0.0, 0, 0], [3, 3, 3], [90, 90, 90], [-90, 90, 90]])
    result = in_page(modules, z, means, covarianceType="full", regCovar=1e-3)
    assert result["begun"] == [[2, 3], [], [], [], []]
    with pytest.warns(UserWarning, match="2 components emptied"):
        mixture = GaussianMixture(
            4, means_init=means, reg_covar=1e-3, max_iter=5, tol=0.0, history=True
        ).fit(z.astype(np.float64))
    for frame, snapshot in zip(result["frames"][1:], mixture.history_[1:], strict=True):
        np.testing.assert_allclose(frame["weights"], snapshot.weights, atol=1e-9)
        np.testing.assert_allclose(frame["means"], snapshot.means.ravel(), atol=1e-8)
        np.testing.assert_allclose(frame["covariances"], snapshot.covariances.ravel(), atol=1e-8)


def test_every_kind_of_start_is_one_from_which_em_climbs(modules: Modules, z: np.ndarray) -> None:
    starts = modules.run(
        """
        async ({ z }) => {
          const { begin, STARTS, lloyd, nearestOf } = await import("/model/starts.js");
          const em = await import("/model/em.js");
          const settings = { nComponents: 3, covarianceType: "full", regCovar: 1e-6, seed: 4 };
          const climbed = Object.keys(STARTS).map((start) => {
            let now = begin(z, 3, { ...settings, start });
            const again = begin(z, 3, { ...settings, start });
            const isSame = String(now.means) === String(again.means);
            const steps = [0, 1, 2].map(() => {
              const e = em.eStep(em.mixtureOf(now), z);
              now = em.mStep(z, e.responsibilities, 3, settings);
              return e.logLikelihood;
            });
            return { start, steps, isSame };
          });
          const centres = lloyd(z, 3, z.slice(0, 9));
          return { climbed, centres, labels: nearestOf(z, 3, centres) };
        }
        """,
        z=z,
    )
    for run in starts["climbed"]:
        assert run["isSame"] and np.diff(run["steps"]).min() >= -1e-9, run["start"]
    centres = starts["centres"].reshape(3, 3)
    for k, centre in enumerate(centres):
        members = z[starts["labels"] == k]
        np.testing.assert_allclose(centre, members.mean(0), atol=0.05)

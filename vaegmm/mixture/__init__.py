"""Gaussian mixtures, fitted by expectation maximization.

`em` holds the two steps as functions, `covariance` what differs from one covariance type to the
next, `ascent` one run of EM, `start` and `kmeans` where a run begins, `chunks` where the
points lie, `gaussian_mixture` the estimator that people use, `recording` a fit as it happened,
`overlap` how near components are.
"""

from vaegmm.mixture.chunks import share
from vaegmm.mixture.em import Parameters, Statistics, e_step, m_step
from vaegmm.mixture.gaussian_mixture import (
    ConvergenceWarning,
    EmptyComponentWarning,
    FitProgress,
    GaussianMixture,
    Snapshot,
    as_matrices,
)
from vaegmm.mixture.overlap import bhattacharyya
from vaegmm.mixture.recording import Recording, record

__all__ = [
    "ConvergenceWarning",
    "EmptyComponentWarning",
    "FitProgress",
    "GaussianMixture",
    "Parameters",
    "Recording",
    "Snapshot",
    "Statistics",
    "as_matrices",
    "bhattacharyya",
    "e_step",
    "m_step",
    "record",
    "share",
]

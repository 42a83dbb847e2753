"""Gaussian mixtures, fitted by expectation maximization.

`em` holds the two steps as functions, `covariance` what differs from one covariance type to the
next, `ascent` one run of EM, `start`, `kmeans` and `agglomeration` where a run begins, `chunks`
where the points lie, `missing` and `supervised` what is not or also known of them, `priors` what
regularises, `online` how a stream is fitted, `conditioning` parts of a mixture, `density` what a
mixture says, `gaussian_mixture` the estimator that people use, `selection` how large it should be,
`recording` a fit as it happened, `overlap` how near components are.
"""

from vaegmm.mixture.chunks import share
from vaegmm.mixture.density import as_matrices
from vaegmm.mixture.em import Parameters, Statistics, e_step, m_step
from vaegmm.mixture.estimator import ConvergenceWarning
from vaegmm.mixture.gaussian_mixture import (
    EmptyComponentWarning,
    FitProgress,
    GaussianMixture,
    Snapshot,
)
from vaegmm.mixture.overlap import bhattacharyya
from vaegmm.mixture.priors import NormalInverseWishart
from vaegmm.mixture.recording import Recording, record
from vaegmm.mixture.selection import Selection, Size, select_components

__all__ = [
    "ConvergenceWarning",
    "EmptyComponentWarning",
    "FitProgress",
    "GaussianMixture",
    "NormalInverseWishart",
    "Parameters",
    "Recording",
    "Selection",
    "Size",
    "Snapshot",
    "Statistics",
    "as_matrices",
    "bhattacharyya",
    "e_step",
    "m_step",
    "record",
    "select_components",
    "share",
]

"""The mixtures that somebody asks for: of some size, or begun where a person has put it.

What comes from a page is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaegmm.config import MixtureConfig
from vaegmm.errors import InputError

MOST_CLUSTERS = 300  # that are fitted while somebody waits


@dataclass(frozen=True)
class Wanted:
    """A mixture of some size.

    Attributes:
        n_components: K.
        covariance_type: of the mixture.
        n_init: starts, of which the likeliest is kept.
    """

    n_components: int
    covariance_type: str
    n_init: int = 5

    def options(self) -> dict[str, Any]:
        """Return the parameters of `GaussianMixture` that it differs in."""
        return {"covariance_type": self.covariance_type, "n_init": self.n_init}


@dataclass(frozen=True)
class Start:
    """Parameters from which a fit begins, as a page has sent them.

    Attributes:
        covariance_type: of the mixture.
        reg_covar: added to every variance.
        weights: K numbers.
        means: K · D numbers, row by row.
        covariances: K · D · D numbers, matrices for every type.
    """

    covariance_type: str
    reg_covar: float
    weights: tuple[float, ...]
    means: tuple[float, ...]
    covariances: tuple[float, ...]

    @classmethod
    def of(cls, sent: Mapping[str, Any], dimension: int) -> Start:
        """Check what a page has sent.

        Raises:
            InputError: if no fit can begin there.
        """
        try:
            numbers = {
                name: tuple(float(value) for value in sent[name])
                for name in ("weights", "means", "covariances")
            }
            start = cls(str(sent["covariance_type"]), float(sent["reg_covar"]), **numbers)
            k = start.n_components
            sizes = [len(values) for values in numbers.values()]
            finite = np.isfinite([start.reg_covar, *sum(numbers.values(), ())]).all()
            if not (1 <= k <= MOST_CLUSTERS and sizes == [k, k * dimension, k * dimension**2]):
                raise ValueError(f"{k} components have {sizes} numbers")
            if not finite or min(start.weights) < 0 or not sum(start.weights) > 0:
                raise ValueError("its numbers are not finite, or its weights are negative")
            MixtureConfig(k, start.covariance_type, reg_covar=start.reg_covar)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"start must be a mixture; {error}.", reason="start") from error
        return start

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.weights)

    def options(self) -> dict[str, Any]:
        """Return the parameters of `GaussianMixture` that begin a fit there.

        Raises:
            InputError: if a covariance is not positive definite.
        """
        k = self.n_components
        means = np.reshape(self.means, (k, -1))
        covariances = np.reshape(self.covariances, (k, means.shape[1], means.shape[1]))
        try:
            np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError as error:
            raise InputError("covariances must be positive definite.", reason="start") from error
        precisions = np.linalg.inv(covariances)
        diagonals = np.diagonal(precisions, axis1=1, axis2=2)
        own_shape = {
            "full": precisions,
            "tied": precisions[0],
            "diag": diagonals,
            "spherical": diagonals[:, 0],
        }
        return {
            "covariance_type": self.covariance_type,
            "reg_covar": self.reg_covar,
            "n_init": 1,
            "weights_init": np.array(self.weights) / sum(self.weights),
            "means_init": means,
            "precisions_init": own_shape[self.covariance_type],
        }

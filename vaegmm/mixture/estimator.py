"""What scikit-learn asks of an estimator, without importing scikit-learn.

Its import takes as long as torch's. So the protocol, which is duck-typed, is spoken here, and
scikit-learn is imported when scikit-learn is what asks.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, TypeVar

Self = TypeVar("Self", bound="DensityEstimator")


class DensityEstimator:
    """Parameters by name, a readable `repr`, and scikit-learn's tags."""

    @classmethod
    def _param_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters."""
        return {name: getattr(self, name) for name in self._param_names()}

    def set_params(self: Self, **params: Any) -> Self:
        """Set parameters of the constructor."""
        for name, value in params.items():
            if name not in self._param_names():
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}; it must be "
                    f"one of {', '.join(self._param_names())}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="density_estimator",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(allow_nan=True),
        )


class ConvergenceWarning(UserWarning):
    """EM stopped at `max_iter` before the likelihood stood still."""


def convergence_warning() -> type[ConvergenceWarning]:
    """`ConvergenceWarning`, which is scikit-learn's too where scikit-learn is loaded."""
    if "sklearn" not in sys.modules:
        return ConvergenceWarning
    from sklearn.exceptions import ConvergenceWarning as Peer

    return _both(Peer)


@functools.cache
def _both(peer: type[Warning]) -> type[ConvergenceWarning]:
    return type("ConvergenceWarning", (ConvergenceWarning, peer), {"__doc__": peer.__doc__})


def not_fitted(estimator: DensityEstimator) -> Exception:
    """The error that scikit-learn's tools expect from an estimator before `fit`, in its words."""
    from sklearn.exceptions import NotFittedError

    return NotFittedError(
        f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )

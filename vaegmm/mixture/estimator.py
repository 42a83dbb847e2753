"""What scikit-learn asks of an estimator, without importing scikit-learn.

Its import takes as long as torch's. So the protocol, which is duck-typed, is spoken here, and
scikit-learn is imported when scikit-learn is what asks.
"""

from __future__ import annotations

import inspect
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
            input_tags=InputTags(),
        )


def not_fitted(estimator: DensityEstimator) -> Exception:
    """The error that scikit-learn's tools expect from an estimator before `fit`."""
    from sklearn.exceptions import NotFittedError

    return NotFittedError(f"{type(estimator).__name__} must be fitted first; call fit.")

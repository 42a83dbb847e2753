"""What a training is: frozen dataclasses that survive a trip through JSON, and the presets."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from vaegmm.errors import InputError

MeanActivation = Literal["linear", "relu"]
StdActivation = Literal["softplus", "relu"]
OutputActivation = Literal["sigmoid", "relu"]
KLReduction = Literal["sum", "mean"]
CovarianceType = Literal["full", "tied", "diag", "spherical"]

_MOST_LAYERS = 32  # a stranger's checkpoint must not ask for millions


def _require(condition: bool, name: str, value: object, rule: str) -> None:
    if not condition:
        message = f"{name} must {rule}; got {name}={value!r}."
        raise InputError(message, reason="setting", setting=name, rule=rule)


def _check_types(config: Any) -> None:
    """Refuse values of another type than their field's: they come from people and from JSON.

    Numbers become Python's own, so that a configuration equals what its JSON brings back.
    """
    for name, kind in get_type_hints(type(config)).items():
        value = getattr(config, name)
        if kind in (int, float):
            try:
                number = kind(value)
                is_number = number == value and abs(number) < math.inf
            except (TypeError, ValueError, OverflowError):
                is_number = False
            rule = "be a whole number" if kind is int else "be a finite number"
            _require(is_number and not isinstance(value, bool), name, value, rule)
            object.__setattr__(config, name, number)
        elif get_origin(kind) is Literal:
            choices = get_args(kind)
            _require(value in choices, name, value, f"be one of {', '.join(choices)}")
        elif get_origin(kind) is None:
            _require(isinstance(value, kind), name, value, f"be a {kind.__name__}")


@dataclass(frozen=True)
class VAEConfig:
    """What a checkpoint needs to rebuild its autoencoder.

    The published description puts a ReLU behind all ten layers. On the three layers whose outputs
    are numbers with a meaning (mean, std, pixels) that reading is `"relu"`; the defaults are the
    readings that cannot die.
    """

    latent_dim: int = 8
    hidden_units: tuple[int, ...] = (392, 196, 98)  # between the 28·28 first layer and the latent
    mean_activation: MeanActivation = "linear"
    std_activation: StdActivation = "softplus"
    output_activation: OutputActivation = "sigmoid"
    std_floor: float = 1e-4  # keeps log(std) finite
    pixel_margin: float = 1e-4  # a ReLU output is kept inside [margin, 1 - margin]
    rescue_gradients: bool = True  # let gradients pass a bound wherever they point back inside

    def __post_init__(self) -> None:
        """Refuse what no autoencoder can be built from."""
        _check_types(self)
        units = self.hidden_units
        _require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "be at least 1")
        _require(
            isinstance(units, list | tuple)
            and len(units) <= _MOST_LAYERS
            and all(type(n) is int and n >= 1 for n in units),
            "hidden_units",
            units,
            f"be at most {_MOST_LAYERS} whole numbers from 1",
        )
        object.__setattr__(self, "hidden_units", tuple(units))  # JSON brings a list
        _require(self.std_floor > 0, "std_floor", self.std_floor, "be positive")
        _require(
            0 < self.pixel_margin < 0.5, "pixel_margin", self.pixel_margin, "lie between 0 and 0.5"
        )


@dataclass(frozen=True)
class AugmentationConfig:
    """How far a view that the encoder sees may differ from the image it reconstructs.

    Each amount is the half-width of a uniform distribution, each share that of the images which
    get a stroke more; zero switches that part off.
    """

    rotation: float = 0.0  # degrees
    scale: float = 0.0  # share of the size
    shear: float = 0.0  # tangent of the slant
    shift: float = 0.0  # pixels
    thickness: float = 0.0  # pixels by which strokes grow or shrink, at most 1
    flags: float = 0.0  # share that gets a flag or hook at an end of its ink
    bars: float = 0.0  # share that gets a level bar or foot

    def __post_init__(self) -> None:
        """Refuse amounts that leave nothing of the image."""
        _check_types(self)
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            _require(value >= 0, entry.name, value, "not be negative")
        _require(self.scale < 1, "scale", self.scale, "be below 1")
        for name in ("thickness", "flags", "bars"):
            _require(getattr(self, name) <= 1, name, getattr(self, name), "be at most 1")

    @property
    def is_active(self) -> bool:
        """Whether any part changes an image."""
        return any(dataclasses.astuple(self))


@dataclass(frozen=True)
class MixtureConfig:
    """The mixture that is fitted to the stored latent vectors."""

    n_components: int = 100  # chosen for classification: see docs/experiments.md
    covariance_type: CovarianceType = "full"
    n_init: int = 1
    max_iter: int = 200
    tol: float = 1e-4
    reg_covar: float = 1e-6

    def __post_init__(self) -> None:
        """Refuse what no mixture can be fitted with."""
        _check_types(self)
        _require(self.n_components >= 1, "n_components", self.n_components, "be at least 1")
        _require(self.n_init >= 1, "n_init", self.n_init, "be at least 1")
        _require(self.max_iter >= 1, "max_iter", self.max_iter, "be at least 1")
        _require(self.tol >= 0, "tol", self.tol, "not be negative")
        _require(self.reg_covar >= 0, "reg_covar", self.reg_covar, "not be negative")


@dataclass(frozen=True)
class JointConfig:
    """The last epochs, in which a mixture is the prior of z and is trained with the network.

    In them the encoder sees each image both as it is and as an augmented view. A share of zero
    switches the stage off.
    """

    share: float = 0.0  # of the epochs
    n_components: int = 10  # as many as there are digits: what is clustered is to be them
    n_init: int = 8  # starts of EM; no label chooses among them
    consistency: float = 10.0  # weight of what the views' components say about each other

    def __post_init__(self) -> None:
        """Refuse what no mixture can be trained with."""
        _check_types(self)
        _require(0 <= self.share < 1, "joint.share", self.share, "be at least 0 and below 1")
        _require(self.n_components >= 1, "joint.n_components", self.n_components, "be at least 1")
        _require(self.n_init >= 1, "joint.n_init", self.n_init, "be at least 1")
        _require(self.consistency >= 0, "joint.consistency", self.consistency, "not be negative")


@dataclass(frozen=True)
class TrainConfig:
    """One training, complete: the autoencoder, how it is trained, and the mixture.

    The loss is cross-entropy (summed over pixels) + kl_weight · KL (reduced over the latent
    dimensions as `kl_reduction` says), averaged over the images of a batch. In the joint stage
    the KL is the divergence from the mixture, and joint.consistency · (minus what each of two
    views tells of the other's component, in nats) is added.
    """

    vae: VAEConfig = field(default_factory=VAEConfig)
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    joint: JointConfig = field(default_factory=JointConfig)
    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 1e-3
    learning_rate_decay: float = 0.5  # the last share of the steps, over which it falls to zero
    kl_weight: float = 1.0
    kl_reduction: KLReduction = "sum"
    kl_warmup: float = 0.5  # the first share of the steps, over which the weight rises from zero
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _check_types(self)
        _require(self.epochs >= 1, "epochs", self.epochs, "be at least 1")
        _require(self.batch_size >= 1, "batch_size", self.batch_size, "be at least 1")
        _require(
            0 < self.learning_rate < 1, "learning_rate", self.learning_rate, "lie between 0 and 1"
        )
        _require(self.kl_weight >= 0, "kl_weight", self.kl_weight, "not be negative")
        for name in ("kl_warmup", "learning_rate_decay"):
            value = getattr(self, name)
            _require(0 <= value <= 1, name, value, "lie between 0 and 1")
        _require(0 <= self.seed < 2**32, "seed", self.seed, "lie from 0 to 4294967295")

    @property
    def joint_epochs(self) -> int:
        """How many of the epochs, the last, are the joint stage."""
        return round(self.joint.share * self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-compatible values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Rebuild a configuration from `to_dict`'s values.

        Raises:
            ValueError: if a key is unknown or a value is out of its range.
        """
        parts = {
            "vae": VAEConfig,
            "mixture": MixtureConfig,
            "augmentation": AugmentationConfig,
            "joint": JointConfig,
        }
        try:
            built = {name: parts[name](**values[name]) for name in parts if name in values}
            return cls(**{**values, **built})
        except TypeError as error:
            raise ValueError(f"the configuration cannot be read: {error}.") from error


PRESETS: dict[str, TrainConfig] = {
    # Every number that the published description states. What it leaves open is the reading that
    # reconstructs best, found by experiment: docs/experiments.md.
    "reference": TrainConfig(
        vae=VAEConfig(
            mean_activation="relu",
            std_activation="relu",
            output_activation="relu",
            std_floor=0.01,
            pixel_margin=0.005,
        ),
        mixture=MixtureConfig(n_components=10, n_init=5),
        epochs=100,
        batch_size=32,
        learning_rate=5e-4,
        learning_rate_decay=0.0,
        kl_weight=3.0,
        kl_reduction="mean",
        kl_warmup=0.0,
    ),
    # The readings that work, and an encoder that sees the ways people write: it reads a turned,
    # slanted, shifted or thickened view, with a flag or a bar more, and must draw the original, so
    # style leaves the latents.
    # Then the mixture is trained with it, so that ten components become the ten digits.
    "default": TrainConfig(
        augmentation=AugmentationConfig(
            rotation=14,
            scale=0.15,
            shear=0.35,
            shift=1.25,
            thickness=0.7,
            flags=0.3,
            bars=0.15,
        ),
        joint=JointConfig(share=0.5, n_init=32, consistency=20),
        epochs=120,
        kl_warmup=0.25,
    ),
    "quick": TrainConfig(
        mixture=MixtureConfig(n_components=30),
        epochs=25,
        batch_size=64,
        learning_rate=2e-3,
    ),
}

"""The main settings of a training: what command line, pages and run names call them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vaegmm.config import PRESETS, TrainConfig
from vaegmm.errors import InputError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One number of a TrainConfig that people change, or several."""

    label: str  # on a page
    kind: Callable[[Any], Value]  # reads it from what people write
    help: str
    least: float = 0  # that a page lets people choose
    most: float | None = None
    part: str | None = None  # the part of the configuration that holds it
    field: str | None = None  # its name there, where that is another


#: What can be changed in every preset: one number each.
SETTINGS: dict[str, Setting[int] | Setting[float]] = {
    "epochs": Setting("Epochs", int, "epochs to train", least=1),
    "batch_size": Setting("Batch size", int, "images of a step", least=1),
    "learning_rate": Setting("Learning rate", float, "Adam's learning rate", least=1e-6, most=0.99),
    "kl_weight": Setting(
        "KL weight", float, "the constant of the loss: cross-entropy + constant * KL", least=0
    ),
    "components": Setting(
        "Clusters",
        int,
        "components of the mixture",
        least=1,
        part="mixture",
        field="n_components",
    ),
    "seed": Setting("Seed", int, "seed of every random number", least=0, most=2**32 - 1),
}


def units(text: str) -> tuple[int, ...]:
    """Read the numbers of hidden units, by commas.

    Raises:
        ValueError: if they are no whole numbers.
    """
    return tuple(int(part) for part in text.replace("-", ",").split(",") if part.strip())


#: The network's, which a preset may fix.
ARCHITECTURE: dict[str, Setting[int] | Setting[tuple[int, ...]]] = {
    "latents": Setting(
        "Latents",
        int,
        "dimensions of the latent space",
        least=1,
        most=64,
        part="vae",
        field="latent_dim",
    ),
    "hidden": Setting(
        "Hidden units",
        units,
        "units of the hidden layers between the first one and the latents, by commas",
        part="vae",
        field="hidden_units",
    ),
}
#: Presets whose network is a published one, and stays it.
_PUBLISHED = ("reference",)


def written(value: Any) -> str:
    """Return a setting's value as the command line takes it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def is_fixed(preset: str, name: str) -> bool:
    """Whether a preset allows no other value of a setting."""
    return preset in _PUBLISHED and name in ARCHITECTURE


def of_preset(preset: str, **values: Any) -> TrainConfig:
    """Return a preset with other values of some settings.

    Raises:
        InputError: if the preset fixes one of them.
        ValueError: if a value is out of its range.
    """
    for name in values:
        if is_fixed(preset, name):
            raise InputError(
                f"{name} must stay as it is in the preset {preset}, which is the published "
                "network. Choose another preset.",
                reason="fixed setting",
                setting=_ALL[name].field or name,
                preset=preset,
            )
    return change(PRESETS[preset], **values)


_ALL: dict[str, Setting[Any]] = {**SETTINGS, **ARCHITECTURE}


def setting(config: TrainConfig, name: str) -> Any:
    """Return the value of one setting."""
    entry = _ALL[name]
    return getattr(getattr(config, entry.part) if entry.part else config, entry.field or name)


def change(config: TrainConfig, **values: Any) -> TrainConfig:
    """Return the configuration with other values of some settings.

    Raises:
        ValueError: if a value is out of its range.
    """
    for name, value in values.items():
        entry = _ALL[name]
        changes = {entry.field or name: value}
        if entry.part:
            part = dataclasses.replace(getattr(config, entry.part), **changes)
            changes = {entry.part: part}
        config = dataclasses.replace(config, **changes)
    return config


def preset_and_changes(config: TrainConfig) -> tuple[str, dict[str, Any]] | None:
    """Return the preset nearest to a configuration, and the settings that differ from it.

    Returns None where settings alone don't make one of the presets this configuration.
    """
    candidates = []
    for name, preset in PRESETS.items():
        values = {key: setting(config, key) for key in _ALL if not is_fixed(name, key)}
        changes = {key: value for key, value in values.items() if value != setting(preset, key)}
        if change(preset, **changes) == config:
            candidates.append((name, changes))
    return min(candidates, key=lambda candidate: len(candidate[1]), default=None)


def describe(config: TrainConfig) -> str:
    """Name the preset nearest to a configuration, and the settings that differ from it."""
    nearest = preset_and_changes(config)
    if nearest is None:
        return "custom"
    preset, changes = nearest
    words = [f"{_ALL[name].label.lower()} {_in_words(value)}" for name, value in changes.items()]
    return ", ".join([preset, *words])


def _in_words(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "none"
    return f"{value:g}"

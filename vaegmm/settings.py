"""The main settings of a training: what command line, pages and run names call them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from vaegmm.config import PRESETS, TrainConfig


@dataclass(frozen=True)
class Setting:
    """One number of a TrainConfig that people change."""

    label: str  # on a page
    kind: type[int] | type[float]
    help: str
    least: float  # that a page lets people choose
    most: float | None = None
    part: str | None = None  # the part of the configuration that holds it
    field: str | None = None  # its name there, where that is another


SETTINGS = {
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


def setting(config: TrainConfig, name: str) -> Any:
    """Return the value of one setting."""
    entry = SETTINGS[name]
    return getattr(getattr(config, entry.part) if entry.part else config, entry.field or name)


def change(config: TrainConfig, **values: Any) -> TrainConfig:
    """Return the configuration with other values of some settings.

    Raises:
        ValueError: if a value is out of its range.
    """
    for name, value in values.items():
        entry = SETTINGS[name]
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
        values = {key: setting(config, key) for key in SETTINGS}
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
    words = [f"{SETTINGS[name].label.lower()} {value:g}" for name, value in changes.items()]
    return ", ".join([preset, *words])

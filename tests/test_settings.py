"""The settings that people change, and what a configuration is called by them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaegmm.config import PRESETS, TrainConfig
from vaegmm.errors import InputError
from vaegmm.settings import (
    ARCHITECTURE,
    SETTINGS,
    change,
    describe,
    of_preset,
    preset_and_changes,
    setting,
    units,
    written,
)

OTHER = {
    "epochs": 3,
    "batch_size": 7,
    "learning_rate": 0.25,
    "kl_weight": 0.5,
    "components": 12,
    "seed": 9,
    "latents": 5,
    "hidden": (40, 20),
}


@pytest.mark.parametrize("name", [*SETTINGS, *ARCHITECTURE])
def test_a_setting_is_changed_alone(name: str) -> None:
    default = PRESETS["default"]
    changed = change(default, **{name: OTHER[name]})
    assert setting(changed, name) == OTHER[name] != setting(default, name)
    assert change(changed, **{name: setting(default, name)}) == default


def test_a_setting_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="n_components must be at least 1; got n_components=0"):
        change(PRESETS["default"], components=0)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_changed_preset_is_recognised(preset: str) -> None:
    config = PRESETS[preset]
    assert preset_and_changes(config) == (preset, {})
    assert describe(config) == preset
    changed = change(config, epochs=3, learning_rate=0.25)
    assert preset_and_changes(changed) == (preset, {"epochs": 3, "learning_rate": 0.25})
    assert describe(changed) == f"{preset}, epochs 3, learning rate 0.25"


def test_of_several_presets_the_nearest_is_taken() -> None:
    # `quick` differs from `default` in settings alone: each can be made of the other.
    config = change(PRESETS["quick"], seed=4)
    assert preset_and_changes(config) == ("quick", {"seed": 4})


def test_what_settings_cannot_make_of_a_preset_is_custom() -> None:
    config = replace(PRESETS["default"], kl_warmup=0.123)
    assert preset_and_changes(config) is None
    assert describe(config) == "custom"
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_the_network_is_changed_where_the_preset_allows() -> None:
    config = of_preset("default", latents=3, hidden=(64, 32))
    assert (config.vae.latent_dim, config.vae.hidden_units) == (3, (64, 32))
    assert describe(config) == "default, latents 3, hidden units 64-32"
    assert describe(of_preset("quick", hidden=())) == "quick, hidden units none"
    with pytest.raises(InputError, match="latents must stay as it is in the preset reference"):
        of_preset("reference", latents=3)
    published = PRESETS["reference"]
    smaller = replace(published, vae=replace(published.vae, latent_dim=3))
    assert preset_and_changes(smaller) is None, "no command makes it of the preset"


def test_hidden_units_are_read_as_they_are_written() -> None:
    for value in [(392, 196, 98), (7,), ()]:
        assert units(written(value)) == value
    assert units("392-196-98") == units("392, 196, 98") == (392, 196, 98)
    with pytest.raises(ValueError, match="invalid literal"):
        units("many")
    with pytest.raises(ValueError, match="hidden_units must be at most 32 whole numbers from 1"):
        of_preset("default", hidden=units("0"))

"""Configurations: the published numbers, the trip through JSON, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaegmm.config import (
    PRESETS,
    AugmentationConfig,
    JointConfig,
    MixtureConfig,
    TrainConfig,
    VAEConfig,
)


def test_reference_keeps_every_published_number():
    reference = PRESETS["reference"]
    assert reference.vae.latent_dim == 8
    assert reference.vae.hidden_units == (392, 196, 98)
    # ReLU on all ten layers: these three are the ones that could have another.
    assert reference.vae.mean_activation == "relu"
    assert reference.vae.std_activation == "relu"
    assert reference.vae.output_activation == "relu"
    assert reference.learning_rate == 0.0005
    assert reference.learning_rate_decay == 0
    assert reference.batch_size == 32
    assert reference.epochs == 100
    assert reference.kl_weight == 3
    assert reference.kl_warmup == 0
    assert not reference.augmentation.is_active


def test_default_has_the_same_layers_and_latents():
    default, reference = PRESETS["default"].vae, PRESETS["reference"].vae
    assert default.latent_dim == reference.latent_dim
    assert default.hidden_units == reference.hidden_units


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_survive_json(preset):
    config = PRESETS[preset]
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@settings(deadline=None)
@given(
    st.builds(
        TrainConfig,
        vae=st.builds(
            VAEConfig,
            latent_dim=st.integers(1, 64),
            hidden_units=st.lists(st.integers(1, 1000), max_size=5).map(tuple),
            mean_activation=st.sampled_from(["linear", "relu"]),
            std_floor=st.floats(1e-9, 1),
        ),
        mixture=st.builds(
            MixtureConfig,
            n_components=st.integers(1, 500),
            covariance_type=st.sampled_from(["full", "tied", "diag", "spherical"]),
        ),
        augmentation=st.builds(AugmentationConfig, rotation=st.floats(0, 180)),
        learning_rate=st.floats(1e-9, 0.999),
        seed=st.integers(0, 2**32 - 1),
    )
)
def test_any_configuration_survives_json(config):
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_numbers_become_pythons_own():
    config = TrainConfig(epochs=np.int64(3), kl_weight=np.float32(2), learning_rate_decay=1)
    assert json.loads(json.dumps(config.to_dict()))["epochs"] == 3
    assert type(config.learning_rate_decay) is float


def test_a_key_left_out_has_its_default():
    config = TrainConfig.from_dict({"epochs": 3, "vae": {"latent_dim": 2}})
    assert config == TrainConfig(epochs=3, vae=VAEConfig(latent_dim=2))


def test_configurations_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().epochs = 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got epochs=0."),
        ({"epochs": 2.5}, "epochs must be a whole number; got epochs=2.5."),
        ({"epochs": True}, "epochs must be a whole number; got epochs=True."),
        ({"epochs": float("nan")}, "epochs must be a whole number; got epochs=nan."),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"learning_rate": 0}, "learning_rate must lie between 0 and 1"),
        ({"learning_rate": 1.0}, "learning_rate must lie between 0 and 1"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite number"),
        ({"learning_rate": "fast"}, "learning_rate must be a finite number; got"),
        ({"kl_weight": -1}, "kl_weight must not be negative"),
        ({"kl_weight": 10**400}, "kl_weight must be a finite number"),
        ({"kl_warmup": 1.1}, "kl_warmup must lie between 0 and 1"),
        ({"kl_reduction": "max"}, "kl_reduction must be one of sum, mean; got"),
        ({"kl_reduction": []}, "kl_reduction must be one of sum, mean; got"),
        ({"learning_rate_decay": -0.1}, "learning_rate_decay must lie between 0 and 1"),
        ({"seed": -1}, "seed must lie from 0 to 4294967295; got seed=-1."),
        ({"seed": 2**32}, "seed must lie from 0 to 4294967295"),
        ({"vae": {"latent_dim": 0}}, "latent_dim must be at least 1"),
        ({"vae": {"hidden_units": [10, 0]}}, "hidden_units must be at most 32 whole numbers"),
        ({"vae": {"hidden_units": [1.5]}}, "hidden_units must be at most 32 whole numbers"),
        ({"vae": {"hidden_units": 5}}, "hidden_units must be at most 32 whole numbers"),
        ({"vae": {"hidden_units": [1] * 33}}, "hidden_units must be at most 32 whole numbers"),
        ({"vae": {"mean_activation": "tanh"}}, "mean_activation must be one of linear, relu"),
        ({"vae": {"std_activation": "exp"}}, "std_activation must be one of softplus, relu"),
        ({"vae": {"output_activation": 1}}, "output_activation must be one of sigmoid, relu"),
        ({"vae": {"std_floor": 0}}, "std_floor must be positive"),
        ({"vae": {"pixel_margin": 0.5}}, "pixel_margin must lie between 0 and 0.5"),
        ({"vae": {"rescue_gradients": 1}}, "rescue_gradients must be a bool"),
        ({"mixture": {"n_components": 0}}, "n_components must be at least 1"),
        ({"mixture": {"covariance_type": "round"}}, "covariance_type must be one of full, tied"),
        ({"mixture": {"n_init": 0}}, "n_init must be at least 1"),
        ({"mixture": {"max_iter": 0}}, "max_iter must be at least 1"),
        ({"mixture": {"tol": -1}}, "tol must not be negative"),
        ({"mixture": {"reg_covar": -1}}, "reg_covar must not be negative"),
        ({"augmentation": {"rotation": -1}}, "rotation must not be negative"),
        ({"augmentation": {"scale": 1}}, "scale must be below 1"),
        ({"augmentation": {"thickness": 1.5}}, "thickness must be at most 1"),
        ({"augmentation": {"flags": 1.5}}, "flags must be at most 1"),
        ({"augmentation": {"bars": 1.5}}, "bars must be at most 1"),
        ({"colour": 3}, "the configuration cannot be read: .*colour"),
        ({"vae": {"colour": 3}}, "the configuration cannot be read: .*colour"),
        ({"vae": 3}, "the configuration cannot be read"),
        ([], "the configuration cannot be read"),
        (None, "the configuration cannot be read"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig.from_dict(values)


def test_a_part_of_another_type_is_refused():
    with pytest.raises(ValueError, match="vae must be a VAEConfig; got vae=3"):
        TrainConfig(vae=3)


def test_augmentation_is_active_as_soon_as_one_amount_is():
    assert not AugmentationConfig().is_active
    for entry in dataclasses.fields(AugmentationConfig):
        assert AugmentationConfig(**{entry.name: 0.5}).is_active


def test_the_joint_stage_is_a_share_of_the_epochs():
    config = TrainConfig(joint=JointConfig(share=0.4), epochs=20)
    assert config.joint_epochs == 8
    assert dataclasses.replace(config, epochs=1).joint_epochs == 0
    assert TrainConfig().joint_epochs == 0


def test_a_configuration_from_before_the_joint_stage_has_none():
    values = PRESETS["default"].to_dict()
    del values["joint"]
    assert TrainConfig.from_dict(values).joint_epochs == 0


def test_reference_has_no_joint_stage():
    assert PRESETS["reference"].joint_epochs == 0


def test_a_configuration_from_before_added_strokes_has_none():
    values = PRESETS["default"].to_dict()
    for name in ("flags", "bars"):
        del values["augmentation"][name]
    augmentation = TrainConfig.from_dict(values).augmentation
    assert (augmentation.flags, augmentation.bars) == (0, 0)

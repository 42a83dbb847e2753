"""The time before the start, and what is asked about then."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from vaegmm import estimation
from vaegmm.cli import main
from vaegmm.config import PRESETS, JointConfig, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.estimation import Estimate, estimate, n_parameters
from vaegmm.questions import questions
from vaegmm.training import TrainState, train
from vaegmm.vae import VAE

SMALL = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3),
    joint=JointConfig(share=0.5, n_components=3, n_init=2),
    epochs=10,
    batch_size=32,
)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is measured for an instant, anew in each test."""
    monkeypatch.setattr(estimation, "_SECONDS_A_MEASUREMENT", 0.02)
    estimation._measure.cache_clear()


def test_an_estimate_grows_with_the_work_and_is_measured_once() -> None:
    base = estimate(SMALL, 1000, "cpu")
    assert base is not None
    assert 0 < base.low < base.seconds < base.high
    assert (base.steps, base.device) == (320, "cpu")
    parts = base.first_stage + base.starts + base.joint_stage + base.mixture
    assert base.seconds == pytest.approx(parts + estimation.START_UP_SECONDS)

    longer = estimate(replace(SMALL, epochs=20, seed=5, kl_weight=2.0), 1000, "cpu")
    twice = estimate(SMALL, 1000, "cpu", attempts=2)
    alone = estimate(replace(SMALL, joint=replace(SMALL.joint, share=0.0)), 1000, "cpu")
    assert longer is not None and twice is not None and alone is not None
    assert longer.first_stage == pytest.approx(2 * base.first_stage)
    assert longer.starts == pytest.approx(base.starts) and longer.mixture == base.mixture
    assert twice.joint_stage == pytest.approx(2 * base.joint_stage)
    assert alone.starts == alone.joint_stage == 0
    info = estimation._measure.cache_info()
    assert (info.misses, info.hits) == (2, 2), "what changes no step's time is not measured again"


def test_an_estimate_is_near_what_its_parts_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor's time, and a wide margin: other processes share the machine."""
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    config = replace(SMALL, vae=VAEConfig(hidden_units=(98,)), epochs=2)
    images = np.zeros((400, 28, 28), np.uint8)
    expected = estimate(config, len(images), "cpu")
    assert expected is not None
    began = time.process_time()
    for _ in train(TrainState.start(config), images, config):
        pass
    took = time.process_time() - began
    assert 0.1 < took / (expected.first_stage + expected.starts + expected.joint_stage) < 10


def test_parameters_are_counted_as_the_network_has_them() -> None:
    for vae in (VAEConfig(), VAEConfig(latent_dim=3, hidden_units=(20, 10)), VAEConfig(2, ())):
        assert n_parameters(vae) == sum(p.numel() for p in VAE(vae).parameters())


def test_a_network_that_may_not_fit_is_not_tried() -> None:
    huge = replace(SMALL, vae=VAEConfig(hidden_units=(10**9,)))
    assert estimate(huge, 1000) is None


DAYS = Estimate(3e5, 2e5, 4e5, 1e5, 0, 1e5, 1e5, 10, "cpu", 2)


@pytest.mark.parametrize(
    ("config", "n_images", "said"),
    [
        (replace(SMALL, epochs=1_000_000), 1000, "1,000,000 epochs are a lot"),
        (replace(SMALL, batch_size=4096), 1000, "A batch of 4,096 is larger than the data"),
        (replace(SMALL, learning_rate=0.5), 1000, "A learning rate of 0.5 is high"),
        (SMALL, 25, "3 clusters share 25 training images: that is 8.3 for each"),
        (
            replace(SMALL, vae=VAEConfig(hidden_units=(100_000,))),
            1000,
            "The network has 160,016,240 parameters, for which the training needs about 3 GB",
        ),
    ],
    ids=["epochs", "batch", "rate", "clusters", "network"],
)
def test_what_is_unusual_is_asked_about(config: TrainConfig, n_images: int, said: str) -> None:
    assert questions(SMALL, 1000) == []
    asked = questions(config, n_images)
    assert any(question.startswith(said) for question in asked), asked
    assert all(question.endswith(".") for question in asked)


def test_no_preset_is_asked_about() -> None:
    for preset in PRESETS.values():
        assert questions(preset, 55_000) == []
    assert questions(SMALL, 1000, 3, DAYS) == [
        "It would take about 3.5 days on this machine for 3 attempts."
    ]


def test_a_dry_run_says_what_a_training_takes(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "--data", "digits", "--preset", "quick", "--latents", "2", "--hidden", "16"]
    assert main([*command, "--epochs", "2000", "--batch-size", "4096", "--dry-run", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["steps"], facts["training_images"]) == (2000, 1199)
    assert facts["estimate"]["low"] < facts["estimate"]["seconds"] < facts["estimate"]["high"]
    assert len(facts["questions"]) == 2
    assert main([*command, "--dry-run"]) == 0
    assert "It takes about" in capsys.readouterr().out

"""Training: reproducible, resumable, distributed, and honest about a loss that runs away."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vaegmm.config import AugmentationConfig, JointConfig, TrainConfig, VAEConfig
from vaegmm.training import EpochLoss, NonFiniteLossError, TrainState, train
from vaegmm.training.step import schedule

SMALL = TrainConfig(
    vae=VAEConfig(latent_dim=3, hidden_units=(16,)),
    augmentation=AugmentationConfig(rotation=10, shift=1, thickness=0.5),
    epochs=3,
    batch_size=16,
)
# One epoch alone, two with the mixture.
JOINT = dataclasses.replace(SMALL, joint=JointConfig(share=0.67, n_components=4, n_init=2))
both_stages = pytest.mark.parametrize("config", [SMALL, JOINT], ids=["alone", "joint"])


@pytest.fixture(autouse=True)
def report_epochs_only(monkeypatch):
    """However slow the machine is, reports come at the end of an epoch."""
    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", float("inf"))


@pytest.fixture
def images(digits):
    return digits.train.images[:70]  # not a multiple of the batch size


def weights_of(state):
    return {name: value.clone() for name, value in state.tensors().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def trained(config, images, **kwargs):
    state = TrainState.start(config)
    reports = list(train(state, images, config, **kwargs))
    return state, reports


def test_training_lowers_the_loss(digits):
    config = dataclasses.replace(SMALL, augmentation=AugmentationConfig(), epochs=10, kl_warmup=0)
    state, _ = trained(config, digits.train.images[:200])
    losses = [loss.cross_entropy + loss.kl for loss in state.history]
    assert losses[-1] < 0.7 * losses[0]


@both_stages
def test_the_same_seed_gives_the_same_weights_bit_for_bit(images, config):
    assert_same(trained(config, images)[0].tensors(), trained(config, images)[0].tensors())


def test_another_seed_gives_other_weights(images):
    other = dataclasses.replace(SMALL, seed=1)
    assert not torch.equal(
        TrainState.start(SMALL).vae.mean.weight, TrainState.start(other).vae.mean.weight
    )
    # Not only another start: from the same weights, other permutations and noise.
    state = TrainState.start(SMALL)
    list(train(state, images, other))
    assert not torch.equal(state.vae.mean.weight, trained(SMALL, images)[0].vae.mean.weight)


def test_starting_leaves_torchs_own_random_numbers_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    TrainState.start(SMALL)
    assert torch.equal(torch.rand(1), expected)


@both_stages
@pytest.mark.parametrize("interrupted_after", [0, 1, 2])
def test_resumed_equals_uninterrupted_bit_for_bit(images, interrupted_after, config):
    whole, _ = trained(config, images)

    first = TrainState.start(config)
    training = train(first, images, config)
    kept, history = weights_of(first), []
    for report in training:
        if report.epoch > interrupted_after:
            break  # in the middle of an epoch, which is lost
        if report.finished_epoch:
            kept, history = weights_of(first), list(first.history)
    training.close()

    second = TrainState.start(dataclasses.replace(config, seed=5))  # whatever it starts from
    second.restore(kept, history)
    assert second.epoch == interrupted_after
    list(train(second, images, config))
    assert_same(second.tensors(), whole.tensors())
    assert second.history == whole.history


def test_a_restored_state_does_not_share_its_tensors(images):
    state, _ = trained(SMALL, images)
    kept = weights_of(state)
    copy = {name: value.clone() for name, value in kept.items()}
    other = TrainState.start(SMALL)
    other.restore(kept, state.history[:1])
    list(train(other, images, SMALL))
    assert_same(kept, copy)


def test_a_finished_training_has_nothing_left_to_do(images):
    state, _ = trained(SMALL, images)
    before = weights_of(state)
    assert list(train(state, images, SMALL)) == []
    assert_same(state.tensors(), before)


@pytest.mark.parametrize(
    "damage",
    [
        lambda tensors: tensors.pop("vae.mean.weight"),
        lambda tensors: tensors.pop("adam.0.exp_avg"),
        lambda tensors: tensors.update({"vae.mean.weight": torch.zeros(2, 2)}),
        lambda tensors: tensors.update({"adam.0.exp_avg_sq": torch.zeros(2, 2)}),
        lambda tensors: tensors.update({"something": torch.zeros(2)}),
        lambda tensors: [tensors.pop(name) for name in list(tensors) if "adam" in name],
    ],
)
def test_a_state_that_does_not_fit_is_refused(images, damage):
    state, _ = trained(dataclasses.replace(SMALL, epochs=1), images)
    tensors = weights_of(state)
    damage(tensors)
    other = TrainState.start(SMALL)
    before = weights_of(other)
    with pytest.raises(ValueError, match="the saved state does not fit the autoencoder"):
        other.restore(tensors, state.history)
    assert other.history == []
    assert_same(
        {name: value for name, value in other.tensors().items() if "adam" in name},
        {name: value for name, value in before.items() if "adam" in name},
    )


def test_progress_says_where_the_training_stands(images, monkeypatch):
    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", 0.0)
    state, reports = trained(SMALL, images, validation_images=images[:10])
    first, *reports = reports
    assert (first.epoch, first.step, first.seconds_left) == (1, 0, None)
    assert [(report.epoch, report.step) for report in reports] == [
        (epoch, step) for epoch in (1, 2, 3) for step in range(1, 6)
    ]
    assert {(report.epochs, report.steps) for report in reports} == {(3, 5)}
    fractions = [report.fraction for report in reports]
    np.testing.assert_allclose(fractions, np.arange(1, 16) / 15)
    for report in [first, *reports]:
        assert np.isfinite([report.cross_entropy, report.kl, report.kl_weight]).all()
    for report in reports:
        # The time left is what the time spent on steps makes of those left.
        most = report.seconds / report.fraction * (1 - report.fraction)
        assert 0.1 * most <= report.seconds_left <= most
    assert reports[-1].seconds_left == 0
    assert (np.diff([report.seconds for report in reports]) >= 0).all()

    finished = [report.finished_epoch for report in reports if report.finished_epoch]
    assert finished == state.history
    assert [loss.epoch for loss in finished] == [1, 2, 3]
    assert all(report.finished_epoch is None for report in reports if report.step < 5)
    assert all(np.isfinite(loss.validation_cross_entropy) for loss in finished)


def test_the_first_steps_are_reported(images):
    config = dataclasses.replace(SMALL, epochs=2, batch_size=2)
    reports = trained(config, images)[1]
    steps = [report.step for report in reports if report.epoch == 1]
    assert {0, 1, 3, 10, 30, 35} <= set(steps)
    # Before the first: what an untrained network makes of a batch, half a nat a pixel and more.
    assert reports[0].cross_entropy > 300 and reports[0].kl_weight == 0


def test_seconds_are_those_of_all_processes(images):
    state, _ = trained(dataclasses.replace(SMALL, epochs=2), images)
    before = state.history[-1].seconds
    assert 0 < state.history[0].seconds <= before
    *_, last = train(state, images, SMALL)
    assert last.seconds_before == before
    assert last.finished_epoch.seconds >= before + last.seconds - 0.1


def test_time_left_counts_what_this_process_did(images, monkeypatch):
    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", 0.0)
    state, _ = trained(dataclasses.replace(SMALL, epochs=2), images)
    report = next(iter(train(state, images, SMALL)))
    assert report.fraction == pytest.approx(11 / 15)
    assert 0 < report.seconds_left <= report.seconds * 4  # 1 step done, 4 to go


def test_reports_come_four_times_a_second(images, monkeypatch):
    from types import SimpleNamespace

    now = 0.0

    def clock():
        nonlocal now
        now += 0.06
        return now

    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", 0.25)
    monkeypatch.setattr("vaegmm.training.loop.time", SimpleNamespace(perf_counter=clock))
    config = dataclasses.replace(SMALL, epochs=2, batch_size=1)
    seconds = [report.seconds for report in trained(config, images)[1] if report.epoch == 2]
    gaps = np.diff(seconds[:-1])
    assert len(gaps) > 5
    assert gaps.min() >= 0.25
    assert gaps.max() < 0.25 + 4 * 0.06


def test_an_epochs_loss_is_the_mean_over_its_images(images):
    # A learning rate of nearly nothing: every step sees the same weights.
    config = dataclasses.replace(
        SMALL, augmentation=AugmentationConfig(), epochs=1, learning_rate=1e-12
    )
    state, _ = trained(config, images)
    pixels = torch.from_numpy(images).reshape(70, -1).float() / 255
    kl = state.vae.loss_parts(pixels, torch.zeros(70, 3)).kl.sum(-1).mean().item()
    assert state.history[0].kl == pytest.approx(kl, rel=1e-4)


def test_every_epoch_draws_anew(images):
    config = dataclasses.replace(SMALL, epochs=4, learning_rate=1e-12)
    losses = [loss.cross_entropy for loss in trained(config, images)[0].history]
    assert len({round(loss, 3) for loss in losses}) == 4  # the weights stay: only noise differs


def test_validation_sees_no_training_and_the_same_noise(images):
    config = dataclasses.replace(SMALL, epochs=2, learning_rate=1e-12)
    state, _ = trained(config, images, validation_images=images[:20])
    first, second = state.history
    assert first.validation_cross_entropy == pytest.approx(
        second.validation_cross_entropy, rel=1e-6
    )
    without, _ = trained(config, images)
    assert without.history[0].validation_cross_entropy is None
    assert_same(without.tensors(), state.tensors())


def test_the_schedule_warms_up_and_decays():
    config = dataclasses.replace(
        SMALL, kl_weight=2, kl_warmup=0.5, learning_rate=0.1, learning_rate_decay=0.25
    )
    # progress: learning rate, weight of the KL
    expected = {
        0.02: (0.1, 0.08),
        0.25: (0.1, 1),
        0.5: (0.1, 2),
        0.75: (0.1, 2),
        0.9: (0.04, 2),
        0.95: (0.02, 2),
        1.0: (0, 2),
    }
    for progress, values in expected.items():
        assert schedule(config, progress) == pytest.approx(values)


def test_without_shares_nothing_is_scheduled():
    config = dataclasses.replace(SMALL, kl_weight=3, kl_warmup=0, learning_rate_decay=0)
    for progress in (0.01, 0.5, 1):
        assert schedule(config, progress) == (config.learning_rate, 3)


def test_a_training_follows_the_schedule(images):
    config = dataclasses.replace(SMALL, kl_weight=2, kl_warmup=0.5, learning_rate_decay=0.5)
    state = TrainState.start(config)
    rates = []
    state.optimizer.register_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
    )
    reports = [report for report in train(state, images, config) if report.finished_epoch]
    weights = [report.kl_weight for report in reports]
    assert weights == pytest.approx([2 * 5 / 7.5, 2, 2])
    steps = [schedule(config, step / 15) for step in range(1, 16)]
    assert rates == pytest.approx([now.learning_rate for now in steps])


def one_step_gradient(config, images):
    """The gradient of the first step of a training whose only batch is all images."""
    gradients = {}

    def keep(optimizer, *_):
        gradients.update(enumerate(p.grad.clone() for p in optimizer.param_groups[0]["params"]))

    config = dataclasses.replace(config, epochs=1, batch_size=len(images), kl_warmup=0)
    state = TrainState.start(config)
    state.optimizer.register_step_pre_hook(keep)
    list(train(state, images, config))
    return TrainState.start(config).vae, gradients


@pytest.mark.parametrize("kl_reduction", ["sum", "mean"])
def test_the_loss_is_cross_entropy_plus_weighted_divergence(images, kl_reduction):
    config = dataclasses.replace(
        SMALL, augmentation=AugmentationConfig(), kl_weight=3, kl_reduction=kl_reduction
    )
    # The noise of the training, in the training's order.
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + 1)
    order = torch.randperm(len(images), generator=generator)
    noise = torch.randn(len(images), 3, generator=generator)
    vae, gradients = one_step_gradient(config, images)

    pixels = torch.from_numpy(images).reshape(len(images), -1)[order].float() / 255
    weight = 3 / 3 if kl_reduction == "mean" else 3  # the mean over 3 latent dimensions
    (-vae.elbo(pixels, noise, weight)).mean().backward()
    for index, parameter in enumerate(vae.parameters()):
        torch.testing.assert_close(gradients[index], parameter.grad)


def test_a_loss_that_is_not_finite_names_epoch_and_step(images, monkeypatch):
    from vaegmm import vae

    state = TrainState.start(SMALL)
    original = vae.VAE.loss_parts
    calls = []

    def explode(self, *args):
        calls.append(1)  # one more than steps: the first batch is looked at before it is learnt
        parts = original(self, *args)
        return parts._replace(kl=parts.kl * (float("nan") if len(calls) == 9 else 1))

    monkeypatch.setattr(vae.VAE, "loss_parts", explode)
    last_good = None
    with pytest.raises(NonFiniteLossError) as caught:
        for report in train(state, images, SMALL):
            if report.finished_epoch:
                last_good = weights_of(state)
    assert str(caught.value) == (
        "loss must stay finite; it did not in epoch 2, step 3; epoch 1 is kept. "
        "Lower the learning rate."
    )
    assert (caught.value.epoch, caught.value.step) == (2, 3)
    # The state itself is back at the last finished epoch.
    assert_same(state.tensors(), last_good)
    assert [loss.epoch for loss in state.history] == [1]


def test_the_last_epochs_have_the_mixture_as_prior(images):
    priors = []
    state = TrainState.start(JOINT)
    for report in train(state, images, JOINT, images[:10]):
        if report.finished_epoch:
            priors.append(state.prior)
    assert priors[0] is None
    assert priors[1].means.shape == (4, 3)
    assert len(state.parameters) == len(list(state.vae.parameters())) + 3
    assert all(np.isfinite(loss.validation_kl) for loss in state.history)
    before = dataclasses.replace(JOINT, joint=JointConfig())
    assert state.history[0] == trained(before, images, validation_images=images[:10])[0].history[0]
    assert state.history[1].cross_entropy < state.history[0].cross_entropy


def test_the_joint_stage_needs_no_views(images):
    config = dataclasses.replace(JOINT, augmentation=AugmentationConfig())
    state, priors = TrainState.start(config), []
    for report in train(state, images, config):
        if report.finished_epoch:
            priors.append(state.prior and state.prior().means.detach().clone())
    assert priors[0] is None
    assert not torch.equal(priors[1], priors[2])  # it is trained with the network


def test_a_component_that_dies_is_rescued_at_the_next_epoch(images):
    state = TrainState.start(JOINT)
    reports = train(state, images, JOINT)
    for report in reports:
        if report.finished_epoch and report.epoch == 2:
            with torch.no_grad():
                state.prior.means[0] = 1e4
    assert state.prior.means[0].abs().max() < 100


def test_more_components_than_images_are_refused_before_the_training(images):
    with pytest.raises(ValueError, match=r"joint\.n_components=4, images=3"):
        next(train(TrainState.start(JOINT), images[:3], JOINT))


def test_starts_are_counted_before_the_first_step_of_the_joint_stage(images):
    state = TrainState.start(JOINT)
    reports, tried = [], []
    for report in train(state, images, JOINT):
        if report.starts_tried:
            reports.append(report)
            tried.append((list(state.starts), state.best_start))
    assert [len(merits) for merits, _ in tried] == [1, 2]
    assert tried[1][0][0] == tried[0][0][0]
    is_better = tried[1][0][1] > tried[1][0][0]
    assert (tried[1][1] is not tried[0][1]) == is_better
    assert tried[0][1].means.shape == (4, 3)
    assert [(report.epoch, report.step, report.starts_tried) for report in reports] == [
        (2, 0, 1),
        (2, 0, 2),
    ]
    assert all(report.cross_entropy == state.history[0].cross_entropy for report in reports)
    assert all(report.finished_epoch is None and report.seconds_left > 0 for report in reports)
    assert all(report.fraction == pytest.approx(1 / 3) for report in reports)


@pytest.fixture
def zeros_and_ones(digits):
    return digits.train.images[digits.train.labels < 2]


TWO_DIGITS = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(32,)),
    augmentation=SMALL.augmentation,
    joint=JointConfig(share=0.2, n_components=2, n_init=2),
    epochs=10,
    batch_size=16,
    learning_rate=5e-3,
    kl_warmup=0,
)


def spoiling(training, state, attempts=1):
    """Pass the reports on; make one component of both before the last step of an attempt."""
    for report in training:
        if report.restarts < attempts and (report.epoch, report.step) == (10, report.steps - 1):
            with torch.no_grad():
                for part in state.prior.parameters():
                    part.copy_(part.mean(0).expand_as(part))
        yield report


def test_a_collapsed_training_begins_again_with_another_seed(zeros_and_ones, monkeypatch):
    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", 0.0)
    state = TrainState.start(TWO_DIGITS)
    training = spoiling(train(state, zeros_and_ones, TWO_DIGITS), state)
    finished = [(r.restarts, r.epoch) for r in training if r.finished_epoch]
    assert finished == [(restarts, epoch) for restarts in (0, 1) for epoch in range(1, 11)]
    other, _ = trained(dataclasses.replace(TWO_DIGITS, seed=2**31), zeros_and_ones)
    assert other.restarts == 0  # nothing was wrong with it
    assert state.history == other.history
    found, expected = state.tensors(), other.tensors()
    assert found.pop("restarts") == 1 and expected.pop("restarts") == 0
    assert_same(found, expected)


def test_a_training_that_begins_again_can_be_interrupted(zeros_and_ones, monkeypatch):
    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", 0.0)
    state, resumed = TrainState.start(TWO_DIGITS), []
    for report in spoiling(train(state, zeros_and_ones, TWO_DIGITS), state):
        # Just before it begins again, and a while after.
        if report.finished_epoch and (report.restarts, report.epoch) in [(0, 10), (1, 4)]:
            resumed.append(TrainState.start(TWO_DIGITS))
            resumed[-1].restore(weights_of(state), state.history)
    for other in resumed:
        list(train(other, zeros_and_ones, TWO_DIGITS))
        assert_same(other.tensors(), state.tensors())
        assert other.history == state.history


def test_a_training_begins_again_once_only(zeros_and_ones, monkeypatch):
    monkeypatch.setattr("vaegmm.training.loop._REPORT_SECONDS", 0.0)
    state = TrainState.start(TWO_DIGITS)
    training = spoiling(train(state, zeros_and_ones, TWO_DIGITS), state, attempts=9)
    assert sum(report.finished_epoch is not None for report in training) == 20
    assert state.restarts == 1


def test_a_loss_that_is_not_finite_in_the_joint_stage_leaves_the_last_prior(images, monkeypatch):
    from vaegmm.training import step

    state = TrainState.start(JOINT)
    original = step.joint_parts
    calls = []

    def explode(*args):
        calls.append(1)
        parts = original(*args)
        return parts._replace(kl=parts.kl * (float("nan") if len(calls) == 8 else 1))

    monkeypatch.setattr(step, "joint_parts", explode)
    last_good = None
    with pytest.raises(NonFiniteLossError, match="in epoch 3, step 3; epoch 2 is kept"):
        for report in train(state, images, JOINT):
            if report.finished_epoch:
                last_good = weights_of(state)
    assert "prior.means" in last_good
    assert_same(state.tensors(), last_good)


def test_a_prior_of_another_shape_is_refused(images):
    state, _ = trained(JOINT, images)
    for damage in (
        lambda tensors: tensors.pop("prior.logits"),
        lambda tensors: tensors.update({"prior.means": torch.zeros(4, 2)}),
    ):
        tensors = weights_of(state)
        damage(tensors)
        with pytest.raises(ValueError, match="the saved state does not fit the autoencoder"):
            TrainState.start(JOINT).restore(tensors, state.history)


def test_a_loss_that_is_never_finite_leaves_the_start(images):
    state = TrainState.start(SMALL)
    with torch.no_grad():
        state.vae.mean.bias.fill_(1e30)
    before = weights_of(state)
    with pytest.raises(NonFiniteLossError, match="in epoch 1, step 1; no epoch was finished"):
        list(train(state, images, SMALL))
    assert_same(state.tensors(), before)


def test_weights_that_the_last_step_breaks_end_the_training(images):
    state = TrainState.start(SMALL)

    def break_weights(optimizer, *_):
        optimizer.param_groups[0]["params"][0].data[0, 0] = float("inf")

    steps = []
    state.optimizer.register_step_post_hook(
        lambda *args: steps.append(1) or (len(steps) == 10 and break_weights(*args))
    )
    with pytest.raises(NonFiniteLossError, match="in epoch 2, step 5; epoch 1 is kept"):
        list(train(state, images, SMALL))
    assert all(value.isfinite().all() for value in state.tensors().values())


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 28, 28), np.uint8), "images must not be empty; got images=0"),
        (np.zeros((5, 27, 28), np.uint8), "images must have shape"),
        (np.full((5, 28, 28), np.nan), "images must be finite"),
    ],
)
def test_unusable_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        next(train(TrainState.start(SMALL), images, SMALL))


def test_a_state_of_another_autoencoder_is_refused(images):
    state = TrainState.start(dataclasses.replace(SMALL, vae=VAEConfig(latent_dim=2)))
    with pytest.raises(ValueError, match=r"config\.vae must be the state's"):
        next(train(state, images, SMALL))


def test_floating_point_images_train_like_bytes(images):
    as_floats, _ = trained(SMALL, images.astype(np.float32) / 255)
    assert_same(as_floats.tensors(), trained(SMALL, images)[0].tensors())


WORKER = """
import json, sys
import numpy as np, torch, torch.distributed as dist
from safetensors.torch import save_file
from vaegmm.config import TrainConfig
from vaegmm.training import loop
from vaegmm.training import TrainState, train

rank, size, port, images, config, out, least_kept = sys.argv[1:]
loop._LEAST_TOLD, loop._LEAST_KEPT = 0, float(least_kept)
torch.set_num_threads(1)
dist.init_process_group(
    "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=int(rank), world_size=int(size)
)
config = TrainConfig.from_dict(json.loads(config))
state = TrainState.start(config)
list(train(state, np.load(images), config))
save_file(state.tensors(), out)
print(json.dumps([loss.cross_entropy for loss in state.history]))
dist.destroy_process_group()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "restarts"),
    [(SMALL, 0), (JOINT, 0), (JOINT, 1)],
    ids=["alone", "joint", "restarted"],
)
def test_two_processes_make_the_training_of_one(images, tmp_path, monkeypatch, config, restarts):
    least_kept = 1e9 if restarts else 0
    monkeypatch.setattr("vaegmm.training.loop._LEAST_TOLD", 0)
    monkeypatch.setattr("vaegmm.training.loop._LEAST_KEPT", least_kept)
    images = images[:65]  # the last batch is a single image: one process has none of it
    np.save(tmp_path / "images.npy", images)
    port = free_port()
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, "-c", WORKER, str(rank), "2", str(port)),
                *(str(tmp_path / "images.npy"), json.dumps(config.to_dict())),
                *(str(tmp_path / f"{rank}.safetensors"), str(least_kept)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in (0, 1)
    ]
    try:
        outputs = [worker.communicate(timeout=120) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], outputs

    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert_same(first, second)
    state, _ = trained(config, images)
    alone, start = state.tensors(), TrainState.start(config).tensors()
    assert first["restarts"] == alone.pop("restarts") == restarts
    if config.joint_epochs:
        told = alone.pop("prior.first_information").item()
        assert first["prior.first_information"].item() == pytest.approx(told, abs=0.05)
    for name, expected in alone.items():
        # Adam divides by the root of tiny squares, which magnifies the rounding of single
        # entries: what is compared is how far all of a tensor has come.
        way = expected - start[name] if name in start else expected
        assert way.norm() > 0
        assert (first[name] - expected).norm() < 0.05 * way.norm(), name
    losses = [loss.cross_entropy for loss in state.history]
    assert json.loads(outputs[0][0]) == pytest.approx(losses, rel=1e-4)


def test_an_epochs_losses_survive_json():
    loss = EpochLoss(1, 2.0, 3.0, 0.5, 4.0, None)
    assert EpochLoss(**dataclasses.asdict(loss)) == loss

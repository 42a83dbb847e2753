"""A training's state as a frame: what is in it, when it is taken, and what it costs."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from made_film import made_film

from vaegmm.config import (
    PRESETS,
    AugmentationConfig,
    JointConfig,
    MixtureConfig,
    TrainConfig,
    VAEConfig,
)
from vaegmm.film import Camera, Frame
from vaegmm.film.file import MOST_BYTES, encode
from vaegmm.metrics import latents_in_use
from vaegmm.training import Progress, TrainState, start, train

JOINT = TrainConfig(
    vae=VAEConfig(latent_dim=3, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    augmentation=AugmentationConfig(shift=1),
    joint=JointConfig(share=0.5, n_components=4, n_init=2),
    epochs=4,
    batch_size=2,
    kl_warmup=0,
)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (70, 28, 28)).astype(np.uint8)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.arange(70) % 3


@pytest.fixture(scope="module", autouse=True)
def short_starts():
    """Train each start for a few steps only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "_START_STEPS", 5)
        yield


@pytest.fixture(scope="module")
def filmed(images, labels):
    """A state at the end of its training, the camera, its frames, and what they were taken of."""
    state = TrainState.start(JOINT)
    return (state, *_film(JOINT, images, labels, state))


def _film(config, images, labels, state=None):
    """The camera's frames of a training, and copies of the state's weights at each."""
    state = state or TrainState.start(config)
    camera = Camera(config, images[:30], None if labels is None else labels[:30], len(images))
    frames, reports = [], []
    for report in train(state, images, config, images[:30]):
        if frame := camera.take(state, report):
            frames.append(frame)
            reports.append((report, state.vae.posterior(_pixels(images[:30])), state.prior))
    return camera, frames, reports


def _pixels(images):
    return torch.from_numpy(images).reshape(len(images), -1).float() / 255


def test_frames_are_of_the_first_steps_of_every_start_and_of_every_epoch(filmed):
    _, _, frames, _ = filmed
    assert [(f.kind, f.header["epoch"], f.header["step"]) for f in frames] == [
        *(("step", 1, step) for step in (0, 1, 3, 10, 30)),
        ("epoch", 1, 35),
        ("epoch", 2, 35),
        ("start", 3, 0),
        ("start", 3, 0),
        ("epoch", 3, 35),
        ("epoch", 4, 35),
    ]
    assert [len(f.header["starts"]) for f in frames if f.kind == "start"] == [1, 2]
    seconds = [f.header["seconds"] for f in frames]
    assert seconds == sorted(seconds)


def test_a_frame_holds_what_a_made_up_one_does(filmed):
    """What players are tested with is what trainings write: the same names, types and ranks."""
    _, camera, frames, _ = filmed
    made = made_film()
    opening = camera.opening("Noise", "noise", ("a", "b", "c"))
    pairs = [(opening, made.opening)]
    for kind, is_joint in (("step", False), ("epoch", False), ("epoch", True), ("start", False)):

        def chosen(frames, kind=kind, is_joint=is_joint):
            return next(f for f in frames if f.kind == kind and ("means" in f.arrays) == is_joint)

        pairs.append((chosen(frames), chosen(made.frames)))
    for ours, theirs in pairs:
        assert ours.header.keys() == theirs.header.keys() | ({"starts"} & ours.header.keys())
        assert {name: (a.dtype, a.ndim) for name, a in ours.arrays.items()} == {
            name: (a.dtype, a.ndim) for name, a in theirs.arrays.items()
        }
        json.dumps(ours.header, allow_nan=False)


def test_a_frame_shows_the_networks_state(filmed, labels):
    _, _, frames, moments = filmed
    for frame, (report, posterior, prior) in zip(frames, moments, strict=True):
        header, arrays = frame.header, frame.arrays
        assert header["cross_entropy"] == pytest.approx(report.cross_entropy, abs=1e-4)
        assert (header["validation_kl"] is not None) == (frame.kind == "epoch")
        if frame.kind == "start":
            continue
        means = posterior.mean.detach().numpy()
        np.testing.assert_allclose(arrays["latents"], means, atol=5e-3)
        np.testing.assert_allclose(arrays["centre"], means.mean(0), atol=1e-5)
        assert sum(header["in_use"]) == latents_in_use(means)
        np.testing.assert_allclose(arrays["axes"] @ arrays["axes"].T, np.eye(2), atol=1e-5)
        if prior is None:
            q = torch.distributions.Normal(*posterior)
            kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0, 1)).mean(0)
            np.testing.assert_allclose(header["kl_per_latent"], kl.detach(), atol=1e-3)
    last = frames[-1].arrays
    of_component = labels[:30][last["components"] == last["components"][0]]
    commonest = np.bincount(of_component).argmax()
    assert last["component_labels"][last["components"][0]] == commonest


def test_the_last_frames_images_are_the_decoders(filmed):
    state, camera, frames, _ = filmed
    opening, last = camera.opening("", "", ()), frames[-1].arrays
    with torch.no_grad():
        pixels = state.vae.decode(state.vae.posterior(_pixels(opening.arrays["images"])).mean)
        means = state.vae.decode(state.prior().means)
        roots = state.prior().precisions_cholesky
    for ours, theirs in ((last["reconstructions"], pixels), (last["component_images"], means)):
        np.testing.assert_allclose(ours, theirs * 255, atol=0.51)
    precisions = (roots @ roots.mT).double()
    np.testing.assert_allclose(last["covariances"], precisions.inverse(), rtol=1e-2, atol=1e-2)


def test_every_label_is_shown_as_often_as_any(images, labels):
    opening = Camera(JOINT, images, labels, 70).opening("", "", ())
    assert np.bincount(opening.arrays["image_labels"]).tolist() == [8, 8, 8]
    assert opening.arrays["image_labels"][:3].tolist() == [0, 1, 2]
    rare = np.where(np.arange(70) < 68, 0, 1)
    shown = Camera(JOINT, images, rare, 70).opening("", "", ()).arrays
    assert shown["images"].shape == (24, 784)
    assert np.bincount(shown["image_labels"]).tolist() == [22, 2]


def test_without_labels_there_are_none(images):
    camera, frames, _ = _film(JOINT, images, None)
    assert camera.opening("", "", ()).arrays.keys() == {"images"}
    assert (frames[-1].arrays["component_labels"] == -1).all()


def test_the_map_turns_as_little_as_it_can(filmed):
    _, _, frames, _ = filmed
    axes = [f.arrays["axes"] for f in frames if "axes" in f.arrays]
    for before, after in pairwise(axes):
        distance = np.square(after - before).sum()
        for turn in ([[-1, 0], [0, 1]], [[0, 1], [1, 0]], [[0.8, 0.6], [-0.6, 0.8]]):
            assert distance <= np.square(np.array(turn) @ after - before).sum() + 1e-6


def test_one_latent_is_a_line(images, labels):
    config = replace(JOINT, vae=VAEConfig(latent_dim=1, hidden_units=(8,)), epochs=1)
    _, frames, _ = _film(config, images, labels)
    assert all(np.abs(f.arrays["axes"]).sum() == pytest.approx(1) for f in frames)


def test_of_a_long_training_only_some_epochs_have_a_frame(images):
    config = replace(JOINT, epochs=2500, joint=JointConfig())
    camera, state = Camera(config, images, None, 70), TrainState.start(config)
    report = next(iter(train(state, images, config)))
    taken = [
        epoch
        for epoch in (1, 2, 3, 4, 6, 2499, 2500)
        if camera.take(state, _ended(report, epoch)) is not None
    ]
    assert taken == [1, 3, 6, 2499, 2500]


def _ended(report: Progress, epoch: int) -> Progress:
    from vaegmm.training import EpochLoss

    return replace(report, epoch=epoch, finished_epoch=EpochLoss(epoch, 1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("latent_dim", "n_components"), [(8, 10), (2, 200), (64, 10), (784, 2), (32, 40)]
)
def test_no_frame_exceeds_its_bytes(latent_dim, n_components):
    """Of noise, which nothing compresses: an untrained network, points anywhere."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 255, (2500, 28, 28)).astype(np.uint8)
    config = replace(
        PRESETS["default"],
        vae=VAEConfig(latent_dim=latent_dim),
        joint=JointConfig(0.5, n_components),
        epochs=2,
    )
    camera, state = Camera(config, noise, np.arange(2500) % 10, 50_000), TrainState.start(config)
    with torch.no_grad():
        state.vae.output.weight *= 30
    state.begin_joint_stage(n_components).means.data.normal_()
    report = next(iter(train(TrainState.start(config), noise[:200], config)))
    frame = camera.take(state, report)
    assert isinstance(frame, Frame) and len(frame.arrays["latents"]) > 5
    assert len(encode(frame)) <= MOST_BYTES

"""Checkpoints: what was saved comes back, and what is no checkpoint is refused in one sentence."""

import dataclasses
import json
import pickle
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

import vaegmm
from vaegmm import (
    VAEGMM,
    CheckpointError,
    JointConfig,
    MixtureConfig,
    TrainConfig,
    VAEConfig,
    checkpoint,
)
from vaegmm.checkpoint import read_header, read_tensors, write_tensors
from vaegmm.model import load

TINY = TrainConfig(
    vae=VAEConfig(latent_dim=3, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=4),
    epochs=1,
    batch_size=32,
)


@pytest.fixture(scope="module")
def tiny_model(digits):
    validation = (digits.validation.images, digits.validation.labels)
    return VAEGMM(TINY, "cpu").fit(digits.train.images[:200], validation, digits.label_names)


@pytest.fixture
def path(tiny_model, tmp_path):
    """A good checkpoint, to be damaged."""
    path = tmp_path / "tiny.safetensors"
    tiny_model.save(path)
    return path


def rewrite(path, change_tensors=None, change_header=None):
    """Save the checkpoint again with something in it changed."""
    tensors, header = load_file(path), read_header(path)
    if change_tensors:
        change_tensors(tensors)
    if change_header:
        change_header(header)
    save_file(tensors, path, {"vaegmm": json.dumps(header)})


# What was saved comes back


def test_a_loaded_model_answers_identically(small_model, small_checkpoint, digits):
    loaded, images = vaegmm.load(small_checkpoint), digits.test.images
    for method in (
        "predict",
        "predict_proba",
        "responsibilities",
        "encode",
        "reconstruct",
        "typicality",
        "cross_entropy",
    ):
        np.testing.assert_array_equal(
            getattr(loaded, method)(images), getattr(small_model, method)(images), err_msg=method
        )
    for mine, other in zip(loaded.sample(5, seed=1), small_model.sample(5, seed=1), strict=True):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(
        loaded.refit(3, n_init=1).mixture.means_, small_model.refit(3, n_init=1).mixture.means_
    )


def test_everything_beside_the_weights_comes_back(small_model, small_checkpoint):
    loaded = load(small_checkpoint)
    for name in ("config", "label_names", "history", "metrics"):
        assert getattr(loaded, name) == getattr(small_model, name), name
    assert loaded.provenance.items() >= small_model.provenance.items()
    for name in ("latents", "ranked_means", "ranked_excess"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(small_model, name))
    for name in ("weights_", "means_", "covariances_", "lower_bounds_", "converged_", "n_iter_"):
        np.testing.assert_array_equal(
            getattr(loaded.mixture, name), getattr(small_model.mixture, name), err_msg=name
        )
    assert loaded.mixture.lower_bound_ == small_model.mixture.lower_bounds_[-1]
    np.testing.assert_array_equal(loaded.names.names, small_model.names.names)
    assert loaded.names.n_labels == small_model.names.n_labels
    assert loaded.names.temperature == small_model.names.temperature != 1
    for name in ("mean", "components", "explained_variance"):
        np.testing.assert_array_equal(getattr(loaded.pca, name), getattr(small_model.pca, name))


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_every_covariance_type_comes_back(digits, tmp_path, covariance_type):
    mixture = MixtureConfig(n_components=4, covariance_type=covariance_type)
    config = dataclasses.replace(TINY, mixture=mixture)
    model = VAEGMM(config, "cpu").fit(digits.train.images[:100])
    model.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    images = digits.test.images
    np.testing.assert_array_equal(loaded.responsibilities(images), model.responsibilities(images))
    assert loaded.names is None


def test_a_refitted_model_can_be_saved(tiny_model, tmp_path, digits):
    other = tiny_model.refit(7, n_init=1)
    other.save(tmp_path / "other.safetensors")
    loaded = load(tmp_path / "other.safetensors")
    np.testing.assert_array_equal(
        loaded.predict_proba(digits.test.images), other.predict_proba(digits.test.images)
    )


def test_a_loaded_model_can_be_saved_again_to_the_same_bytes(path, tmp_path):
    load(path).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_a_loaded_model_is_independent_of_its_file(path):
    model = load(path)
    before = path.read_bytes()
    with torch.no_grad():
        for parameter in model.vae.parameters():
            parameter.add_(1)
    assert path.read_bytes() == before
    assert all(parameter.requires_grad for parameter in model.vae.parameters())
    assert all(parameter.device.type == "cpu" for parameter in model.vae.parameters())


def test_loading_leaves_torchs_random_numbers_alone(path):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    load(path)
    assert torch.equal(torch.rand(1), expected)


def test_the_header_is_json_that_any_tool_can_read(path):
    with safe_open(path, framework="np") as file:
        header = json.loads(file.metadata()["vaegmm"])
    assert header["format"] == checkpoint.FORMAT
    assert header["config"] == json.loads(json.dumps(TINY.to_dict()))
    assert header["provenance"]["versions"].keys() >= {"vaegmm", "python", "torch", "numpy"}
    assert read_header(path) == header


def test_what_the_training_recorded_about_versions_is_kept(tiny_model, tmp_path):
    model = tiny_model.refit(3, n_init=1)
    model.provenance = {"versions": {"torch": "1.0"}}
    model.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").provenance == model.provenance


# What is no checkpoint


@pytest.mark.parametrize("share", [0, 0.0001, 0.001, 0.1, 0.5, 0.9, 0.9999])
def test_a_truncated_checkpoint_is_refused(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    for read in (load, read_header, read_tensors):
        with pytest.raises(CheckpointError, match="it is truncated or another kind of file"):
            read(path)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(tmp_path, content):
    path = tmp_path / "random.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        load(path)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_changed_byte_in_the_header_never_crashes(path, data):
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[:8], "little")
    position = data.draw(st.integers(0, 8 + length - 1))
    content[position] = data.draw(st.integers(0, 255))
    changed = path.with_name("changed.safetensors")
    changed.write_bytes(content)
    try:
        model = load(changed)
    except CheckpointError as error:
        assert str(changed) in str(error)
    else:
        # The byte was in a text, or another number: a model all the same.
        assert np.isfinite(model.decode(np.zeros((1, 3)))).all()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"none\.safetensors must be a checkpoint file; there"
    ):
        load(tmp_path / "none.safetensors")


def test_a_directory_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="there is no such file"):
        load(tmp_path)


def test_someone_elses_safetensors_is_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    for metadata in (None, {"format": "pt"}, {"vaegmm": "[1, 2]"}, {"vaegmm": "null"}):
        save_file({"weight": torch.zeros(2)}, path, metadata)
        with pytest.raises(CheckpointError, match="it is a safetensors file of something else"):
            load(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 10_000])
def test_a_header_that_is_no_json_is_refused(tmp_path, text):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, path, {"vaegmm": text})
    with pytest.raises(CheckpointError):
        load(path)


class Payload:
    """What a pickle would run when it is opened."""

    def __reduce__(self):
        return (Path("pickle-was-executed").touch, ())


def test_a_pickle_is_refused_and_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("plain.safetensors").write_bytes(pickle.dumps(Payload()))
    torch.save({"vae": Payload()}, "torch.safetensors")
    for name in ("plain.safetensors", "torch.safetensors"):
        with pytest.raises(CheckpointError, match="another kind of file"):
            load(name)
    assert not Path("pickle-was-executed").exists()


def test_a_newer_format_asks_for_an_update(path):
    rewrite(path, change_header=lambda header: header.update(format=99))
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(caught.value) == f"{path} must have checkpoint format 1; it has 99. Update vaegmm."


@pytest.mark.parametrize("found", [0, "1", None, [1]])
def test_another_format_is_refused(path, found):
    rewrite(path, change_header=lambda header: header.update(format=found))
    with pytest.raises(CheckpointError, match=re.escape(f"it has {found!r}.")):
        load(path)


def test_the_mixture_that_the_network_was_trained_with_comes_back(digits, tmp_path):
    joint = JointConfig(share=0.5, n_components=3, n_init=1)
    config = dataclasses.replace(TINY, epochs=2, joint=joint)
    model = VAEGMM(config, "cpu").fit(digits.train.images[:200])
    path = tmp_path / "joint.safetensors"
    model.save(path)
    loaded = load(path)
    assert all(torch.equal(*parts) for parts in zip(loaded.prior, model.prior, strict=True))
    np.testing.assert_array_equal(loaded.refit(3).mixture.means_, model.refit(3).mixture.means_)
    rewrite(path, lambda tensors: tensors.update({"prior.means": torch.zeros(3, 4)}))
    with pytest.raises(CheckpointError, match=r"is damaged: prior\.means has shape"):
        load(path)


def test_a_file_without_such_a_mixture_has_none(path):
    assert load(path).prior is None


def test_a_file_from_before_the_temperature_loads(path):
    def change(header):
        del header["temperature"], header["names_temperature"]

    rewrite(path, change_header=change)
    assert load(path).names.temperature == 1


def test_a_file_whose_temperature_is_of_sums_says_nearly_the_same(path, digits):
    def change(header):
        del header["names_temperature"]
        header["temperature"] = 0.7

    stored = read_tensors(path)[0]["names.label_given_component"].numpy()
    rewrite(path, change_header=change)
    model = load(path)
    assert model.names.temperature < 1
    powers = (model.responsibilities(digits.test.images) @ stored) ** (1 / 0.7)
    expected = powers / powers.sum(1, keepdims=True)
    probabilities = model.predict_proba(digits.test.images)
    assert np.abs(probabilities - expected).mean() < 0.01
    assert (probabilities.argmax(1) == expected.argmax(1)).mean() > 0.9


HEADERS = {
    "no configuration": lambda h: h.pop("config"),
    "a configuration that is none": lambda h: h.update(config=3),
    "NaN latents": lambda h: h["config"]["vae"].update(latent_dim=float("nan")),
    "another latent_dim": lambda h: h["config"]["vae"].update(latent_dim=4),
    "huge latent_dim": lambda h: h["config"]["vae"].update(latent_dim=10**12),
    "absurd latent_dim": lambda h: h["config"]["vae"].update(latent_dim=10**30),
    "other hidden units": lambda h: h["config"]["vae"].update(hidden_units=[17]),
    "huge hidden units": lambda h: h["config"]["vae"].update(hidden_units=[10**9] * 8),
    "many hidden layers": lambda h: h["config"]["vae"].update(hidden_units=[1] * 10**6),
    "text for hidden units": lambda h: h["config"]["vae"].update(hidden_units="16"),
    "more components": lambda h: h["config"]["mixture"].update(n_components=10**9),
    "another covariance type": lambda h: h["config"]["mixture"].update(covariance_type="diag"),
    "unknown activation": lambda h: h["config"]["vae"].update(mean_activation="exec"),
    "unknown key": lambda h: h["config"].update(run="rm"),
    "no label names": lambda h: h.pop("label_names"),
    "fewer label names": lambda h: h.update(label_names=["0"]),
    "a number of label names": lambda h: h.update(label_names=5),
    "an infinite number of labels": lambda h: h.update(n_labels=float("inf")),
    "no temperature at all": lambda h: h.update(temperature=0),
    "a boundless temperature": lambda h: h.update(temperature=float("inf")),
    "a temperature of names below zero": lambda h: h.update(names_temperature=-1),
    "a history that is none": lambda h: h.update(history=[1, 2]),
    "metrics that are none": lambda h: h.update(metrics=[1]),
    "no provenance": lambda h: h.pop("provenance"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_hostile_header_is_refused(path, case):
    rewrite(path, change_header=HEADERS[case])
    with pytest.raises(CheckpointError, match=re.escape(f"{path} is damaged: ")):
        load(path)


TENSORS = {
    "no latents": lambda t: t.pop("latents"),
    "no weight of a layer": lambda t: t.pop("vae.mean.weight"),
    "a weight of another shape": lambda t: t.update({"vae.mean.weight": torch.zeros(1, 1)}),
    "a weight of another type": lambda t: t.update(
        {"vae.mean.weight": t["vae.mean.weight"].double()}
    ),
    "a weight without a number type": lambda t: t.update(
        {"vae.mean.bias": t["vae.mean.bias"].bool()}
    ),
    "a NaN weight": lambda t: t["vae.mean.weight"].fill_(float("nan")),
    "infinite means": lambda t: t["mixture.means"].fill_(float("inf")),
    "latents of another dimension": lambda t: t.update(latents=torch.zeros(200, 4)),
    "no latent at all": lambda t: t.update(latents=torch.zeros(0, 3)),
    "latents that are one number": lambda t: t.update(latents=torch.tensor(1.0)),
    "fewer ranks": lambda t: t.update({"ranked.excess": torch.zeros(5)}),
    "covariances of another shape": lambda t: t.update(
        {"mixture.covariances": torch.ones(4, 3, dtype=torch.float64)}
    ),
    "singular covariances": lambda t: t["mixture.covariances"].zero_(),
    "no EM history": lambda t: t.update({"mixture.lower_bounds": torch.zeros(0).double()}),
    "a projection of another shape": lambda t: t.update({"pca.mean": torch.zeros(2).double()}),
    "names beyond the labels": lambda t: t["names.names"].fill_(10),
    "names below none": lambda t: t["names.names"].fill_(-2),
    "names of another type": lambda t: t.update({"names.names": torch.zeros(4)}),
    "names without probabilities": lambda t: t.pop("names.label_given_component"),
    "bfloat16": lambda t: t.update(latents=t["latents"].bfloat16()),
}


@pytest.mark.parametrize("case", TENSORS)
def test_hostile_tensors_are_refused(path, case):
    rewrite(path, change_tensors=TENSORS[case])
    with pytest.raises(CheckpointError, match=re.escape(f"{path} is damaged: ")):
        load(path)


@pytest.mark.parametrize(
    "values", [{"hidden_units": [10**6, 10**6]}, {"latent_dim": 10**8}, {"hidden_units": [2**31]}]
)
def test_sizes_in_a_header_cost_no_memory(path, values):
    rewrite(path, change_header=lambda header: header["config"]["vae"].update(values))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError):
        load(path)
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert kibibytes < 100_000


# Writing


def test_writing_replaces_what_was_there(tiny_model, path):
    other = tiny_model.refit(2, n_init=1)
    other.save(path)
    assert len(load(path).mixture.weights_) == 2
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_checkpoint_can_be_read_by_everyone(path):
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("step", ["save_file", "os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [OSError("No space left on device"), SafetensorError("IO error")])
def test_a_failed_write_leaves_the_previous_checkpoint_whole(
    tiny_model, path, monkeypatch, step, error
):
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(f"vaegmm.checkpoint.{step}", fail)
    with pytest.raises(CheckpointError) as caught:
        tiny_model.refit(2, n_init=1).save(path)
    assert str(caught.value) == (
        f"{path} cannot be written: {error}. What was there before is unchanged; "
        "free some space, or choose another place."
    )
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_interrupted_write_leaves_the_previous_checkpoint_whole(tiny_model, path, monkeypatch):
    before = path.read_bytes()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("vaegmm.checkpoint.os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tiny_model.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


FULL_DISK = """
import resource, sys
import torch
from vaegmm.checkpoint import CheckpointError, write_tensors
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    write_tensors(sys.argv[1], {"weight": torch.zeros(1_000_000)}, {})
except CheckpointError as error:
    print(error)
"""


def test_a_disk_that_is_really_full_leaves_the_previous_checkpoint_whole(path):
    """Not a mock: the operating system refuses to write more than 100 kB."""
    before = path.read_bytes()
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=True,
    )
    assert f"{path} cannot be written" in result.stdout
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["missing/model.safetensors", "file/model.safetensors"])
def test_a_directory_that_is_none_is_named(tiny_model, tmp_path, name):
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be written"):
        tiny_model.save(tmp_path / name)


def test_a_path_that_is_a_directory_is_refused(tiny_model, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CheckpointError, match="folder cannot be written"):
        tiny_model.save(tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_tensors_and_headers_of_any_kind_come_back(tmp_path):
    tensors = {"a": torch.arange(6).reshape(2, 3), "b": torch.tensor(1.5)}
    write_tensors(tmp_path / "state", tensors, {"history": [1, {"x": "ä"}]})
    found, header = read_tensors(tmp_path / "state")
    assert header == {"history": [1, {"x": "ä"}]}
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    with pytest.raises(CheckpointError, match=r"must have checkpoint format 1; it has None\."):
        load(tmp_path / "state")

"""Data larger than memory: read in parts, it is trained on as if it were in memory."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from vaegmm import data
from vaegmm.app import cached, explore
from vaegmm.app.words import sentence
from vaegmm.cli import main
from vaegmm.config import AugmentationConfig, JointConfig, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.data import DataError
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM
from vaegmm.runs import Run
from vaegmm.stored import Shard, StoredImages
from vaegmm.training import TrainState, train

JOINT = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    augmentation=AugmentationConfig(rotation=10, shift=1),
    mixture=MixtureConfig(n_components=4, tol=0.01),
    joint=JointConfig(share=0.5, n_components=4, n_init=2),
    epochs=2,
    batch_size=16,
)
both_stages = pytest.mark.parametrize(
    "config",
    [dataclasses.replace(JOINT, joint=JointConfig(share=0)), JOINT],
    ids=["alone", "joint"],
)


@pytest.fixture(autouse=True)
def try_starts_in_passing(monkeypatch):
    """How well a start is trained is of no matter here, and takes most of the time."""
    monkeypatch.setattr("vaegmm.training.start._START_STEPS", 3)


def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    return images, generator.integers(0, 4, n)


@pytest.fixture
def some(digits) -> tuple[np.ndarray, np.ndarray]:
    return digits.train.images[:90], digits.train.labels[:90]


def write_npy(path: Path, images: np.ndarray, labels: np.ndarray | None = None) -> Path:
    np.save(path, images)
    if labels is not None:
        np.save(path.with_name(f"{path.stem}.labels.npy"), labels)
    return path


def write_shards(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """Shards of every kind and of different sizes; the order of their names is that of the rows."""
    folder.mkdir()
    (folder / "readme.txt").write_text("not a shard")
    write_npy(folder / "a.npy", images[:40], labels[:40])
    write_npy(folder / "b.npy", images[40:41].reshape(-1, 784), labels[40:41])
    np.savez(folder / "c.npz", images=images[41:60], labels=labels[41:60].astype(np.uint8))
    np.savez(folder / "d.npz", labels=labels[60:], images=images[60:].reshape(-1, 784))
    return folder


# The images


@pytest.mark.parametrize("kind", ["file", "flat", "shards"])
@pytest.mark.parametrize(
    "rows",
    [
        slice(None),
        slice(38, 63),
        slice(None, None, -7),
        slice(5, 5),
        np.array([3, 89, 3, 40, 41, 59, 60, 2, -1]),
        np.array([], np.int64),
        np.arange(90) % 2 == 0,
    ],
    ids=["all", "some", "backwards", "none", "numbers", "no number", "mask"],
)
def test_images_in_files_are_indexed_like_an_array(tmp_path, kind, rows):
    images, labels = sample(90)
    if kind == "shards":
        path = write_shards(tmp_path / "shards", images, labels)
    else:
        path = write_npy(tmp_path / "x.npy", images.reshape(90, -1) if kind == "flat" else images)
    stored = StoredImages(data.load(path).train.images.shards)
    assert stored.shape == (90, 28, 28)
    np.testing.assert_array_equal(stored[rows], images[rows])
    order = np.random.default_rng(1).permutation(90)
    taken = stored.take(order)
    np.testing.assert_array_equal(taken[rows], images[order][rows])
    np.testing.assert_array_equal(taken.take(order[:9])[:], images[order][order[:9]])
    for row in (90, -91):
        with pytest.raises(IndexError, match=f"below the 90 images; got {row} to {row}"):
            stored[np.array([row])]


@pytest.mark.parametrize("kind", ["file", "shards"])
def test_files_are_split_as_the_same_images_in_memory(tmp_path, kind):
    images, labels = sample(90)
    np.savez(tmp_path / "x.npz", images=images, labels=labels)
    in_memory = data.load(tmp_path / "x.npz")
    if kind == "shards":
        dataset = data.load(write_shards(tmp_path / "shards", images, labels))
    else:
        dataset = data.load(write_npy(tmp_path / "x.npy", images, labels))
    assert isinstance(dataset.train, data.StoredSplit)
    assert dataset.label_names == in_memory.label_names
    for name in ("train", "validation", "test", "everything"):
        one, other = getattr(dataset, name).in_memory(), getattr(in_memory, name)
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert one.labels.dtype == np.int64


def test_the_fingerprint_is_that_of_all_images(tmp_path):
    images, labels = sample(90)
    one = data.load(write_npy(tmp_path / "x.npy", images)).fingerprint
    assert data.load(write_shards(tmp_path / "shards", images, labels)).fingerprint == one
    for row in (0, 89):
        changed = images.copy()
        changed[row, 0, 0] ^= 1
        assert data.load(write_npy(tmp_path / "x.npy", changed)).fingerprint != one


def test_no_more_is_held_out_than_fits_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(data.dataset, "MOST_HELD_OUT", 10)
    images, labels = sample(90)
    np.savez(tmp_path / "x.npz", images=images)
    for path in (tmp_path / "x.npz", write_npy(tmp_path / "x.npy", images, labels)):
        dataset = data.load(path)
        assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [70, 10, 10]


def test_memory_is_bounded_whatever_the_file_holds(tmp_path):
    n_images = 300_000  # 235 MB, of which the disk holds the header alone
    path = tmp_path / "x.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n_images, 28, 28)).flush()
    tracemalloc.start()
    dataset = data.load(path)
    assert dataset.fingerprint
    batch = dataset.train.images[np.arange(1000)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(dataset.train) == n_images - 2 * 20_000
    assert batch.shape == (1000, 28, 28)
    # What is held out, twice while it is brought into its order, and 12 bytes an image.
    assert peak < 3 * 20_000 * 784 + 12 * n_images + 10_000_000 < 0.3 * n_images * 784


# The training


@both_stages
def test_the_same_weights_as_in_memory_bit_for_bit(tmp_path, some, config):
    images = some[0][:70]  # not a multiple of the batch size
    stored = StoredImages(data.load(write_npy(tmp_path / "x.npy", images)).train.images.shards)
    tensors = []
    for source in (images, stored):
        state = TrainState.start(config)
        list(train(state, source, config, images[:10]))
        tensors.append(state.tensors() | {"loss": torch.tensor(state.history[-1].cross_entropy)})
    assert tensors[0].keys() == tensors[1].keys()
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


WORKER = """
import json, sys
import numpy as np, torch, torch.distributed as dist
from vaegmm import data
from vaegmm.config import TrainConfig
from vaegmm.training import TrainState, start, train

rank, port, path, config = sys.argv[1:]
start._START_STEPS = 3
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=int(rank), world_size=2)
config = TrainConfig.from_dict(json.loads(config))
split = data.load(path).train
tensors = []
for images in (split.images, split.in_memory().images):
    state = TrainState.start(config)
    list(train(state, images, config))
    tensors.append(state.tensors())
assert type(split.images).__name__ == "StoredImages"
assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])
print(len(tensors[0]))
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_too(tmp_path, some):
    path = write_npy(tmp_path / "x.npy", *some)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, rank, port, path, json.dumps(JOINT.to_dict())],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in "01"
    ]
    try:
        outputs = [worker.communicate(timeout=120) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert int(outputs[0][0]) > 20


def test_a_run_ends_with_the_model_of_one_in_memory(tmp_path, some, monkeypatch):
    most = 50  # of whose z both are fitted to
    for module in ("vaegmm.model", "vaegmm.training.start"):
        monkeypatch.setattr(f"{module}.MOST_ENCODED", most)
    np.savez(tmp_path / "x.npz", images=some[0], labels=some[1])
    paths = (tmp_path / "x.npz", write_shards(tmp_path / "shards", *some))
    models = [
        Run.create(tmp_path / f"run{number}", JOINT, path).execute()
        for number, path in enumerate(paths)
    ]
    assert len(models[0].latents) == most
    for part in ("latents", "ranked_means", "ranked_excess"):
        np.testing.assert_array_equal(*(getattr(model, part) for model in models))
    np.testing.assert_array_equal(*(model.mixture.means_ for model in models))
    assert models[0].metrics == models[1].metrics
    assert models[0].label_names == models[1].label_names
    # What a page shows beside the stored z: which images they are of, and of how many.
    for model in models:
        assert explore.n_trained_on(model) == 60
        shown = cached.stored_split(model)
        assert len(shown) == len(shown.labels) == most
        again = model.encode(shown.images[:], sample=True, seed=model.config.seed)
        np.testing.assert_array_equal(again, model.latents)


def test_a_model_is_fitted_to_images_in_files(tmp_path, some):
    stored = data.load(write_npy(tmp_path / "x.npy", some[0])).train.images
    one, other = (VAEGMM(JOINT, "cpu").fit(images) for images in (stored, stored[:]))
    np.testing.assert_array_equal(one.latents, other.latents)


def test_what_was_never_seen_is_scored_on_its_test_part(tmp_path, some, small_checkpoint, capsys):
    path = write_npy(tmp_path / "x.npy", *some)
    assert main(["evaluate", str(small_checkpoint), "--data", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["split"], figures["n_images"]) == ("test", 15)


def test_a_file_that_goes_while_it_is_in_use_is_named(tmp_path):
    path = write_npy(tmp_path / "x.npy", sample(90)[0])
    images = data.load(path).train.images
    with open(path, "r+b") as file:
        file.truncate(1000)
    with pytest.raises(InputError, match=r"x\.npy must stay as it is .* become shorter") as caught:
        images[:]
    assert sentence(caught.value).startswith("x.npy has changed or gone while it was in use.")
    path.unlink()
    with pytest.raises(InputError, match=r"x\.npy must stay as it is"):
        images[:5]


# What is no data set


def cut(path: Path, n_bytes: int) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size - n_bytes)


def edit_fortran(path):
    np.save(path / "a.npy", np.asfortranarray(sample(9)[0]))


def compress(path):
    np.savez_compressed(path / "a.npz", images=sample(9)[0])


def labels_for_one(path):
    write_npy(path / "a.npy", *sample(9))
    write_npy(path / "b.npy", sample(9)[0])


def cut_off_npz(path):
    np.savez(path / "a.npz", images=sample(9)[0])
    cut(path / "a.npz", 4000)


def announce_more(path):
    with open(path / "a.npy", "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)}
        np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(path / "b.npz", "w") as archive:
        archive.write(path / "a.npy", "images.npy")
    (path / "a.npy").unlink()


@pytest.mark.parametrize(
    ("write", "message", "said"),
    [
        (lambda p: (p / "a.npy").write_bytes(b"junk"), "no readable .npy", "a.npy cannot be read"),
        (lambda p: (p / "a.npy").write_bytes(b""), "no readable .npy", "a.npy cannot be read"),
        (lambda p: (p / "a.npz").write_bytes(b"junk"), "no readable .npz", "a.npz cannot be read"),
        (cut_off_npz, "no readable .npz", "a.npz cannot be read"),
        (lambda p: np.save(p / "a.npy", np.zeros((9, 27, 28), np.uint8)), "shape", "9 × 27 × 28"),
        (lambda p: np.save(p / "a.npy", np.uint8(3)), "have shape (N, 28, 28)", "one number"),
        (lambda p: np.save(p / "a.npy", np.zeros((9, 784))), "float64", "must be bytes (uint8)"),
        (lambda p: np.save(p / "a.npy", np.array([{}] * 9)), "must have shape", "this one is 9."),
        (edit_fortran, "uint8, column by column", "must be bytes (uint8) from 0 to 255, image aft"),
        (lambda p: np.save(p / "a.npy", np.zeros((0, 784), np.uint8)), "empty", "holds no image"),
        (lambda p: cut(write_npy(p / "a.npy", sample(9)[0]), 784), "after 8.", "it must hold 9 im"),
        (announce_more, "it is cut off after 0.", "b.npz is cut off: it must hold 1,000,000,000"),
        (compress, "must not be compressed", "a.npz is compressed"),
        (lambda p: np.savez(p / "a.npz", pictures=3), "array named `images`", "no array called"),
        (labels_for_one, "b.npy has none", "Some files of data have labels and others, like b.npy"),
        (
            lambda p: write_npy(p / "a.npy", sample(9)[0], np.arange(8)),
            "labels must have one entry an image",
            "a.labels.npy must have one label for each of its 9 images",
        ),
        (
            lambda p: write_npy(p / "a.npy", sample(9)[0], np.arange(9) - 1),
            "labels must be whole numbers",
            "The labels of a.labels.npy must be whole numbers",
        ),
        (
            lambda p: write_npy(p / "a.npy", sample(9)[0], np.array([{}] * 9)),
            "a.labels.npy is no readable .npy",
            "a.labels.npy cannot be read",
        ),
        (lambda p: write_npy(p / "a.npy", sample(5)[0]), "at least 6 images", "too few images: 5"),
    ],
)
def test_files_that_are_no_data_set(tmp_path, write, message, said):
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder)
    with pytest.raises(DataError) as caught:
        data.load(folder)
    assert message in str(caught.value)
    assert said in sentence(caught.value)
    assert str(tmp_path) not in sentence(caught.value)


def test_a_shard_says_where_it_lies(tmp_path):
    path = write_npy(tmp_path / "x.npy", sample(9)[0])
    assert data.load(path).train.images.shards == (Shard(path, 128, 9),)

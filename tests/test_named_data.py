"""Data sets by name: each is read from archives in its own form, by torchvision's own readers."""

import bz2
import functools
import gzip
import hashlib
import http.server
import socket
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from scipy import ndimage

from vaegmm import data
from vaegmm.app.words import sentence
from vaegmm.data import NAMED, DataError

N_TRAIN, N_TEST = 24, 12


def idx(array: np.ndarray) -> bytes:
    """An array as MNIST's files hold it, packed."""
    kind = {"u1": 8, "i4": 12}[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(array.dtype.newbyteorder(">")).tobytes())


def drawings(labels: np.ndarray, side: int) -> np.ndarray:
    """An L of another brightness for each image: upright, and no mirror image of itself."""
    images = np.zeros((len(labels), side, side), np.uint8)
    images[:, 2:-2, 4] = images[:, -4, 4:-5] = 200
    images[:, 2:-2, 4] += np.arange(len(labels), dtype=np.uint8)[:, None]
    return images


def parts_of(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images and labels, training and test, of a small data set of this name."""
    n_labels, side = len(NAMED[name].label_names), 16 if name == "usps" else 28
    parts = []
    for n, first in ((N_TRAIN, 0), (N_TEST, n_labels - N_TEST)):
        labels = (first + np.arange(n)) % n_labels
        parts.append((drawings(labels, side), labels))
    return parts


def write_archives(name: str, folder: Path, monkeypatch) -> None:
    """Write a small data set as it is downloaded; torchvision must not miss the large one."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    parts = parts_of(name)
    if name == "usps":
        for file, (images, labels) in zip(("usps.bz2", "usps.t.bz2"), parts, strict=True):
            lines = [
                f"{label + 1} " + " ".join(f"{i}:{v:.6f}" for i, v in enumerate(row, 1))
                for label, row in zip(
                    labels, images.reshape(len(images), -1) / 127.5 - 1, strict=True
                )
            ]
            (folder / file).write_bytes(bz2.compress("\n".join(lines).encode()))
    elif name.startswith("emnist"):
        which, first = name.split("-")[1], int(name == "emnist-letters")
        raw = folder / "EMNIST" / "raw"
        raw.mkdir(parents=True)
        with zipfile.ZipFile(raw / "gzip.zip", "w") as archive:
            for part, (images, labels) in zip(("train", "test"), parts, strict=True):
                arrays = images.transpose(0, 2, 1), (labels + first).astype(np.uint8)
                for kind, array in zip(kinds, arrays, strict=True):
                    path = f"gzip/emnist-{which}-{part}-{kind}.gz"
                    archive.writestr(path, idx(np.ascontiguousarray(array)))
        monkeypatch.setattr(torchvision.datasets.EMNIST, "md5", None)
    elif name.startswith("qmnist"):
        raw = folder / "QMNIST" / "raw"
        raw.mkdir(parents=True)
        resources = {}
        # The first 10,000 test images are MNIST's; here too, all alike.
        (train_images, train_labels), (images, labels) = parts
        if name == "qmnist-50k":
            images = np.concatenate([np.full((10_000, 28, 28), 7, np.uint8), images])
            labels = np.concatenate([np.zeros(10_000, int), labels])
        for part, *arrays in (("train", train_images, train_labels), ("test", images, labels)):
            table = np.full((len(arrays[1]), 8), 4711, np.int32)
            table[:, 0] = arrays[1]
            resources[part] = []
            names = ("images-idx3-ubyte", "labels-idx2-int")
            for kind, array in zip(names, (arrays[0], table), strict=True):
                (raw / f"qmnist-{part}-{kind}.gz").write_bytes(idx(array))
                resources[part].append((f"https://nowhere.invalid/qmnist-{part}-{kind}.gz", None))
        monkeypatch.setattr(torchvision.datasets.QMNIST, "resources", resources)
    else:
        kind = getattr(torchvision.datasets, {"kmnist": "KMNIST", "mnist": "MNIST"}[name])
        raw = folder / kind.__name__ / "raw"
        raw.mkdir(parents=True)
        for part, (images, labels) in zip(("train", "t10k"), parts, strict=True):
            for suffix, array in zip(kinds, (images, labels.astype(np.uint8)), strict=True):
                (raw / f"{part}-{suffix}.gz").write_bytes(idx(array))
        unchecked = [(file, None) for file, _ in kind.resources]
        monkeypatch.setattr(kind, "resources", unchecked)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VAEGMM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


DOWNLOADED = [name for name in data.NAMES if name not in ("mnist", "fashion", "digits")]


@pytest.mark.parametrize("name", DOWNLOADED)
def test_images_and_labels_are_those_of_the_archives(name, folder, monkeypatch):
    assert not data.is_available(name)
    write_archives(name, folder, monkeypatch)
    assert data.is_available(name)
    dataset = data.load(name)
    assert data.is_available(name)
    assert dataset.name == name
    assert dataset.title == NAMED[name].title
    assert dataset.label_names == NAMED[name].label_names
    # A twelfth of the training part validates; the test part stays as it is.
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [22, 2, N_TEST]
    (images, labels), (test_images, test_labels) = parts_of(name)
    if name == "usps":
        for image in dataset.everything.images:
            rows, _ = np.nonzero(image > 60)
            assert 18 <= np.ptp(rows) + 1 <= 21  # in MNIST's box of 20 pixels
            np.testing.assert_allclose(ndimage.center_of_mass(image), 13.5, atol=0.1)
            # Upright: the long stroke stands at the left, the short one lies below.
            assert image[:14, :12].sum() > 5 * image[:14, 16:].sum()
            assert image[14:, 16:].sum() > 5 * image[:14, 16:].sum()
        found = np.sort(np.concatenate([dataset.train.labels, dataset.validation.labels]))
        np.testing.assert_array_equal(found, np.sort(labels))
        np.testing.assert_array_equal(dataset.test.labels, test_labels)
        return
    np.testing.assert_array_equal(dataset.test.images, test_images)
    np.testing.assert_array_equal(dataset.test.labels, test_labels)
    numbered = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    kept = [*dataset.train.images, *dataset.validation.images]
    assert {image.tobytes() for image in kept} == set(numbered)
    found = [*dataset.train.labels, *dataset.validation.labels]
    assert [numbered[image.tobytes()] for image in kept] == found


def test_the_names_of_the_labels():
    assert "".join(NAMED["emnist-letters"].label_names) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert NAMED["kmnist"].label_names == tuple(torchvision.datasets.KMNIST.classes)
    balanced = torchvision.datasets.EMNIST.classes_split_dict["balanced"]
    assert NAMED["emnist-balanced"].label_names == tuple(balanced)
    assert len(balanced) == 47
    assert all(named.title and named.n_train for named in NAMED.values())


def test_what_is_announced_before_the_download_is_what_comes(digits, mnist_data):
    assert NAMED["digits"].n_train == len(digits.train)
    assert NAMED["mnist"].n_train == len(mnist_data.train)


def test_a_missing_data_set_is_downloaded(folder, tmp_path, monkeypatch):
    write_archives("emnist-letters", tmp_path / "mirror", monkeypatch)
    archive = tmp_path / "mirror" / "EMNIST" / "raw" / "gzip.zip"
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(torchvision.datasets.EMNIST, "md5", md5)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(archive.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/gzip.zip"
        monkeypatch.setattr(torchvision.datasets.EMNIST, "url", url)
        assert len(data.load("emnist-letters").test) == N_TEST
        server.shutdown()
    assert data.is_available("emnist-letters")
    assert data.is_available("emnist-digits")  # which the one archive holds too


@pytest.mark.parametrize("name", ["usps", "qmnist", "emnist-balanced"])
def test_without_network_and_archives_the_error_says_what_to_do(name, folder, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no such host")

    monkeypatch.setattr(socket, "create_connection", fail)
    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(DataError, match="or within reach of a download; it is neither") as caught:
        data.load(name)
    archive = {"usps": "usps.t.bz2", "qmnist": "qmnist-test-labels-idx2-int.gz"}
    assert archive.get(name, "put gzip.zip there") in str(caught.value)
    assert sentence(caught.value).startswith(f"{NAMED[name].title} is not on this machine and")


@pytest.mark.parametrize("damage", ["cut off", "foreign label", "blank image"])
def test_damaged_archives_are_named(damage, folder, monkeypatch):
    write_archives("usps", folder, monkeypatch)
    whole = bz2.decompress((folder / "usps.bz2").read_bytes()).decode()
    if damage == "cut off":
        (folder / "usps.bz2").write_bytes((folder / "usps.bz2").read_bytes()[:100])
    elif damage == "foreign label":
        (folder / "usps.bz2").write_bytes(bz2.compress(b"12" + whole[1:].encode()))
    else:
        blank = "1 " + " ".join(f"{i}:-1" for i in range(1, 257))
        (folder / "usps.bz2").write_bytes(bz2.compress(f"{blank}\n{whole}".encode()))
    with pytest.raises(DataError, match=r"is damaged .*Delete the files usps\.bz2, usps\.t\.bz2"):
        data.load("usps")


def test_an_idx_file_of_another_set_is_not_taken_for_it(folder, monkeypatch):
    write_archives("kmnist", folder, monkeypatch)
    raw = folder / "KMNIST" / "raw"
    (raw / "train-labels-idx1-ubyte.gz").write_bytes(idx(np.zeros(N_TRAIN - 1, np.uint8)))
    with pytest.raises(DataError, match="damaged") as caught:
        data.load("kmnist")
    said = sentence(caught.value)
    assert said.startswith("Kuzushiji-MNIST is damaged on this machine. Delete")
    assert "train-labels-idx1-ubyte" in said


def test_what_is_there_is_read_where_nothing_can_be_written(folder, monkeypatch):
    write_archives("usps", folder, monkeypatch)

    def refuse(lock):
        raise PermissionError("read-only file system")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    assert len(data.load("usps").test) == N_TEST
    (folder / "usps.bz2").unlink()
    with pytest.raises(DataError, match=r"reach of a download; it is neither .*read-only"):
        data.load("usps")

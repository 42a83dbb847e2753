"""Data sets: the real ones, one's own, and what is none."""

import functools
import http.server
import io
import re
import socket
import threading
import time
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torchvision
from filelock import FileLock
from PIL import Image
from scipy import ndimage

from vaegmm import data
from vaegmm.data import DataError, Dataset, Split


def assert_split_once(dataset: Dataset) -> None:
    """The three parts are made of different images of one data set."""
    parts = (dataset.train, dataset.validation, dataset.test)
    assert all(part.images.dtype == np.uint8 for part in parts)
    assert all(part.images.shape[1:] == (28, 28) for part in parts)
    for part in parts:
        if part.labels is not None:
            assert part.labels.shape == (len(part),)
            assert part.labels.dtype == np.int64


def sizes(dataset: Dataset) -> list[int]:
    return [len(dataset.train), len(dataset.validation), len(dataset.test)]


def by_image(images, labels) -> dict[bytes, int]:
    return {image.tobytes(): int(label) for image, label in zip(images, labels, strict=True)}


# MNIST and Fashion-MNIST


def test_mnist_is_split_as_the_protocol_says(mnist_data):
    assert_split_once(mnist_data)
    assert sizes(mnist_data) == [55_000, 5_000, 10_000]
    assert mnist_data.label_names == tuple("0123456789")
    # The 60,000 images that MNIST calls its training set, each once: in any order, these sums.
    together = mnist_data.train.images.sum(0, dtype=np.int64) + mnist_data.validation.images.sum(
        0, dtype=np.int64
    )
    peer = torchvision.datasets.MNIST(str(data.data_folder()), train=True)
    np.testing.assert_array_equal(together, peer.data.numpy().sum(0, dtype=np.int64))
    labels = np.concatenate([mnist_data.train.labels, mnist_data.validation.labels])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(peer.targets.numpy()))
    test = torchvision.datasets.MNIST(str(data.data_folder()), train=False)
    np.testing.assert_array_equal(mnist_data.test.images, test.data.numpy())
    np.testing.assert_array_equal(mnist_data.test.labels, test.targets.numpy())


def test_mnist_images_keep_their_labels(mnist_data):
    peer = torchvision.datasets.MNIST(str(data.data_folder()), train=True)
    labels = by_image(peer.data.numpy(), peer.targets)
    for part in (mnist_data.train, mnist_data.validation):
        for index in range(0, len(part), 500):
            assert labels[part.images[index].tobytes()] == part.labels[index]


def test_mnist_is_split_alike_everywhere(mnist_data):
    # A digest of which image went where: another split would make figures incomparable.
    assert mnist_data.fingerprint == "bfb3d95b84807029"
    assert data.load("mnist").fingerprint == mnist_data.fingerprint


def test_fashion_has_the_same_form(data_folder, monkeypatch):
    monkeypatch.setenv("VAEGMM_DATA", str(data_folder))
    if not data.is_available("fashion"):
        pytest.skip("needs Fashion-MNIST's archives in ../shared/data; there are none")
    fashion = data.load("fashion")
    assert_split_once(fashion)
    assert sizes(fashion) == [55_000, 5_000, 10_000]
    assert fashion.label_names[9] == "Ankle boot"
    assert len(fashion.label_names) == 10


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEGMM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_without_network_and_archives_the_error_says_where_and_what(empty_folder, monkeypatch):
    def fail(*args, **kwargs):
        raise URLError("no such host")

    monkeypatch.setattr("urllib.request.urlopen", fail)
    assert not data.is_available("mnist")
    with pytest.raises(DataError) as caught:
        data.load("mnist")
    message = str(caught.value)
    raw = empty_folder / "MNIST" / "raw"
    assert message.startswith(f"MNIST must be in {raw} or within reach of a download; it is neith")
    assert message.endswith(
        "Use --data digits, which needs no network, or put t10k-images-idx3-ubyte.gz, "
        "t10k-labels-idx1-ubyte.gz, train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz there "
        "(for another folder set VAEGMM_DATA)."
    )
    assert "no such host" in message
    assert "\n" not in message


def test_a_mirror_that_never_answers_is_given_up_soon(empty_folder, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connections are accepted, and that is all
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror, mirror])
        monkeypatch.setattr(data.named, "_SECONDS_TO_ANSWER", 0.2)
        began = time.perf_counter()
        with pytest.raises(DataError, match="timed out"):
            data.load("mnist")
    assert time.perf_counter() - began < 10
    assert socket.getdefaulttimeout() is None


def test_mnist_is_downloaded_where_it_is_missing(data_folder, empty_folder, monkeypatch):
    archives = data_folder / "MNIST" / "raw"
    if not archives.is_dir():
        pytest.skip("needs MNIST's archives in ../shared/data; there are none")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(archives))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mirror = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror])
        dataset = data.load("mnist")
        server.shutdown()
    assert len(dataset.train) == 55_000
    assert data.is_available("mnist")


def test_damaged_archives_are_not_taken_for_data(empty_folder):
    raw = empty_folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{part}-ubyte").write_bytes(b"\0\0\x08\x03 half")
    assert data.is_available("fashion")
    with pytest.raises(DataError, match=r"Fashion-MNIST in .* is damaged .* Delete the files"):
        data.load("fashion")


def test_a_download_under_way_elsewhere_is_waited_for(empty_folder, monkeypatch):
    monkeypatch.setattr(data.named, "_SECONDS_TO_DOWNLOAD", 0.1)
    empty_folder.mkdir()
    with FileLock(empty_folder / ".MNIST.lock"), pytest.raises(DataError, match="lock"):
        data.load("mnist")


def test_the_data_folder_is_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("VAEGMM_DATA", "~/elsewhere")
    assert data.data_folder() == Path.home() / "elsewhere"
    monkeypatch.delenv("VAEGMM_DATA")
    assert data.data_folder() == Path.home() / ".cache" / "vaegmm"


# The bundled digits


def test_digits_need_no_network(digits):
    assert data.is_available("digits")
    assert_split_once(digits)
    assert sizes(digits) == [1199, 299, 299]
    assert set(digits.everything.labels) == set(range(10))


def test_digits_have_mnists_form(digits):
    for image in digits.everything.images[::10]:
        rows, columns = np.nonzero(image > 40)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert 18 <= max(height, width) <= 21  # in a box of 20 pixels, blurred at its rim
        np.testing.assert_allclose(ndimage.center_of_mass(image), 13.5, atol=0.05)
        assert image.max() > 150


def test_digits_are_split_alike_everywhere(digits):
    again = data.load("digits")
    np.testing.assert_array_equal(again.train.images, digits.train.images)
    assert again.fingerprint == digits.fingerprint


def test_every_image_is_in_one_part_only(digits):
    whole = digits.everything
    assert len(whole) == 1797
    parts = [{image.tobytes() for image in part.images} for part in (digits.train, digits.test)]
    # Scikit-learn's digits hold two pairs of equal images at most.
    assert len(parts[0] & parts[1]) <= 2


def test_another_data_set_has_another_fingerprint(digits):
    changed = digits.test.images.copy()
    changed[0, 0, 0] ^= 1
    other = Dataset(
        digits.name,
        digits.title,
        digits.train,
        digits.validation,
        Split(changed, digits.test.labels),
        digits.label_names,
    )
    assert other.fingerprint != digits.fingerprint


# One's own .npz


def images_of(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_npz_with_labels(tmp_path):
    path = tmp_path / "mine.npz"
    images, labels = images_of(60), np.arange(60) % 4
    np.savez(path, images=images, labels=labels, something_else=np.zeros(3))
    dataset = data.load(path)
    assert_split_once(dataset)
    assert sizes(dataset) == [40, 10, 10]
    assert dataset.title == "mine.npz"
    assert dataset.label_names == ("0", "1", "2", "3")
    # Every image is there once, with its label.
    whole = dataset.everything
    assert by_image(whole.images, whole.labels) == by_image(images, labels)


def test_npz_without_labels(tmp_path):
    np.savez_compressed(tmp_path / "mine.npz", images=images_of(12).reshape(12, 784))
    dataset = data.load(tmp_path / "mine.npz")
    assert dataset.train.labels is None
    assert dataset.everything.labels is None
    assert dataset.label_names == ()


def test_npz_with_floats_becomes_bytes(tmp_path):
    images = images_of(12)
    np.savez(tmp_path / "mine.npz", images=images / 255)
    found = {image.tobytes() for image in data.load(tmp_path / "mine.npz").everything.images}
    assert found == {image.tobytes() for image in images}


STROKES = [[[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6]]], [], [[[0.7, 0.1], [0.2, 1 / 3], [0, 1]]]]


def test_drawings_keep_their_strokes(tmp_path):
    path = tmp_path / "mine.npz"
    path.write_bytes(data.as_npz(images_of(3), np.array([1, 2, 3]), STROKES))
    split = data.read_npz(path)
    assert split.strokes == STROKES
    np.testing.assert_array_equal(split.images, images_of(3))
    assert split.labels.tolist() == [1, 2, 3]
    path.write_bytes(data.as_npz(images_of(9), np.arange(9), STROKES * 3))
    everything = data.load(path).everything
    assert [STROKES[label % 3] for label in everything.labels] == everything.strokes
    path.write_bytes(data.as_npz(images_of(2), np.arange(2), [[], []]))
    assert data.read_npz(path).strokes == [[], []]
    assert not {info.compress_type for info in zipfile.ZipFile(path).infolist()} - {0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stroke_points", np.zeros((6, 3))),
        ("stroke_points", np.zeros((5, 2))),
        ("stroke_points", np.zeros((6, 2), np.complex128)),
        ("stroke_ends", np.array([2, 2, 6])),
        ("stroke_ends", np.array([2.0, 3.0, 6.0])),
        ("stroke_ends", np.array(6)),
        ("drawing_ends", np.array([2, 3])),
        ("drawing_ends", np.array([3, 2, 3])),
        ("drawing_ends", np.array([-1, 2, 3])),
        ("drawing_ends", np.array([2, 2, 4])),
        ("drawing_ends", None),
    ],
)
def test_strokes_that_are_none_are_refused(tmp_path, name, value):
    path = tmp_path / "mine.npz"
    path.write_bytes(data.as_npz(images_of(3), np.array([1, 2, 3]), STROKES))
    arrays = dict(np.load(path)) | {name: value}
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(DataError, match="strokes must be stroke_points of shape"):
        data.read_npz(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": np.zeros(3)}, "must hold an array named `images`; it holds ['pictures']."),
        ({}, "must hold an array named `images`; it holds []."),
        ({"images": np.zeros((9, 3, 3))}, "images must have shape (N, 28, 28) or (N, 784); got"),
        ({"images": np.zeros((0, 28, 28))}, "images must not be empty"),
        ({"images": np.full((9, 784), np.nan)}, "images must be finite"),
        ({"images": np.full((9, 784), 255.0)}, "images must lie in [0, 1]"),
        ({"images": images_of(9), "labels": np.arange(8)}, "labels must have one entry an image"),
        ({"images": images_of(9), "labels": np.arange(9) - 1}, "labels must be whole numbers from"),
        ({"images": images_of(5)}, "mine.npz must hold at least 6 images; it holds 5."),
    ],
)
def test_npz_that_is_no_data_set(tmp_path, arrays, message):
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError, match=re.escape(message)):
        data.load(tmp_path / "mine.npz")


class Payload:
    """What a pickle would run when it is opened."""

    def __reduce__(self):
        return (Path("pickle-was-executed").touch, ())


@pytest.mark.parametrize("name", ["images", "labels"])
def test_npz_with_objects_is_refused_and_never_unpickled(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    arrays = {"images": images_of(9), "labels": np.arange(9)}
    arrays[name] = np.array([Payload()] * 9, dtype=object)
    np.savez("mine.npz", **arrays)
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        data.load("mine.npz")
    assert not Path("pickle-was-executed").exists()


def npz_bytes() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images_of(30), labels=np.arange(30))
    return buffer.getvalue()


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.6, 0.99])
def test_truncated_npz_is_refused(tmp_path, share):
    whole = npz_bytes()
    (tmp_path / "mine.npz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"mine\.npz is no readable \.npz file"):
        data.load(tmp_path / "mine.npz")


@pytest.mark.parametrize("position", range(500, 20_000, 2500))
def test_a_flipped_bit_is_noticed(tmp_path, position):
    damaged = bytearray(npz_bytes())
    damaged[position] ^= 0xFF
    (tmp_path / "mine.npz").write_bytes(damaged)
    with pytest.raises(DataError):
        data.load(tmp_path / "mine.npz")


def test_npz_that_announces_more_than_it_holds(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)}
    )
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue() + b"few")
    with pytest.raises(DataError, match="is no readable"):
        data.load(tmp_path / "mine.npz")


def test_a_single_array_is_no_npz(tmp_path):
    with open(tmp_path / "mine.npz", "wb") as file:
        np.save(file, images_of(9))
    with pytest.raises(DataError, match=r"it holds one array without a name; write it with numpy"):
        data.load(tmp_path / "mine.npz")


# A folder of images


def write_images(folder: Path, n: int, value: int = 100) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(n):
        Image.fromarray(np.full((28, 28), value + index, np.uint8)).save(folder / f"{index}.png")


def test_folder_with_one_sub_folder_a_label(tmp_path):
    for number, name in enumerate(("circle", "square", "triangle")):
        write_images(tmp_path / name, 8, value=50 * number)
    (tmp_path / "empty").mkdir()
    (tmp_path / "circle" / "readme.txt").write_text("no image")
    (tmp_path / "circle" / "._0.png").write_bytes(b"what macOS leaves behind")
    dataset = data.load(tmp_path)
    assert_split_once(dataset)
    assert dataset.label_names == ("circle", "square", "triangle")
    whole = dataset.everything
    assert len(whole) == 24
    np.testing.assert_array_equal(whole.images[:, 0, 0] // 50, whole.labels)


def test_folders_named_by_numbers_mean_these_numbers(tmp_path):
    write_images(tmp_path / "3", 5, value=30)
    write_images(tmp_path / "10", 5, value=100)
    dataset = data.load(tmp_path)
    assert dataset.label_names == tuple(str(number) for number in range(11))
    whole = dataset.everything
    np.testing.assert_array_equal(whole.labels, np.where(whole.images[:, 0, 0] < 100, 3, 10))


@pytest.mark.parametrize("name", ["2024001", "²"])
def test_folders_named_by_identifiers_are_names(tmp_path, name):
    write_images(tmp_path / name, 4)
    write_images(tmp_path / "1", 4)
    assert data.load(tmp_path).label_names == tuple(sorted(("1", name)))


def test_folder_without_labels(tmp_path):
    write_images(tmp_path, 12)
    dataset = data.load(tmp_path)
    assert dataset.train.labels is None
    assert dataset.label_names == ()
    assert sorted(dataset.everything.images[:, 0, 0]) == list(range(100, 112))


def test_grey_pictures_of_mnists_size_are_taken_as_they_are(tmp_path):
    image = images_of(1)[0]
    Image.fromarray(image).save(tmp_path / "one.png")
    np.testing.assert_array_equal(data.read_image(tmp_path / "one.png"), image)


def test_other_pictures_are_brought_to_mnists_form(tmp_path):
    paper = np.full((100, 80, 3), 250, np.uint8)
    paper[20:80, 35:42] = 10  # a dark stroke on light paper
    Image.fromarray(paper).save(tmp_path / "photo.png")
    image = data.read_image(tmp_path / "photo.png")
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(ndimage.center_of_mass(image), 13.5, atol=1)
    assert image[0].max() == 0
    assert image.max() > 150


def test_folder_with_images_beside_sub_folders_is_refused(tmp_path):
    write_images(tmp_path, 3)
    write_images(tmp_path / "circle", 3)
    with pytest.raises(DataError, match=r"must hold either images or one sub-folder a label"):
        data.load(tmp_path)


def test_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match=r"must hold images \(.png, .jpg.*\); it holds none."):
        data.load(tmp_path)


def test_an_unreadable_image_is_named(tmp_path):
    write_images(tmp_path, 8)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad\.png cannot be used: no readable image"):
        data.load(tmp_path)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_image_is_named(tmp_path, share):
    buffer = io.BytesIO()
    Image.fromarray(images_of(1)[0]).save(buffer, "png")
    whole = buffer.getvalue()
    (tmp_path / "half.png").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"half\.png cannot be used: no readable image"):
        data.read_image(tmp_path / "half.png")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.png cannot be used: no readable image"):
        data.read_image(tmp_path / "nothing.png")


# Names that mean nothing


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "minst",
            "usps, a .npz or .npy file or a folder of images; there is no file or folder minst.",
        ),
        ("missing.npz", "there is no file or folder missing.npz."),
    ],
)
def test_a_name_that_means_nothing_is_refused(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=re.escape(message)):
        data.load(name)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "table.csv").write_text("1,2,3")
    with pytest.raises(DataError, match=r"a \.npz or \.npy file or a folder; got .*table\.csv"):
        data.load(tmp_path / "table.csv")

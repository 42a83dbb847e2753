"""A film's file: written frame by frame, cut off anywhere, read as far as it is there."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from made_film import made_film

from vaegmm.blocks import pack, unpack
from vaegmm.film import Film, FilmError, FilmWriter, Frame, film_from_bytes, read_film


def _assert_same_frame(frame: Frame, expected: Frame) -> None:
    assert frame.header == expected.header
    assert frame.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        assert frame.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(frame.arrays[name], array)


@pytest.fixture
def film() -> Film:
    return made_film(epochs=4, n_points=20)


@pytest.fixture
def path(tmp_path: Path, film: Film) -> Path:
    writer = FilmWriter.begin(tmp_path / "film.bin", film.opening)
    for frame in film.frames:
        writer.write(frame)
    return writer.path


def test_unpack_returns_what_was_packed():
    arrays = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.zeros(0, np.int32)}
    header, read = unpack(pack({"kind": "ten"}, arrays))
    assert header["kind"] == "ten"
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize("at", [0, 8, 30, -1])
def test_a_changed_byte_of_a_block_is_seen(at):
    data = bytearray(pack({}, {"a": np.arange(6.0)}))
    data[at] ^= 1
    with pytest.raises(ValueError, match=r"kind|version|damaged"):
        unpack(bytes(data))


def test_a_film_is_read_as_it_was_written(path, film):
    read = read_film(path)
    _assert_same_frame(read.opening, film.opening)
    for frame, expected in zip(read.frames, film.frames, strict=True):
        _assert_same_frame(frame, expected)
    assert path.read_bytes() == film.to_bytes()


def test_a_film_is_readable_wherever_it_ends(path, film):
    data = path.read_bytes()
    first = len(Film(film.opening).to_bytes())
    counts = [len(film_from_bytes(data[:end]).frames) for end in range(first, len(data), 499)]
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] >= len(film.frames) - 2


def test_whoever_goes_on_cuts_off_a_torn_end_and_what_came_after_the_epoch(path, film):
    with path.open("ab") as file:
        file.write(struct.pack("<I", 1000) + b"torn")
    writer = FilmWriter.go_on(path, film.opening, restarts=0, epoch=2)
    kept = [frame for frame in film.frames if frame.header["epoch"] <= 2]
    assert [frame.header["kind"] for frame in kept][-1] == "epoch"
    _assert_same_frame(writer.last, kept[-1])
    assert path.read_bytes() == Film(film.opening, kept).to_bytes()
    writer.write(film.frames[len(kept)])
    assert path.read_bytes() == Film(film.opening, film.frames[: len(kept) + 1]).to_bytes()


def test_frames_of_an_attempt_that_was_given_up_stay(path, film):
    again = Frame({**film.frames[0].header, "restarts": 1}, film.frames[0].arrays)
    FilmWriter.go_on(path, film.opening, restarts=0, epoch=4).write(again)
    assert len(read_film(path).frames) == len(film.frames) + 1
    FilmWriter.go_on(path, film.opening, restarts=1, epoch=1)
    assert len(read_film(path).frames) == len(film.frames) + 1
    FilmWriter.go_on(path, film.opening, restarts=0, epoch=4)
    assert len(read_film(path).frames) == len(film.frames)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"GIF89a" + data[6:],
        lambda data: data[:40],
        lambda data: data[:200] + b"edited by hand" + data[214:],
        lambda data: data[:8] + data[12:],
    ],
)
def test_a_damaged_film_is_refused_with_its_name(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    for use in (read_film, lambda path: FilmWriter.go_on(path, made_film(4, 20).opening, 0, 2)):
        with pytest.raises(FilmError, match=r"film\.bin.*film that can be played") as caught:
            use(path)
        assert caught.value.reason == "damaged film"


def test_a_missing_film_is_refused(tmp_path):
    with pytest.raises(FilmError, match="cannot be read"):
        read_film(tmp_path / "film.bin")


def test_nobody_goes_on_with_the_film_of_another_training(path):
    with pytest.raises(FilmError, match="another training"):
        FilmWriter.go_on(path, made_film(epochs=5, n_points=20).opening, 0, 2)

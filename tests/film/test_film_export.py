"""A film for others: a picture that moves, a video, a page, a smaller film."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from made_film import made_film
from PIL import Image

from vaegmm.cli import main
from vaegmm.film import Film, Frame, read_film
from vaegmm.film.picture import HEIGHT, WIDTH, Projector


@pytest.fixture(scope="module")
def film():
    return made_film(epochs=4, n_points=60)


@pytest.fixture(scope="module")
def run(tmp_path_factory, film):
    """A directory with a film, and nothing else."""
    path = tmp_path_factory.mktemp("run")
    (path / "film.bin").write_bytes(film.to_bytes())
    return path


def _differ(one, other, box):
    return not np.array_equal(np.asarray(one.crop(box)), np.asarray(other.crop(box)))


def test_pictures_show_each_frame(film):
    projector = Projector(film)
    first, second, last = (projector.picture(place) for place in (0, 1, projector.n_frames - 1))
    assert first.size == (WIDTH, HEIGHT)
    samples, points, right = (40, 112, 380, 580), (400, 112, 900, 612), (940, 340, 1250, 620)
    for box in (samples, points, right):
        assert _differ(first, last, box)
    # Half way between two frames is neither.
    between = projector.picture(0.5)
    assert _differ(first, between, points) and _differ(second, between, points)


def test_a_film_without_labels_or_clusters_can_be_shown(film):
    def bare(frame):
        names = ("images", "reconstructions", "latents", "axes", "centre")
        kept = {name: array for name, array in frame.arrays.items() if name in names}
        return Frame({**frame.header, "label_names": []}, kept)

    frames = [bare(frame) for frame in film.frames if frame.kind == "epoch"]
    assert Projector(Film(bare(film.opening), frames)).picture(1).size == (WIDTH, HEIGHT)


def test_a_gif_runs_as_long_as_asked(run, tmp_path, capsys):
    out = tmp_path / "out.gif"
    assert main(["film", str(run), str(out), "--seconds", "1", "--title", "A talk"]) == 0
    assert "out.gif" in capsys.readouterr().out
    with Image.open(out) as picture:
        assert picture.format == "GIF" and picture.n_frames == 12
        durations = []
        for number in range(picture.n_frames):
            picture.seek(number)
            durations.append(picture.info["duration"])
    assert durations[0] * 12 == pytest.approx(1000, abs=60) and durations[-1] > 1000


def test_an_mp4_needs_pyav_and_says_so(run, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    code = main(["film", str(run), str(out), "--seconds", "1"])
    if importlib.util.find_spec("av") is None:
        assert code == 2 and "pip install av" in capsys.readouterr().err
        assert not out.exists()
        return
    import av

    assert code == 0
    with av.open(str(out)) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (WIDTH, HEIGHT)
        assert sum(1 for _ in video.decode(video=0)) == 75  # a second, and the last one standing


def test_a_film_file_is_a_source_too_and_gets_smaller(run, film, tmp_path):
    out = tmp_path / "out.film"
    most = 0.8 * (run / "film.bin").stat().st_size / 1e6
    command = ["film", str(run / "film.bin"), str(out), "--megabytes", f"{most}"]
    assert main(command) == 0
    assert out.stat().st_size <= most * 1e6
    assert 0 < len(read_film(out).frames) < len(film.frames)


def test_a_page_holds_the_film(run, tmp_path):
    out = tmp_path / "out.html"
    assert main(["film", str(run), str(out), "--title", "In a page"]) == 0
    page = out.read_text()
    assert "In a page" in page and len(page) > (run / "film.bin").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "out.gif"], "cannot be read"),
        (["RUN", "out.avi"], "must end in .film, .gif"),
        (["RUN", "nowhere/out.film"], "cannot be written"),
        (["RUN", "out.gif", "--seconds", "0.2"], "from 1 to 600"),
        (["RUN", "out.html", "--seconds", "2"], "Leave them out"),
        (["RUN", "out.gif", "--megabytes", "2"], "Leave them out"),
        (["RUN", "out.film", "--megabytes", "0.001"], "at least"),
        (["EMPTY", "out.gif"], "none yet"),
    ],
)
def test_what_cannot_be_written_is_said(run, film, tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.film").write_bytes(Film(film.opening).to_bytes())
    places = {"RUN": str(run), "EMPTY": "empty.film"}
    assert main(["film", *(places.get(word, word) for word in arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("vaegmm: ") and words in error and "Traceback" not in error

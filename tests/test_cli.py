"""The command line: end to end as users call it, and a sentence for each bad input."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaegmm import data
from vaegmm.cli import main, progress_bar
from vaegmm.cli.options import DATA_HELP
from vaegmm.data import Split
from vaegmm.model import VAEGMM, load
from vaegmm.preprocess import digit_from_strokes
from vaegmm.reading import read_strokes
from vaegmm.runs import Run
from vaegmm.training import Progress

PROJECT = Path(__file__).resolve().parent.parent
TINY = json.dumps(
    {
        "vae": {"latent_dim": 2, "hidden_units": [16]},
        "mixture": {"n_components": 3, "tol": 0.01},
        "epochs": 2,
        "batch_size": 16,
    }
)


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty directory, find the package from there, leave signals as they were."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAEGMM_RUNS", "runs")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """A labelled data set of 90 images as a .npz file."""
    return _write_data(tmp_path / "tiny.npz", labels=np.arange(90) % 3)


def _write_data(path: Path, **arrays: np.ndarray) -> Path:
    images = np.random.default_rng(0).integers(0, 255, (90, 28, 28)).astype(np.uint8)
    np.savez(path, images=images, **arrays)
    return path


def _train_tiny(path: Path, out: str = "run") -> Path:
    assert main(["train", "--config", TINY, "--data", str(path), "--out", out]) == 0
    return Path(out) / "model.safetensors"


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on stderr; there is nothing else."""
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("vaegmm: "), captured.err
    return lines[0].removeprefix("vaegmm: ")


def test_train_evaluate_classify() -> None:
    def vaegmm(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vaegmm", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    trained = vaegmm(
        *("train", "--preset", "quick", "--data", "digits", "--epochs", "6", "--out", "run"),
        *("--components", "20"),
    )
    assert trained.returncode == 0, trained.stderr
    assert "epoch 6/6: cross-entropy" in trained.stderr
    assert trained.stdout.startswith("run/model.safetensors\n")

    evaluated = vaegmm("evaluate", "run/model.safetensors", "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    figures = json.loads(evaluated.stdout)
    assert (figures["data"], figures["split"], figures["n_images"]) == ("digits", "test", 299)
    assert figures["n_components"] == 20
    assert figures["classification_accuracy"] > 0.5, "better than a tenth: it has learned"
    model = load("run/model.safetensors")
    assert figures["classification_accuracy"] == model.metrics["classification_accuracy"]

    test = data.load("digits").test
    names = [f"{index}.png" for index in range(5)]
    for name, image in zip(names, test.images, strict=False):
        Image.fromarray(image).save(name)
    classified = vaegmm("classify", "run/model.safetensors", *names, "--json")
    assert classified.returncode == 0, classified.stderr
    answers = json.loads(classified.stdout)
    assert [answer["image"] for answer in answers] == names
    expected = [str(label) for label in model.predict(test.images[:5])]
    assert [answer["label"] for answer in answers] == expected
    for answer in answers:
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert answer["probability"] == max(answer["probabilities"].values())
        assert 0 <= answer["typicality"] <= 1


def test_ones_own_hand_is_scored(
    small_checkpoint: Path, digits: data.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the Draw page offers to download."""
    images, labels = digits.test.images[:8], digits.test.labels[:8]
    Path("my-digits.npz").write_bytes(data.as_npz(images, labels))
    command = ["evaluate", str(small_checkpoint), "--data", "my-digits.npz", "--json"]
    assert main(command) == 0
    figures = json.loads(capsys.readouterr().out)
    right = load(small_checkpoint).predict(images) == labels
    assert figures["n_images"] == 8
    assert figures["classification_accuracy"] == right.mean()


ONE = [[[0.45, 0.3], [0.52, 0.2], [0.5, 0.5], [0.5, 0.8]]]
RING = [[[0.5, 0.2], [0.3, 0.4], [0.35, 0.7], [0.6, 0.75], [0.7, 0.45], [0.5, 0.2]]]


def test_a_model_learns_a_hand(small_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawings = [ONE, RING, [], ONE, RING]
    labels = np.array([8, 3, 5, 8, 3])
    images = np.stack([digit_from_strokes(drawing or ONE) for drawing in drawings])
    Path("mine.npz").write_bytes(data.as_npz(images, labels, drawings))
    command = ["adapt", str(small_checkpoint), "--data", "mine.npz", "--out", "mine.safetensors"]
    assert main([*command, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["adapted_with"] == 5
    left_out = facts["left_one_out"]
    assert left_out["n_drawings"] == 5
    assert left_out["accuracy"] < left_out["accuracy_adapted"]
    model = load(Path("mine.safetensors"))
    assert read_strokes(model, ONE).label == 8

    assert main(["info", "mine.safetensors"]) == 0
    assert re.search(r"adapted with: +5\n", capsys.readouterr().out)
    Path("more.npz").write_bytes(
        data.as_npz(*(np.tile(a.T, 2).T for a in (images, labels)), drawings * 2)
    )
    assert main(["evaluate", "mine.safetensors", "--data", "more.npz", "--json"]) == 0
    captured = capsys.readouterr()
    assert "adapted, and 10 of these 10 images are among its examples" in captured.err
    figures = json.loads(captured.out)
    assert (figures["adapted_with"], figures["n_read_from_strokes"]) == (5, 8)
    read = [read_strokes(model, d).label if d else model.predict(images[2])[0] for d in drawings]
    assert figures["classification_accuracy"] == np.mean(read == labels)


def test_there_must_be_labels_to_learn_from(
    small_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _write_data(Path("unlabelled.npz"))
    assert main(["adapt", str(small_checkpoint), "--data", str(path), "--out", "mine"]) == 2
    assert (
        "data must have labels to learn from; unlabelled.npz has none." in capsys.readouterr().err
    )
    assert not Path("mine").exists()


def test_training_prints_a_line_of_json_an_epoch(
    tiny_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--config", TINY, "--data", str(tiny_data), "--out", "run", "--json"]
    assert main(command) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["epoch", "epoch", "finished"]
    assert [line["epoch"] for line in lines[:2]] == [1, 2]
    assert lines[0]["cross_entropy"] == Run("run").losses[0].cross_entropy
    assert lines[2] == {
        "event": "finished",
        "model": "run/model.safetensors",
        "metrics": Run("run").metrics,
    }


def test_a_run_without_a_name_is_put_in_the_runs_folder(
    tiny_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--config", TINY, "--data", str(tiny_data)]) == 0
    model = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch(r"runs/\d{8}-\d{6}-custom-tiny/model\.safetensors", model)
    assert Path(model).is_file()


def test_a_finished_run_has_nothing_to_resume(
    tiny_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = _train_tiny(tiny_data)
    written = model.stat().st_mtime_ns
    capsys.readouterr()
    assert main(["train", "--resume", "--out", "run"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "vaegmm: run is finished already; nothing is left to train.\n"
    assert captured.out.startswith("run/model.safetensors\n")
    assert model.stat().st_mtime_ns == written


def test_an_interrupted_training_says_how_to_go_on(
    tiny_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminate(self: progress_bar.ProgressBar, report: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(progress_bar.ProgressBar, "show", terminate)
        command = ["train", "--config", TINY, "--data", str(tiny_data), "--out", "run"]
        assert main(command) == 130
    advice = "python -m vaegmm train --resume --out run"
    assert _said(capsys) == f"stopped; the last finished epoch is kept. Go on with: {advice}"
    assert main(advice.split()[3:]) == 0
    assert Run("run").is_finished


def test_the_bar_counts_starts_and_says_that_a_training_begins_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    report = Progress(3, 4, 0, 5, 90.0, 8.0, 1.0, seconds=5.0, seconds_left=9.0, starts_tried=2)
    bar = progress_bar.ProgressBar()
    bar.show(report)
    assert "epoch 3/4, start 2:" in capsys.readouterr().err
    bar.show(replace(report, epoch=4, step=5, starts_tried=0))
    assert "again" not in capsys.readouterr().err
    bar.show(replace(report, epoch=1, step=1, starts_tried=0, restarts=1))
    bar.close()
    said = capsys.readouterr().err
    assert "the mixture has collapsed: the training begins again, with another seed" in said
    assert "epoch 1/4:" in said and "1/20" in said


def test_a_loss_that_overflows_fails_with_epoch_and_step(
    tiny_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--config", TINY, "--data", str(tiny_data), "--out", "run"]
    assert main([*command, "--kl-weight", "1e39"]) == 1
    assert re.match(r"loss must stay finite; it did not in epoch 1, step [1-4]\b", _said(capsys))
    assert Run("run").status.state == "failed"


def test_what_no_one_foresaw_is_a_sentence_too(
    small_checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError("no room\nfor this")

    monkeypatch.setattr(VAEGMM, "infer", out_of_memory)
    assert main(["evaluate", str(small_checkpoint)]) == 1
    assert _said(capsys).startswith("MemoryError: no room for this (set VAEGMM_TRACEBACK=1")
    monkeypatch.setenv("VAEGMM_TRACEBACK", "1")
    assert main(["evaluate", str(small_checkpoint)]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_data_of_ones_own_is_scored_whole_unless_it_was_trained_on(
    small_checkpoint: Path, tiny_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(small_checkpoint), "--data", str(tiny_data), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["split"], figures["n_images"]) == ("all", 90)

    own = _train_tiny(tiny_data)
    capsys.readouterr()
    assert main(["evaluate", str(own), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["data"], figures["split"]) == (str(tiny_data), "test")
    assert figures["n_images"] == 15


def test_data_without_labels_is_scored_as_far_as_it_goes(
    small_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _write_data(tmp_path / "unlabelled.npz")
    assert main(["evaluate", str(small_checkpoint), "--data", str(path), "--json"]) == 0
    captured = capsys.readouterr()
    assert "cross_entropy" in json.loads(captured.out)
    assert "classification_accuracy" not in json.loads(captured.out)
    assert captured.err == (
        "vaegmm: unlabelled.npz has no labels: only what needs none is measured.\n"
    )


def test_several_data_sets_are_scored_by_the_names_of_their_labels(
    small_checkpoint: Path,
    digits: data.Dataset,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reversed_names = tuple(reversed(digits.label_names))
    backwards = Split(digits.test.images, 9 - digits.test.labels)
    letters = Split(digits.test.images, digits.test.labels % 3)
    known = {
        "digits": digits,
        "usps": replace(digits, name="usps", test=backwards, label_names=reversed_names),
        "kmnist": replace(
            digits, name="kmnist", title="Kana", test=letters, label_names=("o", "ki", "su")
        ),
    }
    monkeypatch.setattr(data, "load", known.__getitem__)
    command = ["evaluate", str(small_checkpoint), "--data", ",".join(known)]
    assert main([*command, "--json"]) == 0
    captured = capsys.readouterr()
    own, same, foreign = json.loads(captured.out)
    assert [own["data"], same["data"], foreign["data"]] == list(known)
    assert own["classification_accuracy"] == same["classification_accuracy"] > 0.3
    assert own["nmi"] == pytest.approx(same["nmi"])
    # What the model has no names for it cannot be right about.
    assert "classification_accuracy" not in foreign
    assert foreign["n_clusters"] == 3
    assert 0 < foreign["nmi"] < 1
    assert captured.err == (
        f"vaegmm: the labels of Kana (o, ki, su) are not those of {small_checkpoint} (0, 1, 2, …): "
        "its clusters are scored, not its answers.\n"
    )

    assert main(command) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["data", "split", "images", "classified"]
    assert [row.split()[0] for row in rows] == list(known)
    assert rows[0].split()[3] == f"{own['classification_accuracy']:.4f}"
    assert rows[2].split()[3] == "–"
    assert len({len(line) for line in (heading, *rows)}) == 1


def test_the_help_names_every_data_set() -> None:
    assert DATA_HELP.replace(" or", ",").split(", ")[:-3] == list(data.NAMES)


def test_a_model_without_names_says_that_it_cannot_classify(
    tmp_path: Path, tiny_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = _train_tiny(_write_data(tmp_path / "unlabelled.npz"))
    Image.new("L", (28, 28)).save("image.png")
    capsys.readouterr()
    assert main(["classify", str(model), "image.png"]) == 2
    assert _said(capsys) == (
        "checkpoint must have named components to classify; run/model.safetensors was trained "
        "without labels. Train on images that have some."
    )
    assert main(["evaluate", str(model), "--data", str(tiny_data), "--json"]) == 0
    captured = capsys.readouterr()
    assert "clustering_accuracy" in json.loads(captured.out)
    assert captured.err == (
        "vaegmm: run/model.safetensors was trained without labels: it cannot classify.\n"
    )


def test_info_tells_what_a_checkpoint_holds(
    small_checkpoint: Path, small_model: VAEGMM, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(small_checkpoint), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["n_parameters"] == 1_426_700
    assert facts["n_components"] == 12
    assert facts["label_names"] == list("0123456789")
    assert facts["config"] == json.loads(json.dumps(small_model.config.to_dict()))
    assert main(["info", str(small_checkpoint)]) == 0
    assert re.search(r"^n parameters: +1426700$", capsys.readouterr().out, re.MULTILINE)


def test_classify_for_people(small_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(data.load("digits").test.images[0]).save("digit.png")
    assert main(["classify", str(small_checkpoint), "digit.png"]) == 0
    line = r"digit\.png: \d  \(p = [01]\.\d{3}, typicality [01]\.\d{3}\)\n"
    assert re.fullmatch(line, capsys.readouterr().out)


@pytest.mark.slow
def test_export_writes_a_page(small_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("page.html").write_text("before")
    command = ["export", str(small_checkpoint), "--html", "page.html", "--title", "Ours <3"]
    assert main(command) == 0
    written = Path("page.html").read_bytes()
    assert b"<title>Ours &lt;3</title>" in written
    assert capsys.readouterr().out == f"page.html  ({len(written) / 1e6:.1f} MB)\n"
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"html": "page.html", "bytes": len(written)}


@pytest.mark.parametrize("place", ["nowhere/page.html", "folder"])
def test_a_page_that_cannot_be_written(
    place: str, small_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("folder").mkdir()
    assert main(["export", str(small_checkpoint), "--html", place]) == 2
    assert _said(capsys).startswith(f"{place} cannot be written: ")
    assert [path.name for path in Path().iterdir()] == ["folder"]


def test_a_reader_that_leaves_is_no_error(small_checkpoint: Path) -> None:
    command = f"'{sys.executable}' -m vaegmm info '{small_checkpoint}' --json | true"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=300
    )
    assert done.stderr == ""
    assert done.returncode == 0


def _object_arrays(path: Path) -> None:
    np.savez(path, images=np.array([{"not": "pixels"}], dtype=object))


BAD_FILES: dict[str, Callable[[Path], object]] = {
    "junk.npz": lambda path: path.write_bytes(b"junk"),
    "objects.npz": _object_arrays,
    "empty.npz": lambda path: np.savez(path, images=np.zeros((0, 28, 28), np.uint8)),
    "small.npz": lambda path: np.savez(path, images=np.zeros((9, 8, 8), np.uint8)),
    "nan.npz": lambda path: np.savez(path, images=np.full((9, 28, 28), np.nan)),
    "labels.npz": lambda path: np.savez(
        path, images=np.zeros((9, 28, 28), np.uint8), labels=np.zeros(8, int)
    ),
    "other.npz": lambda path: np.savez(path, pictures=np.zeros((9, 28, 28), np.uint8)),
    "notes.txt": lambda path: path.write_text("no images"),
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("junk.npz", "junk.npz is no readable"),
        ("objects.npz", "objects.npz is no readable"),
        ("empty.npz", "images must not be empty"),
        ("small.npz", "images must have shape (N, 28, 28) or (N, 784); got shape=(9, 8, 8)"),
        ("nan.npz", "images must be finite"),
        ("labels.npz", "labels must have one entry an image; got shape=(8,) for 9 images"),
        ("other.npz", "must hold an array named `images`; it holds ['pictures']"),
        ("notes.txt", "a .npz or .npy file or a folder; got notes.txt"),
        ("folder", "must hold images"),
        ("nowhere", "there is no file or folder"),
    ],
)
def test_bad_data(name: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name in BAD_FILES:
        BAD_FILES[name](Path(name))
    assert main(["train", "--config", TINY, "--data", name, "--out", "run"]) == 2
    assert sentence in _said(capsys)
    assert not Path("run").exists(), "the name stays free for the corrected command"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--preset nope", "argument --preset: invalid choice: 'nope'"),
        ("--epochs many", "argument --epochs: invalid int value: 'many'"),
        ("--epochs 0", "epochs must be at least 1; got epochs=0"),
        ("--batch-size -1", "batch_size must be at least 1; got batch_size=-1"),
        ("--learning-rate nan", "learning_rate must"),
        ("--kl-weight -1", "kl_weight must not be negative; got kl_weight=-1.0"),
        ("--components 0", "n_components must be at least 1; got n_components=0"),
        ("--components 2000", "got n_components=2000, images=1199. Lower n_components."),
        ("--seed -1", "seed must"),
        ("--device tpu", "device must be one this machine has; got device='tpu'"),
        ("--config nowhere.json", "config must be JSON or a file of it; [Errno 2] No such file"),
        ("--config {", "config must be JSON or a file of it; Expecting property name"),
        ('--config {"epoch":3}', "unexpected keyword argument 'epoch'"),
        ("--config list.json", "config must be a JSON object; got [1]"),
        ("--preset quick --config {}", "preset and config exclude each other"),
        ("--resume", "out must name the run to resume; add --out RUN."),
        ("--resume --out nowhere", "nowhere must be the directory of a run"),
        ("--resume --out old --epochs 3", "a resumed run keeps its configuration; got --epochs"),
        ("--out old", "out must be a new directory; old exists. Add --resume"),
        ("--out list.json/run", "list.json/run cannot be written"),
    ],
)
def test_bad_training(arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("list.json").write_text("[1]")
    Path("old").mkdir()
    data_set = [] if "--resume" in arguments else ["--data", "digits"]
    assert _exit_code(["train", *arguments.split(" "), *data_set]) == 2
    assert sentence in _said(capsys)
    assert not list(Path().glob("**/config.json")), "no run is left behind"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("evaluate nowhere", "nowhere must be a checkpoint file"),
        ("evaluate junk", "junk must be a vaegmm checkpoint; it is truncated or another kind"),
        ("evaluate MODEL --data nowhere", "there is no file or folder nowhere"),
        ("evaluate MODEL --device tpu", "device must be one this machine has"),
        ("classify MODEL nowhere.png", "nowhere.png cannot be used: no readable image"),
        ("classify MODEL junk", "junk cannot be used: no readable image"),
        ("classify MODEL", "the following arguments are required: IMAGE"),
        ("export junk --html page.html", "junk must be a vaegmm checkpoint"),
        ("export MODEL", "one of the arguments --html --tensorboard is required"),
        ("info junk --json", "junk must be a vaegmm checkpoint"),
        ("explain MODEL", "invalid choice: 'explain'"),
        ("", "the following arguments are required: command"),
    ],
)
def test_bad_use_of_a_model(
    arguments: str, sentence: str, small_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("junk").write_bytes(b"no checkpoint, no image")
    words = [str(small_checkpoint) if word == "MODEL" else word for word in arguments.split()]
    assert _exit_code(words) == 2
    assert sentence in _said(capsys)


def test_a_blank_picture_is_refused(
    small_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (300, 200), "white").save("blank.png")
    assert main(["classify", str(small_checkpoint), "blank.png"]) == 2
    assert "blank.png" in _said(capsys)


def _exit_code(arguments: list[str]) -> object:
    try:
        return main(arguments)
    except SystemExit as end:  # argparse leaves by itself
        return end.code

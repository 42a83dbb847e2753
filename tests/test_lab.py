"""Runs as a laboratory keeps them: titles, damages, the trash, duplicates, and the queue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaegmm.checkpoint import CheckpointError
from vaegmm.cli import main
from vaegmm.config import PRESETS, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.errors import InputError
from vaegmm.runs import (
    DamagedRun,
    Run,
    RunError,
    detached,
    duplicate,
    list_runs,
    new_run,
    new_run_path,
    queue,
    sound_runs,
    trash,
)
from vaegmm.runs.about import again, slug
from vaegmm.settings import change
from vaegmm.training import Progress

PROJECT = Path(__file__).resolve().parent.parent
TINY = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    epochs=2,
    batch_size=16,
)
LONG = replace(TINY, epochs=100_000)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that runs are kept in."""
    monkeypatch.setenv("VAEGMM_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of 90 images."""
    images = np.random.default_rng(0).integers(0, 255, (90, 28, 28)).astype(np.uint8)
    np.savez(tmp_path / "tiny.npz", images=images)
    return tmp_path / "tiny.npz"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the processes that would be started; each is still starting."""
    commands: list[list[str]] = []

    def start(*arguments: object, log: Path, patience: float = 0.0) -> int:
        commands.append([str(argument) for argument in arguments])
        return os.getpid()

    monkeypatch.setattr(detached, "start", start)
    logs = lambda: [Path(words[-1]) / "log.txt" for words in commands if words[0] == "train"]  # noqa: E731
    monkeypatch.setattr("vaegmm.runs.directory.is_running", lambda log: log in logs())
    return commands


def _wait_until(is_so: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _stopped_after(run: Run, n_epochs: int) -> Run:
    def stop(report: Progress) -> None:
        if report.finished_epoch and report.epoch == n_epochs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.execute(stop)
    return run


def _names(runs: list[Run]) -> list[str]:
    return [run.name for run in runs]


def _waiting() -> list[str]:
    return _names(queue.waiting())


# Titles

ODD_TITLES = {
    "slashes": "a/b\\c: what?",
    "dots": "..",
    "hidden": ".trash",
    "Unicode": "数字 – Zahlen für 👩‍🔬 ‮rtl",
    "accents": "Größe é",
    "300 characters": "x" * 300,
    "a format": "{title} %s",
    "markup": "<b>**bold**</b>",
    "a name of Windows": "con",
}


@pytest.mark.parametrize("title", ODD_TITLES.values(), ids=ODD_TITLES)
def test_any_title_is_kept_as_it_is_and_names_a_directory(title: str, folder: Path) -> None:
    run = new_run(TINY, "digits", title, note="first\nsecond", tags=["seeds", "a/b", "seeds"])
    assert Run.open(run.path).about.title == run.title == title
    assert run.about.note == "first\nsecond" and run.about.tags == ("seeds", "a/b")
    assert run.path.parent == folder and run.path in list(folder.iterdir())
    assert len(run.name) <= 60 and run.name.isascii() and run.name[0] != "."
    other = new_run(TINY, "digits", title)
    assert other.path != run.path and other.title == title


def test_what_no_text_holds_is_left_out_of_a_title() -> None:
    run = new_run(TINY, "digits", "a\x00b\nc\ud800 ")
    assert run.title == "ab c"
    run.describe(title="", tags=[" ", "\n"])
    assert run.title.startswith("custom on digits") and run.about.tags == ()


def test_what_is_too_long_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="title must have at most 300 characters; got 301"):
        new_run(TINY, "digits", "x" * 301)
    assert not folder.exists()
    run = new_run(TINY, "digits")
    with pytest.raises(InputError, match="tags must be at most 20; got 21"):
        run.describe(tags=map(str, range(21)))
    assert run.about.tags == ()


def test_a_run_without_a_title_is_called_what_it_trains(folder: Path) -> None:
    run = new_run(change(PRESETS["default"], seed=3), "mnist")
    config = json.loads((run.path / "config.json").read_text())
    config["created"] = "2026-11-24T17:36:43"
    (run.path / "config.json").write_text(json.dumps(config))  # as older versions wrote it
    assert run.title == "default on MNIST, seed 3, 24 Nov 17:36"
    assert new_run(TINY, "/data/mine.npz").title.startswith("custom on mine, ")


def test_a_directory_is_named_after_the_time_and_the_title() -> None:
    assert slug("Größe / été, 3×") == "groe-ete-3"
    assert slug("数字") == ""
    assert new_run_path(TINY, "mnist", "Seeds, once more").name[15:] == "-seeds-once-more"
    assert new_run_path(TINY, "mnist", "数字").name[15:] == "-custom-mnist"


def test_a_duplicate_has_all_but_the_title(data: Path) -> None:
    first = new_run(TINY, "mine.npz", "Seeds", device="cpu", upload=data.read_bytes(), tags=["a"])
    values = duplicate(first)
    config = change(values.config, seed=4)
    second = new_run(
        config, values.data, values.title, device=values.device, note=values.note, tags=values.tags
    )
    first.delete()
    assert second.title == "Seeds (2)" and again(second.title) == "Seeds (3)"
    assert len(again("x" * 300)) == 300
    assert second.about.tags == ("a",) and second.config == config
    assert second.execute().mixture.means_.shape == (3, 2), "its data is its own"


# Files that people have edited

GARBAGE = {
    "empty": b"",
    "no JSON": b"{",
    "another type": b"[]",
    "a number": b"3",
    "nothing": b"null",
    "no text": b"\xff\xfe\x00",
    "no end": b"[" * 100_000,
    "other keys": b'{"pace": 3}',
    "not a number": b'{"state": NaN, "epoch": Infinity, "title": -Infinity}',
    "other values": b'{"config": {"epochs": "x"}, "data": 3, "device": [], "created": 7, '
    b'"title": ["t"], "note": {}, "tags": [1, null, "kept"], "state": "dancing", "updated": "u", '
    b'"pid": "p", "progress": [], "error": 1, "reason": 2, "facts": 3}',
    "another state": b'{"state": ["training"], "updated": {}, "pid": -1, "progress": {}, '
    b'"error": null, "reason": "", "facts": {}}',
}
FILES = ("config.json", "status.json", "metrics.jsonl", "about.json", "model.safetensors")


@pytest.mark.parametrize("name", [*FILES, "film.bin", "log.txt", "lock"])
def test_a_file_edited_in_any_way_never_breaks_the_listing(
    name: str, folder: Path, data: Path
) -> None:
    run = new_run(TINY, data, "mine", device="cpu")
    run.execute()
    sound = new_run(TINY, data, "sound")
    path = run.path / name
    whole = path.read_bytes() if path.exists() else b""
    for what, content in [*GARBAGE.items(), ("gone", None), ("half", b""), ("a folder", None)]:
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        if what == "a folder":
            path.mkdir()
        elif what != "gone":
            path.write_bytes(whole[: len(whole) // 2] if what == "half" else content or b"")
        listed = {each.name: each for each in list_runs()}
        assert set(listed) == {run.name, sound.name}, what
        _look_at(listed[run.name])
        assert _waiting() == [], what
    if name == "config.json":
        (damaged,) = (each for each in list_runs() if isinstance(each, DamagedRun))
        assert damaged.title == "mine" and "config.json is damaged" in damaged.reason
        assert [each.name for each in sound_runs()] == [sound.name]
    trash.discard(listed[run.name])
    assert [each.name for each in list_runs()] == [sound.name]


def _look_at(run: Run | DamagedRun) -> None:
    """Ask for all that a listing shows, which must be of the types that it is said to be."""
    assert isinstance(run.title, str) and run.about.tags in ((), ("kept",))
    assert run.created is None or run.created.tzinfo
    assert not run.is_active and run.status.state in ("finished", "stopped", "failed")
    assert all(loss.cross_entropy >= 0 for loss in run.losses)
    assert run.is_finished or not run.model_path.is_file()
    assert isinstance(run.metrics, dict) and isinstance(run.log_tail(), str)
    if isinstance(run, DamagedRun):
        assert run.reason.startswith(str(run.path)) and run.error.reason
    else:
        assert run.config.epochs == 2


def test_a_lost_configuration_is_named(folder: Path) -> None:
    run = new_run(TINY, "digits")
    (run.path / "config.json").rename(folder / "elsewhere")
    assert list_runs() == [], "what holds nothing of a run is none"
    run.write_status("stopped")
    (damaged,) = list_runs()
    assert isinstance(damaged, DamagedRun) and "it has no config.json" in damaged.reason
    damaged.delete()
    assert list_runs() == []


def test_a_result_that_is_gone_is_trained_again(data: Path) -> None:
    run = new_run(TINY, data, device="cpu")
    run.execute()
    run.model_path.unlink()
    assert run.status.state == "failed" and run.status.reason == "result gone"
    run.execute()
    assert run.is_finished and [loss.epoch for loss in run.losses] == [1, 2]


def test_losses_that_were_lost_are_named(data: Path) -> None:
    run = _stopped_after(new_run(replace(TINY, epochs=5), data, device="cpu"), 3)
    path = run.path / "metrics.jsonl"
    lines = path.read_text().splitlines()
    # The last one is in the saved state too: nothing is lost by half of its line.
    path.write_text("\n".join([*lines[:2], lines[2][:20]]))
    assert [loss.epoch for loss in run.losses] == [1, 2]
    _stopped_after(run, 4)
    assert [loss.epoch for loss in run.losses] == [1, 2, 3, 4]
    path.write_text("\n".join([lines[0], "", *lines[2:]]))
    with pytest.raises(CheckpointError, match=r"metrics.jsonl has lost epoch 2"):
        run.execute()


# The trash


def test_a_deleted_run_is_had_back(folder: Path) -> None:
    run = new_run(TINY, "digits", "mine")
    entry = trash.discard(run)
    assert list_runs() == [] and trash.list_trash() == [entry] and entry.title == "mine"
    run.path.mkdir()  # the name is taken in the meantime
    (run.path / "config.json").write_text("{}")
    back = trash.restore(entry)
    assert back.name == f"{run.name}-2" and Run.open(back).title == "mine"
    with pytest.raises(RunError, match="is no longer in the trash"):
        trash.restore(entry)
    with pytest.raises(RunError, match="is no longer there"):
        trash.discard(Run(folder / "nowhere"))


def test_the_trash_keeps_the_last_ones_whatever_the_clock_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "MOST", 2)
    runs = [new_run(TINY, "digits", f"number {number}") for number in range(4)]
    now = time.time()
    entries = []
    for number, run in enumerate(runs):  # each an hour before the one that was deleted before it
        monkeypatch.setattr(time, "time", lambda at=now - 3600 * number: at)
        entries.append(trash.discard(run))
    assert trash.list_trash() == entries[:1:-1]
    monkeypatch.setattr(time, "time", lambda: now + 8 * 86400)
    trash.empty(folder, trash.DAYS, trash.MOST)
    assert trash.list_trash() == [] and list((folder / ".trash").iterdir()) == []


def test_uploaded_data_comes_back_with_its_run(data: Path, folder: Path) -> None:
    run = new_run(TINY, "mine.npz", upload=data.read_bytes())
    entry = trash.discard(run)
    run.path.mkdir()
    moved = Run(trash.restore(entry))
    assert moved.path != run.path
    assert moved.settings["data"] == str(moved.path / "mine.npz")


# The queue


def test_runs_wait_for_their_turn(started: list[list[str]], folder: Path) -> None:
    runs = [new_run(TINY, "digits", f"number {number}") for number in range(4)]
    for run in runs:
        queue.enqueue(run)
        queue.enqueue(run) if run is not runs[0] else None  # again: nothing changes by that
    first, others = runs[0], _names(runs[1:])
    assert first.status.state == "starting" and _waiting() == others
    assert [queue.place(run) for run in runs] == [None, 1, 2, 3]
    assert started[0] == ["train", "--resume", "--out", str(first.path)]
    assert all(words == ["queue", "--supervise", "--folder", str(folder)] for words in started[1:])
    with pytest.raises(RunError, match="worked on by another process"):
        queue.enqueue(first)

    queue.move(runs[3], 1)
    queue.cancel(runs[1])
    assert _waiting() == _names([runs[3], runs[2]]) and runs[1].status.state == "stopped"
    assert not runs[3].is_active and runs[3].status.pid is None

    queue.change_settings(at_once=2)
    assert runs[3].is_active and _waiting() == _names([runs[2]])
    queue.start_now(runs[2])
    assert runs[2].is_active and _waiting() == []
    with pytest.raises(InputError, match="at_once must be a whole number from 1 to 64; got 0"):
        queue.change_settings(at_once=0)


def test_the_queue_survives_its_own_files(started: list[list[str]], folder: Path) -> None:
    runs = [new_run(TINY, "digits", f"number {number}") for number in range(3)]
    for seconds, run in enumerate(runs):
        os.utime(run.path / "config.json", (seconds, seconds))
        queue.enqueue(run)
    for content in [*GARBAGE.values(), b'{"at_once": "x", "order": [3, {}]}', b'{"order": 1}']:
        (folder / ".queue" / "queue.json").write_bytes(content)
        assert queue.settings().at_once == 1
        assert _waiting() == _names(runs[1:]), "the oldest first"
    (folder / ".queue" / "queue.json").unlink()
    (runs[1].path / "config.json").write_text("{")
    queue.ensure()
    assert _waiting() == _names(runs[2:])
    trash.discard(runs[2])
    assert _waiting() == []


def test_a_server_that_begins_starts_what_waits(started: list[list[str]], folder: Path) -> None:
    from vaegmm.app import server

    server._start_waiting_runs()
    assert not folder.exists(), "nothing waits: nothing is written"
    runs = [new_run(TINY, "digits"), new_run(TINY, "digits")]
    for run in runs:
        run.write_status("waiting")
    server._start_waiting_runs()
    assert [run.status.state for run in runs] == ["starting", "waiting"]
    assert [words[0] for words in started] == ["train", "queue"]


def test_one_that_cannot_start_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    runs = [new_run(TINY, "digits", f"number {number}") for number in range(3)]
    for run in runs:
        queue.enqueue(run)
    start, trying = detached.start, iter([OSError("no more processes")])

    def fail_once(*arguments: object, **options: object) -> int | None:
        for error in trying:
            raise error
        return start(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(detached, "start", fail_once)
    queue.change_settings(at_once=2)
    assert [run.status.state for run in runs] == ["starting", "failed", "starting"]
    assert "no more processes" in str(runs[1].status.error)


def test_a_clock_that_is_set_back_or_forward_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    runs = [new_run(TINY, "digits", f"number {number}") for number in range(3)]
    now = time.time()
    for hours, run in zip((0, -3, 5), runs, strict=True):
        monkeypatch.setattr(time, "time", lambda at=now + 3600 * hours: at)
        queue.enqueue(run)
        assert runs[0].status.state == "starting", "its process lives, whatever the clock says"
    assert _waiting() == _names(runs[1:])
    monkeypatch.setattr(time, "time", lambda: 0.0)
    new = new_run(TINY, "digits")
    os.utime(new.path / "config.json", (0, 0))  # as the clock has it
    assert [new_run(TINY, "digits").name, runs[2].name] == [run.name for run in list_runs()][:2]


def test_the_command_line_adds_to_the_queue_and_changes_it(
    started: list[list[str]], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--config", json.dumps(TINY.to_dict()), "--data", str(data), "--queue"]
    for title in ("one/../1", "two", "three"):
        assert main([*command, "--title", title, "--tag", "seeds", "--batch-size", "64"]) == 0
    captured = capsys.readouterr()
    assert [line.split(" ", 1)[1] for line in captured.out.splitlines()] == [
        "has started",
        "waits at place 1",
        "waits at place 2",
    ]
    # Nobody is there to answer: what is unusual is said, and nothing waits for an answer.
    assert captured.err.count("A batch of 64 is larger than the data") == 3
    assert main(["queue", "--first", queue.waiting()[1].name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["starting", "waiting", "waiting"]
    assert lines[0].endswith("  one/../1") and lines[1].endswith("  three")
    assert main(["queue", "--cancel", queue.waiting()[0].name, "--at-once", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["at_once"] == 2
    assert [run["state"] for run in told["runs"]] == ["starting", "starting"]
    assert main(["queue", "--cancel", "nowhere"]) == 2
    assert "it has no config.json" in capsys.readouterr().err


def test_only_where_somebody_answers_something_is_asked(
    data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--config", json.dumps(TINY.to_dict()), "--data", str(data)]
    command += ["--batch-size", "64", "--device", "cpu"]
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n")
    assert main(command) == 130
    assert "Train it all the same?" in capsys.readouterr().err and not folder.exists()
    assert main([*command, "--yes"]) == 0
    assert "larger than the data" not in capsys.readouterr().err


BOTH = """
import sys, time
from pathlib import Path
from vaegmm.config import TrainConfig
from vaegmm.runs import new_run, queue
config = TrainConfig.from_dict(__import__("json").loads(sys.argv[1]))
Path(sys.argv[3], sys.argv[4]).touch()
while len(list(Path(sys.argv[3]).iterdir())) < 2:
    time.sleep(0.001)
queue.enqueue(new_run(config, sys.argv[2], "pressed at once", device="cpu"))
"""


@pytest.mark.slow
def test_two_that_start_at_once_train_one_after_the_other(
    data: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    ready.mkdir()
    command = [sys.executable, "-c", BOTH, json.dumps(LONG.to_dict()), str(data), str(ready)]
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    pressing = [subprocess.Popen([*command, name], env=env) for name in ("one", "other")]
    assert [process.wait(120) for process in pressing] == [0, 0]
    runs = sound_runs()
    states = [run.status.state for run in runs]
    assert len(runs) == 2 and states.count("waiting") == 1
    waiting, training = sorted(runs, key=lambda run: run.status.state != "waiting")

    # The processes that pressed are gone; the supervisor goes on.
    _wait_until(lambda: len(training.losses) > 1)
    pid = training.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _wait_until(lambda: len(waiting.losses) > 1)
    assert training.status.reason == "process ended" and _waiting() == []

    # A supervisor that is killed as well is missed by the next one who looks.
    supervisor = folder / ".queue" / "log.txt"
    _wait_until(lambda: not detached.is_running(supervisor))
    pids = _recorded_pids(monkeypatch)
    queue.enqueue(training)
    assert training.status.state == "waiting" and detached.is_running(supervisor)
    os.kill(pids[0], signal.SIGKILL)
    _wait_until(lambda: not detached.is_running(supervisor))
    waiting.stop()
    _wait_until(lambda: not waiting.is_active)
    assert training.status.state == "waiting", "nobody looks"
    assert main(["queue"]) == 0
    assert training.is_active
    training.stop()
    _wait_until(lambda: not training.is_active and not training.has_process())


def _recorded_pids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the numbers of the processes that are started from now on."""
    pids: list[int] = []
    start = detached.start

    def recording(*arguments: str | Path, log: Path, patience: float = 0.0) -> int | None:
        pid = start(*arguments, log=log, patience=patience)
        pids.extend([pid] if pid else [])
        return pid

    monkeypatch.setattr(detached, "start", recording)
    return pids

"""A run's directory: created, executed, watched, stopped at any moment, resumed, deleted."""

from __future__ import annotations

import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vaegmm.checkpoint import CheckpointError, read_tensors
from vaegmm.cli import _parser
from vaegmm.cli.train import _config
from vaegmm.config import PRESETS, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.data import DataError
from vaegmm.model import VAEGMM, load
from vaegmm.runs import Run, RunError, Status, command_of, execution, list_runs, new_run_path
from vaegmm.settings import of_preset
from vaegmm.training import EpochLoss, NonFiniteLossError, Progress, loop

TINY = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    epochs=4,
    batch_size=16,
)
LONG = replace(TINY, epochs=10_000)


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 90 images with three labels: bright bars at three heights."""
    return _write_data(tmp_path_factory.mktemp("data") / "tiny.npz")


@pytest.fixture
def make_run(tmp_path: Path, tiny_data: Path) -> Callable[..., Run]:
    """Create runs on the tiny data, by name."""

    def make(name: str = "run", config: TrainConfig = TINY, data: Path = tiny_data) -> Run:
        return Run.create(tmp_path / name, config, data, "cpu")

    return make


@pytest.fixture
def uninterrupted(make_run: Callable[..., Run]) -> VAEGMM:
    """What the tiny training ends with when nothing gets in its way."""
    return make_run("uninterrupted").execute()


def _write_data(path: Path, labelled: bool = True, seed: int = 0) -> Path:
    generator = np.random.default_rng(seed)
    labels = np.arange(90) % 3
    images = generator.integers(0, 40, (90, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 7 * label : 9 + 7 * label, 4:24] = 220
    arrays = {"images": images, "labels": labels} if labelled else {"images": images}
    np.savez(path, **arrays)
    return path


def _assert_same_result(model: VAEGMM, expected: VAEGMM) -> None:
    for name, value in expected.vae.state_dict().items():
        assert torch.equal(model.vae.state_dict()[name], value), name
    np.testing.assert_array_equal(model.latents, expected.latents)
    np.testing.assert_array_equal(model.mixture.means_, expected.mixture.means_)
    losses, expected_losses = (
        [EpochLoss(**loss) for loss in each.history] for each in (model, expected)
    )
    assert losses == expected_losses


def _wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_run_leaves_its_result_its_losses_and_its_figures(make_run: Callable[..., Run]) -> None:
    run = make_run()
    reports: list[Progress] = []
    fits: list[str] = []

    model = run.execute(reports.append, lambda: fits.append(run.status.state))

    assert run.status.state == "finished" and run.is_finished and not run.is_active
    assert fits == ["fitting"]
    assert [report.epoch for report in reports if report.finished_epoch] == [1, 2, 3, 4]
    assert [loss.epoch for loss in run.losses] == [1, 2, 3, 4]
    assert run.losses[0].validation_cross_entropy is not None
    stored = load(run.model_path)
    _assert_same_result(stored, model)
    assert run.metrics == stored.metrics
    assert stored.metrics["n_images"] == 15
    assert stored.provenance["command"] == command_of(run)
    # The result replaces what was kept to go on from.
    assert sorted(file.name for file in run.path.iterdir()) == [
        "config.json",
        "film.bin",
        "lock",
        "metrics.jsonl",
        "model.safetensors",
        "status.json",
    ]


def test_executing_a_finished_run_returns_its_result(make_run: Callable[..., Run]) -> None:
    run = make_run()
    model = run.execute()
    written = run.model_path.stat().st_mtime_ns

    _assert_same_result(run.execute(_interrupt), model)

    assert run.model_path.stat().st_mtime_ns == written
    with pytest.raises(RunError, match="is finished; its result is"):
        run.launch()


def test_without_labels_the_result_has_no_names(
    make_run: Callable[..., Run], tmp_path: Path
) -> None:
    run = make_run(data=_write_data(tmp_path / "unlabelled.npz", labelled=False))
    model = run.execute()
    assert model.names is None
    assert "classification_accuracy" not in run.metrics
    assert run.metrics["cross_entropy"] > 0


# Where an interruption hits, by what it hits: a function to replace, and the call that ends.
MOMENTS = {
    "loading the images": ("data.load", 1),
    "the first step": ("on_progress", 1),
    "a later epoch": ("on_progress", 3),
    "saving the first epoch": ("write_tensors", 1),
    "saving a later epoch": ("write_tensors", 3),
    "between weights and losses": ("RunDirectory.append_loss", 2),
    "writing the status": ("RunDirectory.write_status", 3),
    "the fit of the mixture": ("VAEGMM.finish", 1),
    "the evaluation": ("evaluate", 1),
    "saving the result": ("VAEGMM.save", 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_run_resumes_to_the_same_result(
    moment: str,
    make_run: Callable[..., Run],
    uninterrupted: VAEGMM,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run()
    name, last_call = MOMENTS[moment]
    n_calls = 0

    def interrupting(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal n_calls
            n_calls += 1
            if n_calls == last_call:
                raise KeyboardInterrupt
            return function(*arguments, **options)

        return call

    on_progress = interrupting(lambda report: None)
    with monkeypatch.context() as patch:
        if name != "on_progress":
            on_progress = lambda report: None  # noqa: E731
            owner, _, attribute = f"execution.{name}".rpartition(".")
            target = execution
            for part in owner.split(".")[1:]:
                target = getattr(target, part)
            patch.setattr(target, attribute, interrupting(getattr(target, attribute)))
        with pytest.raises(KeyboardInterrupt):
            run.execute(on_progress)

    assert run.status.state == "stopped" and run.status.error is None
    assert not list(run.path.glob(".*")), "temporary files are left"
    resumed = Run.open(run.path)
    _assert_same_result(resumed.execute(), uninterrupted)
    assert [loss.epoch for loss in resumed.losses] == [1, 2, 3, 4]
    assert resumed.status.state == "finished"


def test_an_interruption_after_the_result_takes_nothing_from_it(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    monkeypatch.setattr(type(run.path), "unlink", _interrupt_at("state.safetensors"))
    with pytest.raises(KeyboardInterrupt):
        run.execute()
    assert run.is_finished and run.status.state == "finished"


def _interrupt_at(name: str) -> Callable[..., None]:
    unlink = Path.unlink

    def call(path: Path, missing_ok: bool = False) -> None:
        if path.name == name:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    return call


def test_a_second_signal_does_not_cut_off_what_the_first_one_began(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shell that starts its jobs in the background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    run = make_run()
    write = Run.write_last_status

    def signalled(self: Run, *arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        write(self, *arguments)

    monkeypatch.setattr(Run, "write_last_status", signalled)
    try:
        with pytest.raises(KeyboardInterrupt):
            run.execute(_interrupt)
        assert run.status.state == "stopped"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_detached_run_is_watched_stopped_and_resumed(
    make_run: Callable[..., Run],
) -> None:
    # Far too many epochs to end by itself: the decay of the rates is part of the comparison.
    run = make_run(config=LONG)
    run.launch()
    assert run.is_active
    with pytest.raises(RunError, match="is being worked on by another process"):
        run.launch()
    _wait_until(lambda: len(run.losses) >= 2)
    assert run.status.state == "training"
    assert run.status.progress is not None and run.status.progress.epochs == LONG.epochs
    with pytest.raises(RunError, match="is being worked on by another process"):
        run.delete()

    run.stop()
    _wait_until(lambda: not run.is_active)

    assert run.status.state == "stopped"
    done = len(run.losses)
    assert "stopped; the last finished epoch is kept" in run.log_tail()

    def stop_after(n_epochs: int) -> Callable[[Progress], None]:
        def on_progress(report: Progress) -> None:
            if report.finished_epoch and report.epoch == n_epochs:
                raise KeyboardInterrupt

        return on_progress

    in_one_go = make_run("in-one-go", LONG)
    for each in (run, in_one_go):
        with pytest.raises(KeyboardInterrupt):
            each.execute(stop_after(done + 2))
    tensors, expected = (
        read_tensors(each.path / "state.safetensors")[0] for each in (run, in_one_go)
    )
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)
    assert run.losses == in_one_go.losses


def test_a_run_stopped_before_it_begins_is_stopped(make_run: Callable[..., Run]) -> None:
    run = make_run(config=LONG)
    run.launch()
    run.stop()
    assert run.status.state == "stopped"
    assert not run.is_active


@pytest.mark.slow
def test_a_killed_process_is_told_from_a_working_one(make_run: Callable[..., Run]) -> None:
    run = make_run(config=LONG)
    run.launch()
    _wait_until(lambda: bool(run.losses))
    pid = run.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _wait_until(lambda: not run.is_active)
    assert run.status.state == "failed"
    assert "the process ended without a word" in str(run.status.error)

    def check(report: Progress) -> None:
        assert report.epoch > 1, "goes on from the last finished epoch"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.execute(check)


def test_a_launch_that_dies_at_once_has_failed(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    monkeypatch.setattr(sys, "executable", "false")
    run.launch()
    _wait_until(lambda: not run.is_active, seconds=10)
    assert run.status.state == "failed"


def test_a_launch_that_is_impossible_says_so(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RunError, match="No such file"):
        run.launch()
    assert not run.is_active


def test_two_processes_cannot_work_on_one_run(make_run: Callable[..., Run]) -> None:
    run = make_run()
    seen: list[str] = []

    def look(report: Progress) -> None:
        if not seen:
            other = Run.open(run.path)
            seen.append(other.status.state)
            with pytest.raises(RunError, match="Wait for it, or stop it"):
                other.execute()

    run.execute(look)
    assert seen[0] in ("starting", "training")
    assert run.status.state == "finished"


def test_a_status_read_just_before_the_end_is_read_again(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    run.execute()
    finished = run.last_status()
    answers = [replace(finished, state="training"), finished]
    monkeypatch.setattr(Run, "last_status", lambda self: answers.pop(0))
    assert run.status.state == "finished"


def test_a_loss_that_stops_being_finite_keeps_the_last_good_epoch(
    make_run: Callable[..., Run], uninterrupted: VAEGMM, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    take_step, n_steps = loop.take_step, 0

    def overflow(*arguments: object) -> torch.Tensor:
        nonlocal n_steps
        n_steps += 1
        losses = take_step(*arguments)  # type: ignore[arg-type]
        return losses * float("nan") if n_steps == 10 else losses  # 60 images: 4 steps an epoch

    with monkeypatch.context() as patch:
        patch.setattr(loop, "take_step", overflow)
        with pytest.raises(NonFiniteLossError, match="epoch 3, step 2"):
            run.execute()

    assert run.status.state == "failed"
    assert "epoch 3, step 2" in str(run.status.error)
    assert [loss.epoch for loss in run.losses] == [1, 2]
    _assert_same_result(run.execute(), uninterrupted)


def test_a_loss_that_overflows_by_itself_is_seen(make_run: Callable[..., Run]) -> None:
    run = make_run(config=replace(TINY, kl_weight=1e39, kl_warmup=0.0))
    with pytest.raises(NonFiniteLossError, match="loss must stay finite"):
        run.execute()
    assert run.status.state == "failed"


def test_a_full_disk_leaves_the_last_saved_epoch_whole(
    make_run: Callable[..., Run], uninterrupted: VAEGMM
) -> None:
    run = make_run()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_disk(report: Progress) -> None:
        if report.finished_epoch and report.epoch == 2:
            # Files end at 64 kB from here on, as on a disk with no more space.
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))

    try:
        with pytest.raises(CheckpointError, match=r"state.safetensors cannot be written"):
            run.execute(fill_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert run.status.state == "failed"
    assert "cannot be written" in str(run.status.error)
    assert read_tensors(run.path / "state.safetensors")[1]["epoch"] == 2
    assert not list(run.path.glob(".*")), "temporary files are left"
    _assert_same_result(run.execute(), uninterrupted)


def test_a_status_that_cannot_be_written_is_a_sentence(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        with pytest.raises(RunError, match=r"status.json cannot be written: .*No space left"):
            run.execute()
    assert run.execute().mixture is not None


def test_a_directory_that_exists_is_refused(make_run: Callable[..., Run]) -> None:
    run = make_run()
    with pytest.raises(RunError, match=r"out must be a new directory.*--resume"):
        make_run()
    assert run.config == TINY


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be written.*choose another place"):
        Run.create(tmp_path / "file" / "run", TINY, "digits")


def test_a_run_that_cannot_be_created_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(RunError, match="No space left"):
        Run.create(tmp_path / "run", TINY, "digits")
    assert not (tmp_path / "run").exists()


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"must be the directory of a run.*it has no config.json"):
        Run.open(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"config": {"epochs": 0}}', '{"config": 3}', "{}"])
def test_a_damaged_configuration_is_refused(text: str, make_run: Callable[..., Run]) -> None:
    run = make_run()
    (run.path / "config.json").write_text(text)
    with pytest.raises(RunError, match=r"config.json"):
        Run.open(run.path)


@pytest.mark.parametrize("text", ["", "{", '{"state": "training"}', '{"pace": 3}', "[]"])
def test_a_damaged_status_counts_as_stopped(text: str, make_run: Callable[..., Run]) -> None:
    run = make_run()
    (run.path / "status.json").write_text(text)
    assert run.status == Status("stopped", updated=0.0)


def test_a_damaged_state_is_named(make_run: Callable[..., Run]) -> None:
    run = _stopped_after_an_epoch(make_run())
    state = run.path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"state.safetensors .* truncated"):
        run.execute()
    assert run.status.state == "failed"


def test_a_resumed_run_must_find_the_same_images(
    make_run: Callable[..., Run], tmp_path: Path
) -> None:
    data = _write_data(tmp_path / "mine.npz")
    run = _stopped_after_an_epoch(make_run(data=data))
    _write_data(data, seed=1)
    with pytest.raises(DataError, match="a resumed run must have the images it began with"):
        run.execute()


def _stopped_after_an_epoch(run: Run) -> Run:
    def stop(report: Progress) -> None:
        if report.finished_epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.execute(stop)
    return run


def test_a_relative_path_to_data_is_found_from_anywhere(
    tmp_path: Path, tiny_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_data.parent)
    run = Run.create(tmp_path / "run", TINY, tiny_data.name)
    assert run.settings["data"] == str(tiny_data)
    assert Run.create(tmp_path / "named", TINY, "digits").settings["data"] == "digits"


def test_uploaded_data_is_kept_with_its_run(tmp_path: Path, tiny_data: Path) -> None:
    run = Run.create(tmp_path / "run", TINY, "../../mine.npz", "cpu", upload=tiny_data.read_bytes())
    assert run.settings["data"] == str(run.path / "mine.npz")
    assert run.execute().names is not None


def test_more_components_than_images_end_before_the_training(make_run: Callable[..., Run]) -> None:
    run = make_run(config=replace(TINY, mixture=MixtureConfig(n_components=61)))
    with pytest.raises(ValueError, match="n_components=61, images=60"):
        run.execute(_interrupt)
    assert run.status.state == "failed"


def test_a_deleted_run_is_gone(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run()
    run.delete()
    assert not run.path.exists() and list_runs(tmp_path) == []
    with pytest.raises(RunError, match="cannot be removed"):
        run.delete()


def test_runs_are_listed_newest_first(make_run: Callable[..., Run], tmp_path: Path) -> None:
    names = ["older", "newer", "newest"]
    for seconds, name in enumerate(names):
        os.utime(make_run(name).path / "config.json", (seconds, seconds))
    (tmp_path / "no-run").mkdir()
    assert [run.name for run in list_runs(tmp_path)] == names[::-1]
    assert list_runs(tmp_path / "nowhere") == []


def test_a_new_run_is_named_after_what_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAEGMM_RUNS", "/somewhere/runs")
    path = new_run_path(replace(PRESETS["quick"], epochs=3), "/data/mine.npz")
    assert path.parent == Path("/somewhere/runs")
    assert re.fullmatch(r"\d{8}-\d{6}-quick-mine", path.name)
    assert new_run_path(TINY, "mnist").name.endswith("-custom-mnist")


@pytest.mark.parametrize(
    "config",
    [
        PRESETS["default"],
        replace(PRESETS["reference"], epochs=3, kl_weight=0.5, seed=7),
        replace(PRESETS["quick"], mixture=replace(PRESETS["quick"].mixture, n_components=12)),
        of_preset("default", latents=4, hidden=(40, 20)),
        TINY,
    ],
    ids=["preset", "settings", "components", "network", "custom"],
)
def test_the_command_of_a_run_trains_the_same(config: TrainConfig, tmp_path: Path) -> None:
    words = shlex.split(command_of(Run.create(tmp_path / "run", config, "digits", "cpu")))
    assert words[:4] == ["python", "-m", "vaegmm", "train"]
    options = _parser().parse_args(words[3:])
    assert _config(options) == config
    assert (options.data, options.device) == ("digits", "cpu")


@pytest.mark.slow
def test_torchrun_trains_the_same_over_two_processes(
    make_run: Callable[..., Run], uninterrupted: VAEGMM
) -> None:
    run = _stopped_after_an_epoch(make_run())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "vaegmm", "train", "--resume", "--out"]
    done = subprocess.run(
        [*command, str(run.path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    model = load(run.model_path)
    assert model.provenance["processes"] == 2
    assert [loss["epoch"] for loss in model.history] == [1, 2, 3, 4]
    for name, value in uninterrupted.vae.state_dict().items():
        torch.testing.assert_close(model.vae.state_dict()[name], value, rtol=1e-3, atol=1e-5)
    assert done.stdout.count("model.safetensors") == 1, "the first process alone prints"

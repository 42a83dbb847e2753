"""The Train page: what it offers in every state of a run, and what its buttons do."""

from __future__ import annotations

import io
import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from vaegmm.app.words import share
from vaegmm.config import PRESETS, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.estimation import Estimate
from vaegmm.runs import About, Run, RunError, list_runs, queue
from vaegmm.settings import setting
from vaegmm.training import NonFiniteLossError, Progress

APP = Path(__file__).resolve().parent.parent / "app.py"
TINY = TrainConfig(
    vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=3, tol=0.01),
    epochs=2,
    batch_size=16,
)
ESTIMATE = Estimate(125.0, 100.0, 3700.0, 0.0, 0.0, 0.0, 0.0, 1, "cpu", 1)


@pytest.fixture(autouse=True)
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs are kept here, and neither MNIST nor Fashion-MNIST is on this machine."""
    monkeypatch.setenv("VAEGMM_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("VAEGMM_DATA", str(tmp_path / "no-data"))
    return tmp_path / "runs"


@pytest.fixture(autouse=True)
def estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is spent on measuring this machine."""
    monkeypatch.setattr("vaegmm.app.trainings.estimates.estimate", lambda *arguments: ESTIMATE)


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """A labelled data set of 90 images as a .npz file."""
    path = tmp_path / "tiny.npz"
    images = np.random.default_rng(0).integers(0, 255, (90, 28, 28)).astype(np.uint8)
    np.savez(path, images=images, labels=np.arange(90) % 3)
    return path


@pytest.fixture
def make_run(runs_folder: Path, tiny_data: Path) -> Callable[..., Run]:
    """Create runs on the tiny data, by name."""
    return lambda name="tiny": Run.create(runs_folder / name, TINY, tiny_data, "cpu")


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Record what is launched instead of launching it; it is a stopped run afterwards."""
    runs: list[Run] = []

    def launch(run: Run) -> None:
        runs.append(run)
        run.write_status("stopped")

    monkeypatch.setattr(Run, "launch", launch)
    return runs


def _open() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=120).switch_page("pages/1_Train.py").run()
    assert not page.exception
    return page


def _run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def _texts(page: AppTest) -> str:
    elements = [*page.markdown, *page.caption, *page.error, *page.text]
    return "\n".join(element.value for element in elements)


def _buttons(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def _interrupt_after_an_epoch(run: Run) -> Run:
    def stop(report: Progress) -> None:
        if report.finished_epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.execute(stop)
    return run


def test_without_runs_it_offers_to_start_one() -> None:
    page = _open()
    assert page.title[0].value == "Train"
    assert page.selectbox(key="data").value == "digits", "the others would have to be downloaded"
    assert "A training is a process of its own" in _texts(page)
    assert "1,199 training images in batches of 128: 10 steps an epoch, 1,200 in all" in _texts(
        page
    )
    assert not page.button(key="start").disabled
    assert not page.dataframe


def test_the_settings_start_from_the_preset_and_are_launched(launched: list[Run]) -> None:
    page = _open()
    page.button_group(key="preset").set_value("reference")
    page.text_input(key="new_title").set_value("As described / ÄÖ")
    page.text_area(key="new_note").set_value("A note.")
    page.multiselect(key="new_tags").set_value(["seeds"])
    _run(page)
    assert page.number_input(key="reference-epochs").value == 100
    assert page.number_input(key="reference-kl_weight").value == 3.0
    page.number_input(key="reference-epochs").set_value(7)
    page.number_input(key="reference-learning_rate").set_value(0.0001)
    page.number_input(key="reference-components").set_value(20)
    page.number_input(key="reference-seed").set_value(3)
    page.selectbox(key="device").select("cpu")
    _run(page)
    page.button(key="start").click()
    _run(page)

    (run,) = launched
    reference = PRESETS["reference"]
    assert run.config == replace(
        reference,
        epochs=7,
        learning_rate=0.0001,
        seed=3,
        mixture=replace(reference.mixture, n_components=20),
    )
    assert (run.settings["data"], run.settings["device"]) == ("digits", "cpu")
    assert run.about == About("As described / ÄÖ", "A note.", ("seeds",))
    assert page.selectbox(key="run").value == run.name
    assert page.query_params["run"] == run.name
    assert page.toast[0].value == "The training has started."
    assert page.text_input(key="new_title").value == "", "the next one has a name of its own"
    shown = page.dataframe[0].value.iloc[0]
    assert shown["Settings"] == "reference, epochs 7, learning rate 0.0001, clusters 20, seed 3"


def test_what_is_hardly_meant_is_asked_about_before_it_starts(launched: list[Run]) -> None:
    page = _open()
    page.number_input(key="default-epochs").set_value(1_000_000)
    page.number_input(key="default-batch_size").set_value(2000)
    page.number_input(key="attempts").set_value(3)
    _run(page)
    assert "epochs are a lot" not in _texts(page), "nobody has asked for it yet"
    page.button(key="start").click()
    _run(page)
    assert not launched
    assert "1,000,000 epochs are a lot" in _texts(page)
    assert "A batch of 2,000 is larger than the data" in _texts(page)
    page.button(key="change_it").click()
    _run(page)
    assert "epochs are a lot" not in _texts(page)
    page.button(key="start").click()
    _run(page)
    page.number_input(key="default-epochs").set_value(1001)
    _run(page)
    assert "epochs are a lot" not in _texts(page), "another training is asked about anew"
    page.button(key="start").click()
    _run(page)
    page.button(key="start_all_the_same").click()
    _run(page)
    (run,) = launched
    assert (run.config.epochs, run.attempts) == (1001, 3)


def test_the_time_that_a_training_takes_is_said_when_it_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = threading.Event()

    def measure(*arguments: object) -> Estimate:
        asked.wait(60)
        return ESTIMATE

    monkeypatch.setattr("vaegmm.app.trainings.estimates.estimate", measure)
    page = _open()
    page.number_input(key="default-seed").set_value(12345)  # which nobody has asked about before
    _run(page)
    assert "How long it will take is being measured" in _texts(page)
    asked.set()
    deadline = time.monotonic() + 60
    while "About" not in _texts(page) and time.monotonic() < deadline:
        _run(page)
    assert "About 2 min 5 s on this machine (1 min 40 s to 1 h 1 min)." in _texts(page)


def test_the_network_is_changed_where_the_preset_allows_it(launched: list[Run]) -> None:
    page = _open()
    page.number_input(key="default-latents").set_value(4)
    page.text_input(key="default-hidden").set_value("100, fifty")
    _run(page)
    assert page.error[0].value == "Hidden units must be whole numbers, by commas."
    page.text_input(key="default-hidden").set_value("100, 50")
    _run(page)
    assert not page.error
    page.button(key="start").click()
    _run(page)
    assert (launched[0].config.vae.latent_dim, launched[0].config.vae.hidden_units) == (
        4,
        (100, 50),
    )
    page.button_group(key="preset").set_value("reference")
    _run(page)
    assert not any(box.key == "reference-latents" for box in page.number_input)


def test_data_that_is_not_here_says_that_it_will_be_downloaded(launched: list[Run]) -> None:
    page = _open()
    assert "MNIST (will be downloaded)" in page.selectbox(key="data").options
    page.selectbox(key="data").select("mnist")
    _run(page)
    assert "the training will download it to" in _texts(page)
    assert "55,000 training images in batches of 128: 430 steps an epoch" in _texts(page)
    page.button(key="start").click()
    _run(page)
    assert launched[0].settings["data"] == "mnist"


def test_mnist_has_the_images_that_are_announced_before_its_download(mnist_data) -> None:  # type: ignore[no-untyped-def]
    assert len(mnist_data.train) == 55_000


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", 0), ("learning_rate", 2.0), ("kl_weight", -1.0), ("seed", -1)]
)
def test_a_setting_out_of_range_cannot_be_chosen(name: str, value: float) -> None:
    page = _open()
    box = page.number_input(key=f"default-{name}")
    assert value < box.min or value > box.max
    box.set_value(value)  # as a browser that was tampered with may send it
    _run(page)
    assert page.number_input(key=f"default-{name}").value == setting(PRESETS["default"], name)


def test_more_clusters_than_images_are_refused() -> None:
    page = _open()
    page.number_input(key="default-components").set_value(2000)
    _run(page)
    assert page.error[0].value == (
        "Clusters must not exceed the 1,199 training images: choose fewer."
    )
    assert page.button(key="start").disabled


def test_settings_survive_a_change_of_page(tiny_data: Path, make_run: Callable[..., Run]) -> None:
    for name in ("one", "two", "three"):
        make_run(name)
    page = _open()
    page.button_group(key="preset").set_value("quick")
    page.selectbox(key="data").select("a file or folder")
    page.selectbox(key="run").select("one")
    _run(page)
    page.text_input(key="data_path").set_value(str(tiny_data))
    page.number_input(key="quick-epochs").set_value(7)
    page.number_input(key="quick-learning_rate").set_value(0.01)
    page.selectbox(key="device").select("cpu")
    _run(page)
    _run(page.switch_page("pages/2_Reconstruct.py"))
    _run(page.switch_page("pages/1_Train.py"))
    assert page.button_group(key="preset").value == "quick"
    assert page.selectbox(key="data").value == "a file or folder"
    assert page.text_input(key="data_path").value == str(tiny_data)
    assert page.number_input(key="quick-epochs").value == 7
    assert page.number_input(key="quick-learning_rate").value == 0.01
    assert page.selectbox(key="device").value == "cpu"
    assert page.selectbox(key="run").value == "one"


@pytest.mark.parametrize("name", ["one", "two", "gone"])
def test_an_address_opens_its_training(
    name: str, make_run: Callable[..., Run], runs_folder: Path
) -> None:
    make_run("one")
    make_run("two")
    page = AppTest.from_file(str(APP), default_timeout=120).switch_page("pages/1_Train.py")
    page.query_params["run"] = name
    _run(page)
    newest = list_runs(runs_folder)[0].name
    assert page.selectbox(key="run").value == (newest if name == "gone" else name)


def test_images_from_a_path(tiny_data: Path, launched: list[Run]) -> None:
    page = _open()
    page.button_group(key="preset").set_value("quick")
    page.selectbox(key="data").select("a file or folder")
    _run(page)
    assert page.button(key="start").disabled and not page.error
    page.text_input(key="data_path").set_value("/nowhere.npz")
    _run(page)
    assert page.error[0].value == (
        "There is no file or folder /nowhere.npz. Check the path, or upload the file."
    )
    assert page.button(key="start").disabled

    page.text_input(key="data_path").set_value(str(tiny_data))
    page.number_input(key="quick-components").set_value(5)
    page.number_input(key="quick-batch_size").set_value(16)
    _run(page)
    assert not page.error
    assert "60 training images" in _texts(page)
    page.button(key="start").click()
    _run(page)
    assert launched[0].settings["data"] == str(tiny_data)


def test_images_from_an_upload(tiny_data: Path, launched: list[Run]) -> None:
    page = _open()
    page.button_group(key="preset").set_value("quick")
    page.selectbox(key="data").select("an upload")
    _run(page)
    page.number_input(key="quick-components").set_value(5)
    page.number_input(key="quick-batch_size").set_value(16)
    _run(page)
    assert page.button(key="start").disabled and not page.error
    uploader = page.file_uploader(key="data_upload")
    uploader = page.file_uploader(key="data_upload")
    uploader.set_value(("mine.npz", tiny_data.read_bytes(), "application/octet-stream"))
    _run(page)
    assert not page.error
    page.button(key="start").click()
    _run(page)
    kept = Path(launched[0].settings["data"])
    assert kept == launched[0].path / "mine.npz"
    assert kept.read_bytes() == tiny_data.read_bytes()


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"junk", "mine.npz cannot be read: it is damaged, or not a .npz file."),
        (_npz(images=np.zeros((9, 28, 28)))[:-200], "mine.npz cannot be read: it is damaged"),
        (pickle.dumps([1, 2]), "mine.npz cannot be read: it is damaged, or not a .npz file."),
        (_npz(images=np.array([{}, {}])), "mine.npz holds Python objects, which are not opened"),
        (_npz(pictures=np.zeros(3)), "mine.npz holds no array called `images`."),
        (_npz(images=np.zeros((9, 32, 32))), "must be 28 × 28 pixels"),
        (_npz(images=np.full((9, 28, 28), 255.0)), "must lie from 0 to 1"),
        (_npz(images=np.zeros((9, 28, 28), int)), "must be whole numbers from 0 to 255 (uint8)"),
        (_npz(images=np.zeros((9, 28, 28)), labels=np.zeros(8)), "one label for each of its 9"),
        (_npz(images=np.zeros((9, 28, 28)), labels=np.full(9, -1)), "whole numbers from 0 to 999"),
        (_npz(images=np.zeros((3, 28, 28))), "mine.npz holds too few images: 3."),
    ],
    ids=[
        *("junk", "half", "a pickle", "objects", "no images", "shape", "range", "type"),
        *("few labels", "wrong labels", "few images"),
    ],
)
def test_an_upload_that_is_no_data_set_is_refused(content: bytes, sentence: str) -> None:
    page = _open()
    page.selectbox(key="data").select("an upload")
    _run(page)
    uploader = page.file_uploader(key="data_upload")
    uploader.set_value(("mine.npz", content, "application/octet-stream"))
    _run(page)
    (error,) = page.error
    assert sentence in error.value
    assert not any(internal in error.value for internal in ("/tmp", "Error", "pickle", "dtype"))
    assert page.button(key="start").disabled


def test_an_upload_that_is_too_large_is_refused() -> None:
    page = _open()
    page.selectbox(key="data").select("an upload")
    _run(page)
    uploader = page.file_uploader(key="data_upload")
    uploader.set_value(("mine.npz", bytes(51 * 2**20), "application/octet-stream"))
    _run(page)
    assert page.error[0].value.startswith("mine.npz has 51 MB; 50 is the most")


def test_a_run_that_cannot_be_started_says_why(runs_folder: Path, launched: list[Run]) -> None:
    runs_folder.write_text("a file where the folder of runs should be")
    page = _open()
    page.button(key="start").click()
    _run(page)
    assert page.error[0].value.startswith("The training cannot be kept")
    assert str(runs_folder) not in page.error[0].value
    assert not launched


def test_a_finished_run_can_be_loaded(make_run: Callable[..., Run]) -> None:
    run = make_run()
    run.execute()
    page = _open()
    assert {"Load", "Delete"} <= _buttons(page) and not {"Stop", "Resume"} & _buttons(page)
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Classification"] == share(run.metrics["classification_accuracy"])
    assert metrics["Cross-entropy, test"] == f"{run.metrics['cross_entropy']:.1f} nats"
    shown = page.dataframe[0].value.iloc[0]
    assert f"{shown['Clustering']:.1f} %" == share(run.metrics["clustering_accuracy"])
    assert shown["Cross-entropy, validation"] == run.losses[-1].validation_cross_entropy
    page.button(key="load").click()
    _run(page)
    assert page.session_state["checkpoint"] == str(run.model_path.resolve())


def test_a_stopped_run_can_be_resumed(make_run: Callable[..., Run], launched: list[Run]) -> None:
    run = _interrupt_after_an_epoch(make_run())
    page = _open()
    assert {"Resume", "Delete"} <= _buttons(page) and not {"Stop", "Load"} & _buttons(page)
    shown = page.dataframe[0].value.iloc[0]
    assert (shown["State"], shown["Epochs"]) == ("stopped", "1 of 2")
    page.button(key="resume").click()
    _run(page)
    assert [started.path for started in launched] == [run.path]


def test_a_failed_run_shows_its_reason_and_its_log(make_run: Callable[..., Run]) -> None:
    run = make_run()
    run.write_status("failed", error=NonFiniteLossError(epoch=3, step=2))
    (run.path / "log.txt").write_text("epoch 1/2\nepoch 2/2\nvaegmm: it broke\n")
    page = _open()
    assert page.error[0].value == (
        "The loss stopped being a number in epoch 3. Start again with a lower learning rate."
    )
    assert any("vaegmm: it broke" in code.value for code in page.code)
    assert {"Resume", "Delete"} <= _buttons(page)


def test_an_active_run_can_be_stopped_and_nothing_else(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(Run, "stop", lambda self: stopped.append(self.name))
    run = make_run()
    progress = Progress(2, 4, 3, 4, 150.0, 8.0, 1.0, seconds=5.0, seconds_left=65.0)
    with FileLock(run.path / "lock"):
        run.write_status("training", progress)
        page = _open()
        assert "Stop" in _buttons(page)
        assert not {"Resume", "Load", "Delete"} & _buttons(page)
        (bar,) = page.get("progress")
        assert bar.proto.text == "Epoch 2 of 4, step 3 of 4, 1 min 5 s left"
        assert bar.proto.value == int(100 * progress.fraction)
        run.write_status("training", replace(progress, step=0, starts_tried=3, restarts=1))
        (bar,) = _open().get("progress")
        assert bar.proto.text == (
            "Epoch 2 of 4, 3 of 8 starts of the mixture tried, begun again, since its clusters "
            "had collapsed"
        )
        page.button(key="stop").click()
        _run(page)
    assert stopped == [run.name]


def test_a_run_that_ends_while_it_is_watched_offers_what_comes_next(
    make_run: Callable[..., Run],
) -> None:
    run = make_run()
    with FileLock(run.path / "lock"):
        run.write_status("training")
        page = _open()
        assert "Stop" in _buttons(page)
    run.execute()
    _run(page)
    assert "Load" in _buttons(page) and "Stop" not in _buttons(page)


def test_a_deleted_run_is_gone_and_can_be_had_back(
    make_run: Callable[..., Run], runs_folder: Path
) -> None:
    make_run("one").describe(title="*The* first")
    make_run("two")
    page = _open()
    page.selectbox(key="run").select("one")
    _run(page)
    page.button(key="delete").click()
    _run(page)
    assert [run.name for run in list_runs(runs_folder)] == ["two"]
    assert page.selectbox(key="run").value == "two"
    assert "Deleted **\\*The\\* first**." in _texts(page)
    page.button(key="undo").click()
    _run(page)
    assert {run.name for run in list_runs(runs_folder)} == {"one", "two"}
    assert page.selectbox(key="run").value == "one"
    assert "Undo" not in _buttons(page)


def _ticked(page: AppTest, *places: int) -> AppTest:
    """Tick rows of the list, as somebody does."""
    key = page.dataframe[0].proto.id.split("-", 2)[2]  # of the element, behind a hash
    page.session_state[key] = {"selection": {"rows": list(places), "columns": [], "cells": []}}
    return _run(page)


def test_the_list_is_searched_and_filtered_and_an_address_says_how(
    make_run: Callable[..., Run],
) -> None:
    for name, title, tags in [
        ("one", "Wider encoder", ["seeds", "talk"]),
        ("two", "Narrow encoder", ["seeds"]),
        ("three", "", []),
    ]:
        make_run(name).describe(title=title, tags=tags, note="" if tags else "for the talk")
    (page := AppTest.from_file(str(APP), default_timeout=120)).switch_page("pages/1_Train.py")
    page.query_params["search"] = "encoder"
    page.query_params["tags"] = "talk"
    _run(page)
    assert list(page.dataframe[0].value["Training"]) == ["Wider encoder"]
    page.multiselect(key="tags").set_value([])
    _run(page)
    assert set(page.dataframe[0].value["Training"]) == {"Wider encoder", "Narrow encoder"}
    page.text_input(key="search").set_value("TALK custom")
    _run(page)
    assert len(page.dataframe[0].value) == 2, "words are looked for in tags, notes and settings"
    page.text_input(key="search").set_value("nothing of the kind")
    _run(page)
    assert not page.dataframe and "None of them is like that." in _texts(page)


def test_what_is_ticked_is_watched_compared_and_deleted(
    make_run: Callable[..., Run], runs_folder: Path
) -> None:
    for name in ("one", "two", "three"):
        make_run(name)
    page = _open()
    order = [run.name for run in list_runs()]
    _ticked(page, 2)
    page.button(key="open_watch").click()
    _run(page)
    assert page.selectbox(key="run").value == order[2]
    _ticked(page, 0, 1)
    page.button(key="open_compare").click()
    _run(page)
    assert page.multiselect(key="compared_runs").value == order[:2]
    _ticked(page, 0, 1)
    page.button(key="delete_ticked").click()
    _run(page)
    assert [run.name for run in list_runs(runs_folder)] == order[2:]
    page.button(key="undo").click()
    _run(page)
    assert len(list_runs(runs_folder)) == 3


def test_a_damaged_run_is_listed_with_its_reason_and_can_be_deleted(
    make_run: Callable[..., Run], runs_folder: Path
) -> None:
    make_run("whole")
    (make_run("broken").path / "config.json").write_text("{")
    page = _open()
    shown = page.dataframe[0].value
    (place,) = np.flatnonzero(shown["State"] == "damaged").tolist()
    assert shown["Training"][place] == "broken"
    _ticked(page, place)
    (error,) = page.error
    assert "broken" in error.value and "damaged" in error.value
    assert str(runs_folder) not in error.value
    page.button(key="delete_ticked").click()
    _run(page)
    assert [run.name for run in list_runs(runs_folder)] == ["whole"]


def test_a_damaged_run_alone_hides_nothing(
    make_run: Callable[..., Run],
) -> None:
    (make_run("broken").path / "config.json").write_text("{")
    page = _open()
    assert "A training is a process of its own" in _texts(page)
    assert list(page.dataframe[0].value["State"]) == ["damaged"]


def test_name_note_and_tags_are_changed_in_place(make_run: Callable[..., Run]) -> None:
    run = make_run()
    page = _open()
    page.text_input(key="title-tiny").set_value("Another name")
    page.text_area(key="note-tiny").set_value("Seen in the talk.")
    page.multiselect(key="tags-tiny").set_value(["talk"])
    page.button(key="keep").click()
    _run(page)
    assert run.about == About("Another name", "Seen in the talk.", ("talk",))
    assert page.selectbox(key="run").options[0] == "Another name"
    page.text_input(key="title-tiny").set_value("x" * 301)
    page.button(key="keep").click()
    _run(page)
    assert page.error[0].value.startswith("The title must have at most 300 characters")


def test_a_duplicate_begins_with_what_the_other_was(
    make_run: Callable[..., Run], launched: list[Run], tiny_data: Path
) -> None:
    run = make_run()
    run.describe(title="Tiny", tags=["small"])
    page = _open()
    page.button(key="duplicate").click()
    _run(page)
    assert page.button_group(key="preset").value == "copy"
    assert page.text_input(key="data_path").value == str(tiny_data)
    assert page.text_input(key="new_title").value == "Tiny (2)"
    page.number_input(key="copy-tiny-epochs").set_value(3)
    page.toggle(key="film").set_value(False)
    _run(page)
    page.button(key="start").click()
    _run(page)
    (copy,) = launched
    assert copy.config == replace(TINY, epochs=3)
    assert (copy.title, copy.about.tags) == ("Tiny (2)", ("small",))
    assert copy.settings["film"] is False


def test_runs_wait_for_their_turn_and_can_be_called_up_or_left_out(
    make_run: Callable[..., Run], launched: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaegmm.runs.detached.start", lambda *arguments, **options: 1)
    busy = make_run("busy")
    with FileLock(busy.path / "lock"):
        busy.write_status("training")
        page = _open()
        for _ in range(2):
            page.button(key="start").click()
            _run(page)
        assert page.toast[0].value == "The training waits for its turn."
        assert "It is number 2 of those that wait" in _texts(page)
        assert not launched
        page.button(key="start_now").click()
        _run(page)
        assert [run.name for run in launched] == [page.selectbox(key="run").value]
        waiting = next(run for run in list_runs() if run.status.state == "waiting")
        page.selectbox(key="run").select(waiting.name)
        _run(page)
        assert "It is the next to start" in _texts(page)
        page.button(key="cancel").click()
        _run(page)
        assert waiting.status.state == "stopped"
        assert {"Resume", "Delete"} <= _buttons(page)
        page.number_input(key="at_once").set_value(3)
        _run(page)
        assert queue.settings().at_once == 3


def test_an_address_opens_a_comparison(make_run: Callable[..., Run]) -> None:
    for name in ("one", "two", "three"):
        make_run(name)
    page = AppTest.from_file(str(APP), default_timeout=120).switch_page("pages/1_Train.py")
    page.query_params["tab"] = "Compare"
    page.query_params["compare"] = ["one", "two", "gone"]
    _run(page)
    assert page.multiselect(key="compared_runs").value == ["one", "two"]
    page.multiselect(key="compared_runs").select("three")
    _run(page)
    assert page.query_params["compare"] == ["one", "two", "three"]


def test_what_a_run_refuses_is_shown(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()

    def refuse(self: Run) -> None:
        raise RunError("runs/tiny is being worked on by another process.", reason="run busy")

    monkeypatch.setattr("vaegmm.app.trainings.changes.enqueue", refuse)
    page = _open()
    page.button(key="resume").click()
    _run(page)
    assert page.error[0].value.startswith("Another process is at work on this training")


@pytest.mark.slow
def test_a_training_is_launched_watched_and_loaded(runs_folder: Path, tiny_data: Path) -> None:
    page = _open()
    page.selectbox(key="data").select("a file or folder")
    page.button_group(key="preset").set_value("quick")
    _run(page)
    page.text_input(key="data_path").set_value(str(tiny_data))
    page.number_input(key="quick-components").set_value(3)
    page.number_input(key="quick-batch_size").set_value(16)
    page.number_input(key="quick-epochs").set_value(2)
    _run(page)
    page.button(key="start").click()
    _run(page)
    (run,) = list_runs(runs_folder)
    assert "Stop" in _buttons(page)
    deadline = time.monotonic() + 120
    while run.is_active:
        assert time.monotonic() < deadline, run.log_tail()
        time.sleep(0.1)
    _run(page)
    page.button(key="load").click()
    _run(page)
    assert page.session_state["checkpoint"] == str(run.model_path.resolve())

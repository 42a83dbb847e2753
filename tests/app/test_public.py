"""A public server, by those who come to it: what a guest tries, the owner succeeds in.

Everything goes through Streamlit's own protocol, and much of it no page of ours would send.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from app_server import AppServer, running_app
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit_client import Client, Run, pressed, told, visiting

from vaegmm import VAEGMM, TrainConfig
from vaegmm.app import uploads
from vaegmm.checkpoint import to_bytes
from vaegmm.config import MixtureConfig, VAEConfig
from vaegmm.runs import Run as Training
from vaegmm.runs import queue, sound_runs, trash

PASSWORD = "correct horse"
SIZES = "model.sizes.jsonl"  # where those of a run's model are kept
SECONDS = 60.0  # to wait for what a process does
PAGES = ["", "Train", "Reconstruct", "Latent_space", "Mixture", "Draw"]


class House:
    """The server and the folders that it may change.

    Args:
        server: with a base path, as behind a proxy.
        folder: with its runs and temporary files.
    """

    def __init__(self, server: AppServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.runs, self.uploads = folder / "runs", folder / "tmp"

    def files(self) -> dict[str, bytes]:
        """Every file of the runs by its path: what no guest may change."""
        return {
            str(path.relative_to(self.runs)): path.read_bytes()
            for path in self.runs.rglob("*")
            if path.is_file() and path.name not in ("lock", SIZES)
        }

    def kept(self) -> list[Path]:
        """The uploads of all sessions."""
        return sorted(self.uploads.glob("vaegmm-*/*/*/*.safetensors"))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, small_checkpoint: Path) -> Iterator[House]:
    """A public server with a finished training; its log stays clean."""
    folder = tmp_path_factory.mktemp("public")
    (folder / "tmp").mkdir()
    run = Training.create(folder / "runs" / "first", TrainConfig(), "digits", title="first")
    shutil.copy(small_checkpoint, run.model_path)
    run.write_status("finished")
    environment = {
        "VAEGMM_PUBLIC": "1",
        "VAEGMM_OWNER_PASSWORD": PASSWORD,
        "VAEGMM_RUNS": str(folder / "runs"),
        "VAEGMM_DATA": str(folder / "no-data"),
        "TMPDIR": str(folder / "tmp"),
    }
    with running_app(environment, "digits/lab", folder / "log") as server:
        yield House(server, folder)
        for training in sound_runs(folder / "runs"):
            training.stop()
    said = (folder / "log").read_text()
    assert not any(word in said for word in ("Traceback", "deprecated")), said


@pytest.fixture
def anyio_backend() -> str:
    """What runs the asynchronous tests."""
    return "asyncio"


async def signed_in(client: Client, page: str = "", password: str = PASSWORD) -> Run:
    """Sign in on the first page, and go to another one."""
    run = await client.open("")
    states = [
        WidgetState(id=run.find("text_input", "Password").id, string_value=password),
        pressed(run.find("button", "Sign in")),
    ]
    run = await client.run(states)
    return await client.open(page) if page else run


async def chosen(client: Client, page: str, name: str, query: str = "") -> Run:
    """Choose a model in the sidebar of a page by its name there."""
    run = await client.open(page, query)
    picker = run.find("selectbox", "Model")
    return await client.run([WidgetState(id=picker.id, string_value=name)], query)


def model_of(run: Run) -> str:
    """The name of the model that a page shows."""
    picker = run.find("selectbox", "Model")
    return picker.raw_value or picker.options[picker.default]


async def comes(condition: Callable[[], object]) -> bool:
    """Whether something comes to be."""
    deadline = monotonic() + SECONDS
    while not condition() and monotonic() < deadline:
        await asyncio.sleep(0.05)
    return bool(condition())


@pytest.mark.anyio
async def test_every_page_opens_for_a_guest_who_is_told_so(house: House) -> None:
    async with visiting(house.server.address) as guest:
        for page in PAGES:
            run = await guest.open(page)
            assert not run.problem
            assert "You are a guest here" in run.text


@pytest.mark.anyio
async def test_a_password_makes_an_owner_of_one_session(house: House) -> None:
    async with visiting(house.server.address) as owner, visiting(house.server.address) as guest:
        assert "not the owner's password" in (await signed_in(owner, password="wrong")).text
        run = await signed_in(owner)
        assert run.find("button", "Sign out")
        assert not (await guest.open("")).find("button", "Sign out")
        run = await owner.run([pressed(run.find("button", "Sign out"))])
        assert run.find("text_input", "Password")


@pytest.mark.anyio
async def test_only_the_owner_measures_sizes(house: House) -> None:
    """Which writes a file, in a process of its own."""
    view, sizes = "mixture=How+many%3F", house.runs / "first" / SIZES
    async with visiting(house.server.address) as guest, visiting(house.server.address) as owner:
        await signed_in(owner)
        run = await chosen(owner, "Mixture", "first", view)
        measure = run.find("button", "Measure")
        seen = await chosen(guest, "Mixture", "first", view)
        assert seen.find("button", "Measure") is None
        assert "by the owner of this server" in seen.text
        await guest.run([pressed(measure)], view)
        assert not (await owner.run(query=view)).find("button", "Stop"), "nothing is measured"
        await owner.run([pressed(measure)], view)
        assert await comes(sizes.exists)
        run = await owner.run(query=view)
        stop = run.find("button", "Stop")
        if stop is not None:
            await owner.run([pressed(stop)], view, run.fragments[stop.id])


@pytest.mark.anyio
async def test_only_the_owner_changes_trainings(house: House) -> None:
    vae, mixture = VAEConfig(hidden_units=(16,)), MixtureConfig(n_components=4)
    config = TrainConfig(vae=vae, mixture=mixture, epochs=1, batch_size=256)
    second = Training.create(house.runs / "second", config, "digits", title="second")
    before, n_before = house.files(), len(sound_runs(house.runs))
    async with visiting(house.server.address) as guest, visiting(house.server.address) as owner:
        await signed_in(owner)
        hidden = set()
        for view in ("run=first", "run=second"):
            shown = await owner.open("Train", view)
            assert not shown.problem
            seen = await guest.open("Train", view)
            assert "by the owner of this server" in seen.text
            for button in shown.of_kind("button"):
                if seen.find("button", button.label) is None:
                    hidden.add(button.label)
                    await guest.run([pressed(button)], view, shown.fragments[button.id])
                    await guest.run([pressed(button)], view)
            await guest.run(
                [WidgetState(id=shown.find("number_input", "At once").id, double_value=7)]
            )
            images = shown.find("selectbox", "Images")
            of_a_file = WidgetState(id=images.id, string_value="A file or folder")
            text = await path_named(guest, await guest.run([of_a_file], view), house, view)
            assert "training images" not in text
        assert {"Start training", "Resume", "Duplicate", "Delete", "Keep"} <= hidden
        assert house.files() == before
        assert len(sound_runs(house.runs)) == n_before

        text = await path_named(owner, await owner.run([of_a_file], view), house, view)
        assert "training images" in text
        bundled = next(option for option in images.options if "bundled" in option)
        await owner.run([WidgetState(id=images.id, string_value=bundled)], view)
        await press(owner, "Resume", view)
        assert await comes(lambda: second.is_finished and not second.has_process())
        run = await press(owner, "Delete", "run=second")
        assert [entry.name for entry in trash.list_trash(house.runs)] == ["second"]
        await owner.run([pressed(run.find("button", "Undo"))])
        assert second.is_finished
        at_once = (await owner.open("Train")).find("number_input", "At once")
        await owner.run([WidgetState(id=at_once.id, double_value=2)])
        assert queue.settings(house.runs).at_once == 2
        known = {run.name for run in sound_runs(house.runs)}
        await press(owner, "Start training")
        (third,) = (run for run in sound_runs(house.runs) if run.name not in known)
        assert await comes(lambda: third.status.state == "training")
        await press(owner, "Stop", f"run={third.name}")
        assert await comes(lambda: third.status.state == "stopped")


async def press(client: Client, label: str, view: str = "") -> Run:
    """Press a button of the page Train."""
    run = await client.open("Train", view)
    return await client.run([pressed(run.find("button", label))], view)


async def path_named(client: Client, run: Run, house: House, view: str) -> str:
    """Name a file of the server as images to train on; return what is said then."""
    path = house.folder / "images.npz"
    np.savez(path, images=np.full((200, 28, 28), 9, np.uint8))
    field = run.find("text_input", "Path of a .npz or .npy file or a folder of images")
    if field is None:
        return run.text
    return (await client.run([WidgetState(id=field.id, string_value=str(path))], view)).text


@pytest.mark.anyio
async def test_the_picker_takes_no_path_of_the_server(house: House) -> None:
    elsewhere = house.folder / "private.safetensors"
    shutil.copy(house.runs / "first" / "model.safetensors", elsewhere)
    async with visiting(house.server.address) as guest:
        assert model_of(await chosen(guest, "", str(elsewhere))) == "mnist"
        assert model_of(await chosen(guest, "", "first")) == "first"


async def uploaded(client: Client, name: str, content: bytes) -> Run:
    """Upload a checkpoint on the first page."""
    run = await client.open("")
    widget = run.find("file_uploader", "A .safetensors file that vaegmm wrote").id
    file = await asyncio.to_thread(client.upload, name, content)
    return await client.run([client.uploaded(widget, file, name, len(content))])


def addresses_in(run: Run) -> list[str]:
    """Where the parts of a page find the model."""
    parts = (json.loads(part.mixed.json or part.json) for part in run.of_kind("bidi_component"))
    return [part["model"] for part in parts if "model" in part]


def status_of(server: AppServer, address: str) -> int:
    """What the server answers when an address is asked for."""
    root = re.match(r"http://[^/]+", server.address)
    assert root is not None
    try:
        with urllib.request.urlopen(root[0] + address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.anyio
async def test_an_upload_is_seen_by_its_own_session_and_gone_with_it(
    house: House, small_model: VAEGMM
) -> None:
    address, small_model = house.server.address, small_model.refit(5)  # which no page has shown
    async with visiting(address) as guest, visiting(address) as other:
        run = await uploaded(guest, "mine.safetensors", to_bytes(small_model))
        assert model_of(run) == "upload mine"
        (path,) = house.kept()
        run_of_other = await chosen(other, "", "upload mine")
        assert model_of(run_of_other) == "mnist"
        assert "upload mine" not in run_of_other.find("selectbox", "Model").options
        assert model_of(await chosen(other, "", str(path))) == "mnist"
        # The address of its content has a secret, which the content does not tell.
        (blob,) = addresses_in(run)
        assert status_of(house.server, blob) == 200
        assert small_model.fingerprint in blob
        assert status_of(house.server, blob.rpartition("-")[0]) == 404
        # Nobody can clear the caches that hold what others brought.
        message = BackMsg()
        message.clear_cache = True
        await other.send(message)
        await other.open("")
        assert house.kept() == [path]
    assert await comes(lambda: not house.kept()), "both have left"


@pytest.mark.anyio
async def test_uploads_are_so_many(house: House, small_model: VAEGMM) -> None:
    content = to_bytes(small_model)
    async with visiting(house.server.address) as guest:
        for n in range(uploads.MOST_UPLOADS + 2):
            run = await uploaded(guest, f"{n}.safetensors", content)
            assert model_of(run) == f"upload {n}"
        options = run.find("selectbox", "Model").options
        assert [each for each in options if "upload" in each] == [
            "upload 2",
            "upload 3",
            "upload 4",
        ]
        assert len(house.kept()) == uploads.MOST_UPLOADS


@pytest.mark.anyio
async def test_an_upload_names_no_file_of_the_server(
    house: House, small_model: VAEGMM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header says which images are to be shown with it."""
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    path = house.folder / "private.npz"
    np.savez(path, images=images)
    data = {**small_model.provenance["data"], "name": str(path), "title": "private"}
    monkeypatch.setattr(small_model, "provenance", {**small_model.provenance, "data": data})

    async with visiting(house.server.address) as guest:
        await uploaded(guest, "spy.safetensors", to_bytes(small_model))
        run = await guest.open("Reconstruct")
        assert model_of(run) == "upload spy"
        assert "private, is not on this machine" in run.text
        # The same header in a training of the owner's is believed.
        training = Training.create(house.runs / "private", TrainConfig(), "digits", title="private")
        small_model.save(training.model_path)
        training.write_status("finished")
        run = await chosen(guest, "Reconstruct", "private")
        assert "is not on this machine" not in run.text
        assert "private" in run.text


@pytest.mark.anyio
async def test_a_page_fits_no_mixture_beyond_its_bounds(house: House) -> None:
    async with visiting(house.server.address) as guest:
        run = await chosen(guest, "Mixture", "first")
        number = next(each for each in run.of_kind("number_input") if "Clusters" in each.label)
        run = await guest.run([WidgetState(id=number.id, double_value=1e6)])
        assert "can be fitted here, not 1,000,000" in run.text
        run = await guest.run([WidgetState(id=number.id, double_value=3)])
        deadline = monotonic() + SECONDS
        while "Shown on every page: 3 clusters" not in run.text:
            assert monotonic() < deadline
            run = await guest.run()


@pytest.mark.anyio
async def test_what_is_taught_stays_with_who_taught_it(house: House) -> None:
    strokes = [[[0.25, 0.2], [0.75, 0.2], [0.6, 0.5], [0.45, 0.85]]]
    view = "mine=true"

    async def drawn(client: Client, *hands: object) -> Run:
        run = await client.open("Draw", view)
        pad = next(part.id for part in run.of_kind("bidi_component"))
        events = [told(pad, "hand", hand) for hand in hands]
        return await client.run(events, view, run.fragments[pad])

    hand = {"revision": "1", "drawings": [{"strokes": strokes, "truth": "7"}]}
    async with visiting(house.server.address) as guest, visiting(house.server.address) as other:
        assert "adapted to 1 drawings" in (await drawn(guest, hand)).text
        assert "adapted to" not in (await drawn(other)).text


@pytest.mark.anyio
async def test_what_weighs_every_session_is_not_asked_for(house: House) -> None:
    assert status_of(house.server, "/digits/lab/_stcore/metrics") == 404
    assert status_of(house.server, "/digits/lab/_stcore/health") == 200

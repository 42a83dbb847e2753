"""The app as a process of its own, and a browser to drive it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vaegmm import VAEGMM, MixtureConfig, TrainConfig
from vaegmm.config import VAEConfig
from vaegmm.data import Dataset

if TYPE_CHECKING:
    from modules import Modules
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
_SECONDS_TO_START = 60


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app looks for runs; whoever makes some there takes them away again."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app(runs_folder: Path) -> Iterator[str]:
    """The address of the app, on a machine without runs and without MNIST; its log stays clean."""
    folder = runs_folder
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"),
                *("--server.port", str(port), "--server.address", "127.0.0.1"),
            ],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "VAEGMM_RUNS": str(folder), "VAEGMM_DATA": str(folder)},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(20)
    said = log.read_text()
    assert not any(word in said for word in ("Traceback", "Warning", "deprecated")), said


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    import time

    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not start within {_SECONDS_TO_START} s")


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """The system's Chromium, or playwright's own. In CI a missing browser is a failure."""
    from playwright.sync_api import Error, sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"needs Chromium: {error}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(app: str, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page of the app; what the browser complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(name: str = "Draw", **context: Any) -> Page:
        contexts.append(
            chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{app}/{name}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def modules(chromium: Browser) -> Iterator[Modules]:
    """A page that imports the files of `vaegmm/browser`, without a server: see `Modules.run`."""
    from modules import Modules

    context = chromium.new_context()
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Modules(page)
    context.close()
    assert not complaints


@pytest.fixture(scope="session")
def nameless_model(digits: Dataset) -> VAEGMM:
    """A model that has seen no labels, and has hardly learned."""
    config = TrainConfig(
        vae=VAEConfig(hidden_units=(32,)), mixture=MixtureConfig(n_components=4), epochs=1
    )
    return VAEGMM(config, "cpu").fit(digits.train.images[:400])


@pytest.fixture(scope="session")
def nameless_checkpoint(nameless_model: VAEGMM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`nameless_model` as a file."""
    path = tmp_path_factory.mktemp("nameless") / "nameless.safetensors"
    nameless_model.save(path)
    return path

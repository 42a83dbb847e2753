"""What pages fetch of trainings: by their ids, and nothing by a path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from vaegmm import PRESETS
from vaegmm.app import in_page, run_routes
from vaegmm.runs import Run

APP = Starlette(routes=run_routes.ROUTES)
FILM = bytes(range(256)) * 20


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run with a film and two epochs, and a film that ships; a file beside them is nobody's."""
    runs, checkpoints = tmp_path / "runs", tmp_path / "checkpoints"
    monkeypatch.setenv("VAEGMM_RUNS", str(runs))
    monkeypatch.setattr(run_routes, "_CHECKPOINTS", checkpoints)
    checkpoints.mkdir()
    (checkpoints / "mnist.film").write_bytes(b"shipped")
    (tmp_path / "film.bin").write_bytes(b"nobody's")
    run = Run.create(runs / "ein Lauf, ü", replace(PRESETS["quick"], epochs=3), "digits")
    run.film_path.write_bytes(FILM)
    losses = [
        {"epoch": epoch, "cross_entropy": 9.5, "kl": 1.0, "kl_weight": 1.0} for epoch in (1, 2)
    ]
    (run.path / "metrics.jsonl").write_text("".join(json.dumps(loss) + "\n" for loss in losses))
    yield run


def fetch(path: str, query: str = "") -> tuple[int, dict[str, str], bytes]:
    """Ask for an address; return status, headers and content."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "method": "GET", "path": path, "raw_path": path.encode()},
        **{"query_string": query.encode(), "headers": [], "root_path": "", "scheme": "http"},
    }
    # In a thread of its own: a browser in the same process keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(APP(scope, receive, send))).result()
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:])


def test_a_film_comes_from_any_byte_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/vaegmm/film/{run.name}"
    status, headers, content = fetch(path)
    assert (status, content) == (200, FILM)
    assert headers["cache-control"] == "no-store"
    assert fetch(path, "from=5000")[2] == FILM[5000:]
    assert fetch(path, f"from={len(FILM)}")[::2] == (200, b"")
    assert fetch("/vaegmm/film/shipped-mnist", "from=2")[::2] == (200, b"ipped")
    monkeypatch.setattr(run_routes, "MOST_BYTES", 100)
    assert fetch(path, "from=7")[2] == FILM[7:107], "the rest is asked for"
    for wrong in ("-1", "1e3", "a", "٣", "9" * 40):
        assert fetch(path, f"from={wrong}")[0] == 400


def test_a_run_says_how_it_stands(run: Run) -> None:
    path = f"/vaegmm/run/{run.name}"
    status, headers, content = fetch(path, "from=1")
    said = json.loads(content)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert (said["id"], said["state"], said["is_active"]) == (run.name, "stopped", False)
    assert (said["epochs"], said["error"], said["progress"]) == (3, None, None)
    assert said["film"] == {"bytes": len(FILM), "error": None}
    assert said["n_losses"] == 2
    assert [loss["epoch"] for loss in said["losses"]] == [2]
    run.film_path.unlink()
    assert json.loads(fetch(path)[2])["film"] is None
    assert fetch(f"/vaegmm/film/{run.name}")[0] == 404


@pytest.mark.parametrize(
    "name",
    ["..", ".", "../runs", "..%2Ffilm", "%2e%2e", "shipped-../mnist", "shipped-", "mnist", "a\0b"],
)
def test_no_address_is_a_path(run: Run, name: str) -> None:
    assert fetch(f"/vaegmm/film/{name}")[0] == 404
    assert fetch(f"/vaegmm/run/{name}")[0] == 404
    assert fetch(f"/vaegmm/run/{run.path}")[0] == 404


def test_a_page_is_told_where_trainings_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(in_page, "_show", lambda *arguments, **options: told.update(options))
    in_page.trainings([run_routes.of_run(run), *run_routes.shipped()], key="film")
    mine, shipped = told["runs"]
    assert mine["filmAddress"] == "/vaegmm/film/ein%20Lauf%2C%20%C3%BC"
    assert mine["runAddress"] == "/vaegmm/run/ein%20Lauf%2C%20%C3%BC"
    assert shipped["filmAddress"] == "/vaegmm/film/shipped-mnist"
    assert shipped["runAddress"] is None
    assert mine["colour"] != shipped["colour"]

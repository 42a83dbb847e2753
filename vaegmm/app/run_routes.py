"""What pages fetch of trainings while they go on: how one stands, and what its film has new.

A training is known by its id alone: the name of a run's directory, or `shipped-` and the name of a
film that comes with the project. No part of an address is ever a path.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vaegmm.app.words import say
from vaegmm.runs import Run, RunError, runs_folder

MOST_BYTES = 4 * 2**20  # of a film at a time; the page asks for the rest
_SHIPPED = "shipped-"
_CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
_NOT_KEPT = {"Cache-Control": "no-store"}


class Training(NamedTuple):
    """A training that a page shows."""

    id: str
    name: str  # what people call it
    group: str | None = None  # those of one group differ in their seeds alone

    @property
    def is_shipped(self) -> bool:
        """Whether its film comes with the project, and nothing else of it."""
        return self.id.startswith(_SHIPPED)


def of_run(run: Run, group: str | None = None) -> Training:
    """Return a run as a page shows it."""
    return Training(run.name, run.title, group)


def shipped() -> list[Training]:
    """Return the films that come with the project."""
    return [Training(name, f"{path.stem}, the shipped model") for name, path in _shipped().items()]


def address(path: str) -> str:
    """Return the address of something below `/vaegmm/`, under the server's base path."""
    return f"{base_path()}/vaegmm/{path}"


def base_path() -> str:
    """Return what all addresses of the server begin with, such as "/digits"; empty by default."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


async def _film(request: Request) -> Response:
    first = _first(request)
    content = await run_in_threadpool(_film_from, request.path_params["id"], first)
    # Its blocks are compressed already.
    headers = {**_NOT_KEPT, "Content-Encoding": "identity"}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _run(request: Request) -> Response:
    first = _first(request)
    said = await run_in_threadpool(_standing, request.path_params["id"], first)
    return JSONResponse(said, headers=_NOT_KEPT)


def _first(request: Request) -> int:
    """Return what is asked for as `?from=N`."""
    text = request.query_params.get("from", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HTTPException(400)
    return int(text)


def _film_from(name: str, first: int) -> bytes:
    """Return at most MOST_BYTES of a film, from a byte on."""
    path = _shipped().get(name) or _found(name).film_path
    try:
        with path.open("rb") as file:
            file.seek(first)
            return file.read(MOST_BYTES)
    except OSError as error:
        raise HTTPException(404) from error


def _standing(name: str, first: int) -> dict[str, Any]:
    """Say how a run stands, with the losses of the epochs after the first so many."""
    run = _found(name)
    status, losses = run.status, run.losses
    progress = status.progress
    return {
        "id": run.name,
        "name": run.title,
        "state": status.state,
        "is_active": run.is_active,
        "error": say(status.reason, status.facts) if status.state == "failed" else None,
        "epochs": run.config.epochs,
        "steps": None if progress is None else progress.steps,
        "progress": None if progress is None else asdict(progress),
        "film": _film_of(run, status.film_error),
        "n_losses": len(losses),
        "losses": [asdict(loss) for loss in losses[first:]],
    }


def _film_of(run: Run, error: str | None) -> dict[str, Any] | None:
    try:
        n_bytes = run.film_path.stat().st_size
    except OSError:
        n_bytes = 0
    return {"bytes": n_bytes, "error": error} if n_bytes or error else None


def _found(name: str) -> Run:
    """Return the run of this name. It is asked for twice a second, so that no other is read."""
    with suppress(OSError, RunError):
        for path in runs_folder().iterdir():
            if path.name == name and not name.startswith("."):
                return Run.open(path)
    raise HTTPException(404)


def _shipped() -> dict[str, Path]:
    return {f"{_SHIPPED}{path.stem}": path for path in sorted(_CHECKPOINTS.glob("*.film"))}


ROUTES = [
    Route("/vaegmm/film/{id}", _film),
    Route("/vaegmm/run/{id}", _run),
]

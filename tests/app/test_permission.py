"""Who is the owner, what only the owner may do, and what a guard lets pass; without a server."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
import streamlit
from streamlit.proto.BackMsg_pb2 import BackMsg

from vaegmm.app import guard, permission, server
from vaegmm.app.permission import NotOwnerError
from vaegmm.app.trainings import changes

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse"
CHANGES = ROOT / "vaegmm" / "app" / "trainings" / "changes.py"
#: What changes trainings, wherever it is called.
CHANGE = re.compile(
    r"\b(queue\.(enqueue|start_now|cancel|move|change_settings)|trash\.(discard|restore|empty)"
    r"|(run|training)\.(stop|launch|execute|delete|describe)|Run\.create"
    r"|from vaegmm\.runs import .*\bnew_run\b(?!_))"
)


def test_wrong_passwords_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_TRY_SECONDS", 0.0)
    monkeypatch.setattr(permission, "MOST_TRIES", 3)
    monkeypatch.setattr(permission, "_tries", [])
    monkeypatch.setenv("VAEGMM_OWNER_PASSWORD", PASSWORD)
    for _ in range(5):
        permission.check_password(PASSWORD)
    for reason in ("wrong password",) * 3 + ("many passwords",):
        with pytest.raises(NotOwnerError) as raised:
            permission.check_password("guess")
        assert raised.value.reason == reason
    with pytest.raises(NotOwnerError):
        permission.check_password(PASSWORD)


def test_without_a_password_nobody_is_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_TRY_SECONDS", 0.0)
    monkeypatch.setattr(permission, "_tries", [])
    monkeypatch.delenv("VAEGMM_OWNER_PASSWORD", raising=False)
    with pytest.raises(NotOwnerError):
        permission.check_password("")


@pytest.mark.parametrize("value", ["", "0", None])
def test_a_server_is_public_only_when_told_so(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAEGMM_PUBLIC", "1")
    with pytest.raises(NotOwnerError, match="only the owner"):
        permission.owner_only(lambda: None)()
    if value is None:
        monkeypatch.delenv("VAEGMM_PUBLIC")
    else:
        monkeypatch.setenv("VAEGMM_PUBLIC", value)
    assert permission.owner_only(lambda: "done")() == "done"


@pytest.mark.parametrize(
    ("kind", "passes"),
    [
        ("clear_cache", False),
        ("load_git_info", False),
        ("set_run_on_save", False),
        ("stop_script", True),
        ("rerun_script", True),
    ],
)
def test_some_messages_do_not_pass(kind: str, passes: bool) -> None:
    message = BackMsg()
    if kind == "rerun_script":
        message.rerun_script.page_name = "Draw"
    else:
        setattr(message, kind, True)
    assert guard.may_pass(message.SerializeToString()) is passes


def test_a_public_server_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would name files of the machine."""
    monkeypatch.setattr(server, "_load", lambda: None)
    monkeypatch.setattr(server, "_start_waiting_runs", lambda: None)
    monkeypatch.setattr(server.torch, "set_num_threads", lambda n: None)
    was = streamlit.get_option("client.showErrorDetails")

    async def start() -> None:
        async with server.lifespan(None):
            assert streamlit.get_option("client.showErrorDetails") == "none"

    monkeypatch.setenv("VAEGMM_PUBLIC", "1")
    monkeypatch.setattr(server.webbrowser, "open", lambda address: None)
    try:
        asyncio.run(start())
    finally:
        streamlit.set_option("client.showErrorDetails", was)


def test_all_changes_of_trainings_go_by_one_door() -> None:
    files = [*(ROOT / "vaegmm" / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    found = {
        f"{path.name}: {match[0]}"
        for path in files
        if path != CHANGES
        for match in CHANGE.finditer(path.read_text(encoding="utf-8"))
    }
    assert not found
    assert CHANGE.search(CHANGES.read_text(encoding="utf-8")), "the check can find something"


@pytest.mark.parametrize(
    "name", [name for name in vars(changes) if hasattr(vars(changes)[name], "__wrapped__")]
)
def test_a_guest_changes_no_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAEGMM_PUBLIC", "1")
    with pytest.raises(NotOwnerError):
        getattr(changes, name)(None)

"""What a public server bounds at its door: connections, messages and files of its visitors.

Streamlit asks nobody before it clears the caches of all sessions, tells of the files beside the
app, or keeps a file that no page has asked for. On a server that is not public all goes through.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vaegmm.app.permission import is_public

MOST_VISITORS = 100  # to whom pages are shown; the others are asked to come back
MOST_CONNECTIONS = 3 * MOST_VISITORS
IDLE_SECONDS = 3600.0  # after which a session without a word from its browser ends
RETURN_SECONDS = 120.0  # in which a browser that lost its connection finds its session again

MOST_FILES = 3  # of a session; the oldest gives way
MOST_FILE_BYTES = 300_000_000  # of all sessions together
FILE_SECONDS = 3600.0  # after which a file is let go of
_MOST_AT_ONCE = 8  # uploads under way, which are in memory or in temporary files meanwhile
_MOST_OF_SESSION = 2

# What a browser may ask Streamlit for: not to clear the caches of everybody, nor for the state of
# the folder that the app lies in.
_MESSAGES = {
    *("rerun_script", "stop_script", "app_heartbeat", "file_urls_request"),
    "backend_operation_request",  # downloads of its own session
}

_visitors: list[str] = []  # sessions, in the order in which they came
_lock = threading.Lock()


def has_room() -> bool:
    """Whether there is room for the session whose script runs; for its pages to begin with."""
    context = get_script_run_ctx()
    if not is_public() or context is None or not runtime.exists():
        return True
    is_here = runtime.get_instance().is_active_session
    with _lock:
        if context.session_id not in _visitors:
            _visitors.append(context.session_id)
        _visitors[:] = [each for each in _visitors if is_here(each)]
        return context.session_id in _visitors[:MOST_VISITORS]


class Guard:
    """Starlette's middleware that stands between visitors and Streamlit.

    Args:
        app: what it guards.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._n_connections = 0
        self._uploads: Counter[str] = Counter()  # under way, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let Streamlit do it."""
        if not is_public() or scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif "/_stcore/metrics" in scope["path"]:  # which weighs every session at each look
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        elif scope["method"] == "PUT" and "/_stcore/upload_file/" in scope["path"]:
            await self._upload(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._n_connections >= MOST_CONNECTIONS:
            await send({"type": "websocket.close", "code": 1013})
            return
        visit = _Visit(receive, send)
        self._n_connections += 1
        try:
            await self._app(scope, visit.receive, visit.send)
        finally:
            self._n_connections -= 1
            visit.end()

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        session, file = scope["path"].rsplit("/", 2)[-2:]
        manager = _files()
        held = sum(
            len(record.data) for own in manager.file_storage.values() for record in own.values()
        )
        is_busy = (
            self._uploads.total() >= _MOST_AT_ONCE or self._uploads[session] >= _MOST_OF_SESSION
        )
        if is_busy or held >= MOST_FILE_BYTES:
            words = "Too many files at once: try again in a minute."
            await PlainTextResponse(words, 429)(scope, receive, send)
            return
        self._uploads[session] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._uploads -= Counter([session])
            own: MutableMapping[str, Any] = manager.file_storage.get(session, {})
            for oldest in list(own)[:-MOST_FILES]:
                manager.remove_file(session, oldest)
            loop = asyncio.get_running_loop()
            loop.call_later(FILE_SECONDS, manager.remove_file, session, file)


class _Visit:
    """One connection of a browser."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._session = ""

    async def receive(self) -> Message:
        """Return the next message that may pass; the connection's end if there is none for long."""
        while True:
            try:
                message = await asyncio.wait_for(self._receive(), IDLE_SECONDS)
            except asyncio.TimeoutError:
                runtime.get_instance().close_session(self._session)
                return {"type": "websocket.disconnect", "code": 1001}
            if message["type"] != "websocket.receive" or may_pass(message.get("bytes") or b""):
                return message

    async def send(self, message: Message) -> None:
        """Send a message, and take from the first one which session this is."""
        if not self._session and message.get("bytes"):
            first = ForwardMsg.FromString(message["bytes"])
            if first.WhichOneof("type") == "new_session":
                self._session = first.new_session.initialize.session_id
        await self._send(message)

    def end(self) -> None:
        """End the session, unless its browser finds its way back."""
        asyncio.get_running_loop().call_later(RETURN_SECONDS, self._close)

    def _close(self) -> None:
        if runtime.exists() and not runtime.get_instance().is_active_session(self._session):
            runtime.get_instance().close_session(self._session)


def may_pass(content: bytes) -> bool:
    """Whether Streamlit may get a message of a visitor's browser."""
    message = BackMsg()
    try:
        message.ParseFromString(content)
    except Exception:  # protobuf's own, of whichever implementation: Streamlit says what is wrong
        return True
    return message.WhichOneof("type") in _MESSAGES


def _files() -> MemoryUploadedFileManager:
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager

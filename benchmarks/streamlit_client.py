"""A visitor of the app without a browser, who speaks Streamlit's own protocol: what a browser would
send, and what no browser of ours would.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, NamedTuple

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

SECONDS_TO_ANSWER = 60


class PageError(Exception):
    """The page has not done what people expect of it."""


class Run(NamedTuple):
    """What a run of the page's script has sent."""

    elements: list[Element]
    fragments: dict[str, str]  # the fragment that an element belongs to, by the element's id
    seconds: float  # from the request until the run is finished
    sizes: list[int]  # bytes of each message
    problem: str  # an exception that is shown, or another reason why there is no page

    def of_kind(self, kind: str) -> Iterator[Any]:
        """Return the elements of a kind, such as "button"."""
        return (getattr(each, each_kind(each)) for each in self.elements if each_kind(each) == kind)

    def find(self, kind: str, label: str) -> Any:
        """Return the element of a kind with a label, or None."""
        return next((each for each in self.of_kind(kind) if each.label == label), None)

    @property
    def text(self) -> str:
        """What is said on the page, a line an element."""
        said = [each.body for kind in ("markdown", "alert", "html") for each in self.of_kind(kind)]
        return "\n".join(said)


class Client:
    """A connection to the app, which is a session of its own.

    Args:
        socket: to the app.
        address: of the app.
    """

    def __init__(self, socket: ClientConnection, address: str) -> None:
        self._socket, self._address = socket, address
        self._page_hash = ""
        self.page = ""  # that it is on
        self.session = ""  # its id, once a page was opened

    async def open(self, page: str, query: str = "") -> Run:
        """Open a page, by its name in the address; an empty one is the first."""
        self.page, self._page_hash = page, ""
        return await self.run(query=query)

    async def run(
        self, states: Iterable[WidgetState] = (), query: str = "", fragment: str = ""
    ) -> Run:
        """Run the page's script once more.

        Args:
            states: what has become of widgets.
            query: of the address.
            fragment: that runs alone; the whole page if empty.
        """
        request = BackMsg()
        rerun = request.rerun_script
        if self._page_hash:
            rerun.page_script_hash = self._page_hash
        else:
            rerun.page_name = self.page
        rerun.query_string, rerun.fragment_id = query, fragment
        rerun.context_info.url = f"{self._address}/{self.page}"
        rerun.widget_states.widgets.extend(states)
        start = perf_counter()
        await self.send(request)
        elements, fragments, sizes, problem = [], {}, [], ""
        while True:  # to the end of the run, whatever it says: the next one begins there
            message, size = await self._receive()
            sizes.append(size)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id
            elif kind == "navigation":
                self._page_hash = message.navigation.page_script_hash
            elif kind == "page_not_found":
                problem = f"there is no page called {self.page}"
            elif kind == "ref_hash":
                problem = "a message is only referred to, and this client keeps none"
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                elements.append(element)
                if each_kind(element) == "exception":
                    problem = f"{element.exception.type}: {element.exception.message}"
                identifier = getattr(getattr(element, each_kind(element)), "id", "")
                if identifier:
                    fragments[identifier] = message.delta.fragment_id
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    problem = "the page's script cannot be compiled"
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    elements, fragments = [], {}
                    continue
                return Run(elements, fragments, perf_counter() - start, sizes, problem)

    async def send(self, message: BackMsg) -> None:
        """Send any message."""
        await self._socket.send(message.SerializeToString())

    async def _receive(self) -> tuple[ForwardMsg, int]:
        content = await asyncio.wait_for(self._socket.recv(decode=False), SECONDS_TO_ANSWER)
        return ForwardMsg.FromString(content), len(content)

    def upload(self, name: str, content: bytes) -> str:
        """Send a file as a browser does before it tells the page; return the file's id.

        Raises:
            urllib.error.HTTPError: if the server refuses it.
        """
        with urllib.request.urlopen(f"{self._address}/_stcore/health") as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        file, boundary = str(uuid.uuid4()), uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        request = urllib.request.Request(
            f"{self._address}/_stcore/upload_file/{self.session}/{file}",
            data=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
            method="PUT",
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Cookie": cookie,
                "X-Xsrftoken": cookie.partition("=")[2],
            },
        )
        urllib.request.urlopen(request).close()
        return file

    def uploaded(self, widget: str, file: str, name: str, size: int) -> WidgetState:
        """Return what a file uploader says of a file that was sent."""
        state = WidgetState(id=widget)
        address = f"/_stcore/upload_file/{self.session}/{file}"
        told = state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=size, file_id=file
        )
        told.file_urls.file_id = file
        told.file_urls.upload_url = told.file_urls.delete_url = address
        return state


@asynccontextmanager
async def visiting(address: str) -> AsyncIterator[Client]:
    """Connect to the app; the session ends with the block.

    Args:
        address: of the app, with its base path.
    """
    async with connect(
        f"ws{address.removeprefix('http')}/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        compression=None,
        max_size=None,
        proxy=None,
        # A server that is busy for longer than a ping may take is slow, not gone.
        ping_interval=None,
    ) as socket:
        yield Client(socket, address)


def each_kind(element: Element) -> str:
    """Return what an element is, such as "button"."""
    return element.WhichOneof("type") or ""


def pressed(button: Any) -> WidgetState:
    """Return what a button says when it is pressed."""
    return WidgetState(id=button.id, trigger_value=True)


def told(component: str, event: str, value: object) -> WidgetState:
    """Return what a component says that tells something once: `setTriggerValue` of its page."""
    # All that a component tells once goes by one name: streamlit.components.v2.
    name = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{component}__events"
    events = json.dumps([{"event": event, "value": value}])
    return WidgetState(id=name, json_trigger_value=events)

"""Measure the server while many people draw: from a stroke's end until its rerun is finished.

    python benchmarks/load.py [--people 20] [--seconds 60] [--think 1.0] [--saturate]
                              [--strokes FILE.jsonl.gz]

Starts the app. A person is a websocket client that speaks Streamlit's own protocol on the Draw
page: no browser, so this is the server's share alone. People think, draw a stroke, wait for its
answer, and clear the pad after the last stroke of a drawing. With --saturate nobody thinks and a
stroke takes no time, which tells how many answers a second the server can give.

Every answer is compared with what `read_strokes` says of the same strokes in this process. A
cleared pad is no answer, but its rerun counts in the CPU time. Exits 1 if an answer was wrong or
missing. For Linux: memory and CPU time are read from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import html
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from app_server import ROOT, AppServer, running_app
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

sys.path.insert(0, str(ROOT))  # the package beside the app that is measured, installed or not

STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"
CHECKPOINT = ROOT / "checkpoints/mnist.safetensors"  # the one that the app begins with
N_DRAWINGS = 100
SECONDS_A_STROKE = (0.3, 0.6)
SECONDS_TO_ANSWER = 120

# What is shown is rounded, and two processes may add up in another order.
TOLERANCE = 0.005 + 1e-4


class Step(NamedTuple):
    """A drawing after one more stroke, and what is to be said of it."""

    strokes: list[Any]
    name: str  # of the label; empty where the strokes are no drawing yet
    probabilities: dict[str, float]  # of each label, by its name


CLEARED = Step([], "", {})


class Run(NamedTuple):
    """What a run of the page's script has sent."""

    elements: list[Element]
    seconds: float  # from the request until the run is finished
    sizes: list[int]  # bytes of each message


@dataclass
class Tally:
    """What all people together have seen."""

    answers: list[Run] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class PageError(Exception):
    """The page has not done what people expect of it."""


class Visitor:
    """Somebody on the Draw page.

    Args:
        socket: to the app.
        address: of the page.
    """

    def __init__(self, socket: ClientConnection, address: str) -> None:
        self._socket = socket
        self._address = address
        self._page_hash = self._fragment_id = self._pad_id = ""

    async def open(self) -> Run:
        """Open the page.

        Raises:
            PageError: if it shows an exception, or no pad.
        """
        request = BackMsg()
        request.rerun_script.page_name = "Draw"
        run = await self._run(request)
        if not self._pad_id:
            raise PageError("the page has no component with strokes in its data: where is the pad?")
        return run

    async def draw(self, strokes: list[Any]) -> Run:
        """Change what is on the pad, as its component does at the end of a stroke.

        Raises:
            PageError: if the page shows an exception.
        """
        request = BackMsg()
        request.rerun_script.page_script_hash = self._page_hash
        request.rerun_script.fragment_id = self._fragment_id
        state = request.rerun_script.widget_states.widgets.add(id=self._pad_id)
        state.json_value = json.dumps({"strokes": strokes})
        return await self._run(request)

    async def _run(self, request: BackMsg) -> Run:
        request.rerun_script.context_info.url = self._address
        start = perf_counter()
        await self._socket.send(request.SerializeToString())
        elements, sizes, problem = [], [], ""
        while True:  # to the end of the run, whatever it says: the next one begins there
            content = await asyncio.wait_for(self._socket.recv(decode=False), SECONDS_TO_ANSWER)
            message = ForwardMsg.FromString(content)
            sizes.append(len(content))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._page_hash = message.new_session.page_script_hash
            elif kind == "page_not_found":
                problem = "there is no page called Draw"
            elif kind == "ref_hash":
                problem = "a message is only referred to, and this client keeps none"
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                elements.append(element)
                if element.WhichOneof("type") == "exception":
                    problem = f"{element.exception.type}: {element.exception.message}"
                if is_pad(element):
                    self._pad_id = element.bidi_component.id
                    self._fragment_id = message.delta.fragment_id
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    problem = "the page's script cannot be compiled"
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                if problem:
                    raise PageError(problem)
                return Run(elements, perf_counter() - start, sizes)


def is_pad(element: Element) -> bool:
    """Return whether an element is the pad: the component that is given strokes."""
    if element.WhichOneof("type") != "bidi_component":
        return False
    component = element.bidi_component
    data = component.mixed.json if component.HasField("mixed") else component.json
    return "strokes" in json.loads(data or "{}")


def shown(elements: Sequence[Element]) -> tuple[str, dict[str, float]]:
    """Return the name of the label and the probabilities that a page shows; empty if none."""
    names, bars = [], []
    for element in elements:
        kind = element.WhichOneof("type")
        if kind == "markdown":
            names += re.findall(r"^## (.+)$", element.markdown.body)
        elif kind == "html":
            bars += re.findall(r'class="bars"[^>]* aria-label="([^"]*)"', element.html.body)
    if not names and not bars:
        return "", {}
    if (len(names), len(bars)) != (1, 1):
        raise PageError(f"not one answer: {len(names)} headings, {len(bars)} rows of bars")
    parts = [part.rpartition(": ") for part in html.unescape(bars[0]).split(", ")]
    return names[0], {name: float(percent.rstrip("%")) / 100 for name, _, percent in parts}


def check(run: Run, step: Step) -> str:
    """Return what is wrong with an answer; empty if nothing is.

    Raises:
        PageError: if there is no answer.
    """
    name, probabilities = shown(run.elements)
    if step.name and not name:
        raise PageError(f"no answer is shown; expected {step.name}")
    if name != step.name or probabilities.keys() != step.probabilities.keys():
        return f"{name or 'nothing'} is shown; expected {step.name or 'nothing'}"
    off = [
        f"{label} {probabilities[label]:.0%}, expected {p:.4f}"
        for label, p in step.probabilities.items()
        if abs(probabilities[label] - p) > TOLERANCE
    ]
    return "; ".join(off)


async def person(
    visitor: Visitor,
    drawings: Sequence[Sequence[Step]],
    rng: random.Random,
    options: argparse.Namespace,
    tally: Tally,
) -> None:
    """Draw until the time is over."""
    end = perf_counter() + options.seconds
    while True:
        for step in [*rng.choice(drawings), CLEARED]:
            pause = options.think * rng.uniform(0.5, 1.5) + rng.uniform(*SECONDS_A_STROKE)
            await asyncio.sleep(0 if options.saturate or step is CLEARED else pause)
            if perf_counter() > end:
                return
            try:
                run = await visitor.draw(step.strokes)
                wrong = check(run, step)
            except PageError as error:
                tally.errors.append(str(error))
                continue
            except (OSError, WebSocketException, asyncio.TimeoutError) as error:
                tally.errors.append(f"{type(error).__name__}: {error}")
                return  # the connection is lost
            if step is not CLEARED:
                tally.answers.append(run)
            if wrong:
                tally.wrong.append(wrong)


async def measure(
    server: AppServer, drawings: Sequence[Sequence[Step]], options: argparse.Namespace
) -> bool:
    """Let all people draw, and print what the server did; return whether all went well."""
    address = f"{server.address}/Draw"
    stream = f"ws{server.address.removeprefix('http')}/_stcore/stream"
    sockets = [
        await connect(
            stream,
            subprotocols=[Subprotocol("streamlit")],
            compression=None,
            max_size=None,
            proxy=None,
            # A server that is busy for longer than a ping may take is slow, not gone.
            ping_interval=None,
        )
        for _ in range(options.people)
    ]
    visitors = [Visitor(socket, address) for socket in sockets]
    first = await visitors[0].open()
    await asyncio.gather(*(visitor.open() for visitor in visitors[1:]))
    memory, _ = server.memory()
    cpu_seconds, start = server.cpu_seconds(), perf_counter()
    tally = Tally()
    await asyncio.gather(
        *(
            person(visitor, drawings, random.Random(seed), options, tally)
            for seed, visitor in enumerate(visitors)
        )
    )
    elapsed, cpu_seconds = perf_counter() - start, server.cpu_seconds() - cpu_seconds
    final_memory, most_memory = server.memory()
    for socket in sockets:
        await socket.close()
    report(tally, elapsed, cpu_seconds)
    print(
        f"memory {memory / 1e6:.0f} MB at the first stroke, {final_memory / 1e6:.0f} MB at the "
        f"last, {most_memory / 1e6:.0f} MB at most; the first page took {first.seconds:.1f} s"
    )
    return bool(tally.answers) and not tally.wrong and not tally.errors


def report(tally: Tally, elapsed: float, cpu_seconds: float) -> None:
    """Print what people have seen.

    Args:
        tally: of all people.
        elapsed: seconds that they have drawn for.
        cpu_seconds: of the server in that time.
    """
    n = len(tally.answers)
    print(
        f"{n} answers in {elapsed:.0f} s, {n / elapsed:.1f} a second; "
        f"{len(tally.wrong)} wrong, {len(tally.errors)} errors"
    )
    for title, found in (("wrong", tally.wrong), ("error", tally.errors)):
        for text in sorted(set(found))[:5]:
            print(f"  {title}: {text}")
    if not n:
        return
    median, percentile = np.percentile([1000 * run.seconds for run in tally.answers], [50, 95])
    totals = np.array([sum(run.sizes) for run in tally.answers]) / 1000
    largest = max(max(run.sizes) for run in tally.answers) / 1000
    print(
        f"median {median:.0f} ms, 95th percentile {percentile:.0f} ms; "
        f"CPU {1000 * cpu_seconds / n:.0f} ms an answer"
    )
    print(
        f"messages of an answer: median {np.median(totals):.1f} kB, at most {totals.max():.1f} kB "
        f"together; the largest single one {largest:.1f} kB"
    )


def expect(drawings: Sequence[list[Any]]) -> list[list[Step]]:
    """Read every drawing after each of its strokes, as the server should."""
    import torch

    import vaegmm
    from vaegmm.reading import read_strokes

    torch.set_num_threads(1)  # several wait for each other where cores are busy
    model = vaegmm.load(CHECKPOINT)
    names = model.label_names

    def step(strokes: list[Any]) -> Step:
        try:
            reading = read_strokes(model, strokes)
        except ValueError:
            return Step(strokes, "", {})
        probabilities = dict(zip(names, map(float, reading.probabilities), strict=True))
        return Step(strokes, names[reading.label], probabilities)

    return [[step(strokes[: n + 1]) for n in range(len(strokes))] for strokes in drawings]


def main() -> None:
    """Start the app, and measure it."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds before a stroke")
    parser.add_argument("--saturate", action="store_true", help="neither think nor take time")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    options = parser.parse_args()
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line)["strokes"] for line in lines][:N_DRAWINGS]
    steps = expect(drawings)
    with running_app() as server:
        try:
            good = asyncio.run(measure(server, steps, options))
        except PageError as error:
            raise SystemExit(f"nobody could open the page: {error}") from error
    sys.exit(not good)


if __name__ == "__main__":
    main()

"""Measure the server while many people draw: from a stroke's end until its rerun is finished.

    python benchmarks/load.py [--people 20] [--seconds 60] [--think 1.0] [--saturate]
                              [--looking 1.0] [--strokes FILE.jsonl.gz]

Starts the app. A person is a websocket client that speaks Streamlit's own protocol on the Draw
page: no browser, which answers by itself, so this is the server's share alone. Everybody has taught
a hand of their own; a share of them (--looking) has opened the nearest training images, which the
server finds: as the page opens they are closed, and it only takes the strokes. People think, draw a
stroke, wait for its answer, and clear the pad after the last stroke of a drawing. With --saturate
nobody thinks and a stroke takes no time, which tells how many answers a second the server can give.

Every answer that is looked at is compared with what `read_strokes` says of the same strokes in this
process, with a model that has learned the same hand. A cleared pad is no answer, but its rerun
counts in the CPU time. Exits 1 if an answer was wrong or missing. For Linux: memory and CPU time
are read from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
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
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

sys.path.insert(0, str(ROOT))  # the package beside the app that is measured, installed or not

STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"
CHECKPOINT = ROOT / "checkpoints/mnist.safetensors"  # the one that the app begins with
N_DRAWINGS = 40  # of each hand
N_HANDS = 5
N_TAUGHT = 10
OPENED = "nearest=true"  # the part of the page that says what the server reads
SECONDS_A_STROKE = (0.3, 0.6)
SECONDS_TO_ANSWER = 120

# What is shown is rounded, and two processes may add up in another order.
TOLERANCE = 0.0005 + 1e-4


class Step(NamedTuple):
    """A drawing after one more stroke, and what is to be said of it."""

    strokes: list[Any]
    name: str  # of the label; empty where the strokes are no drawing yet
    probability: float  # of the label; 0 where they are no digit


class Hand(NamedTuple):
    """What somebody teaches the page, and then draws."""

    taught: list[dict[str, Any]]  # strokes and truth of each drawing
    drawings: list[list[Step]]


CLEARED = Step([], "", 0.0)


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
        is_looking: whether what the server reads is open.
    """

    def __init__(self, socket: ClientConnection, address: str, is_looking: bool) -> None:
        self._socket = socket
        self.is_looking = is_looking
        self._view = OPENED if is_looking else ""
        self._address = address
        self._page_hash = self._fragment_id = self._pad_id = ""

    async def open(self) -> Run:
        """Open the page.

        Raises:
            PageError: if it shows an exception, or no pad.
        """
        request = BackMsg()
        request.rerun_script.page_name = "Draw"
        request.rerun_script.query_string = self._view
        run = await self._run(request)
        if not self._pad_id:
            raise PageError("the page has no part called draw: where is the pad?")
        return run

    async def teach(self, taught: list[dict[str, Any]]) -> Run:
        """Tell of a hand, as the component does when something was learned.

        Raises:
            PageError: if the page shows an exception.
        """
        hand = {"revision": "1", "drawings": taught}
        request = self._request([])
        # All that a component tells once goes by one name: streamlit.components.v2.
        events = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{self._pad_id}__events"
        state = request.rerun_script.widget_states.widgets.add(id=events)
        state.json_trigger_value = json.dumps([{"event": "hand", "value": hand}])
        return await self._run(request)

    async def draw(self, strokes: list[Any]) -> Run:
        """Change what is on the pad, as its component does at the end of a stroke.

        Raises:
            PageError: if the page shows an exception.
        """
        return await self._run(self._request(strokes))

    def _request(self, strokes: list[Any]) -> BackMsg:
        request = BackMsg()
        request.rerun_script.page_script_hash = self._page_hash
        request.rerun_script.fragment_id = self._fragment_id
        request.rerun_script.query_string = self._view
        state = request.rerun_script.widget_states.widgets.add(id=self._pad_id)
        state.json_value = json.dumps({"strokes": strokes})
        return request

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
    """Return whether an element is the pad: the part of the page that is called draw."""
    if element.WhichOneof("type") != "bidi_component":
        return False
    component = element.bidi_component
    data = component.mixed.json if component.HasField("mixed") else component.json
    return json.loads(data or "{}").get("part") == "draw"


def shown(elements: Sequence[Element]) -> tuple[str, float]:
    """Return the name of the label and its probability that a page shows; empty if none."""
    texts = [each.markdown.body for each in elements if each.WhichOneof("type") == "markdown"]
    found = [
        match
        for text in texts
        if (match := re.match(r"Read as (.+?)(?:\?| \(([\d.]+) %\))\. ", text))
    ]
    if not found:
        return "", 0.0
    if len(found) != 1:
        raise PageError(f"not one answer: {len(found)}")
    return found[0][1], float(found[0][2] or 0) / 100


def check(run: Run, step: Step) -> str:
    """Return what is wrong with an answer; empty if nothing is.

    Raises:
        PageError: if there is no answer.
    """
    name, probability = shown(run.elements)
    if step.name and not name:
        raise PageError(f"no answer is shown; expected {step.name}")
    if name == step.name and abs(probability - step.probability) <= TOLERANCE:
        return ""
    said, expected = (
        f"{each} {p:.2%}" if each else "nothing"
        for each, p in ((name, probability), (step.name, step.probability))
    )
    return f"{said} is shown; expected {expected}"


async def person(
    visitor: Visitor,
    hand: Hand,
    rng: random.Random,
    options: argparse.Namespace,
    tally: Tally,
) -> None:
    """Draw until the time is over."""
    end = perf_counter() + options.seconds
    while True:
        for step in [*rng.choice(hand.drawings), CLEARED]:
            pause = options.think * rng.uniform(0.5, 1.5) + rng.uniform(*SECONDS_A_STROKE)
            await asyncio.sleep(0 if options.saturate or step is CLEARED else pause)
            if perf_counter() > end:
                return
            try:
                run = await visitor.draw(step.strokes)
                wrong = check(run, step) if visitor.is_looking else ""
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


async def measure(server: AppServer, hands: Sequence[Hand], options: argparse.Namespace) -> bool:
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
    n_looking = round(options.looking * len(sockets))
    visitors = [Visitor(socket, address, i < n_looking) for i, socket in enumerate(sockets)]
    first = await visitors[0].open()
    await asyncio.gather(*(visitor.open() for visitor in visitors[1:]))
    chosen = [hands[i % len(hands)] for i in range(len(visitors))]
    for visitor, hand in zip(visitors, chosen, strict=True):
        await visitor.teach(hand.taught)
    memory, _ = server.memory()
    cpu_seconds, start = server.cpu_seconds(), perf_counter()
    tally = Tally()
    await asyncio.gather(
        *(
            person(visitor, hand, random.Random(seed), options, tally)
            for seed, (visitor, hand) in enumerate(zip(visitors, chosen, strict=True))
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


def expect(people: Sequence[list[dict[str, Any]]]) -> list[Hand]:
    """Read every drawing after each of its strokes, as the server should."""
    import torch

    import vaegmm
    from vaegmm.adaptation import learn
    from vaegmm.model import VAEGMM
    from vaegmm.reading import read_strokes

    torch.set_num_threads(1)  # several wait for each other where cores are busy
    model = vaegmm.load(CHECKPOINT)

    def step(mine: VAEGMM, strokes: list[Any]) -> Step:
        try:
            reading = read_strokes(mine, strokes)
        except ValueError:
            return Step(strokes, "", 0.0)
        name = model.label_names[reading.label]
        return Step(strokes, name, 0.0 if reading.is_strange else reading.probabilities.max())

    hands = []
    for drawings in people:
        first, others = drawings[:N_TAUGHT], drawings[N_TAUGHT:][:N_DRAWINGS]
        taught = [{"strokes": each["strokes"], "truth": str(each["label"])} for each in first]
        mine = learn(model, [each["strokes"] for each in first], [each["label"] for each in first])
        steps = [
            [step(mine, each["strokes"][: n + 1]) for n in range(len(each["strokes"]))]
            for each in others
        ]
        hands.append(Hand(taught, steps))
    return hands


def main() -> None:
    """Start the app, and measure it."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds before a stroke")
    parser.add_argument("--looking", type=float, default=1.0, help="share of people")
    parser.add_argument("--saturate", action="store_true", help="neither think nor take time")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    options = parser.parse_args()
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines]
    writers = sorted({drawing["writer"] for drawing in drawings})[:N_HANDS]
    hands = expect([[each for each in drawings if each["writer"] == name] for name in writers])
    with running_app() as server:
        try:
            good = asyncio.run(measure(server, hands, options))
        except PageError as error:
            raise SystemExit(f"nobody could open the page: {error}") from error
    sys.exit(not good)


if __name__ == "__main__":
    main()

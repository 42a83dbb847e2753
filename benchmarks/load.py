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
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from app_server import ROOT, AppServer, running_app
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit_client import Client, PageError, Run, told, visiting
from websockets.exceptions import WebSocketException

sys.path.insert(0, str(ROOT))  # the package beside the app that is measured, installed or not

STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"
CHECKPOINT = ROOT / "checkpoints/mnist.safetensors"  # the one that the app begins with
N_DRAWINGS = 40  # of each hand
N_HANDS = 5
N_TAUGHT = 10
OPENED = "nearest=true"  # the part of the page that says what the server reads
SECONDS_A_STROKE = (0.3, 0.6)

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


@dataclass
class Tally:
    """What all people together have seen."""

    answers: list[Run] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Visitor:
    """Somebody on the Draw page.

    Args:
        client: connected to the app.
        is_looking: whether what the server reads is open.
    """

    def __init__(self, client: Client, is_looking: bool) -> None:
        self._client = client
        self.is_looking = is_looking
        self._view = OPENED if is_looking else ""
        self._fragment_id = self._pad_id = ""

    async def open(self) -> Run:
        """Open the page.

        Raises:
            PageError: if it shows an exception, or no pad.
        """
        run = checked(await self._client.open("Draw", self._view))
        pads = [each.bidi_component.id for each in run.elements if is_pad(each)]
        if not pads:
            raise PageError("the page has no part called draw: where is the pad?")
        self._pad_id = pads[-1]
        self._fragment_id = run.fragments[self._pad_id]
        return run

    async def teach(self, taught: list[dict[str, Any]]) -> Run:
        """Tell of a hand, as the component does when something was learned.

        Raises:
            PageError: if the page shows an exception.
        """
        hand = told(self._pad_id, "hand", {"revision": "1", "drawings": taught})
        return await self._run(self._drawn([]), hand)

    async def draw(self, strokes: list[Any]) -> Run:
        """Change what is on the pad, as its component does at the end of a stroke.

        Raises:
            PageError: if the page shows an exception.
        """
        return await self._run(self._drawn(strokes))

    def _drawn(self, strokes: list[Any]) -> WidgetState:
        return WidgetState(id=self._pad_id, json_value=json.dumps({"strokes": strokes}))

    async def _run(self, *states: WidgetState) -> Run:
        return checked(await self._client.run(states, self._view, self._fragment_id))


def checked(run: Run) -> Run:
    """Return a run in which nothing went wrong.

    Raises:
        PageError: if something did.
    """
    if run.problem:
        raise PageError(run.problem)
    return run


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
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(visiting(server.address)) for _ in range(options.people)
        ]
        n_looking = round(options.looking * len(clients))
        visitors = [Visitor(client, i < n_looking) for i, client in enumerate(clients)]
        return await _measure(server, hands, visitors, options)


async def _measure(
    server: AppServer,
    hands: Sequence[Hand],
    visitors: Sequence[Visitor],
    options: argparse.Namespace,
) -> bool:
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

"""Films in the page: read as they were written, followed while they grow, and played."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from films import block, made_up
from modules import ADDRESS
from playwright.sync_api import Browser, Page, Route, expect

from vaegmm.browser.film_page import film_html
from vaegmm.film import read_film

if TYPE_CHECKING:
    from modules import Modules

pytestmark = pytest.mark.browser

FILM = made_up()
N_FRAMES = len(FILM) - 1

OPEN = """
async ({ pieces }) => {
  const { Film } = await import("/film/filmreader.js");
  window.film = new Film();
  const whole = [];
  let rest = new Uint8Array(0);
  for (const piece of pieces) {
    const bytes = Uint8Array.from(atob(piece), (letter) => letter.charCodeAt(0));
    const read = film.nBytes;
    rest = Uint8Array.of(...rest, ...bytes);
    whole.push(await film.append(rest));
    rest = rest.subarray(film.nBytes - read);
  }
  return { whole, nBytes: film.nBytes, fault: film.fault, moments: film.moments };
}
"""
FRAME = """
async ({ index }) => {
  const { header, ...frame } = await film.frame(index);
  return { ...frame, header: JSON.parse(JSON.stringify(header)) };
}
"""
MOUNT = """
async ({ runs }) => {
  const { createTrainings } = await import("/film/film.js");
  for (const name of ["film/film", "curves/curves"]) {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
    const styled = new Promise((resolve) => (style.onload = resolve));
    style.href = `/${name}.css`;
    document.head.append(style);
    await styled;
  }
  window.trainings = createTrainings(document.body, { runs });
}
"""

# Whether the first copy, which is below the first input, is drawn.
INK = (
    "document.querySelector('canvas.sheet').getContext('2d')"
    ".getImageData(0, 124, 112, 112).data.some((value) => value > 0)"
)


class Server:
    """What the page asks for of trainings, and how often."""

    def __init__(self, page: Page) -> None:
        self.films: dict[str, bytes] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        page.route(re.compile(rf"{ADDRESS}/(film|run)/\w+\?from="), self._answer)

    def said(self, name: str, **changes: Any) -> None:
        """Set how a run stands."""
        said = {
            **{"id": name, "name": name, "state": "training", "is_active": True, "error": None},
            **{"epochs": 4, "steps": 100, "progress": None, "losses": [], "film": None},
            **self.runs.get(name, {}),
            **changes,
        }
        if name in self.films:
            error = (said["film"] or {}).get("error")
            said["film"] = {"bytes": len(self.films[name]), "error": error}
        self.runs[name] = said

    def run(self, name: str, **changes: Any) -> dict[str, Any]:
        """Return what the page is told of a run."""
        run = {"id": name, "name": f"Training {name}", "colour": "#3f90da", "group": None}
        return {**run, "filmAddress": f"/film/{name}", "runAddress": f"/run/{name}", **changes}

    def _answer(self, route: Route) -> None:
        path, _, first = route.request.url.removeprefix(f"{ADDRESS}/").partition("?from=")
        kind, _, name = path.partition("/")
        self.asked.append(f"{kind} {name}")
        if kind == "film":
            route.fulfill(body=self.films[name][int(first) :])
            return
        said = self.runs[name]
        losses = said["losses"]
        body = {**said, "n_losses": len(losses), "losses": losses[int(first) :]}
        route.fulfill(body=json.dumps(body), content_type="application/json")


@pytest.fixture
def server(modules: Modules) -> Server:
    return Server(modules.page)


def shown(modules: Modules) -> dict[str, Any]:
    return modules.run("() => trainings.shown")


def wait_for(modules: Modules, condition: str, seconds: float = 5) -> None:
    modules.page.wait_for_function(f"() => {condition}", timeout=1000 * seconds)


def in_pieces(content: bytes, size: int) -> list[str]:
    return [
        base64.b64encode(content[at : at + size]).decode() for at in range(0, len(content), size)
    ]


def losses(n: int) -> list[dict[str, Any]]:
    return [
        {
            **{"epoch": epoch, "cross_entropy": 100 + 50 / epoch, "kl": 5.0, "kl_weight": 1.0},
            **{"validation_cross_entropy": 101.0, "validation_kl": 5.0, "seconds": 2.0 * epoch},
        }
        for epoch in range(1, n + 1)
    ]


def test_the_page_reads_what_python_writes(modules: Modules, tmp_path: Path) -> None:
    """In pieces that end anywhere: the same numbers, and a frame holds what the one before does."""
    path = tmp_path / "film.bin"
    path.write_bytes(b"".join(FILM))
    written = read_film(path)
    opened = modules.run(OPEN, pieces=in_pieces(b"".join(FILM) + b"\x00\xff", 3000))
    assert opened["nBytes"] == len(b"".join(FILM)), "what is not whole is left"
    assert not opened["fault"]
    assert False in opened["whole"], "a piece may hold no whole block"
    assert len(opened["moments"]) == len(written.frames) == N_FRAMES
    assert opened["moments"] == sorted(opened["moments"])
    still = modules.run("() => [film.images, film.imageLabels, film.labels]")
    for array, name in zip(still, ("images", "image_labels", "labels"), strict=True):
        np.testing.assert_array_equal(array, written.opening.arrays[name].reshape(-1))
    latest: dict[str, np.ndarray] = {}
    for index, frame in enumerate(written.frames):
        arrays = frame.arrays
        page = modules.run(FRAME, index=index)
        assert page["header"]["kl"] == frame.header["kl"]
        if "latents" in arrays:
            axes, centre = arrays["axes"], arrays["centre"]
            latents = arrays["latents"].astype(np.float32)
            latest["places"] = ((latents - centre) @ axes.T).reshape(-1)
            latest["copies"] = arrays["reconstructions"].reshape(-1)
        np.testing.assert_allclose(page["places"], latest["places"], atol=2e-5)
        np.testing.assert_array_equal(page["copies"], latest["copies"])
        if frame.header["kind"] == "start":
            np.testing.assert_array_equal(
                page["componentImages"], arrays["component_images"].reshape(-1)
            )
        if "means" in arrays:
            means = (arrays["means"].astype(np.float32) - centre) @ axes.T
            covariances = axes @ arrays["covariances"].astype(np.float32) @ axes.T
            found = [
                [ellipse[name] for name in ("x", "y", "xx", "xy", "yy")]
                for ellipse in page["ellipses"]
            ]
            upper = covariances[:, [0, 0, 1], [0, 1, 1]]
            np.testing.assert_allclose(found, np.c_[means, upper], atol=2e-5)
            np.testing.assert_array_equal(page["components"], arrays["components"])


def test_a_training_that_went_back_replaces_its_frames_and_damage_ends_a_film(
    modules: Modules,
) -> None:
    opening, frames = FILM[0], FILM[1:]
    again = frames[:7] + frames[3:5]  # killed in its second epoch, it begins the first one anew
    opened = modules.run(OPEN, pieces=in_pieces(opening + b"".join(again), 10**6))
    assert opened["moments"] == pytest.approx([0, 0.01, 0.03, 0.1, 0.3])
    damaged = bytearray(opening + b"".join(frames[:3]))
    damaged[-40] ^= 0xFF
    opened = modules.run(OPEN, pieces=in_pieces(bytes(damaged), 10**6))
    assert len(opened["moments"]) == 2
    assert "damaged" in opened["fault"]
    opened = modules.run(OPEN, pieces=in_pieces(b"no film at all", 10**6))
    assert opened["fault"] == "This is no film."
    foreign = opening + block({"kind": "epoch", "epoch": "soon"}, {})
    assert "no moment" in modules.run(OPEN, pieces=in_pieces(foreign, 10**6))["fault"]


def test_films_of_other_lengths_meet_on_one_slider(modules: Modules) -> None:
    found = modules.run(
        """
        async () => {
          const { Timeline, timesOf } = await import("/film/timeline.js");
          const timeline = new Timeline([[0, 0.5, 1, 2], [0, 1, 2, 3, 4], []]);
          return {
            length: timeline.length,
            ends: [0, 1, 2].map((film) => timeline.shown(film, timeline.last)),
            half: timeline.at(1, 1), // at epoch 0.5, which only the first film has
            between: timeline.at(0, 4.5),
            found: [-1, 0.7, 2, 9].map((moment) => timeline.positionOf(moment)),
            nearest: [0.7, 0.8].map((moment) => timeline.nearest(moment)),
            times: timesOf(["epoch", "start", "start", "epoch"].map((kind) => ({ kind }))),
          };
        }
        """
    )
    assert found["length"] == 6
    assert found["ends"] == [3, 4, -1]
    assert found["half"] == {"from": 0, "to": 1, "share": 0.5}
    assert found["between"] == {"from": 3, "to": 3, "share": 0}
    assert found["found"] == [0, 1, 3, 5]
    assert found["nearest"] == [1, 2]
    assert found["times"] == pytest.approx([0, 0.35, 0.7, 1.7])


def test_a_film_is_followed_while_it_grows(modules: Modules, server: Server) -> None:
    """From before its first frame to its end, without losing the place of whoever looks back."""
    page = modules.page
    page.emulate_media(reduced_motion="reduce")
    server.said("a", state="starting")
    modules.run(MOUNT, runs=[server.run("a")])
    expect(page.get_by_text("getting ready")).to_be_visible()
    expect(page.locator(".playbar")).to_be_hidden()

    server.films["a"] = b"".join(FILM[:2]) + FILM[2][:100]  # a writer is in the middle of a frame
    progress = {"epoch": 1, "epochs": 4, "step": 3, "steps": 100, "seconds_left": 372.0}
    server.said("a", state="training", progress={**progress, "starts_tried": 0})
    expect(page.get_by_text("before the first step")).to_be_visible(timeout=2000)
    expect(page.get_by_text("epoch 1 of 4 · 6 min left")).to_be_visible()
    wait_for(modules, INK)

    server.films["a"] = b"".join(FILM[:7])
    server.said("a", losses=losses(1))
    expect(page.get_by_text("epoch 1 of 4", exact=True)).to_be_visible(timeout=2000)
    assert shown(modules)["isFollowing"]
    page.keyboard.press("ArrowLeft")
    assert shown(modules)["title"] == "step 30 of 100"
    server.films["a"] = b"".join(FILM)
    server.said("a", losses=losses(4))
    wait_for(modules, f"trainings.shown.last === {N_FRAMES - 1}")
    assert shown(modules)["title"] == "step 30 of 100", "whoever looks back is left there"
    page.get_by_role("button", name="Live").click()
    assert shown(modules)["title"] == "epoch 4 of 4"

    hide = "(isHidden) => { Object.defineProperty(document, 'hidden', { value: isHidden, "
    hide += "configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.wait_for_timeout(300)  # a question that is under way
    n_asked = len(server.asked)
    page.wait_for_timeout(900)
    assert len(server.asked) == n_asked, "nobody looks"
    page.evaluate(hide, False)

    server.said("a", state="finished", is_active=False)
    server.runs["a"]["film"]["error"] = "The film ends here, the training goes on: disk full."
    expect(page.get_by_text("disk full")).to_be_visible()
    expect(page.get_by_role("button", name="Live")).to_be_hidden()
    n_asked = len(server.asked)
    page.wait_for_timeout(900)
    assert len(server.asked) == n_asked, "nothing is asked of a training that has ended"
    modules.run("({ runs }) => trainings.update({ runs })", runs=[server.run("a")])
    page.wait_for_timeout(200)
    assert len(server.asked) == n_asked + 1, "unless the page around it has run again"

    server.said("b", state="finished", is_active=False, losses=losses(4))
    modules.run("({ runs }) => trainings.update({ runs })", runs=[server.run("b")])
    expect(page.get_by_text("This training has no film")).to_be_visible()
    expect(page.locator(".curves svg").first).to_be_visible()
    expect(page.locator(".playbar")).to_be_hidden()


def test_slider_keys_and_play(modules: Modules, server: Server) -> None:
    page = modules.page
    server.films["a"] = b"".join(made_up(has_labels=False))
    modules.run(MOUNT, runs=[server.run("a", runAddress=None)])
    expect(page.get_by_text("epoch 4 of 4", exact=True)).to_be_visible()
    expect(page.get_by_text("Latents in use: 4 of 4")).to_be_visible()
    expect(page.locator(".means li")).to_have_count(3)
    expect(page.locator(".chapters span")).to_have_text(["steps", "epochs", "starts", "clusters"])

    page.keyboard.press("Home")
    assert shown(modules)["title"] == "before the first step"
    expect(page.get_by_text("Latents in use: 0 of 4")).to_be_visible()
    expect(page.get_by_text("They come in epoch 3")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert shown(modules)["title"] == "step 10 of 100"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert shown(modules)["title"] == "start 4 of the clusters"
    expect(page.locator(".clusters circle")).to_have_count(4)
    expect(page.locator(".clusters circle.best")).to_have_count(1)

    slider = page.get_by_role("slider", name="Moment of the training")
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 8, y, steps=4)
    assert shown(modules)["position"] == 0
    page.mouse.up()

    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    wait_for(modules, "trainings.shown.position % 1 > 0")
    page.keyboard.press(" ")
    at = shown(modules)
    assert not at["isPlaying"]
    assert at["position"] == round(at["position"]), "a pause rests on a frame"
    page.keyboard.press(" ")
    wait_for(modules, f"!trainings.shown.isPlaying && trainings.shown.position === {N_FRAMES - 1}")

    page.get_by_role("button", name="Play").click()  # from the start again
    wait_for(modules, "trainings.shown.isPlaying && trainings.shown.position < 6")
    modules.run("() => trainings.destroy()")
    assert page.locator(".trainings").count() == 0


def test_two_trainings_side_by_side(modules: Modules, server: Server) -> None:
    page = modules.page
    page.set_viewport_size({"width": 1280, "height": 900})
    server.films.update(a=b"".join(FILM), b=b"".join(made_up(epochs=6, joint_epochs=0, seed=1)))
    for name, epochs in (("a", 4), ("b", 6)):
        server.said(name, state="finished", is_active=False, epochs=epochs, losses=losses(epochs))
    modules.run(MOUNT, runs=[server.run("a"), server.run("b", colour="#ffa90e")])
    wait_for(modules, "trainings.shown.title === 'epoch 6 of 6'")
    expect(page.locator("canvas.sheet")).to_have_count(2)
    expect(page.get_by_role("heading", name="Training ")).to_have_text(["Training a", "Training b"])
    boxes = [page.locator(".stage").nth(i).bounding_box() for i in range(2)]
    assert boxes[0] and boxes[1]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
    at = shown(modules)
    assert [film["frame"] for film in at["films"]] == [film["n"] - 1 for film in at["films"]]
    assert at["title"] == "epoch 6 of 6"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    at = shown(modules)
    assert at["title"] == "epoch 4 of 4"
    assert at["films"][0]["frame"] == N_FRAMES - 1
    assert at["films"][1]["frame"] == at["films"][1]["n"] - 3
    expect(page.locator(".curves")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    boxes = [page.locator(".stage").nth(i).bounding_box() for i in range(2)]
    assert boxes[0] and boxes[1]
    assert boxes[0]["x"] == boxes[1]["x"], "one column on a phone"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def exported(chromium: Browser, tmp_path: Path) -> Iterator[Callable[[bytes, str], Page]]:
    """Open an exported film from its file; what it complains of or asks for fails the test."""
    context = chromium.new_context()
    faults: list[str] = []

    def opened(film: bytes, title: str) -> Page:
        (tmp_path / "film.bin").write_bytes(film)
        (tmp_path / "film.html").write_bytes(film_html(tmp_path / "film.bin", title))
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:", "blob:"))
                else faults.append(request.url)
            ),
        )
        page.goto((tmp_path / "film.html").as_uri())
        return page

    yield opened
    context.close()
    assert not faults


def test_an_exported_film_plays_by_itself(exported: Callable[[bytes, str], Page]) -> None:
    page = exported(b"".join(FILM), "</title><b>7 & 9</b>")
    assert page.title() == "</title><b>7 & 9</b>"
    expect(page.get_by_role("heading", name="</title><b>7 & 9</b>")).to_be_visible()
    expect(page.get_by_text("epoch 4 of 4", exact=True)).to_be_visible()
    expect(page.locator(".curves svg").first).to_be_visible()
    page.keyboard.press("Home")
    expect(page.get_by_text("before the first step")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => vaegmm.shown.position > 1")

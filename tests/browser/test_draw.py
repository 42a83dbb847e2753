"""The pad in a real browser: mouse, touch, keyboard, and the answer that follows."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from vaegmm.preprocess import digit_from_strokes

pytestmark = pytest.mark.browser

STROKES = Path(__file__).resolve().parents[3] / "shared/data/strokes/pen_digits_dev.jsonl.gz"
SEVEN = [[[0.25, 0.2], [0.5, 0.2], [0.75, 0.2], [0.65, 0.4], [0.55, 0.6], [0.45, 0.85]]]
BAR = [[[0.4, 0.5], [0.55, 0.5], [0.7, 0.5]]]
Opened = Callable[..., Page]


def pad(page: Page) -> Locator:
    canvas = page.locator(".pad canvas")
    expect(canvas).to_have_count(1, timeout=60_000)  # an old pad goes when the new one is there
    expect(canvas).to_be_visible(timeout=60_000)
    canvas.scroll_into_view_if_needed()
    return canvas


def draw(page: Page, strokes: Any) -> None:
    """Draw with the mouse."""
    box = pad(page).bounding_box()
    assert box is not None
    for stroke in strokes:
        points = [(box["x"] + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def touch(page: Page, strokes: Any) -> None:
    """Draw with a finger."""
    box = pad(page).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)

    def send(kind: str, points: list[dict[str, float]]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for stroke in strokes:
        points = [
            {"x": box["x"] + x * box["height"], "y": box["y"] + y * box["height"]}
            for x, y in stroke
        ]
        send("touchStart", [points[0]])
        for point in points[1:]:
            send("touchMove", [point])
        send("touchEnd", [])


def answer(page: Page) -> Locator:
    return page.get_by_role("heading", level=2)


def test_a_digit_drawn_with_the_mouse_is_read_undone_and_cleared(open_page: Opened) -> None:
    page = open_page()
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7", timeout=30_000)
    expect(page.get_by_role("img", name="7: ")).to_be_visible()
    draw(page, BAR)
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_have_text("7")
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()
    expect(page.get_by_text("The answer follows at the end of each stroke")).to_be_visible()


def test_a_persons_digit_is_read(open_page: Opened) -> None:
    if not STROKES.is_file():
        pytest.skip("needs the pen strokes in ../shared/data; there are none")
    with gzip.open(STROKES, "rt") as lines:
        drawing = json.loads(next(line for line in lines if json.loads(line)["label"] == 0))
    page = open_page()
    draw(page, drawing["strokes"])
    expect(answer(page)).to_have_text("0", timeout=30_000)


def test_the_drawing_survives_a_change_of_page(open_page: Opened) -> None:
    page = open_page()
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7", timeout=30_000)
    page.get_by_role("link", name="Mixture").click()
    expect(page.get_by_role("heading", name="Mixture", exact=True)).to_be_visible()
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(answer(page)).to_have_text("7", timeout=30_000)
    draw(page, BAR)  # goes on with what is there
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_have_count(0)


def test_keys_undo_keep_and_clear(open_page: Opened) -> None:
    page = open_page()
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7", timeout=30_000)
    page.keyboard.press("Control+z")
    expect(answer(page)).to_have_count(0)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    page.keyboard.press("Delete")
    expect(answer(page)).to_have_count(0)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    page.keyboard.press("Enter")
    expect(page.get_by_text("of 1 were read rightly")).to_be_visible()
    expect(answer(page)).to_have_count(0)
    draw(page, SEVEN)  # the new pad draws, too
    expect(answer(page)).to_have_text("7")


def test_nothing_is_sent_by_reference(open_page: Opened) -> None:
    """A reference that outlives its interrupted run would end the page: .streamlit/config.toml."""
    page = open_page()
    received: list[ForwardMsg] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(ForwardMsg.FromString(frame)))

    page.on("websocket", listen)
    page.goto(page.url.replace("Draw", "Mixture?mixture=EM+at+work"))
    play = page.get_by_text("Fit and play")
    for _ in range(2):  # the second playback is the same, to the byte
        play.click(timeout=60_000)
        chart = page.locator(".stPlotlyChart")
        expect(chart).to_have_count(1, timeout=120_000)
        play.click()
        expect(chart).to_have_count(0, timeout=30_000)
    large = [message.hash for message in received if message.ByteSize() > 10_000]
    assert len(large) > len(set(large))  # they are sent again
    assert not any(message.ref_hash for message in received)


def test_a_finger_draws_on_a_phone_and_does_not_scroll(open_page: Opened) -> None:
    page = open_page(
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
        color_scheme="dark",
    )
    before = pad(page).bounding_box()
    touch(page, SEVEN)
    expect(answer(page)).to_have_text("7", timeout=30_000)
    assert pad(page).bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shown = pad(page).evaluate("canvas => [canvas.width, canvas.getBoundingClientRect().width]")
    assert shown[0] == pytest.approx(3 * shown[1], abs=2)


PASTE = """
(place, bytes) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "seven.png", { type: "image/png" }));
  place.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
}
"""


def test_a_pasted_picture_is_read(open_page: Opened) -> None:
    paper = Image.fromarray(255 - np.kron(digit_from_strokes(SEVEN), np.ones((8, 8), np.uint8)))
    file = io.BytesIO()
    paper.save(file, "png")
    page = open_page()
    page.get_by_text("A photo").click()
    place = page.locator(".paste")
    expect(place).to_be_visible(timeout=60_000)
    place.evaluate(PASTE, list(file.getvalue()))
    expect(page.locator(".photo .number")).to_have_text("7", timeout=30_000)


def test_a_second_finger_and_the_other_button_do_not_draw(open_page: Opened) -> None:
    page = open_page()
    box = pad(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 90, box["y"] + 150)
    page.mouse.up(button="right")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()

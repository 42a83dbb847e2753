"""A photo with its boxes in a real browser: mouse, keyboard and finger, and what is read."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from synthetic_photos import KINDS, still, take

from vaegmm.preprocess import digit_from_strokes

pytestmark = pytest.mark.browser

SEVEN = [[[0.2, 0.2], [0.5, 0.18], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]]]
FOUR = [[[0.3, 0.1], [0.2, 0.5], [0.8, 0.5]], [[0.6, 0.2], [0.6, 0.9]]]
Opened = Callable[..., Page]


def show(page: Page, name: str, *drawings: list[list[list[float]]]) -> Locator:
    """Upload a photo of digits; return the part that shows it."""
    digits = np.stack([digit_from_strokes(strokes) for strokes in drawings])
    photo = take(still(KINDS[name]), digits, np.random.default_rng(1))
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(photo)).save(file, "png")
    chooser = page.locator("input[type=file][accept*=png]")
    chooser.wait_for(state="attached", timeout=60_000)
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": file.getvalue()})
    part = page.locator(".photo")
    expect(part.locator(".box")).to_have_count(len(drawings), timeout=60_000)
    part.locator(".stage").scroll_into_view_if_needed()
    return part


def middle(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_boxes_are_dragged_turned_added_and_removed(open_page: Opened) -> None:
    page = open_page("Draw?source=A+photo")
    part = show(page, "four, on a table", SEVEN, FOUR, FOUR, SEVEN)
    number, boxes = part.locator(".number"), part.locator(".box")
    expect(number).to_have_text("7447")
    expect(part.locator(".sheet-edge")).to_have_count(1)
    asked = page.evaluate("performance.getEntriesByType('resource').length")

    # Turned by a key it is no 7 any more, and the way back is offered.
    boxes.first.focus()
    page.keyboard.press("r")
    expect(number).not_to_have_text("7447")
    part.get_by_role("button", name="Turned: 7").click()
    expect(number).to_have_text("7447")

    # The answer follows while the box is dragged.
    x, y = middle(boxes.first.locator(".frame"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20)
    page.mouse.move(x, y - 90)
    expect(number).to_have_text("?447")
    expect(boxes.first).to_have_attribute("aria-label", "?, nothing in it.")
    page.mouse.move(x, y)
    expect(number).to_have_text("7447")
    page.mouse.up()

    # Its handle turns it upside down, a corner crops it, "As found" puts everything back.
    handle = middle(boxes.first.locator(".handle.turn"))
    page.mouse.move(*handle)
    page.mouse.down()
    page.mouse.move(x + 60, y)
    page.mouse.move(x, y + 60)
    page.mouse.up()
    expect(number).not_to_have_text("7447")
    part.get_by_role("button", name="As found").click()
    expect(number).to_have_text("7447")
    boxes.first.click()
    corner = middle(boxes.first.locator(".handle.corner2"))
    before = boxes.first.locator(".frame").bounding_box()
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 40, corner[1] + 30)
    page.mouse.up()
    after = boxes.first.locator(".frame").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"] + 20

    # Taken away, and drawn anew beside the others.
    part.get_by_role("button", name="As found").click()
    boxes.first.focus()
    page.keyboard.press("Delete")
    expect(number).to_have_text("447")
    page.mouse.move(x - 22, y - 26)
    page.mouse.down()
    page.mouse.move(x, y)
    page.mouse.move(x + 22, y + 26)
    page.mouse.up()
    expect(number).to_have_text("7447")
    assert page.evaluate("performance.getEntriesByType('resource').length") == asked


def test_a_finger_moves_a_box_and_a_digit_on_its_side_is_turned(open_page: Opened) -> None:
    page = open_page("Draw?source=A+photo", viewport={"width": 390, "height": 844}, has_touch=True)
    part = show(page, "lying on its side", SEVEN)
    number, box = part.locator(".number"), part.locator(".box")
    expect(part.locator(".note").first).to_contain_text("may lie on its side")
    expect(number).not_to_have_text("7")
    part.get_by_role("button", name="Turned: 7").tap()
    expect(number).to_have_text("7")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    part.locator(".stage").evaluate("stage => stage.scrollIntoView({ block: 'center' })")
    x, y = middle(box.locator(".frame"))
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x, y))
    for step in range(1, 9):
        touch("touchMove", (x - 20 * step, y - 28 * step))
    expect(number).to_have_text("?")
    touch("touchEnd")
    # Beside the box a finger adds none.
    touch("touchStart", (40, y))
    touch("touchMove", (140, y))
    touch("touchEnd")
    expect(box).to_have_count(1)

"""The pad as a module: what a pen, a finger and keys do on it, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from modules import ADDRESS, Modules
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>pad</title><meta name="viewport" content="width=device-width">
<style>body { margin: 0; height: 3000px; color: rgb(0, 0, 255); }
#pad { position: absolute; left: 20px; top: 10px; width: 300px; --ink: rgb(0, 0, 255); }</style>
<div id="pad"></div>"""

OPEN = """async ({ options }) => {
  const { createPad } = await import("/pieces/pad.js");
  window.told = { move: [], end: [], keep: 0 };
  const backdrop = document.createElement("p");
  backdrop.textContent = "behind";
  window.pad = createPad(document.getElementById("pad"), {
    ...options, backdrop,
    onMove: (strokes) => told.move.push(structuredClone(strokes)),
    onEnd: (strokes) => told.end.push(strokes),
    onKeep: () => told.keep++,
  });
}"""
LINE = [[0.2, 0.25], [0.5, 0.5], [0.75, 0.8]]
BAR = [[0.3, 0.5], [0.7, 0.5]]


def open_pad(page: Page, **options: Any) -> Page:
    modules = Modules(page)
    modules.serve("/pad.html", PAGE.encode(), "text/html")
    page.goto(f"{ADDRESS}/pad.html")
    modules.run(OPEN, options=options)
    return page


@pytest.fixture
def page(modules: Modules) -> Page:
    return open_pad(modules.page)


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
        viewport={"width": 360, "height": 600},
    )
    yield context.new_page()
    context.close()


def corners(page: Page, stroke: list[list[float]]) -> list[tuple[float, float]]:
    box = page.locator(".pad .drawing").bounding_box()
    assert box is not None
    return [(box["x"] + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke]


def draw(page: Page, stroke: list[list[float]], is_done: bool = True) -> None:
    first, *others = corners(page, stroke)
    page.mouse.move(*first)
    page.mouse.down()
    for corner in others:
        page.mouse.move(*corner)
    if is_done:
        page.mouse.up()


def strokes(page: Page) -> Any:
    return page.evaluate("pad.strokes")


def n_ends(page: Page) -> int:
    return len(page.evaluate("told.end"))


def test_a_stroke_is_told_while_it_is_drawn_and_at_its_end(page: Page) -> None:
    draw(page, LINE, is_done=False)
    page.wait_for_function("told.move.at(-1)?.[0].length === 3")
    assert n_ends(page) == 0
    page.mouse.up()
    [ended] = page.evaluate("told.end")
    np.testing.assert_allclose(ended, [LINE], atol=2e-3)
    assert strokes(page) == ended
    draw(page, BAR)
    assert len(strokes(page)) == 2
    inked = page.locator(".pad .drawing").evaluate(
        "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]"
    )
    assert inked == [0, 0, 255, 255]  # in the page's ink


def test_strokes_are_taken_back_and_put_back(page: Page) -> None:
    undo, redo, clear = (page.get_by_role("button", name=n) for n in ("Undo", "Redo", "Clear"))
    for button in (undo, redo, clear):
        expect(button).to_be_disabled()
    draw(page, LINE)
    draw(page, BAR)
    both = strokes(page)
    undo.click()
    assert strokes(page) == both[:1]
    redo.click()
    assert strokes(page) == both
    expect(redo).to_be_disabled()
    undo.click()
    draw(page, BAR)
    expect(redo).to_be_disabled()  # another stroke has taken its place
    clear.click()
    assert strokes(page) == []
    expect(clear).to_be_disabled()
    undo.click()
    assert len(strokes(page)) == 2  # Clear, too, can be taken back
    assert n_ends(page) == 8


def test_keys(page: Page) -> None:
    canvas = page.get_by_role("img", name="Drawing pad")
    canvas.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("told.keep") == 0  # there is nothing to keep
    draw(page, LINE)
    page.keyboard.press("Enter")
    assert page.evaluate("told.keep") == 1
    page.keyboard.press("Control+z")
    assert strokes(page) == []
    page.keyboard.press("Control+Shift+z")
    assert len(strokes(page)) == 1
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+y")
    assert len(strokes(page)) == 1
    page.keyboard.press("Delete")
    assert strokes(page) == []


def test_hint_and_backdrop_are_seen_on_the_empty_pad_only(page: Page) -> None:
    hint, backdrop = page.get_by_text("Draw here"), page.get_by_text("behind")
    expect(hint).to_be_visible()
    expect(backdrop).to_be_visible()
    draw(page, LINE)
    expect(hint).to_be_hidden()
    expect(backdrop).to_be_hidden()
    page.keyboard.press("Delete")
    expect(hint).to_be_visible()
    expect(backdrop).to_be_visible()


def test_it_takes_strokes_and_goes(modules: Modules) -> None:
    page = open_pad(modules.page, strokes=[LINE], aspect=1.5, hasWidth=False, label="Here")
    assert strokes(page) == [LINE]
    assert page.get_by_role("slider").count() == 0
    box = page.get_by_role("img", name="Here").bounding_box()
    assert box is not None and box["width"] == 300
    assert box["height"] == pytest.approx(200, abs=1)
    page.evaluate(f"pad.strokes = {[BAR, BAR]}")
    assert strokes(page) == [BAR, BAR]
    assert n_ends(page) == 0
    page.evaluate("pad.destroy()")
    assert page.locator("#pad > *").count() == 0


def test_the_pen_is_as_wide_as_it_is_chosen(page: Page) -> None:
    draw(page, BAR)
    ink = "c => c.getContext('2d').getImageData(c.width / 2, 0, 1, c.height).data.filter(v => v)"
    height = f"c => ({ink})(c).length / 2"  # opaque blue: two of four numbers
    thin = page.locator(".pad .drawing").evaluate(height)
    page.get_by_role("slider", name="Pen width").fill("9")
    thick = page.locator(".pad .drawing").evaluate(height)
    assert thin == pytest.approx(0.05 * 300, abs=3)
    assert thick == pytest.approx(0.09 * 300, abs=3)


def test_another_button_does_not_draw(page: Page) -> None:
    page.mouse.move(*corners(page, LINE)[0])
    page.mouse.down(button="right")
    page.mouse.move(*corners(page, LINE)[1])
    page.mouse.up(button="right")
    assert strokes(page) == []


def test_one_finger_draws_and_the_page_stays(phone: Page) -> None:
    page = open_pad(phone)
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    first, *others = corners(page, LINE)
    send("touchStart", first)
    for corner in others:
        send("touchMove", corner)
    send("touchStart", others[-1], first)  # a second finger draws nothing
    send("touchEnd")
    assert len(strokes(page)) == 1
    np.testing.assert_allclose(strokes(page)[0][-1], LINE[-1], atol=5e-3)
    assert page.evaluate("scrollY") == 0
    width = page.locator(".pad .drawing").evaluate("canvas => canvas.width")
    assert width == 900  # three pixels of the screen for one of CSS

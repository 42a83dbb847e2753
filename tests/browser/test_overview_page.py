"""The app's first page: what a visitor touches there, and what can be taken home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from vaegmm import VAEGMM

pytestmark = pytest.mark.browser

Opened = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SEVEN = [[0.25, 0.2], [0.5, 0.2], [0.75, 0.2], [0.65, 0.4], [0.55, 0.6], [0.45, 0.85]]
PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
TOO_WIDE = """element => [...element.querySelectorAll("*")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
  .map((part) => part.className)"""


def settled(page: Page) -> Locator:
    """Wait until the overview and the page stand still; return the output's picture."""
    output = page.locator(".overview .output .picture")
    expect(output).to_be_visible(timeout=60_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)
    return output


def draw(page: Page) -> None:
    canvas = page.locator(".overview .pad .drawing")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def verdict(page: Page) -> Locator:
    return page.locator(".overview .verdict strong")


def test_sliders_and_pad_answer_without_the_server(open_page: Opened) -> None:
    page = open_page("")
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    output = settled(page)
    page.wait_for_load_state("networkidle")
    assert sent  # so that it would be noticed
    sent.clear()
    page.on("request", lambda request: sent.append(request.url))
    before = output.evaluate(PIXELS)
    slider = page.get_by_role("slider", name="z2", exact=True)
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.15, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert output.evaluate(PIXELS) != before
    draw(page)
    expect(verdict(page)).to_have_text("7")
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    assert not sent


def test_another_model_takes_the_place_of_the_first(open_page: Opened) -> None:
    page = open_page("")
    output = settled(page)
    before = output.evaluate(PIXELS)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="mnist-reference").click()
    page.wait_for_function(
        f"""before => {{
          const {{ shadowRoot }} = document.querySelector("[data-testid^=stBidi]");
          const picture = shadowRoot?.querySelector(".output .picture");
          return picture && ({PIXELS})(picture).join() !== before;
        }}""",
        arg=",".join(map(str, before)),
        timeout=60_000,
    )
    expect(page.locator(".overview")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off(open_page: Opened, scheme: str) -> None:
    page = open_page("", color_scheme=scheme, **PHONE)
    output = settled(page)
    assert page.locator(".overview").evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ink = max(output.evaluate(f"canvas => ({PIXELS})(canvas).filter((v, i) => i % 4 < 3)"))
    assert ink > 128 if scheme == "dark" else ink < 128


def test_a_model_is_taken_home_as_a_page_that_opens_from_disk(
    open_page: Opened, chromium: Browser, tmp_path: Path
) -> None:
    page = open_page("", accept_downloads=True)
    settled(page)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Take it home").click()
    assert download.value.suggested_filename == "mnist.html"
    file = tmp_path / "mnist.html"
    download.value.save_as(file)
    assert file.stat().st_size < 6 * 10**6
    context = chromium.new_context(offline=True)
    asked: list[str] = []
    try:
        home = context.new_page()
        home.on("request", lambda request: asked.append(request.url))
        home.goto(file.as_uri())
        output = home.locator(".overview .output .picture")
        expect(output).to_be_visible(timeout=60_000)
        draw(home)
        expect(verdict(home)).to_have_text("7")
    finally:
        context.close()
    assert all(address.startswith(("file:", "data:", "blob:")) for address in asked)


def test_a_model_without_names(
    open_page: Opened, nameless_checkpoint: Path, nameless_model: VAEGMM
) -> None:
    page = open_page("")
    settled(page)
    page.get_by_text("Upload a checkpoint").click()
    page.locator("input[type=file]").set_input_files(nameless_checkpoint)
    expect(page.get_by_text("Eight numbers are enough for an image.")).to_be_visible(timeout=60_000)
    output = settled(page)
    expect(page.locator(".overview .answer")).to_have_count(0)
    before = output.evaluate(PIXELS)
    slider = page.get_by_role("slider", name="z1", exact=True)
    slider.focus()
    page.keyboard.press("End")
    assert output.evaluate(PIXELS) != before
    expect(page.get_by_test_id("stException")).to_have_count(0)

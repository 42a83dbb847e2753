"""The page Latent space in the app: the explorer, its address, and what it asks the server for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from vaegmm import VAEGMM

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Opened = Callable[..., Page]
# What of a component's elements is cut off by nothing and reaches out of the screen.
TOO_WIDE = """element => [...element.querySelectorAll("*")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
  .map((part) => part.className)"""
BRIGHTNESS = """canvas => Math.max(...canvas.getContext("2d").getImageData(0, 0, 28, 28).data
  .filter((value, i) => i % 4 < 3))"""


def settled(page: Page) -> Locator:
    """Wait until the explorer has scored all points; return its map."""
    expect(page.get_by_text("The likeliest image of each")).to_be_attached(timeout=60_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)
    plane = page.get_by_role("application", name="Map of the latent space")
    plane.scroll_into_view_if_needed()
    return plane


def n_drawn(page: Page) -> int:
    """Count the pixels of the map that have a point."""
    return page.locator(".map canvas.points").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((value, i) => i % 4 === 3 && value > 0).length"
    )


def middle(plane: Locator) -> tuple[float, float]:
    box = plane.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def hover(page: Page) -> Locator:
    """Point at the middle of the map; return the card."""
    x, y = middle(settled(page))
    page.mouse.move(x - 5, y)
    page.mouse.move(x, y)
    return page.locator(".explorer .card")


def pin(page: Page) -> str:
    """Pin a point; return what the inspector calls it, when the address has it, too."""
    page.mouse.click(*middle(settled(page)))
    page.wait_for_function("location.hash.includes('pin*')")
    return said(page)


def said(page: Page) -> str:
    what = page.locator(".inspector .what")
    expect(what).to_contain_text("image ", timeout=60_000)
    return what.inner_text()


def hash_of(page: Page) -> str:
    return page.evaluate("location.hash")


def go_to(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=60_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)


def swipe(page: Page, x: float, y: float, by: float) -> None:
    """Move a finger up."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: dict[str, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    send("touchStart", {"x": x, "y": y})
    for step in range(1, 11):
        send("touchMove", {"x": x, "y": y - by * step / 10})
    send("touchEnd")


def scrolled(page: Page) -> float:
    return page.get_by_test_id("stMain").evaluate("main => main.scrollTop")


def test_it_opens_with_all_points(open_page: Opened) -> None:
    page = open_page("Latent_space")
    settled(page)
    assert n_drawn(page) > 20_000
    expect(page.locator(".explorer .status")).to_contain_text("55,000 points")
    expect(page.locator(".explorer .status")).to_contain_text("the images are not here")
    assert hash_of(page) == ""


def test_hovering_asks_the_server_for_nothing(open_page: Opened) -> None:
    page = open_page("Latent_space")
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    x, y = middle(settled(page))
    page.wait_for_load_state("networkidle")
    assert sent  # so that it would be noticed
    sent.clear()
    page.on("request", lambda request: sent.append(request.url))
    card = hover(page)
    expect(card).to_be_visible()
    expect(card.locator("strong")).to_have_text(re.compile(r"^\d \(cluster \d+\)$"))
    titles = set()
    for step in range(20):
        page.mouse.move(x - 200 + 20 * step, y)
        titles.add(card.inner_text())
    assert len(titles) > 3
    page.mouse.move(x - 265, y - 295)  # empty space
    expect(card).to_contain_text("decoded, through the mean")
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    assert not sent


def test_a_pin_is_in_the_address_and_opens_elsewhere(open_page: Opened) -> None:
    page = open_page("Latent_space")
    what = pin(page)
    page.get_by_label("Colour by", exact=True).select_option("typicality")
    page.wait_for_function("location.hash.includes('typicality')")
    other = open_page(f"Latent_space{hash_of(page)}")
    assert said(other) == what
    expect(other.get_by_label("Colour by", exact=True)).to_have_value("typicality")
    page.keyboard.press("Escape")
    page.wait_for_function("!location.hash.includes('pin*')")
    assert said(other) == what


def test_an_address_typed_into_an_open_page_is_followed(open_page: Opened) -> None:
    page = open_page("Latent_space")
    settled(page)
    page.evaluate("location.hash = 'colour*label_pin*7'")
    said(page)
    expect(page.get_by_label("Colour by", exact=True)).to_have_value("label")
    # Typed in the moment in which the first view comes to rest, and takes the address back.
    page.evaluate("dispatchEvent(new HashChangeEvent('hashchange', {newURL: `${origin}/#pin*8`}))")
    expect(page.locator(".inspector .what")).to_contain_text("image 8")
    page.wait_for_function("location.hash === '#pin*8'")
    page.evaluate("location.hash = 'pin*%00*<b>'")
    expect(page.locator(".inspector")).to_be_hidden()


def test_a_view_is_there_again_after_another_page(open_page: Opened) -> None:
    page = open_page("Latent_space")
    what, address = pin(page), hash_of(page)
    go_to(page, "Mixture")
    assert hash_of(page) == ""
    go_to(page, "Latent space")
    assert said(page) == what
    page.wait_for_function("address => location.hash === address", arg=address)


def test_back_and_forward(open_page: Opened) -> None:
    page = open_page("Latent_space")
    what, address = pin(page), hash_of(page)
    go_to(page, "Mixture")
    page.go_back()
    assert said(page) == what
    assert hash_of(page) == address
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mixture", timeout=60_000)
    expect(page.locator(".explorer")).to_have_count(0)


def test_two_tabs_with_two_models(open_page: Opened) -> None:
    page = open_page("Latent_space")
    what = pin(page)
    n_clusters = page.locator(".legend .swatch").count()
    other = page.context.new_page()
    other.goto(page.url)
    assert said(other) == what
    other.get_by_role("combobox", name="Model").click()
    other.get_by_role("option", name="mnist-reference").click()
    expect(other.locator(".legend .swatch")).not_to_have_count(n_clusters, timeout=60_000)
    elsewhere = said(other)
    assert elsewhere != what  # the same image lies in another cluster
    assert elsewhere.split(" · ")[0] == what.split(" · ")[0]
    go_to(page, "Draw")
    go_to(page, "Latent space")
    assert said(page) == what
    expect(page.locator(".legend .swatch")).to_have_count(n_clusters)
    assert said(other) == elsewhere


def test_colours_follow_the_theme(open_page: Opened) -> None:
    page = open_page("Latent_space", color_scheme="dark")
    pin(page)
    picture = page.locator(".inspector .copies .picture").last
    assert picture.evaluate(BRIGHTNESS) > 128
    page.emulate_media(color_scheme="light")
    canvas = picture.element_handle()
    page.wait_for_function(f"canvas => ({BRIGHTNESS})(canvas) < 128", arg=canvas)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off_and_a_finger_scrolls(open_page: Opened, scheme: str) -> None:
    page = open_page("Latent_space", color_scheme=scheme, **PHONE)
    plane = settled(page)
    box = plane.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said(page)
    assert page.locator(".explorer").evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    title = page.get_by_role("heading", level=1).bounding_box()
    assert title is not None
    swipe(page, 200, title["y"] + 300, 250)  # beside the map
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 100")


def test_a_finger_on_the_map_scrolls_the_page(open_page: Opened) -> None:
    page = open_page("Latent_space", **PHONE)
    plane = settled(page)
    before = scrolled(page)
    x, y = middle(plane)
    drawn = n_drawn(page)
    swipe(page, x, y, 250)
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMain]').scrollTop > before + 100",
        arg=before,
    )
    assert n_drawn(page) == drawn  # the map has not moved


def test_a_model_without_names(
    open_page: Opened, nameless_checkpoint: Path, nameless_model: VAEGMM
) -> None:
    page = open_page("Latent_space")
    settled(page)
    page.get_by_text("Upload a checkpoint").click()
    page.locator("input[type=file]").set_input_files(nameless_checkpoint)
    n_points = len(nameless_model.latents)
    expect(page.locator(".explorer .status")).to_contain_text(f"{n_points} points", timeout=60_000)
    expect(page.get_by_text("The likeliest image of each cluster")).to_be_attached(timeout=60_000)
    assert n_drawn(page) > 100
    plane = settled(page)
    plane.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".inspector h3")).to_have_text(re.compile(r"^cluster \d+$"))
    titles = page.get_by_label("Colour by", exact=True).locator("option").all_inner_texts()
    assert "cluster" in titles
    assert "digit" not in titles

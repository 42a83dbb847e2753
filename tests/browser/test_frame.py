"""The frame of the pages in a real browser: addresses, small screens, dark pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

PAGES = ["", "Train", "Reconstruct", "Latent_space", "Mixture", "Draw"]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Opened = Callable[..., Page]


def settle(page: Page, title: str = "") -> None:
    """Wait until a page stands still."""
    # The overview's own title is part of its picture.
    heading = page.get_by_test_id("stMain").get_by_role("heading").first
    expect(heading).to_contain_text(title, timeout=60_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    settle(page, name)


def source(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name, exact=True)


def view(page: Page) -> tuple[str, dict[str, list[str]]]:
    """The page and what of its view stands in the address."""
    address = urlsplit(page.url)
    return address.path.strip("/"), parse_qs(address.query)


def test_back_and_forward_keep_page_and_view(open_page: Opened) -> None:
    page = open_page("Reconstruct")
    settle(page, "Reconstruct")
    page.get_by_text("worst", exact=True).click()
    expect(source(page, "worst")).to_be_checked()
    page.wait_for_url("**/Reconstruct?pairs=worst")
    go(page, "Draw")
    assert view(page) == ("Draw", {})
    page.get_by_text("A photo", exact=True).click()
    page.wait_for_url("**/Draw?source=A+photo")
    expect(page.get_by_text("A photo or scan of digits")).to_be_visible()
    page.go_back()  # Streamlit 1.67 leaves the page without its view on the way to the next one
    settle(page, "Reconstruct")
    expect(source(page, "at random")).to_be_checked()
    page.go_back()
    page.wait_for_url("**/Reconstruct?pairs=worst")
    expect(source(page, "worst")).to_be_checked()
    page.go_forward()
    expect(source(page, "at random")).to_be_checked()
    page.go_forward()
    page.wait_for_url("**/Draw?source=A+photo")
    settle(page, "Draw")
    expect(source(page, "A photo")).to_be_checked()


def test_a_link_opens_its_view_and_the_way_back_keeps_it(open_page: Opened) -> None:
    page = open_page("Reconstruct?pairs=by+digit&digit=8")
    settle(page, "Reconstruct")
    expect(source(page, "by digit")).to_be_checked()
    expect(page.get_by_role("combobox", name="Digit").first).to_have_value("8")
    go(page, "Mixture")
    assert view(page) == ("Mixture", {}), "what another page shows is none of this one's"
    go(page, "Reconstruct")
    expect(source(page, "by digit")).to_be_checked()
    assert view(page) == ("Reconstruct", {"pairs": ["by digit"], "digit": ["8"]})


def test_a_link_to_nothing_opens_what_there_is(open_page: Opened) -> None:
    page = open_page("Reconstruct?pairs=loveliest&digit=13")
    settle(page, "Reconstruct")
    expect(source(page, "at random")).to_be_checked()


@pytest.mark.parametrize("width", [1280, 390, 360])
def test_every_page_fits_its_width(open_page: Opened, width: int) -> None:
    page = open_page("", viewport={"width": width, "height": 800})
    address = page.url
    for name in PAGES:
        page.goto(f"{address}{name}")
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


# What a finger cannot reach without knowing that there is something to scroll.
CUT_OFF = """
() => {
  // Right of the column of text there is nothing but its margin.
  const column = document.querySelector("[data-testid=stMainBlockContainer]");
  const box = column.getBoundingClientRect();
  const margin = parseFloat(getComputedStyle(column).paddingRight);
  return [...column.querySelectorAll("button, label, [role=tab], p")]
    .map((element) => [element.textContent, element.getBoundingClientRect()])
    .filter(([, { width, left, right }]) => width && (left < 0 || right > box.right - margin + 1))
    .map(([text]) => text);
}
"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_on_a_phone(open_page: Opened, name: str) -> None:
    page = open_page(name, **PHONE)
    settle(page)
    assert page.evaluate(CUT_OFF) == []


def test_what_is_cut_off_is_seen(open_page: Opened) -> None:
    """The check above can fail."""
    page = open_page("Mixture", **PHONE)
    settle(page)
    page.get_by_role("tab", name="Confusion").evaluate("tab => (tab.style.marginLeft = '400px')")
    assert page.evaluate(CUT_OFF) != []


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_the_pads_slider_has_the_colours_of_the_page(open_page: Opened, appearance: str) -> None:
    page = open_page("Draw", color_scheme=appearance)
    slider = page.get_by_role("slider", name="Pen width")
    expect(slider).to_be_visible(timeout=60_000)
    settle(page, "Draw")
    pixels = np.asarray(Image.open(io.BytesIO(slider.screenshot())).convert("L"))
    track = pixels[len(pixels) // 2, -20:-4].astype(int)  # right of the thumb
    paper = int(np.median(pixels[0]))
    assert 10 < np.abs(track - paper).max() < 80  # to be seen, and no glare

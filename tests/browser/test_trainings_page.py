"""The page Train in the app: a film that ships, a live one, the queue, and what is deleted."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from vaegmm.runs import list_runs

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds: the machine may be busy
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def no_runs(runs_folder: Path) -> Iterator[None]:
    """Nobody has trained anything before; what is trained is taken away afterwards."""
    yield
    for run in list_runs(runs_folder):
        run.stop()
    deadline = time.monotonic() + 60
    for run in list_runs(runs_folder):
        while run.is_active and time.monotonic() < deadline:
            time.sleep(0.1)
        run.delete()
    for folder in (".trash", ".queue"):
        shutil.rmtree(runs_folder / folder, ignore_errors=True)


def start(page: Page, name: str, epochs: int) -> None:
    """Begin a training from the panel."""
    page.get_by_role("button", name="New training").click()
    page.get_by_role("radio", name="quick").click()
    page.get_by_text("The default cut down").wait_for(timeout=PATIENCE)
    page.get_by_label("Name", exact=True).last.fill(name)
    page.get_by_text("Settings", exact=True).click()
    box = page.get_by_role("spinbutton", name="Epochs")
    work = page.get_by_text(f"{19 * epochs:,} in all")
    deadline = time.monotonic() + PATIENCE / 1000
    while not work.is_visible() and time.monotonic() < deadline:
        # A number that is typed faster than a person can while the page is drawn anew is lost.
        box.fill(str(epochs))
        box.press("Tab")
        page.wait_for_timeout(1000)
    expect(work).to_be_visible()
    page.get_by_role("button", name="Start training").click()


def test_a_newcomer_watches_a_film_trains_and_sees_it_form(
    no_runs: None, open_page: Callable[..., Page]
) -> None:
    page = open_page("Train")
    slider = page.get_by_label("Moment of the training")
    # The film that ships begins by itself.
    page.get_by_role("button", name="Pause").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Pause").click()
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 120 of 120")

    start(page, "The first", 300)
    chosen = page.get_by_role("combobox", name="Training")
    expect(chosen).to_have_value("The first", timeout=PATIENCE)
    first = page.url
    assert "?run=" in first
    # The frames of its first epoch come while it goes on, without a run of the script.
    expect(page.get_by_text("How the model that ships")).to_have_count(0, timeout=PATIENCE)
    expect(slider).to_have_count(1, timeout=PATIENCE)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("step|epoch"), timeout=PATIENCE)
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "before the first step")
    expect(page.locator(".trainings canvas").first).to_be_visible()

    # A second one waits; it is left out, deleted, had back and waits again.
    start(page, "The second", 3)
    expect(chosen).to_have_value("The second", timeout=PATIENCE)
    waits = page.get_by_text("It is the next to start")
    expect(waits).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Don't start it").click()
    page.locator(".st-key-delete button").click(timeout=PATIENCE)
    expect(page.get_by_text("Deleted The second.")).to_be_visible(timeout=PATIENCE)
    expect(chosen).to_have_value("The first")
    page.get_by_role("button", name="Undo").click()
    expect(chosen).to_have_value("The second", timeout=PATIENCE)
    page.get_by_role("button", name="Resume").click()
    expect(waits).to_be_visible(timeout=PATIENCE)
    second = page.url

    # The first is found by its address. When it has ended the second starts by itself.
    page.goto(first)
    page.locator(".st-key-stop button").click(timeout=PATIENCE)
    page.get_by_role("button", name="Resume").wait_for(timeout=PATIENCE)
    page.goto(second)
    page.get_by_role("button", name="Load", exact=True).click(timeout=2 * PATIENCE)
    page.get_by_text("Every page shows this model now. Go on with it:").wait_for(timeout=PATIENCE)
    expect(slider).to_have_attribute("aria-valuetext", "epoch 3 of 3", timeout=PATIENCE)
    page.set_viewport_size(PHONE)
    expect(slider).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

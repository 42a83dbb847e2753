"""The page Mixture in the app: cards of clusters, changes by hand, and confusion."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Opened = Callable[..., Page]
PATIENCE = 60_000  # milliseconds: the machine may be busy


def test_a_cluster_is_opened_merged_renamed_split_and_all_is_undone(open_page: Opened) -> None:
    page = open_page("Mixture?mixture=Clusters&cluster=36")
    card = page.locator(".components aside")
    expect(card.locator("h3")).to_contain_text("(cluster 36)", timeout=PATIENCE)
    expect(page.locator(".components .wall button")).to_have_count(100)
    expect(page.locator(".components [aria-pressed=true]")).to_have_count(1)

    # Another card opens in the page, without the server, and the address names it.
    page.locator(".components .near button").first.click()
    expect(card.locator("h3")).not_to_contain_text("(cluster 36)")
    opened = page.evaluate("new URL(location.href).searchParams.get('cluster')")
    expect(card.locator("h3")).to_contain_text(f"(cluster {opened})")

    page.locator(".components .near").get_by_role("button", name="Merge").first.click()
    expect(page.locator(".components .wall button")).to_have_count(99, timeout=PATIENCE)
    expect(page.get_by_text("merged")).to_be_visible()
    card.get_by_role("button", name="Split in two").click()
    expect(page.locator(".components .wall button")).to_have_count(100, timeout=PATIENCE)
    card.get_by_label("What this cluster is called").select_option("nothing")
    expect(page.get_by_text("called nothing")).to_be_visible(timeout=PATIENCE)

    # Every page shows it, and says so; going back to the model's own is one press anywhere.
    page.get_by_role("link", name="Overview").click()
    said = page.get_by_text("Chosen on Mixture: 100 clusters, 3 changes by hand.")
    said.wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Back to its own").click()
    expect(said).to_have_count(0, timeout=PATIENCE)


def test_the_name_of_a_cluster_on_the_map_opens_its_card(open_page: Opened) -> None:
    page = open_page("Latent_space#pin*100")
    link = page.locator(".explorer .inspector .what button")
    link.wait_for(timeout=PATIENCE)
    name = link.inner_text()
    link.click()
    expect(page.locator(".components aside h3")).to_contain_text(f"({name})", timeout=PATIENCE)
    assert page.url.split("?")[0].endswith("/Mixture")


def test_a_cell_of_the_confusion_opens_its_images(open_page: Opened) -> None:
    page = open_page("Mixture?mixture=Confusion", **PHONE)
    cells = page.locator(".confusion td button")
    expect(cells).to_have_count(100, timeout=PATIENCE)
    title = page.locator(".components aside > h3")
    expect(title).to_contain_text(" read as ")
    right = page.get_by_role("button", name="3 read as 3")
    right.tap()
    expect(title).to_contain_text("3, read rightly")
    count = int(right.inner_text())
    expect(title).to_contain_text(f"{count} images")
    shown = page.locator(".components .members canvas")
    expect(shown).to_have_count(min(count, 60))
    has_ink = "c => c.getContext('2d').getImageData(0, 0, 28, 28).data.some((value) => value > 0)"
    page.wait_for_timeout(1000)
    assert shown.first.evaluate(has_ink)
    expect(page.locator(".calibration circle")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

"""Curves of trainings in the page: their numbers held to numpy, and what a hand does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from modules import Modules
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

MOUNT = """
async ({ series }) => {
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: "/curves/curves.css" });
  document.head.append(style);
  await new Promise((done) => (style.onload = done));
  const element = document.createElement("div");
  document.body.append(element);
  const { createCurves } = await import("/curves/curves.js");
  globalThis.sought = [];
  globalThis.curves = createCurves(element, { onSeek: (epoch) => sought.push(epoch) });
  curves.setSeries(series);
}
"""


def losses(n_epochs: int, level: float, seconds: float = 2.0) -> list[dict[str, float]]:
    """Losses that fall steeply at first, then hardly any more."""
    return [
        {
            "epoch": epoch,
            "cross_entropy": level + 400 / epoch**2,
            "kl": 20.0,
            "kl_weight": 1.0,
            "validation_cross_entropy": level + 1 + 400 / epoch**2,
            "validation_kl": 21.0,
            "seconds": seconds * epoch,
        }
        for epoch in range(1, n_epochs + 1)
    ]


def a_series(
    name: str, history: list[dict[str, float]], group: str | None = None, **more: Any
) -> dict[str, Any]:
    """A series as `createCurves` takes it."""
    values = {"id": name, "name": name, "colour": "#bd1f01", "group": group}
    return {**values, "epochs": len(history), "stepsPerEpoch": 10, "losses": history, **more}


@pytest.fixture
def show(modules: Modules) -> Callable[..., Page]:
    """Mount curves of some series on a page 1,000 pixels wide."""

    def show(*series: dict[str, Any]) -> Page:
        modules.page.set_viewport_size({"width": 1016, "height": 900})
        modules.run(MOUNT, series=series)
        modules.page.locator(".curves svg").first.wait_for()
        return modules.page

    return show


def plot_of(page: Page, title: str = "Cross-entropy") -> Locator:
    return page.get_by_role("slider", name=f"{title} over")


def numbers(page: Page) -> list[str]:
    """The rows of the legend: a name, the epoch that is read, and the numbers there."""
    return [" ".join(row.split()) for row in page.locator("tbody tr").all_inner_texts()]


def ticks(plot: Locator, anchor: str) -> list[float]:
    texts = plot.locator(f"text[text-anchor={anchor}]:not(.title)").all_text_contents()
    return [float(text.replace("K", "000")) for text in texts]


def test_the_numbers_are_those_of_numpy(modules: Modules) -> None:
    generator = np.random.default_rng(0)
    rows = [generator.normal(90, 5, n).tolist() for n in (12, 7, 9)]
    weight = 0.8
    found = modules.run(
        """async ({ rows, weight, lines }) => {
          const { smooth } = await import("/curves/smoothing.js");
          const { meanAndSd, quantile, rangeOf } = await import("/curves/statistics.js");
          const { linesOf, nearest, placeOf, thinned } = await import("/curves/lines.js");
          const { logTicksOf, makeScale, ticksOf } = await import("/pieces/scales.js");
          const scale = makeScale([1, 1000], [0, 300], true);
          const wave = Array.from({ length: 5000 }, (_, i) => [i / 100, Math.sin(i)]);
          const [group, alone] = linesOf(lines, "seconds", weight, true);
          return {
            smooth: smooth(rows[0], weight), gap: smooth([1, NaN, 3], 0.5).map(String),
            ...meanAndSd(rows), quantile: quantile(Float64Array.from(rows[0]).sort(), 0.9),
            steep: rangeOf([[400, 100, 95, 94, 93.5, 93, 92.8, 92.6, 92.5, 92.4]], false, false),
            all: rangeOf([[400, 100, 95, 94, 93.5, 93, 92.8, 92.6, 92.5, 92.4]], true, true),
            none: rangeOf([[NaN], [0]], true, false), few: rangeOf([[400, 100]], false, false),
            ticks: [ticksOf([0.95, 2.1], 4), ticksOf([1, 4], 20, 1), ticksOf([3, 3], 5)],
            logTicks: [[0.5, 2000], [1, 1e6], [90, 200]].map((range) => logTicksOf(range, 3)),
            scale: [scale.at(10), scale.from(200)],
            nearest: [-1, 2.4, 2.6, 9].map((x) => nearest([1, 2, 3, 8], x)).concat(nearest([], 1)),
            places: [0, 0.5, 2, 9].map((epoch) => placeOf(lines[2], epoch, "seconds")),
            thinned: thinned(wave), groupX: group.x, names: [group.name, alone.name],
            band: group.curves.sum.validation.sd, sum: alone.curves.sum.training.raw,
          };
        }""",
        rows=rows,
        weight=weight,
        lines=[
            a_series("one", losses(4, 90, seconds=1), "quick"),
            a_series("two", losses(2, 94, seconds=9), "quick"),
            a_series("three", losses(3, 80)),
        ],
    )
    weights = weight ** np.arange(12)[::-1]
    expected = [(weights[-n:] @ rows[0][:n]) / weights[-n:].sum() for n in range(1, 13)]
    np.testing.assert_allclose(found["smooth"], expected)
    assert found["gap"] == ["1", "NaN", str((0.5 * 1 + 3) / 1.5)]
    padded = np.array([row + [np.nan] * (12 - len(row)) for row in rows])
    np.testing.assert_allclose(found["mean"], np.nanmean(padded, 0))
    spread = np.nanstd(padded[:, :9], 0, ddof=1)
    np.testing.assert_allclose(np.array(found["sd"][:9], float), spread)
    assert all(np.isnan(value) for value in found["sd"][9:]), "one run alone has no spread"
    assert found["quantile"] == pytest.approx(np.quantile(rows[0], 0.9))

    low, high = found["steep"]["range"]
    assert found["steep"]["isCut"] and low < 92.4 and 100 < high < 200
    assert not found["all"]["isCut"] and found["all"]["range"][1] > 400
    assert found["none"] is None and found["few"]["range"][1] > 400
    assert found["ticks"] == [pytest.approx([1, 1.5, 2]), [1, 2, 3, 4], [3]]
    assert found["logTicks"] == [[10, 1000], [1, 100, 10000, 1000000], [100, 150, 200]]
    assert found["scale"] == pytest.approx([100, 100])
    assert found["nearest"] == [0, 1, 2, 3, -1]
    assert found["places"] == [0, 1, 4, 6]
    thin = np.array(found["thinned"])
    assert len(thin) <= 4 * 50 and thin[:, 1].max() == np.sin(np.arange(5000)).max()

    assert found["names"] == ["quick, 2 seeds", "three"]
    assert found["groupX"] == [5, 10, 11, 12], "the slow one ends, and nothing goes back in time"
    assert found["band"][:2] == pytest.approx([4 / 2**0.5] * 2)
    assert found["sum"][0] == 80 + 400 + 20


def test_curves_are_read_zoomed_and_laid_over_each_other(show: Callable[..., Page]) -> None:
    page = show(a_series("one <b>", losses(100, 90)), a_series("two", losses(50, 95)))
    plot = plot_of(page)
    assert numbers(page) == ["one <b> 100 90.0 91.0 20.0 21.0", "two 50 95.2 96.2 20.0 21.0"]
    assert plot.locator("path.training").count() == plot.locator("path.validation").count() == 2
    cut = ticks(plot, "end")
    assert max(cut) < 130, "the first epochs are cut off"
    page.get_by_role("button", name="See all").first.click()
    assert max(ticks(plot, "end")) >= 400
    page.get_by_role("button", name="Cut what lies far off").first.click()
    assert ticks(plot, "end") == cut

    box = plot.bounding_box()
    assert box is not None
    assert box["width"] > 450 and box["height"] > 300, "two beside each other, large enough"
    across = [box["x"] + 46 + share * (box["width"] - 62) for share in (0.25, 0.5)]
    page.mouse.move(across[0], box["y"] + 50)
    assert numbers(page)[0].startswith("one <b> 26 ") and numbers(page)[1].startswith("two 26 ")
    assert plot.locator("circle").count() == 4
    assert plot_of(page, "KL divergence").locator("line.cursor").count() == 1, (
        "read in all plots at once"
    )
    page.mouse.down()
    page.mouse.move(across[1], box["y"] + 60, steps=3)
    assert plot.locator("rect.selected").count() == 1
    page.mouse.up()
    zoomed = ticks(plot, "middle")
    assert min(zoomed) >= 25 and max(zoomed) <= 51
    assert ticks(plot_of(page, "KL divergence"), "middle") == zoomed
    page.mouse.dblclick(across[0], box["y"] + 50)
    assert max(ticks(plot, "middle")) == 100
    assert page.evaluate("sought") == [32, 32], "while zoomed, a quarter of the way"

    plot.focus()
    for key in ("Home", "ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("sought.at(-1)") == 12
    said = plot.get_attribute("aria-valuetext") or ""
    assert "one <b>, epoch 12: 92.8, validation 93.8; two, epoch 12: 97.8" in said
    page.keyboard.press("+")
    assert max(ticks(plot, "middle")) < 62
    page.keyboard.press("Escape")
    assert max(ticks(plot, "middle")) == 100

    page.evaluate("curves.setMarker(0.5)")
    plot.blur()
    assert plot.locator("line.mark").count() == 2, "half of each"
    assert [row.split()[-5] for row in numbers(page)] == ["50", "25"]
    page.evaluate("curves.setMarker({ epoch: 10 })")
    assert plot.locator("line.mark").count() == 1
    page.get_by_role("button", name="two", exact=True).click()
    assert plot.locator("path.training").count() == 1
    page.get_by_role("button", name="one <b>", exact=True).click()
    assert "nothing to be seen" in page.locator("figcaption").first.inner_text()


def test_what_is_chosen_about_curves(show: Callable[..., Page]) -> None:
    history = losses(40, 90)
    for entry in history:
        entry["cross_entropy"] += entry["epoch"] % 2
    seeds = [a_series(f"seed {i}", losses(40, 90 + 2 * i), "quick") for i in range(2)]
    page = show(a_series("alone", history), *seeds)
    plot = plot_of(page)
    assert numbers(page)[1] == "quick, 2 seeds 40 91.3 ± 1.4 92.3 ± 1.4 20.0 ± 0.0 21.0 ± 0.0"
    assert plot.locator("path.band").count() == 2
    page.get_by_role("button", name="mean ± sd").click()
    assert plot.locator("path.band").count() == 0 and len(numbers(page)) == 3

    assert not plot.locator("path.raw").count()
    page.get_by_label("Smoothing").fill("0.9")
    assert plot.locator("path.raw").count() == 6, "as measured, behind"
    assert 91 < float(numbers(page)[0].split()[2]) < 96
    assert "Cross-entropy, smoothed" in page.locator("thead").inner_text()

    page.get_by_label("Over", exact=True).select_option("steps")
    assert max(ticks(plot, "middle")) == 400
    page.get_by_label("Over", exact=True).select_option("seconds")
    assert max(ticks(plot, "middle")) == 80
    plot.focus()
    page.keyboard.press("Home")
    assert "at 2 seconds of training" in page.locator("thead").inner_text()
    plot.blur()
    page.get_by_role("button", name="log x").click()
    assert ticks(plot, "middle") == [2, 5, 10, 20, 50]
    page.evaluate("curves.setMarker(0)")
    assert not plot.locator("line.mark").count(), "zero is nowhere on a logarithmic axis"
    straight = ticks(plot, "end")
    page.get_by_role("button", name="log y").click()
    assert ticks(plot, "end")[0] >= straight[0] - 10 and plot.locator(".grid").count() >= 2

    page.get_by_role("button", name="Cross-entropy + KL").click()
    page.get_by_role("button", name="KL divergence").click()
    page.get_by_role("button", name="Cross-entropy", exact=True).click()
    assert page.locator("svg").count() == 1
    page.get_by_role("button", name="Cross-entropy + KL").click()
    assert page.locator("svg").count() == 1, "one always stays"

    # A run of an older version, which did not write seconds; the first one is not done yet.
    old = [{**entry, "seconds": None, "validation_kl": None} for entry in losses(2, 90)]
    page.evaluate("series => curves.setSeries(series)", [a_series("old", old)])
    assert page.get_by_label("Over", exact=True).locator("option").all_inner_texts() == [
        "epochs",
        "steps",
    ]
    page.get_by_label("Smoothing").fill("0")
    page.evaluate("curves.setMarker(null)")
    assert numbers(page) == ["old 2 210.0 –"]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.curves svg').clientWidth < 390")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("series => curves.setSeries(series)", [a_series("new", [])])
    assert "begin when the first epoch is done" in page.locator(".curves").inner_text()
    page.evaluate("curves.destroy()")
    assert not page.locator(".curves").count()


def test_fingers_zoom_and_scroll(modules: Modules, show: Callable[..., Page]) -> None:
    page = show(a_series("one", losses(100, 90)))
    plot = plot_of(page)
    box = plot.bounding_box()
    assert box is not None
    assert plot.evaluate("svg => getComputedStyle(svg).touchAction") == "pan-y"

    def touch(kind: str, share: float) -> None:
        x = box["x"] + 46 + share * (box["width"] - 62)
        event = {"pointerType": "touch", "isPrimary": True, "pointerId": 7, "clientX": x}
        plot.evaluate(
            """(svg, [kind, event]) => {
              svg.setPointerCapture = () => {};
              svg.dispatchEvent(new PointerEvent(kind, event));
            }""",
            [kind, event],
        )

    for kind, share in (("pointerdown", 0.1), ("pointermove", 0.4), ("pointercancel", 0.4)):
        touch(kind, share)
    assert max(ticks(plot, "middle")) == 100, "the page was scrolled"
    for kind, share in (("pointerdown", 0.1), ("pointermove", 0.4), ("pointerup", 0.4)):
        touch(kind, share)
    assert max(ticks(plot, "middle")) <= 41
    page.get_by_role("button", name="Zoom out").click()
    assert max(ticks(plot, "middle")) == 100
    for kind in ("pointerdown", "pointerup", "pointerleave"):
        touch(kind, 0.6)
    assert numbers(page)[0].startswith("one 60 "), "a tap reads, and goes on being read"
    assert page.evaluate("sought") == [60]

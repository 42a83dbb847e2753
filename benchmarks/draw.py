"""Measure the Draw page in Chromium: from pen up to the new probabilities on the screen.

    python benchmarks/draw.py [--drawings 40] [--strokes FILE.jsonl.gz]

Starts the app, draws digits with the mouse stroke by stroke, and prints the median and the 95th
percentile of the answers' times in milliseconds, measured inside the page.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import statistics
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from app_server import ROOT, running_app

STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"

# Notes when the pen goes up, and when the bars of the answer are next painted.
WATCH = """
() => {
  window.answers = [];
  let up = null;
  addEventListener("pointerup", () => { up = performance.now(); }, true);
  new MutationObserver(() => {
    const bars = document.querySelector(".bars");
    const spoken = bars && bars.getAttribute("aria-label");
    if (up !== null && spoken && spoken !== window.spoken) {
      const start = up;
      up = null;
      window.spoken = spoken;
      requestAnimationFrame(() => setTimeout(() => window.answers.push(performance.now() - start)));
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}
"""


def main() -> None:
    """Draw, and print what the answers took."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", type=int, default=40)
    parser.add_argument("--strokes", type=Path, default=STROKES)
    options = parser.parse_args()
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines][: options.drawings]
    with running_app() as server:
        times, n_right = draw_all(f"{server.address}/Draw", drawings)
    percentile = statistics.quantiles(times, n=20)[-1]
    print(
        f"{len(times)} answers: median {statistics.median(times):.0f} ms, "
        f"95th percentile {percentile:.0f} ms; {n_right} of {len(drawings)} digits read rightly"
    )


def draw_all(address: str, drawings: list[dict[str, Any]]) -> tuple[list[float], int]:
    """Draw every digit; return the times of all answers in milliseconds, and how many are right."""
    from playwright.sync_api import sync_playwright

    n_right = 0
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        canvas = page.locator(".pad canvas")
        canvas.wait_for(timeout=60_000)
        page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)
        sleep(2)  # what is done once
        page.evaluate(WATCH)
        box = canvas.bounding_box()
        assert box is not None
        for drawing in drawings:
            for stroke in drawing["strokes"]:
                answered = page.evaluate("window.answers.length")
                points = [
                    (box["x"] + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke
                ]
                page.mouse.move(*points[0])
                page.mouse.down()
                for point in points[1:]:
                    page.mouse.move(*point)
                page.mouse.up()
                deadline = monotonic() + 3  # a dot has no answer
                while page.evaluate("window.answers.length") == answered and monotonic() < deadline:
                    sleep(0.01)
            n_right += page.locator("h2").first.inner_text() == str(drawing["label"])
            page.get_by_role("button", name="Clear").click()
            page.locator(".bars").wait_for(state="detached")
            page.evaluate("window.spoken = null")
        times = page.evaluate("window.answers")
        browser.close()
    return times, n_right


if __name__ == "__main__":
    main()

"""Measure the Draw page in Chromium: how often it answers while the pen moves, and after it is up.

    python benchmarks/draw.py [--drawings 40] [--taught 10] [--strokes FILE.jsonl.gz]

Starts the app, teaches it drawings of one hand, and draws digits at the pace of a hand, with a
pointer event every 8 ms. Prints how many answers a second stood on the screen while the pen moved,
and the median and the 95th percentile of the milliseconds from pen up until the full reading did,
measured inside the page.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import statistics
from pathlib import Path
from time import sleep
from typing import Any

from app_server import ROOT, running_app

STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"

# Draws on the pad, which is in a component's own root. An answer is a change of the bars; it stands
# on the screen as soon as the frame that paints it is over.
DRAW = """
async (canvas, { strokes, stride, step }) => {
  const bars = canvas.getRootNode().querySelector(".desk .bars");
  const { left, top, height } = canvas.getBoundingClientRect();
  let [isDown, isUp, nAnswers] = [false, 0, 0];
  let answered = null;
  const watch = new MutationObserver(() => {
    if (isDown) nAnswers++;
    if (!isUp) return;
    const start = isUp;
    isUp = 0;
    requestAnimationFrame(() => setTimeout(() => answered(performance.now() - start)));
  });
  watch.observe(bars, { subtree: true, childList: true, characterData: true, attributes: true });
  const send = (type, [x, y]) =>
    canvas.dispatchEvent(new PointerEvent(type, {
      clientX: left + x * height, clientY: top + y * height,
      pointerId: 1, button: 0, bubbles: true, pointerType: "pen",
    }));
  const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const times = [];
  let seconds = 0;
  for (const stroke of strokes) {
    const ends = stroke.map((_, i) => i && Math.hypot(
      stroke[i][0] - stroke[i - 1][0], stroke[i][1] - stroke[i - 1][1]));
    ends.forEach((length, i) => (ends[i] = length + (ends[i - 1] ?? 0)));
    const start = performance.now();
    send("pointerdown", stroke[0]);
    isDown = true;
    for (let along = stride; ; along += stride) {
      await after(step);
      const i = ends.findIndex((end) => end > along);
      if (i < 0) break;
      const share = (along - ends[i - 1]) / (ends[i] - ends[i - 1]);
      send("pointermove", [0, 1].map((axis) =>
        stroke[i - 1][axis] + share * (stroke[i][axis] - stroke[i - 1][axis])));
    }
    send("pointermove", stroke.at(-1));
    isDown = false;
    seconds += (performance.now() - start) / 1000;
    const answer = new Promise((resolve) => (answered = resolve));
    isUp = performance.now();
    send("pointerup", stroke.at(-1));
    times.push(await Promise.race([answer, after(3000)])); // nothing: a dot has no answer
    await after(200);
  }
  watch.disconnect();
  return { times: times.filter(Boolean), nAnswers, seconds };
}
"""


def main() -> None:
    """Draw, and print what the answers took."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", type=int, default=40)
    parser.add_argument("--taught", type=int, default=10, help="drawings of the hand to begin with")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    options = parser.parse_args()
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines]
    hand = [each for each in drawings if each["writer"] == drawings[0]["writer"]]
    with running_app() as server:
        drawn, n_right = draw_all(
            f"{server.address}/Draw", hand[: options.taught], drawings[-options.drawings :]
        )
    rates = [each["nAnswers"] / each["seconds"] for each in drawn]
    times = [time for each in drawn for time in each["times"]]
    print(
        f"while the pen moves: median {statistics.median(rates):.0f} answers a second, "
        f"least {min(rates):.0f}, {len(rates)} drawings, {options.taught} of the hand known"
    )
    print(
        f"from pen up to the full reading: median {statistics.median(times):.0f} ms, 95th "
        f"percentile {statistics.quantiles(times, n=20)[-1]:.0f} ms, {len(times)} strokes; "
        f"{n_right} of {options.drawings} digits read rightly"
    )


def draw_all(
    address: str, hand: list[dict[str, Any]], drawings: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], int]:
    """Teach a hand and draw; return what DRAW does of each drawing, and how many are right."""
    from playwright.sync_api import sync_playwright

    drawn, n_right = [], 0
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        canvas = page.locator(".desk .pad .drawing")
        canvas.wait_for(timeout=60_000)
        page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)

        def draw(strokes: list[Any]) -> dict[str, Any]:
            pace = {"strokes": strokes, "stride": 0.012, "step": 8}  # heights, milliseconds
            result: dict[str, Any] = canvas.evaluate(DRAW, pace)
            return result

        for drawing in hand:
            draw(drawing["strokes"])
            canvas.press(str(drawing["label"]))
        sleep(2)  # what is done once
        for drawing in drawings:
            drawn.append(draw(drawing["strokes"]))
            said = page.locator(".draw .verdict strong").inner_text()
            n_right += said == str(drawing["label"])
            canvas.press("Delete")
        browser.close()
    return drawn, n_right


if __name__ == "__main__":
    main()

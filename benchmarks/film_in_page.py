"""Measure a film in Chromium: the time from one frame to the next.

    python benchmarks/film_in_page.py FILM [--frames 60]

FILM is a run's film.bin, or a film that ships. It is exported and opened; then, in a page of 1280
by 900 pixels, the arrow key goes from frame to frame. Prints a Markdown table: the milliseconds
from a key until the next frame's copies are painted, of frames that are opened for it and of those
that are open already, and between two pictures of a film that plays, in which the map moves.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vaegmm.browser.film_page import film_html

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Resolves with the milliseconds from the key to the first picture in which the sheet has changed.
STEP = """
(key) => new Promise((resolve) => {
  const sheet = document.querySelector("canvas.sheet");
  const small = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
  const seen = () => {
    small.clearRect(0, 0, 64, 64);
    small.drawImage(sheet, 0, 0, 64, 64);
    return small.getImageData(0, 0, 64, 64).data.join();
  };
  const [before, frame] = [seen(), vaegmm.shown.films[0].frame];
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
  if (vaegmm.shown.films[0].frame === frame) return resolve(null); // the end
  const late = start + 500; // of starts only the clusters are new
  const look = () => {
    if (seen() !== before) return resolve(performance.now() - start);
    if (performance.now() > late) return resolve(null);
    setTimeout(look);
  };
  look();
})
"""
PLAY = """
(wanted) => new Promise((resolve) => {
  document.querySelector("button.play").click();
  const times = [];
  const next = (now) => {
    times.push(now);
    if (vaegmm.shown.isPlaying && times.length < wanted) requestAnimationFrame(next);
    else resolve(times.slice(1).map((time, i) => time - times[i]));
  };
  requestAnimationFrame(next);
})
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", type=Path)
    parser.add_argument("--frames", type=int, default=60, help="frames to step through")
    options = parser.parse_args(arguments)
    rows = measure(options.film, options.frames)
    print("| milliseconds | median | slowest | of |\n|---|---|---|---|")
    for name, times in rows.items():
        if times:
            median, slowest = statistics.median(times), max(times)
            print(f"| {name} | {median:.1f} | {slowest:.0f} | {len(times)} |")


def measure(film: Path, n_frames: int) -> dict[str, list[float]]:
    """Return milliseconds by what they are of."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        exported = Path(folder, "film.html")
        exported.write_bytes(film_html(film, film.stem))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(exported.as_uri())
        page.wait_for_function("() => vaegmm.shown.last > 0")
        page.wait_for_timeout(1000)
        rows = {
            "a frame back": stepped(page, "ArrowLeft", n_frames),
            "a frame on, open already": stepped(page, "ArrowRight", min(n_frames, 20)),
        }
        page.keyboard.press("Home")
        page.wait_for_timeout(500)
        rows["between two pictures while it plays"] = page.evaluate(PLAY, 4 * n_frames)
        browser.close()
    return rows


def stepped(page: Page, key: str, n_frames: int) -> list[float]:
    """Return the time of each step; steps that show the same copies are left out."""
    times = []
    for _ in range(n_frames):
        taken = page.evaluate(STEP, key)
        page.wait_for_timeout(350)  # the map has come to rest
        if taken is not None:
            times.append(taken)
    return times


if __name__ == "__main__":
    main()

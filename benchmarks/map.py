"""Measure the explorer on the page Latent space in Chromium, which draws without a graphics card.

    python benchmarks/map.py [--moves 300] [--openings 5]

Starts the app with the model that it shows first, and prints a Markdown table: seconds until the
first points are on the screen, and how many of them have passed since Streamlit has put our part
into the page; milliseconds of a frame while the map is dragged, and until the image beside the
pointer is painted; all measured inside the page; and what the server is asked for meanwhile. With
the data set in VAEGMM_DATA the images are the real ones, else decoded.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from app_server import running_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request, Response, WebSocket

SECONDS_TO_OPEN = 60
SECONDS_OF_QUIET = 3  # without a request, after which all sheets of images are there
SECONDS_TO_QUIET = 180
N_CLICKS = 5

# Notes when our part is in the page and when its map has points, and how long pointer moves and
# frames take. What is in a component lies in a shadow root.
WATCH = """
() => {
  function find(selector, root = document) {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const host of root.querySelectorAll("[data-testid^='stBidiComponent']")) {
      const inside = host.shadowRoot && find(selector, host.shadowRoot);
      if (inside) return inside;
    }
    return null;
  }
  const painted = (call) => {  // the frame after this one's script is drawn
    const channel = new MessageChannel();
    channel.port1.onmessage = call;
    channel.port2.postMessage(null);
  };
  const small = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
  const isDrawn = (canvas) => {
    small.drawImage(canvas, 0, 0, 64, 64);
    return small.getImageData(0, 0, 64, 64).data.some((value) => value > 0);
  };
  (function look() {
    if (find(".in-page")) window.mounted ??= performance.now();
    const points = find(".map canvas.points");
    if (points?.width && isDrawn(points)) painted(() => (window.opened = performance.now()));
    else requestAnimationFrame(look);
  })();

  window.moves = [];
  window.isWatched = false;
  let before = "";
  window.addEventListener("pointermove", () => {
    if (!window.isWatched) return;
    const start = performance.now();
    requestAnimationFrame(() => painted(() => {
      const milliseconds = performance.now() - start;
      const picture = find(".map .tooltip .picture");
      if (!picture || find(".map .tooltip").style.visibility !== "visible") return;
      const pixels = picture.getContext("2d").getImageData(0, 0, 28, 28).data.join();
      if (pixels === before) return;
      before = pixels;
      const isPoint = find(".map .touched").hasAttribute("data-over");
      window.moves.push({ milliseconds, isPoint });
    }));
  }, true);

  window.frames = [];
  let last = null;
  (function frame(now) {
    if (last !== null && window.isDragged) window.frames.push(now - last);
    last = window.isDragged ? now : null;
    requestAnimationFrame(frame);
  })(performance.now());
}
"""


@dataclass
class Traffic:
    """What a page and the server have said to each other since the last `clear`."""

    messages: list[int] = field(default_factory=list)  # bytes of each, in both directions
    addresses: list[str] = field(default_factory=list)  # of requests
    blob: int = 0  # bytes, as they are unpacked
    last: float = 0.0  # when something was asked for

    def watch(self, page: Page) -> None:
        """Listen to a page that is not open yet."""

        def socket_opened(socket: WebSocket) -> None:
            for event in ("framereceived", "framesent"):
                socket.on(event, lambda frame: self.messages.append(len(frame)))

        def asked(request: Request) -> None:
            self.last = monotonic()
            self.addresses.append(request.url)

        def answered(response: Response) -> None:
            if "/vaegmm/model/" in response.url:
                self.blob = len(response.body())

        page.on("websocket", socket_opened)
        page.on("request", asked)
        page.on("response", answered)

    def clear(self) -> None:
        """Forget what was said."""
        self.messages.clear()
        self.addresses.clear()

    @property
    def largest(self) -> int:
        """Bytes of the largest message."""
        return max(self.messages, default=0)


def main() -> None:
    """Measure, and print the table."""
    from playwright.sync_api import sync_playwright

    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=300)
    parser.add_argument("--openings", type=int, default=5)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with running_app() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        address = f"{server.address}/Latent_space"
        with _opened(browser, address):  # what is done once
            pass
        rows = measure_opening(browser, address, options.openings)
        with _opened(browser, address) as (page, traffic):
            _wait_for_quiet(page, traffic)
            rows.append(("largest message while opening", f"{traffic.largest / 1e3:.1f} kB", ""))
            traffic.clear()
            rows += measure_hover(page, options.moves)
            rows.append(("requests and messages while hovering", str(_said(traffic)), "0"))
            rows += measure_panning(page)
            use(page)
            rows.append(
                ("largest message after opening", f"{traffic.largest / 1e3:.1f} kB", "64 kB")
            )
        with _opened(browser, address) as (page, traffic):
            rows.append(("the model's blob", f"{traffic.blob / 1e6:.2f} MB", "4 MB"))
        print(f"Chromium {browser.version}; load before and after: {load:.1f}, ", end="")
        print(f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        browser.close()
    print("| | measured | at most |\n|---|---:|---:|")
    for what, measured, target in rows:
        print(f"| {what} | {measured} | {target} |")


def measure_opening(browser: Browser, address: str, n: int) -> list[tuple[str, str, str]]:
    """Open the page in new browsers, and again in one that has its files."""
    cold, warm = [], []
    for _ in range(n):
        with _opened(browser, address) as (page, _):
            cold.append(page.evaluate("[window.opened, window.opened - window.mounted]"))
            again = page.context.new_page()
            _open(again, address)
            warm.append(again.evaluate("[window.opened, window.opened - window.mounted]"))
    rows = []
    for name, times in (("cold", cold), ("warm", warm)):
        opened, ours = zip(*times, strict=True)
        rows += [
            (f"first points, {name} cache (median of {n}; slowest)", _seconds(opened), "1.5 s"),
            ("of which after Streamlit's share", _seconds(ours), ""),
        ]
    return rows


def measure_hover(page: Page, n: int) -> list[tuple[str, str, str]]:
    """Move the mouse from place to place, over points and between them."""
    random.seed(0)
    page.evaluate("window.isWatched = true")
    left, top, width, height = _box(_map(page))
    for _ in range(n):
        page.mouse.move(left + width * random.random(), top + height * random.random())
        page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))")
    page.evaluate("window.isWatched = false")
    moves = page.evaluate("window.moves")
    page.mouse.move(0, 0)
    return [
        (f"image beside the pointer, {where} (median; 95th percentile)", spread, "16 ms")
        for where, is_point in (("over a point", True), ("over empty space", False))
        for spread in [_spread([m["milliseconds"] for m in moves if m["isPoint"] is is_point])]
    ]


def measure_panning(page: Page) -> list[tuple[str, str, str]]:
    """Drag the map in circles."""
    left, top, width, height = _box(_map(page))
    middle = left + width / 2, top + height / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.evaluate("window.isDragged = true")
    for turn in range(5):
        for dx, dy in ((100, 0), (100, 100), (-100, 100), (-100, -100), (0, 0)):
            page.mouse.move(middle[0] + dx, middle[1] + dy + turn, steps=12)
    page.evaluate("window.isDragged = false")
    page.mouse.up()
    frames = _spread(page.evaluate("window.frames"))
    return [("a frame while panning (median; 95th percentile)", frames, "16.7 ms")]


def use(page: Page) -> None:
    """Click, draw an outline, and change colours and axes."""
    page.get_by_role("button", name="Fit").click()
    left, top, width, height = _box(_map(page))
    for click in range(N_CLICKS):
        page.mouse.click(left + width * (0.3 + 0.08 * click), top + height / 2)
        page.wait_for_timeout(300)
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(left + 0.2 * width, top + 0.2 * height)
    page.mouse.down()
    for x, y in ((0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)):
        page.mouse.move(left + x * width, top + y * height, steps=8)
    page.mouse.up()
    page.get_by_text("in the outline").wait_for()
    for label in ("Colour by", "Axes"):
        select = page.get_by_label(label, exact=True)
        for value in select.locator("option").evaluate_all("all => all.map((o) => o.value)"):
            select.select_option(value)
            page.wait_for_timeout(500)


@contextmanager
def _opened(browser: Browser, address: str) -> Iterator[tuple[Page, Traffic]]:
    """A page in a browser that has fetched nothing yet, with its first points."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page, traffic = context.new_page(), Traffic()
    traffic.watch(page)
    _open(page, address)
    yield page, traffic
    context.close()


def _open(page: Page, address: str) -> None:
    page.add_init_script(f"({WATCH})()")
    page.goto(address)
    page.wait_for_function("window.opened", timeout=1e3 * SECONDS_TO_OPEN)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=1e3 * SECONDS_TO_OPEN)


def _wait_for_quiet(page: Page, traffic: Traffic) -> None:
    # All points are scored, and the sheets begin to come.
    page.get_by_text("The likeliest image of each").wait_for(timeout=1e3 * SECONDS_TO_OPEN)
    traffic.last, deadline = monotonic(), monotonic() + SECONDS_TO_QUIET
    while monotonic() < min(deadline, traffic.last + SECONDS_OF_QUIET):
        page.wait_for_timeout(200)


def _map(page: Page) -> Locator:
    return page.get_by_role("application", name="Map of the latent space")


def _box(locator: Locator) -> tuple[float, float, float, float]:
    locator.scroll_into_view_if_needed()
    box: Any = locator.bounding_box()
    return box["x"], box["y"], box["width"], box["height"]


def _said(traffic: Traffic) -> int:
    return len(traffic.messages) + len(traffic.addresses)


def _seconds(milliseconds: Sequence[float]) -> str:
    return f"{statistics.median(milliseconds) / 1e3:.2f}; {max(milliseconds) / 1e3:.2f} s"


def _spread(milliseconds: list[float]) -> str:
    percentile = statistics.quantiles(milliseconds, n=20)[-1]
    return f"{statistics.median(milliseconds):.1f}; {percentile:.1f} ms"


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


if __name__ == "__main__":
    main()

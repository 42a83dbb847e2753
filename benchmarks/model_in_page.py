"""How long the model takes in the page: `python benchmarks/model_in_page.py [CHECKPOINT]`.

Opens Chromium, hands it a blob, and prints the median and the slowest of many calls, in ms.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

import vaegmm
from vaegmm import data
from vaegmm.browser.blob import to_blob
from vaegmm.browser.bundle import bundle

_ROOT = Path(__file__).resolve().parents[1]
_MEASURE = """
async ([source, blob, views]) => {
  const file = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { Model } = await import(file);
  const bytes = Uint8Array.from(atob(blob), (letter) => letter.charCodeAt(0));
  const images = Uint8Array.from(atob(views), (letter) => letter.charCodeAt(0));
  const model = Model.from(bytes);
  const z = model.encode(images).mean;
  const measure = (calls, run) => {
    const times = [];
    for (let call = 0; call < calls + 3; call++) {
      const start = performance.now();
      run(call);
      if (call >= 3) times.push(performance.now() - start);  // after the compiler has seen it
    }
    times.sort((a, b) => a - b);
    return [times[calls >> 1], times[calls - 1]];
  };
  const one = z.subarray(0, model.dimension);
  const stored = (call) =>
    model.latents.z.subarray(call * model.dimension, (call + 1) * model.dimension);
  return {
    "open the blob": measure(9, () => Model.from(bytes)),
    "decode one z": measure(200, (call) => model.decode(stored(call))),
    "encode one image": measure(200, () => model.encode(images.subarray(0, 784))),
    "look at one image": measure(100, () => model.look(images.subarray(0, 784))),
    "read nine views": measure(50, () => readViews(model, images)),
    "8 nearest of all stored z": measure(50, () => model.nearest(one)),
    "project all stored z": measure(20, () => model.project(model.discriminantAxes)),
    "score all stored z": measure(5, () => model.scoreLatents()),
  };
}
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", nargs="?", default=_ROOT / "checkpoints/mnist.safetensors")
    parser.add_argument("--data", default="mnist")
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    start = time.process_time()
    blob = to_blob(model)
    print(f"blob: {len(blob):,} bytes, written in {time.process_time() - start:.1f} CPU seconds")
    views = data.load(options.data).test.images[:9]
    source = bundle("model/model.js", "model/reading.js") + "export { Model, readViews };"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        arguments = [source, *(base64.b64encode(part).decode() for part in (blob, views.tobytes()))]
        times = browser.new_page().evaluate(_MEASURE, arguments)
        print(f"Chromium {browser.version}")
    for name, (median, slowest) in times.items():
        print(f"{name:28} {median:8.2f} {slowest:8.2f}")


if __name__ == "__main__":
    main()

"""Numbers, styles and changes are the same in the page as in Python, and are shown."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules import Modules

import vaegmm
from vaegmm import VAEGMM
from vaegmm.breaking import apply_change, break_drawing, changes_of
from vaegmm.browser.blob import to_blob
from vaegmm.preprocess import as_lines
from vaegmm.segmentation import split_number
from vaegmm.style import in_style_of

pytestmark = pytest.mark.browser

ROOT = Path(vaegmm.__file__).parents[1]
STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"
FOUR = [[[0.5, 0.1], [0.2, 0.55], [0.75, 0.55]], [[0.55, 0.35], [0.5, 0.9]]]
SEVEN = [[[0.2, 0.2], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]], [[0.4, 0.5], [0.7, 0.5]]]
OPEN = """
async ({ blob }) => {
  const [modelOf, segmentation, style, breaking] = await Promise.all(
    ["model", "segmentation", "style", "breaking"].map((name) => import(`/model/${name}.js`)),
  );
  window.model = modelOf.Model.from(blob);
  Object.assign(window, { segmentation, style, breaking });
}
"""


@pytest.fixture(scope="module")
def shipped() -> VAEGMM:
    return vaegmm.load(ROOT / "checkpoints" / "mnist.safetensors", "cpu")


def rows() -> list[Any]:
    """Drawings side by side: apart, overlapping, and joined by a pen that was not lifted."""
    if not STROKES.is_file():
        drawings = [FOUR, SEVEN] * 8
    else:
        with gzip.open(STROKES, "rt") as lines:
            drawings = [json.loads(line)["strokes"] for line in lines][::94]
    made = []
    for i, gap in enumerate((0.3, 0.0, -0.15, 0.1)):
        right, row = 0.0, []
        for drawing in drawings[4 * i : 4 * i + 4]:
            points = np.concatenate([np.array(line) for line in drawing])
            low, size = points.min(0), np.ptp(points, axis=0)
            shift = np.array([right + gap * size[0] / size[1], 0.0])
            placed = [((np.array(line) - low) / size[1] + shift).tolist() for line in drawing]
            right = shift[0] + size[0] / size[1]
            if i == 3 and row:
                row[-1] = row[-1] + placed.pop(0)
            row += placed
        made.append(row)
    return made


def test_what_else_the_page_does_is_what_python_does(modules: Modules, shipped: VAEGMM) -> None:
    modules.run(OPEN, blob=to_blob(shipped, "float32"))

    drawn = [*rows(), SEVEN, [[[0.1, 0.1], [0.9, 0.9]]], [[[0.5, 0.5], [0.9, 0.5]]]]
    found = modules.run(
        "({ drawn }) => drawn.map((row) => segmentation.splitNumber(model, row))", drawn=drawn
    )
    expected = [split_number(shipped, row) for row in drawn]
    assert found == expected
    assert len({len(row) for row in found}) > 1

    z = shipped.latents[::5000][:8]
    labels = shipped.label_probabilities(z).argmax(1)
    styled = modules.run(
        "({ z, labels }) => { const styles = new style.Styles(model); return labels.map((label, i) "
        "=> styles.latents(z.subarray(i * model.dimension, (i + 1) * model.dimension), label)); }",
        z=z,
        labels=labels.tolist(),
    )
    for place, label, latents in zip(z, labels, styled, strict=True):
        ours = in_style_of(shipped, place, int(label)).latents
        np.testing.assert_allclose(latents.reshape(ours.shape), ours, atol=1e-3)

    lines = as_lines(SEVEN)
    changes = [change._asdict() for change in changes_of(lines)]
    changed = modules.run(
        "({ seven, amount }) => breaking.changesOf(seven).map((change) => "
        "({ change, strokes: breaking.applyChange(seven, change, amount) }))",
        seven=SEVEN,
        amount=0.32,
    )
    assert [each["change"] for each in changed] == changes
    for each, change in zip(changed, changes_of(lines), strict=True):
        ours = apply_change(lines, change, 0.32)
        if ours is None:
            assert each["strokes"] is None
            continue
        for line, theirs in zip(ours, each["strokes"], strict=True):
            np.testing.assert_allclose(theirs, line, atol=1e-9)

    for strokes in (FOUR, SEVEN):
        broken = break_drawing(shipped, strokes)
        theirs = modules.run(
            """({ strokes }) => {
              const search = breaking.breakDrawing(model, strokes);
              for (;;) { const { done, value } = search.next(); if (done) return value; }
            }""",
            strokes=strokes,
        )
        assert broken is not None
        assert theirs["change"] == broken.change._asdict()
        assert theirs["size"] == pytest.approx(broken.size)
        assert theirs["after"]["label"] == broken.after.label != theirs["before"]["label"]
        np.testing.assert_allclose(
            theirs["after"]["probabilities"], broken.after.probabilities, atol=1e-3
        )


SHOW = """
async ({ one, other }) => {
  const [{ readStrokes }, ...parts] = await Promise.all(
    ["/model/reading.js", "/draw/between.js", "/draw/anydigit.js", "/draw/breakit.js"].map(
      (path) => import(path),
    ),
  );
  const create = Object.assign({}, ...parts);
  const boxes = ["a", "b", "c"].map((name) => {
    const element = document.createElement("div");
    element.id = name;
    document.body.append(element);
    return element;
  });
  window.between = create.createBetween(boxes[0], { model });
  window.anyDigit = create.createAnyDigit(boxes[1], { model });
  window.breakIt = create.createBreakIt(boxes[2], { model });
  window.readings = [readStrokes(model, one), readStrokes(model, other)];
}
"""
OPACITIES = """
({ selector }) => Array.from(document.querySelectorAll(selector), (canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((_, i) => i % 4 === 3);
})
"""


def test_what_else_the_page_does_is_shown(modules: Modules, shipped: VAEGMM) -> None:
    modules.run(OPEN, blob=to_blob(shipped, "float32"))
    modules.run(SHOW, one=SEVEN, other=FOUR)
    page = modules.page
    before = page.locator("body").inner_text()
    for invitation in ("Keep two drawings", "Draw a digit to see all", "Draw a digit to see how"):
        assert invitation in before
    assert page.get_by_role("button", name="Break it").is_disabled()

    modules.run("() => between.show(...readings)")
    ends = modules.run("() => readings.map(({ z }) => z)")
    straight = np.linspace(*ends, 9)
    called = shipped.label_probabilities(straight).argmax(1)
    assert page.locator("#a .names").inner_text().split() == [str(label) for label in called]
    (strip,) = modules.run(OPACITIES, selector="#a .strip")
    decoded = np.concatenate(list(shipped.decode(straight)), axis=1)
    np.testing.assert_allclose(strip.reshape(28, -1) / 255, decoded, atol=0.01)
    page.get_by_label("Place on the way from").fill("1")
    (shown,) = modules.run(OPACITIES, selector="#a .here canvas")
    np.testing.assert_allclose(shown.reshape(28, 28) / 255, shipped.decode(ends[1])[0], atol=0.01)
    page.get_by_role("button", name="where digits are").click()
    (bent,) = modules.run(OPACITIES, selector="#a .strip")
    assert not np.array_equal(bent, strip)

    modules.run("() => anyDigit.show(readings[0])")
    images = np.array(modules.run(OPACITIES, selector="#b canvas")).reshape(-1, 28, 28) / 255
    label = modules.run("() => readings[0].label")
    np.testing.assert_allclose(images, in_style_of(shipped, ends[0], label).images, atol=0.01)
    assert page.locator("#b [data-own]").inner_text() == str(label)

    modules.run("({ strokes }) => breakIt.show(strokes)", strokes=FOUR)
    page.get_by_role("button", name="Break it").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Break it").click()
    said = page.locator("#c .said")
    page.wait_for_function("document.querySelector('#c progress').hidden")
    found = break_drawing(shipped, FOUR)
    assert found is not None
    assert f"makes the {found.before.label} a {found.after.label} (" in said.inner_text()
    assert f"by {found.size:.0%}".replace("%", " %") in said.inner_text()
    best = page.locator("#c [data-best] .name")
    assert best.inner_text() == str(found.after.label)
    page.get_by_label("From the drawing to the changed one").fill("0")
    assert best.inner_text() == str(found.before.label)
    page.get_by_role("button", name="Play back and forth").last.click()
    # The way there is changed at its very end.
    page.wait_for_function("document.querySelector('#c input').value > 0.5")
    page.get_by_role("button", name="Stop").click()

    modules.run("() => [between, anyDigit, breakIt].forEach((part) => part.destroy())")
    assert page.locator("#a > *, #b > *, #c > *").count() == 0

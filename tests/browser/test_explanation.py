"""The panel adds up to the number that the answer shows, and one verdict is said everywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from modules import Modules

from vaegmm import VAEGMM
from vaegmm.app.words import say_verdict, share
from vaegmm.browser.blob import to_blob
from vaegmm.reading import Reading, read_strokes

pytestmark = pytest.mark.browser

ONE = [[[0.35, 0.35], [0.5, 0.2], [0.5, 0.8]], [[0.34, 0.8], [0.66, 0.8]]]  # with flag and foot
SHOW = """
async ({ blob, strokes }) => {
  const { Model } = await import("/model/model.js");
  const { readStrokes } = await import("/model/reading.js");
  const { createExplanation, roundedTogether, termsOf } = await import("/pieces/explanation.js");
  let model = Model.from(blob);
  Object.assign(window, { model, chosen: [] });
  const said = readStrokes(model, strokes);
  const panel = createExplanation(document.body, { model, onCluster: (k) => chosen.push(k) });
  panel.show(said);
  window.teach = () => {
    model = model.adapt(said.image, [1]);
    panel.show(readStrokes(model, strokes));
  };
  window.clear = () => panel.show(null);
  const terms = termsOf(model, said);
  return { terms, rounded: roundedTogether([1 / 3, 1 / 3, 1 / 3]), p: said.probabilities };
}
"""
SAY = """
async ({ blob, said }) => {
  const { Model } = await import("/model/model.js");
  const { sayVerdict } = await import("/pieces/words.js");
  const model = Model.from(blob);
  return said.map((each) => Object.values(sayVerdict(model, each)));
}
"""


def per_cent(text: str) -> Decimal:
    return Decimal(text.removesuffix(" %"))


def test_the_panel_adds_up(modules: Modules, small_model: VAEGMM) -> None:
    said = modules.run(SHOW, blob=to_blob(small_model, "float32"), strokes=ONE)
    page, reading = modules.page, read_strokes(small_model, ONE)
    total = sum(term["share"] * term["probabilities"] for term in said["terms"])
    np.testing.assert_allclose(total, reading.probabilities, atol=1e-3)
    assert sum(term["share"] for term in said["terms"]) == pytest.approx(1, abs=1e-5)
    assert sorted(said["rounded"]) == [0.333, 0.333, 0.334]

    def check(name: str) -> None:
        parts = [per_cent(text) for text in page.locator("tbody td:last-child").all_inner_texts()]
        assert sum(parts) == per_cent(page.locator("tfoot td").inner_text())
        assert page.locator("tfoot th").inner_text() == f"Together, {name}"
        shares = page.locator("tbody td:nth-child(2)").all_inner_texts()
        assert sum(map(per_cent, shares)) == 100

    order = said["p"].argsort()[::-1]
    names = [small_model.label_names[label] for label in order]
    check(names[0])
    assert page.locator("tfoot td").inner_text() == share(said["p"][order[0]])
    if said["p"][order[1]] >= 0.02:
        page.get_by_role("button", name=f"{names[1]}:").click()
        check(names[1])
    page.locator("tbody button").first.click()
    assert page.evaluate("chosen") == [said["terms"][0]["component"]]
    page.evaluate("teach()")
    assert page.get_by_text("your 1s").count() == 1
    check("1")
    page.evaluate("clear()")
    assert not page.locator(".explanation").is_visible()


def test_a_verdict_is_said_in_the_same_words(modules: Modules, small_model: VAEGMM) -> None:
    blob = to_blob(small_model, "float32")
    sure, unsure = np.full(10, 0.01), np.full(10, 0.06)
    sure[7], unsure[3] = 0.91, 0.46
    unsure[5] = 0.061
    view = read_strokes(small_model, ONE).views
    readings = [
        Reading(view, sure, 0.431),
        Reading(view, unsure, 0.2),
        Reading(view, sure, 0.001),
        Reading(view, sure, 0.431, is_off_pad=True),
    ]
    said: list[dict[str, Any]] = [
        {
            "probabilities": reading.probabilities.tolist(),
            "typicality": reading.typicality,
            "verdict": reading.verdict,
        }
        for reading in readings
    ]
    ours = [list(say_verdict(reading, small_model.label_names)) for reading in readings]
    assert modules.run(SAY, blob=blob, said=said) == ours
    assert [reading.verdict for reading in readings] == ["sure", "unsure", "strange", "off the pad"]
    assert ours[0] == ["7", "91.0 %", "more typical than 43.1 % of what it learned from"]
    assert ours[2] == ["7?", "", "This doesn't look like a digit."]

"""EM in the page: stepped through, begun by hand, two beside each other, and the fit in use."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from vaegmm import VAEGMM
from vaegmm.browser.blob import to_blob
from vaegmm.browser.fit_blob import fit_blob
from vaegmm.data import Dataset
from vaegmm.replay import replay

if TYPE_CHECKING:
    from modules import Modules

pytestmark = pytest.mark.browser

MOUNT = """
async ({ blob, truth }) => {
  const { Model } = await import("/model/model.js");
  const { createEm } = await import("/em/em.js");
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
  const styled = new Promise((resolve) => (style.onload = resolve));
  style.href = "/em/em.css";
  document.head.append(style);
  await styled;
  window.sent = [];
  window.em = createEm(document.body, {
    model: Model.from(blob), truth, onFit: (start) => sent.push(start),
  });
}
"""


class Shown:
    """EM on a page of its own."""

    def __init__(self, modules: Modules, model: VAEGMM, truth: np.ndarray | None) -> None:
        self.modules, self.page, self.model = modules, modules.page, model
        self.page.set_viewport_size({"width": 1000, "height": 900})
        self.page.emulate_media(reduced_motion="reduce")
        modules.run(MOUNT, blob=to_blob(model), truth=truth)
        self.settle()

    @property
    def fit(self) -> dict[str, Any]:
        """What is seen of the first fit."""
        return self.modules.run("() => em.shown[0]")

    def begin(self, name: str, nth: int = 0) -> None:
        """Choose a start, and wait for the fit."""
        self.page.get_by_role("button", name=name, exact=True).nth(nth).click()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is fitted any more."""
        for state in self.page.locator(".state").all():
            expect(state).not_to_contain_text("Fitting:", timeout=30_000)

    def press(self, keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def end(self) -> None:
        """Go to the last half step."""
        scrubber = self.page.get_by_label("Iteration", exact=True)
        scrubber.fill(scrubber.get_attribute("max") or "")

    def text(self, part: str) -> str:
        return self.page.locator(part).first.inner_text()


@pytest.fixture
def show(modules: Modules) -> Callable[..., Shown]:
    """Show EM on a model's stored z."""
    return lambda model, truth=None: Shown(modules, model, truth)


@pytest.fixture(scope="module")
def refitted(small_model: VAEGMM) -> tuple[VAEGMM, bytes]:
    """The small model with six clusters, and how they came to be."""
    model = small_model.refit(6, n_init=1, history=True, covariance_type="tied")
    recording, is_onwards = replay(model)
    return model, fit_blob(model, recording, is_onwards)


def test_e_and_m_follow_each_other_and_tell_what_they_do(
    show: Callable[..., Shown], small_model: VAEGMM
) -> None:
    em = show(small_model)
    page = em.page
    e, m = (page.get_by_role("button", name=name, exact=True) for name in "EM")
    assert em.fit["settings"]["start"] == "random_from_data" and em.fit["half"] == 0
    expect(m).to_be_disabled()
    em.press("m")
    assert em.fit["half"] == 0, "there is nothing yet to move to"
    e.click()
    assert em.fit["half"] == 1 and "blended colours" in em.text(".told")
    shares = [
        float(row.split()[-2]) for row in em.text(".formulas tbody").splitlines() if "%" in row
    ]
    assert 99 < sum(shares) <= 100.2
    before = em.fit["means"]
    expect(e).to_be_disabled()
    em.press("m")
    assert em.fit["half"] == 2 and em.fit["means"] != before
    assert "moves to its points" in em.text(".told") and "moved by" in em.text(".formulas")
    page.get_by_role("button", name="Back", exact=True).click()
    assert em.fit["half"] == 1 and em.fit["means"] == before
    em.press("mem")
    page.keyboard.press("ArrowLeft")
    assert em.fit["half"] == 3
    page.keyboard.press("ArrowRight")
    assert em.fit["half"] == 4
    # Iterations are whole numbers on the axis.
    ticks = page.locator(".whole .tick").all_text_contents()
    assert ticks[0] == "0" and len(ticks) > 2 and all(tick.isdigit() for tick in ticks)
    page.keyboard.press(" ")
    expect(page.locator(".scrub output")).to_contain_text("iteration 5", timeout=30_000)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Run ▸")).to_be_visible()
    em.end()
    assert em.text(".scrub output").startswith("end of")
    # A point and a cluster that are clicked are those that the formulas speak of.
    stage = page.locator(".stage")
    x, y = em.fit["means"][3]
    stage.click(position={"x": x, "y": y})
    assert em.fit["component"] == 3
    point = em.fit["point"]
    box = stage.bounding_box()
    assert box is not None
    for share in (0.3, 0.4, 0.5, 0.6):
        stage.click(position={"x": share * box["width"], "y": 0.55 * box["height"]})
    assert em.fit["point"] != point or em.fit["component"] != 3


def test_a_start_by_hand_ends_as_python_ends_it(
    show: Callable[..., Shown], small_model: VAEGMM, digits: Dataset
) -> None:
    em = show(small_model, digits.train.labels.astype(np.uint8))
    page = em.page
    em.begin("one on each digit")
    em.end()
    good = float(em.text(".state").split("iterations, ")[1].split()[0].replace("−", "-"))
    em.begin("one far away")
    state = em.text(".state")
    far = float(state.split("iterations, ")[1].split()[0].replace("−", "-"))
    assert ("It ends badly" in state) == (good - far > 1e-3), state
    em.begin("one on each digit")
    # Drag a mean: the points answer while it is carried, and the fit begins there.
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    x, y = em.fit["means"][0]
    page.mouse.move(stage["x"] + x, stage["y"] + y)
    page.mouse.down()
    page.mouse.move(stage["x"] + x + 60, stage["y"] + y + 40, steps=4)
    deadline = time.monotonic() + 10
    while em.fit["settings"]["start"] != "moved" and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert em.fit["half"] == 1
    page.mouse.up()
    em.settle()
    assert em.fit["component"] == 0 and em.fit["half"] == 1
    np.testing.assert_allclose(em.fit["means"][0], [x + 60, y + 40], atol=1.5)
    # What is handed to Python is where this fit began.
    page.get_by_role("button", name="Fit this to all 1,199").click()
    (start,) = em.modules.run("() => sent")
    z = small_model.latents.astype(np.float64)
    k, d = len(start["weights"]), z.shape[1]
    means = np.reshape(start["means"], (k, d))
    from vaegmm.app.start import Start  # what a page sends, checked

    mixture = small_model.refit(k, **Start.of(start, d).options(), max_iter=3, tol=0.0).mixture
    np.testing.assert_allclose(mixture.means_init, means)
    em.press("mememe")
    shown = em.modules.run("() => em.shown[0].parameters.means")
    # The blob's z are rounded to 1/65535 of their range.
    np.testing.assert_allclose(shown, mixture.means_.ravel(), atol=2e-3)
    # By hand from nothing: each click is one more.
    em.begin("by hand")
    for place in ((0.3, 0.3), (0.7, 0.4), (0.5, 0.8)):
        page.mouse.click(
            stage["x"] + place[0] * stage["width"], stage["y"] + place[1] * stage["height"]
        )
    assert em.fit["settings"]["nComponents"] == 3
    page.get_by_role("button", name="Take the last back").click()
    assert len(em.fit["means"]) == 2
    em.press("em")
    assert em.fit["half"] == 2


def test_what_is_allowed_is_said_before_it_is_tried(
    show: Callable[..., Shown], small_model: VAEGMM
) -> None:
    em = show(small_model)
    page = em.page
    clusters = page.get_by_label("Clusters", exact=True)
    expect(page.get_by_text("clusters (1 to 300)")).to_be_visible()
    clusters.fill("400")
    clusters.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("a whole number from 1 to 300")
    assert len(em.fit["means"]) == 10, "what is shown is still the fit before, and called so"
    clusters.fill("4")
    clusters.press("Enter")
    em.settle()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert len(em.fit["means"]) == 4
    page.get_by_label("Covariances").select_option("spherical")
    em.settle()
    assert em.fit["settings"]["covarianceType"] == "spherical"
    page.get_by_label("reg_covar").fill("-1")
    expect(page.get_by_role("alert")).to_contain_text("reg_covar")
    page.get_by_label("reg_covar").fill("0.01")
    page.get_by_label("reg_covar").press("Enter")
    em.settle()
    assert em.fit["settings"]["regCovar"] == 0.01
    # Where no fit is possible, it is said why.
    page.get_by_label("reg_covar").fill("0")
    clusters.fill("300")
    clusters.press("Enter")
    em.settle()
    expect(page.locator(".state")).to_contain_text("Raise reg_covar, or choose fewer")
    em.press("em")
    clusters.fill("10")
    clusters.press("Enter")
    # A fit that is under way can be stopped, and is kept as far as it has come.
    page.evaluate(
        "() => { const button = [...document.querySelectorAll('.starts button')]"
        ".find(({ textContent }) => textContent === 'random shares'); button.click();"
        "document.querySelector('.progress button').click(); }"
    )
    expect(page.locator(".state")).to_contain_text("not converged")


def test_the_fit_that_is_played_is_the_one_that_is_used(
    show: Callable[..., Shown], small_model: VAEGMM, refitted: tuple[VAEGMM, bytes]
) -> None:
    model, blob = refitted
    em = show(small_model)
    em.modules.run("({ fit }) => em.setFit(fit, 'these six')", fit=blob)
    assert em.fit["settings"]["start"] == "fitted"
    assert "Fitted to all 1,199 images" in em.text(".state")
    assert em.text(".scrub output") == f"start of {model.mixture.n_iter_} iterations"
    em.end()
    parameters = em.modules.run("() => em.shown[0].parameters")
    covariances = np.broadcast_to(model.mixture.covariances_, (6, 8, 8))
    np.testing.assert_allclose(parameters["means"], model.mixture.means_.ravel(), atol=1e-6)
    np.testing.assert_allclose(parameters["covariances"], covariances.ravel(), atol=1e-6)
    # Whoever has begun something keeps it when another fit arrives.
    em.begin("k-means")
    em.press("e")
    em.modules.run("({ fit }) => em.setFit(fit, 'these six')", fit=blob)
    assert em.fit["settings"]["start"] == "kmeans"


def test_two_fits_stand_beside_each_other_under_one_scrubber(
    show: Callable[..., Shown],
    small_model: VAEGMM,
    refitted: tuple[VAEGMM, bytes],
    digits: Dataset,
) -> None:
    model, blob = refitted
    em = show(small_model, digits.train.labels.astype(np.uint8))
    page = em.page
    em.modules.run("({ fit }) => em.setFit(fit, 'these six')", fit=blob)
    page.get_by_role("button", name="Compare").click()
    em.settle()
    em.begin("one on each digit", nth=1)
    em.press("ememe")
    assert [shown["half"] for shown in em.modules.run("() => em.shown")] == [5, 5]
    em.end()
    table = page.locator(".comparison table")
    expect(table).to_contain_text("On all 1,199 stored images", timeout=30_000)
    expect(page.locator(".comparison")).to_have_attribute("aria-busy", "false", timeout=30_000)
    rows = {row.split("\t")[0]: row.split("\t")[1:] for row in table.inner_text().splitlines()[1:]}
    z = small_model.latents.astype(np.float64)
    measured = [float(value.replace("−", "-")) for value in rows["log-likelihood"]]
    assert measured[0] == pytest.approx(model.mixture.score(z), abs=2e-3)
    assert measured[2] == pytest.approx(measured[1] - measured[0], abs=1e-3)
    bic = float(rows["BIC, less is better"][0].replace(",", ""))
    assert bic == pytest.approx(model.mixture.bic(z), rel=1e-3)
    # A cluster is called what most of its points are called.
    called = small_model.label_probabilities(small_model.latents).argmax(1)
    clusters = model.mixture.predict(z)
    names = np.array([np.bincount(called[clusters == k]).argmax() for k in range(6)])
    right = (names[clusters] == digits.train.labels).mean()
    assert float(rows["read rightly"][0].rstrip(" %")) == pytest.approx(100 * right, abs=0.2)
    moved = page.locator("button.moved").first
    moved.click()
    expect(moved.locator("canvas").first).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".board")).to_have_count(1)


def test_a_model_without_names_is_clustered_too(
    show: Callable[..., Shown], nameless_model: VAEGMM
) -> None:
    em = show(nameless_model)
    em.begin("two on one group")
    em.press("em")
    assert em.fit["half"] == 2 and "cluster" in em.text(".formulas")
    em.page.get_by_role("button", name="Compare").click()
    em.settle()
    expect(em.page.locator(".comparison table")).to_contain_text("BIC", timeout=30_000)


def test_the_page_plays_its_own_fit_and_fits_what_was_begun_in_it(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("Mixture")
    state = page.locator(".em .state")
    expect(state).to_contain_text("this very fit", timeout=120_000)
    page.keyboard.press("e")
    expect(page.locator(".em output")).to_contain_text("after E")
    page.get_by_role("button", name="one on each digit").click()
    page.get_by_role("button", name="Fit this to all 55,000").click(timeout=60_000)
    expect(page.get_by_text("Shown on every page: 10 clusters")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("button", name="this page’s 10 clusters")).to_have_attribute(
        "aria-pressed", "true", timeout=60_000
    )

"""The overview: what is touched, and what answers in the same frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from modules import ADDRESS, Modules
from playwright.sync_api import Browser, Page, expect

from vaegmm import VAEGMM, MixtureConfig, TrainConfig
from vaegmm.app.words import say_verdict
from vaegmm.browser.blob import to_blob
from vaegmm.config import VAEConfig
from vaegmm.data import Dataset
from vaegmm.reading import read_strokes
from vaegmm.training import TrainState

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>overview</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/pieces/pieces.css">
<link rel="stylesheet" href="/overview/overview.css"><style>
:root { --st-text-color: rgb(0, 0, 0); } body { margin: 10px; }
@media (prefers-color-scheme: dark) { :root { --st-text-color: rgb(255, 255, 255); } }
</style><div id="place"></div>"""

OPEN = """async ({ blob, options }) => {
  const { Model } = await import("/model/model.js");
  const { createOverview } = await import("/overview/overview.js");
  window.model = Model.from(blob);
  window.told = { strokes: [], places: [] };
  window.overview = createOverview(document.getElementById("place"), {
    ...options, model,
    onStrokes: (strokes) => told.strokes.push(strokes),
    onPlace: (z) => told.places.push([...z]),
  });
}"""
# How much ink a picture has in each pixel, (784,), from 0 to 1.
INK = "c => c.getContext('2d').getImageData(0, 0, 28, 28).data.filter((_, i) => i % 4 === 3)"
SEVEN = [[[0.25, 0.2], [0.5, 0.2], [0.75, 0.2], [0.65, 0.4], [0.55, 0.6], [0.45, 0.85]]]


def open_overview(page: Page, model: VAEGMM, **options: Any) -> Modules:
    modules = Modules(page)
    modules.serve("/overview.html", PAGE.encode(), "text/html")
    page.goto(f"{ADDRESS}/overview.html")
    modules.run(OPEN, blob=to_blob(model, "float32"), options=options)
    return modules


@pytest.fixture
def still(chromium: Browser) -> Iterator[Page]:
    """A page of somebody who asks for less motion; what it complains of fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(
        reduced_motion="reduce", viewport={"width": 1280, "height": 1000}
    )
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


def z_of(page: Page) -> np.ndarray:
    return np.array(page.evaluate("[...overview.z]"))


def ink(page: Page, selector: str) -> np.ndarray:
    values = page.locator(selector).evaluate(f"c => [...({INK})(c)]")
    return np.array(values) / 255


def output(page: Page) -> np.ndarray:
    return ink(page, ".output .picture")


def bars(page: Page) -> dict[str, str]:
    rows = page.locator(".bars li")
    return dict(
        zip(
            rows.locator(".name").all_text_contents(),
            rows.locator(".value").all_text_contents(),
            strict=True,
        )
    )


def draw(page: Page, strokes: Any, is_done: bool = True) -> None:
    box = page.locator(".pad .drawing").bounding_box()
    assert box is not None
    for stroke in strokes:
        points = [(box["x"] + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        if is_done:
            page.mouse.up()


def test_it_begins_with_a_digit_that_the_model_decodes(still: Page, small_model: VAEGMM) -> None:
    open_overview(still, small_model)
    expect(
        still.get_by_role("heading", name="Eight numbers are enough for a digit.")
    ).to_be_visible()
    names = {small_model.label_names[label] for label in small_model.names.names if label >= 0}
    examples = still.get_by_role("group", name="Examples").get_by_role("button")
    assert set(examples.all_text_contents()) == names
    first = small_model.label_names.index(examples.first.text_content())
    named = np.flatnonzero(small_model.names.names == first)
    largest = named[small_model.mixture.weights_[named].argmax()]
    mean = small_model.mixture.means_[largest].astype(np.float32)
    shown = ink(still, ".sees")
    np.testing.assert_allclose(shown, small_model.decode(mean[None])[0].ravel(), atol=0.005)
    np.testing.assert_allclose(
        z_of(still),
        small_model.encode(np.round(255 * small_model.decode(mean[None])).astype(np.uint8))[0],
        atol=2e-3,
    )
    np.testing.assert_allclose(
        output(still),
        small_model.decode(z_of(still)[None].astype(np.float32))[0].ravel(),
        atol=0.005,
    )


def test_a_latent_is_dragged_and_the_output_follows_at_once(
    still: Page, small_model: VAEGMM
) -> None:
    open_overview(still, small_model)
    before = z_of(still)
    expect(still.get_by_role("button", name="back")).to_be_hidden()
    # Read in the same task: no frame, and no request, lies between hand and answer.
    shown = still.get_by_role("slider", name="z3").evaluate(
        "input => { input.value = input.max; input.dispatchEvent(new Event('input'));"
        f" return [...({INK})(document.querySelector('.output .picture'))]; }}"
    )
    z = z_of(still)
    assert z[2] > before[2] + 0.5
    np.testing.assert_array_equal(np.delete(z, 2), np.delete(before, 2))
    decoded = small_model.decode(z[None].astype(np.float32))[0].ravel()
    np.testing.assert_allclose(np.array(shown) / 255, decoded, atol=0.005)
    p = small_model.label_probabilities(z[None].astype(np.float32))[0]
    said = bars(still)
    for name, value in zip(small_model.label_names, p, strict=True):
        assert float(said[name].removesuffix(" %")) == pytest.approx(100 * value, abs=0.11)
    name = small_model.label_names[p.argmax()]
    assert still.locator(".verdict strong").text_content() in (name, f"{name}?")
    shares = small_model.mixture.predict_proba(z[None])[0]
    card = still.locator(".clusters button").first
    expect(card).to_contain_text(f"cluster {shares.argmax()}")
    assert float(card.locator(".value").text_content()[:-2]) == pytest.approx(
        100 * shares.max(), abs=0.11
    )
    still.get_by_role("button", name="back").click()
    np.testing.assert_allclose(z_of(still), before)


def test_a_latent_moves_by_keys(still: Page, small_model: VAEGMM) -> None:
    open_overview(still, small_model)
    slider = still.get_by_role("slider", name="z1")
    slider.focus()
    before = z_of(still)
    for _ in range(20):
        still.keyboard.press("ArrowLeft")
    assert z_of(still)[0] < before[0]
    assert float(slider.get_attribute("aria-valuetext")) == pytest.approx(z_of(still)[0], abs=0.006)


def test_a_drawing_is_read_while_the_pen_moves(still: Page, small_model: VAEGMM) -> None:
    open_overview(still, small_model)
    before = z_of(still)
    draw(still, SEVEN, is_done=False)
    still.wait_for_function(
        "before => overview.z.some((v, i) => v !== before[i])", arg=list(before)
    )
    assert still.evaluate("told.strokes") == []
    still.mouse.up()
    [strokes] = still.evaluate("told.strokes")
    reading = read_strokes(small_model, strokes)
    np.testing.assert_allclose(z_of(still), reading.z, atol=1e-3)
    title, _, _ = say_verdict(reading, small_model.label_names)
    assert still.locator(".verdict strong").text_content() == title
    seen = ink(still, ".sees")
    np.testing.assert_allclose(seen, reading.image.ravel() / 255, atol=1.5 / 255)
    still.get_by_role("button", name="Clear").click()
    np.testing.assert_allclose(z_of(still), before)  # the first example again


def test_examples_take_turns_and_clear_the_pad(still: Page, small_model: VAEGMM) -> None:
    open_overview(still, small_model)
    draw(still, SEVEN)
    often = np.bincount(small_model.names.names[small_model.names.names >= 0]).argmax()
    button = still.get_by_role("group", name="Examples").get_by_role(
        "button", name=small_model.label_names[often], exact=True
    )
    button.click()
    expect(still.get_by_role("button", name="Clear")).to_be_disabled()
    one = z_of(still)
    button.click()
    assert np.abs(z_of(still) - one).max() > 0.01  # the label has two clusters
    np.testing.assert_allclose(still.evaluate("told.places.at(-1)"), z_of(still))
    assert still.evaluate("told.strokes.at(-1)") == []


def test_a_digit_glides_through_the_model(modules: Modules, small_model: VAEGMM) -> None:
    page = modules.page
    open_overview(page, small_model)
    last = page.get_by_role("group", name="Examples").get_by_role("button").last
    page.evaluate(
        "window.seen = []; (function look() { seen.push(overview.z[0]);"
        " requestAnimationFrame(look); })()"
    )
    last.click()
    page.wait_for_function("told.places.length === 1")
    way = np.array(page.evaluate("seen"))
    way = way[np.concatenate([[True], np.diff(way) != 0])]
    assert len(way) > 2  # places between the first and the last
    steps = np.diff(way)
    assert (steps > 0).all() or (steps < 0).all()
    # A hand stops what glides.
    page.get_by_role("group", name="Examples").get_by_role("button").first.click()
    page.get_by_role("slider", name="z2").focus()
    page.keyboard.press("ArrowRight")
    held = z_of(page)
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 600))")
    np.testing.assert_array_equal(z_of(page), held)


def test_map_and_clusters_lead_to_places(still: Page, small_model: VAEGMM) -> None:
    open_overview(still, small_model)
    card = still.locator(".clusters button").first
    component = int(card.text_content().split("cluster ")[1].split(")")[0])
    card.click()
    np.testing.assert_allclose(z_of(still), small_model.mixture.means_[component], atol=1e-5)
    expect(still.get_by_role("button", name="back")).to_be_visible()
    plane = still.get_by_role("application", name="Map of the latent space")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box is not None
    still.mouse.click(box["x"] + 3, box["y"] + 3)  # empty space
    before = small_model.mixture.means_[component]
    axes = np.array(still.evaluate("[...model.discriminantAxes]")).reshape(3, -1)
    moved = z_of(still) - before
    assert np.abs(moved).max() > 0.1
    np.testing.assert_allclose(
        moved - axes[:2].T @ (axes[:2] @ moved), 0, atol=1e-4
    )  # in the plane
    plane.focus()
    still.keyboard.press("Enter")  # the point in the middle
    stored = np.array(still.evaluate("[...model.latents.z]")).reshape(-1, 8)
    assert np.abs(stored - z_of(still)).max(1).min() < 1e-6


def test_a_place_to_begin_with(still: Page, small_model: VAEGMM) -> None:
    z = [0.5] * 8
    open_overview(still, small_model, z=z)
    np.testing.assert_allclose(z_of(still), z)
    open_overview(still, small_model, z=[0.5, 1])  # another model's
    assert np.isfinite(z_of(still)).all()
    open_overview(still, small_model, strokes=SEVEN)
    np.testing.assert_allclose(z_of(still), read_strokes(small_model, SEVEN).z, atol=1e-3)
    still.evaluate("overview.destroy()")
    assert still.locator("#place > *").count() == 0


def test_a_change_of_theme_changes_the_ink(still: Page, small_model: VAEGMM) -> None:
    open_overview(still, small_model)
    assert (
        still.locator(".output .picture").evaluate(
            "c => Math.max(...c.getContext('2d').getImageData(0, 0, 28, 28).data"
            ".filter((_, i) => i % 4 < 3))"
        )
        == 0
    )
    still.emulate_media(color_scheme="dark")
    still.wait_for_function(
        "Math.max(...document.querySelector('.output .picture').getContext('2d')"
        ".getImageData(0, 0, 28, 28).data.filter((_, i) => i % 4 < 3)) === 255"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_what_answers_stands_beside_what_is_touched(
    still: Page, small_model: VAEGMM, width: int
) -> None:
    still.set_viewport_size({"width": width, "height": 900})
    open_overview(still, small_model)
    assert still.evaluate("document.documentElement.scrollWidth") <= width

    def box(selector: str) -> dict[str, float]:
        found = still.locator(selector).bounding_box()
        assert found is not None
        return found

    rows, made = box(".rows"), box(".output .picture")
    assert made["x"] >= rows["x"] + rows["width"]  # beside the sliders
    assert made["y"] < rows["y"] + rows["height"]
    verdict, pad = box(".verdict"), box(".pad .drawing")
    assert abs(verdict["y"] - pad["y"]) < 600 if width > 760 else verdict["y"] < pad["y"]
    for part in ("encoder", "decoder"):
        canvas = box(f".{part} canvas")
        assert canvas["width"] > 60 and canvas["height"] > 60


def untrained(
    digits: Dataset, config: TrainConfig, label_names: tuple[str, ...] | None = ()
) -> VAEGMM:
    validation = (digits.test.images[:200], digits.test.labels[:200])
    return VAEGMM(config, "cpu").finish(
        TrainState.start(config, "cpu"),
        digits.train.images[:200],
        None if label_names is None else validation,
        label_names or (),
    )


@pytest.mark.filterwarnings("ignore:EM did not converge")
@pytest.mark.parametrize(
    ("latents", "components", "has_names"),
    [(1, 3, True), (2, 1, False), (3, 1, True), (20, 4, False)],
)
def test_models_of_every_shape(
    still: Page, digits: Dataset, latents: int, components: int, has_names: bool
) -> None:
    config = TrainConfig(
        vae=VAEConfig(latent_dim=latents, hidden_units=(20,)),
        mixture=MixtureConfig(n_components=components, covariance_type="diag"),
    )
    model = untrained(digits, config, () if has_names else None)
    open_overview(still, model)
    assert still.get_by_role("slider").count() == latents
    slider = still.get_by_role("slider", name="z1", exact=True)
    slider.focus()
    still.keyboard.press("End")
    decoded = model.decode(z_of(still)[None].astype(np.float32))[0].ravel()
    np.testing.assert_allclose(output(still), decoded, atol=0.005)
    draw(still, SEVEN)
    np.testing.assert_allclose(z_of(still), model.encode(still_image(still))[0], atol=2e-3)
    assert still.locator(".bars").count() == (1 if has_names else 0)
    plane = still.get_by_role("application", name="Map of the latent space")
    plane.focus()
    still.keyboard.press("Enter")
    assert np.isfinite(z_of(still)).all()


def still_image(page: Page) -> np.ndarray:
    seen = 255 * ink(page, ".sees")
    return seen.round().astype(np.uint8).reshape(1, 28, 28)


def test_names_are_text(still: Page, digits: Dataset) -> None:
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    hostile = tuple(f"</script><img src=x onerror='window.taken=1'>{i}" for i in range(10))
    asked: list[str] = []
    still.on("request", lambda request: asked.append(request.url))
    open_overview(still, untrained(digits, config, hostile))
    expect(still.locator(".verdict strong")).to_contain_text("</script><img src=x")
    expect(
        still.get_by_role("heading", name="Eight numbers are enough for an image.")
    ).to_be_visible()
    assert still.locator("img").count() == 0
    assert still.evaluate("window.taken") is None
    assert not any(address.endswith("/x") for address in asked)
    assert still.evaluate("document.documentElement.scrollWidth") <= 1280


FLOW = """async ({ from, to, weight, sizes }) => {
  const { layersIn, strongest } = await import("/overview/flow.js");
  const layers = layersIn(sizes, { along: 300, across: 200 });
  return { links: strongest(from, to, weight), layers };
}"""


def test_connections_that_carry_most_are_drawn(modules: Modules) -> None:
    random = np.random.default_rng(0)
    active, reached = random.normal(size=40), random.normal(size=25)
    weight = random.normal(size=(40, 25)).astype(np.float32)
    result = modules.run(
        FLOW, **{"from": active, "to": reached, "weight": weight, "sizes": [784, 98, 8]}
    )
    carried = np.abs(active[:, None] * weight)
    ends = np.argsort(-np.abs(reached))[:10]
    expected = {(i, j) for j in ends for i in np.argsort(-carried[:, j])[:3]}
    assert {(link["from"], link["to"]) for link in result["links"]} == expected
    most = max(carried[i, j] for i, j in expected)
    for link in result["links"]:
        assert link["strength"] == pytest.approx(carried[link["from"], link["to"]] / most, rel=1e-5)
    lengths = [layer["length"] for layer in result["layers"]]
    assert lengths == pytest.approx([200, 25, 4])  # as wide as they are, but to be seen
    for layer in result["layers"]:
        assert layer["start"] + layer["length"] / 2 == pytest.approx(100)

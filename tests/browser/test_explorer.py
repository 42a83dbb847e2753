"""The explorer of the latent space: what it computes against numpy, and what a person does."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from modules import ADDRESS, Modules
from PIL import Image
from playwright.sync_api import Browser, Download, Page

from vaegmm import VAEGMM, MixtureConfig, TrainConfig, colours
from vaegmm.app import words
from vaegmm.browser.blob import to_blob
from vaegmm.browser.bundle import bundle
from vaegmm.config import VAEConfig
from vaegmm.data import Dataset
from vaegmm.training import TrainState

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>explorer</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/explorer/explorer.css">
<style>
  body { margin: 8px; background: #fff; }
  :root { --st-text-color: rgb(0, 0, 0); }
  @media (prefers-color-scheme: dark) { :root { --st-text-color: rgb(255, 255, 255); } }
</style><div id="explorer"></div>"""

OPEN = """async ({ blob, truth, hasImages, view }) => {
  const { createExplorer } = await import("/explorer/explorer.js");
  const { Model } = await import("/model/model.js");
  Object.assign(window, await import("/explorer/address.js"));
  window.model = Model.from(blob);
  window.told = [];
  window.explorer = createExplorer(document.getElementById("explorer"), {
    model, truth, view, renderer: "canvas",
    images: hasImages ? { url: (sheet) => `/images/${sheet}.png` } : null,
    onView: (view) => told.push(view),
  });
  window.painted = () => new Promise((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(resolve)));
  window.settled = () => new Promise((resolve) => setTimeout(resolve, 500)); // glides are over
  await explorer.ready;
  await settled();
}"""


class Explorer:
    """An explorer in a page of its own."""

    def __init__(
        self,
        modules: Modules,
        model: VAEGMM,
        images: np.ndarray | None = None,
        truth: np.ndarray | None = None,
        view: dict[str, Any] | None = None,
    ) -> None:
        self.modules, self.page, self.model = modules, modules.page, model
        self.page.set_default_timeout(10_000)
        modules.serve("/explorer.html", PAGE.encode(), "text/html")
        for sheet in range(0 if images is None else -(-len(images) // 1000)):
            modules.serve(f"/images/{sheet}.png", _sheet(images, sheet), "image/png")
        self.page.goto(f"{ADDRESS}/explorer.html")
        modules.run(
            OPEN,
            blob=to_blob(model, "float32"),
            truth=None if truth is None else truth.astype(np.uint8),
            hasImages=images is not None,
            view=view,
        )
        if images is not None:
            self.page.wait_for_load_state("networkidle")

    def run(self, code: str, **inputs: Any) -> Any:
        """Run JavaScript that may await and use `explorer` and the names of inputs."""
        names = ", ".join(inputs)
        return self.modules.run(f"async ({{ {names} }}) => {{ {code} }}", **inputs)

    @property
    def view(self) -> dict[str, Any]:
        return self.run("return explorer.view")

    def screen(self, index: int) -> tuple[float, float]:
        """Where the point of a stored z is on the page, along the first two principal axes."""
        place = self.model.pca.transform(self.model.latents[index : index + 1])[0]
        return self.at(*place)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where data coordinates are on the page."""
        box = self.page.locator(".mapped canvas.touched").bounding_box()
        assert box is not None
        left, top = self.run("return explorer.map.toScreen(place)", place=[float(x), float(y)])
        return box["x"] + left, box["y"] + top

    def apart(self) -> int:
        """A stored z whose point has no other one near it on the first two principal axes."""
        places = self.model.pca.transform(self.model.latents)
        inner = np.abs(places - places.mean(0)).max(1) < 1.5 * places.std()
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(gaps, np.inf)
        return int(np.where(inner, gaps.min(1), 0).argmax())

    def empty(self) -> np.ndarray:
        """A place on the first two principal axes far from all points, below the tools."""
        x, y = np.meshgrid(np.linspace(-0.9, 0.9, 41), np.linspace(-0.9, 0.5, 41))
        places = self.model.pca.transform(self.model.latents)
        grid = places.mean(0) + np.c_[x.ravel(), y.ravel()] * np.abs(places).max(0)
        gaps = np.linalg.norm(grid[:, None] - places[None], axis=2).min(1)
        return grid[gaps.argmax()]

    def picture(self, locator: str) -> np.ndarray:
        """The ink of a picture, (28, 28) in 0..255."""
        rgba = self.run(
            """const canvas = document.querySelector(locator);
            return canvas.getContext("2d").getImageData(0, 0, 28, 28).data""",
            locator=locator,
        )
        return rgba.reshape(28, 28, 4)[..., 3].astype(int)

    def card(self) -> str:
        return self.page.locator(".card").inner_text()


def _sheet(images: np.ndarray, sheet: int) -> bytes:
    """Write images as a server does: 40 columns, 25 rows."""
    grid = np.zeros((1000, 28, 28), np.uint8)
    part = images[1000 * sheet : 1000 * (sheet + 1)]
    grid[: len(part)] = part
    buffer = io.BytesIO()
    picture = grid.reshape(25, 40, 28, 28).transpose(0, 2, 1, 3).reshape(700, 1120)
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def small_blob(small_model: VAEGMM) -> bytes:
    return to_blob(small_model, "float32")


@pytest.fixture
def shown(modules: Modules, small_model: VAEGMM, digits: Dataset) -> Explorer:
    """With images and true labels."""
    return Explorer(modules, small_model, digits.train.images, digits.train.labels)


@pytest.fixture
def decoded(modules: Modules, small_model: VAEGMM) -> Explorer:
    """Without images and labels, as in an exported page."""
    return Explorer(modules, small_model)


def pixels_of(model: VAEGMM, z: np.ndarray) -> np.ndarray:
    return 255 * model.decode(z[None]).reshape(28, 28)


# What is computed


def test_colours_are_those_of_python(modules: Modules) -> None:
    result = modules.run(
        """async () => {
          const { PALETTE, UNNAMED_COLOUR, colourOf, asCss } = await import("/pieces/colours.js");
          return { palette: PALETTE, unnamed: UNNAMED_COLOUR, last: asCss(colourOf(19)) };
        }"""
    )
    assert tuple(result["palette"]) == colours.PALETTE
    assert result["unnamed"] == colours.UNNAMED_COLOUR
    red, green, blue = (int(colours.colour_of(19)[i : i + 2], 16) for i in (1, 3, 5))
    assert result["last"] == f"rgb({red}, {green}, {blue})"


def test_components_have_shades_of_their_label(modules: Modules) -> None:
    import colorsys

    names = [3, 4, 3, -1, 3, 7]
    shades = modules.run(
        "async ({ names }) => (await import('/pieces/colours.js')).componentColours(names)",
        names=names,
    )
    for label in (3, 4):
        red, green, blue = (int(colours.colour_of(label)[i : i + 2], 16) / 255 for i in (1, 3, 5))
        hue = colorsys.rgb_to_hls(red, green, blue)[0]
        members = [shades[k] for k in range(6) if names[k] == label]
        values = [colorsys.rgb_to_hls(*(part / 255 for part in shade)) for shade in members]
        assert all(abs(value[0] - hue) < 0.02 for value in values)
        lightness = [value[1] for value in values]
        assert lightness == sorted(lightness, reverse=True) and len(set(lightness)) == len(members)
    unnamed = modules.run(
        "async () => (await import('/pieces/colours.js')).componentColours([-1, -1, -1])"
    )
    assert len({tuple(colour) for colour in unnamed}) == 3


def test_shares_are_said_as_in_python(modules: Modules) -> None:
    values = [0, 0.98, 0.7815, 0.0005, 0.00049, 0.99949, 0.9995, 1, 1 / 3, 0.12345, 0.5 + 1e-12]
    said = modules.run(
        """async ({ values }) => {
          const { share } = await import("/pieces/words.js");
          return values.map((value) => [share(value), share(value, 0)]);
        }""",
        values=values,
    )
    assert said == [[words.share(value), words.share(value, 0)] for value in values]


def test_npz_is_read_by_numpy(modules: Modules) -> None:
    random = np.random.default_rng(0)
    arrays = {
        "z": random.normal(size=(7, 3)).astype(np.float32),
        "rows": np.arange(7, dtype=np.uint32),
        "labels": np.full(7, -1, np.int32),
        "images": random.integers(0, 255, (7, 28, 28)).astype(np.uint8),
        "nothing": np.zeros(0, np.float64),
    }
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    content = modules.run(
        """async ({ shapes, ...arrays }) => {
          const { toNpz } = await import("/model/npz.js");
          const named = Object.entries(arrays).map(([name, data]) =>
            [name, { data, shape: shapes[name] }]);
          return toNpz(Object.fromEntries(named));
        }""",
        shapes=shapes,
        **arrays,
    )
    loaded = np.load(io.BytesIO(content.tobytes()), allow_pickle=False)
    assert set(loaded.files) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


VIEW = {
    "axes": "mixture",
    "along": [2, 0],
    "colour": "typicality",
    "filter": {"by": "cluster", "hidden": [1, 5, 11]},
    "search": {"kind": "cluster", "value": 3},
    "pin": 17,
    "a": 4,
    "b": [0.125, -2.5, 0, 1, 1, -1, 0.003, 7],
    "outlines": True,
    "sheet": True,
    "zoom": {"x": -0.125, "y": 2.5, "zoom": 4},
}


def test_a_view_is_the_same_after_its_way_through_an_address(modules: Modules) -> None:
    solid = {"x": 0.1, "y": 0.2, "z": -3, "turn": 0.5, "tilt": 1.1, "zoom": 2}
    views = [VIEW, {**VIEW, "along": [0, 1, 2], "zoom": solid, "search": None, "pin": [0.5] * 8}]
    result = modules.run(
        """async ({ views }) => {
          const { toAddress, fromAddress, FIRST_VIEW } = await import("/explorer/address.js");
          const addresses = views.map(toAddress);
          return {
            addresses, back: addresses.map(fromAddress), first: toAddress(FIRST_VIEW),
            escaped: addresses.map((text) => new URLSearchParams({ text }).toString().slice(5)),
          };
        }""",
        views=views,
    )
    assert result["back"] == views
    assert result["first"] == ""
    assert result["escaped"] == result["addresses"]  # nothing in it has to be escaped
    assert max(map(len, result["addresses"])) < 250


NONSENSE = [
    *("pin*-1", "pin*99999999", "pin*z*1*2", "pin*z*NaN*1*1*1*1*1*1*1", "pin", "pin*"),
    *("axes*nonsense", "along*9*9", "along*0", "colour*<script>", "hide*nothing*1", "find*a*b"),
    *("zoom*0*1*1", "zoom*1", "zoom*a*b*c", "find*label*77", "find*misread*0", "%%%", "a*b*c"),
    *("__proto__*1", "constructor*1", "x" * 100_000, "colour*truth"),
]


def test_nonsense_in_an_address_is_left_out(modules: Modules, small_blob: bytes) -> None:
    result = modules.run(
        """async ({ blob, addresses }) => {
          const { fromAddress, sensible, FIRST_VIEW } = await import("/explorer/address.js");
          const { limitsOf } = await import("/explorer/space.js");
          const { colourings } = await import("/explorer/colouring.js");
          const { Model } = await import("/model/model.js");
          const model = Model.from(blob);
          const limits = limitsOf({ model, truth: null, titles: colourings(model, null) });
          const views = addresses.map((address) => sensible(fromAddress(address), limits));
          return { views, first: FIRST_VIEW };
        }""",
        blob=small_blob,
        addresses=NONSENSE,
    )
    for address, view in zip(NONSENSE, result["views"], strict=True):
        assert view == result["first"], address[:80]


def test_ways_keep_to_where_the_mixture_has_density(
    modules: Modules, small_model: VAEGMM, small_blob: bytes
) -> None:
    pairs = np.random.default_rng(1).integers(0, len(small_model.latents), (12, 2))
    ends = small_model.latents[pairs].astype(np.float32)  # (12, 2, D)
    result = modules.run(
        """async ({ blob, ends, n }) => {
          const { straightWay, denseWay } = await import("/model/walk.js");
          const { Model } = await import("/model/model.js");
          const model = Model.from(blob);
          const d = model.dimension;
          return Array.from({ length: n }, (_, i) => {
            const [from, to] = [0, 1].map((end) =>
              ends.slice((2 * i + end) * d, (2 * i + end + 1) * d));
            return [straightWay(model, from, to, 33).z, denseWay(model, from, to, 33).z];
          });
        }""",
        blob=small_blob,
        ends=ends,
        n=len(pairs),
    )
    gains = []
    for (start, end), (straight, dense) in zip(ends, result, strict=True):
        straight, dense = straight.reshape(33, -1), dense.reshape(33, -1)
        np.testing.assert_allclose(straight, np.linspace(start, end, 33), atol=1e-5)
        np.testing.assert_allclose(dense[[0, -1]], [start, end], atol=1e-6)
        steps = np.linalg.norm(np.diff(dense, axis=0), axis=1)
        assert steps.max() < 1.6 * steps.mean()
        ours, theirs = (small_model.mixture.score_samples(way) for way in (dense, straight))
        assert ours.min() >= theirs.min() - 1e-4
        gains.append(ours.mean() - theirs.mean())
    assert min(gains) >= -1e-4 and np.median(gains) > 0.5


@pytest.mark.parametrize("axes", ["pca", "mixture"])
def test_a_place_on_the_map_goes_to_the_latent_space_and_back(
    modules: Modules, small_model: VAEGMM, small_blob: bytes, axes: str
) -> None:
    through = small_model.latents[5].astype(np.float32)
    result = modules.run(
        """async ({ blob, through, axes }) => {
          const { Projection } = await import("/explorer/axes.js");
          const { Model } = await import("/model/model.js");
          const projection = new Projection(Model.from(blob), axes, [2, 0]);
          const z = projection.unproject([0.7, -1.2], through);
          return {
            z, back: projection.project(z), rows: projection.rows,
            itself: projection.unproject(projection.project(through), through),
            ellipse: projection.ellipse(3),
          };
        }""",
        blob=small_blob,
        through=through,
        axes=axes,
    )
    np.testing.assert_allclose(result["back"], [0.7, -1.2], atol=1e-5)
    np.testing.assert_allclose(result["itself"], through, atol=1e-5)
    rows = result["rows"].reshape(2, -1)
    moved = result["z"] - through
    np.testing.assert_allclose(moved, rows.T @ (rows @ moved), atol=1e-5)  # within the plane
    sigma = rows @ small_model.mixture.covariances_[3] @ rows.T
    ellipse = result["ellipse"]
    np.testing.assert_allclose(
        [ellipse["xx"], ellipse["xy"], ellipse["yy"]], sigma[[0, 0, 1], [0, 1, 1]], rtol=1e-4
    )
    place = rows @ (small_model.mixture.means_[3] - small_model.pca.mean)
    np.testing.assert_allclose([ellipse["x"], ellipse["y"]], place, atol=1e-4)


FIND = """async ({ blob, truth, queries }) => {
  const { found, suggestions } = await import("/explorer/search.js");
  const { Scores } = await import("/model/scores.js");
  const { Model } = await import("/model/model.js");
  const model = Model.from(blob);
  const scores = new Scores(model);
  await scores.compute();
  return {
    found: queries.map((query) => found(query, { model, scores, truth })),
    label: scores.label,
    suggested: ["", "7", "cluster 11", "c3", "image 12", "#1198", "#1199", "least", "mis", "zz"]
      .map((text) => suggestions(text, model, true).map(({ query }) => query)),
  };
}"""


def test_searches_find_what_they_say(
    modules: Modules, small_model: VAEGMM, small_blob: bytes, digits: Dataset
) -> None:
    queries = [
        {"kind": kind, "value": value}
        for kind, value in (
            *(("label", 7), ("cluster", 3), ("strange", 0), ("uncertain", 0), ("misread", 0)),
            *(("row", 1198), ("row", 1199)),
        )
    ]
    truth = digits.train.labels.astype(np.uint8)
    result = modules.run(FIND, blob=small_blob, truth=truth, queries=queries)
    label, cluster, strange, uncertain, misread, row, beyond = result["found"]
    shares = small_model.mixture.predict_proba(small_model.latents)
    probabilities = small_model.label_probabilities(small_model.latents)
    labels = probabilities.argmax(1)
    density = small_model.mixture.score_samples(small_model.latents)
    assert (result["label"] == labels).mean() > 0.999
    assert set(label) == set(np.flatnonzero(result["label"] == 7))
    assert (np.diff(density[label]) <= 0.02).all()
    assert set(cluster) == set(np.flatnonzero(shares.argmax(1) == 3))
    assert (np.diff(density[strange]) >= -0.02).all() and len(strange) == len(labels)
    entropy = -(probabilities * np.log(np.maximum(probabilities, 1e-30))).sum(1)
    assert (np.diff(entropy[uncertain]) <= 0.02).all()
    assert set(misread) == set(np.flatnonzero(result["label"] != truth))
    assert list(row) == [1198] and list(beyond) == []
    everything, seven, eleven, third, image, last, none, least, mis, nonsense = result["suggested"]
    assert len(everything) == 13
    assert [query["kind"] for query in seven] == ["label", "cluster", "row"]
    assert eleven == [{"kind": "cluster", "value": 11}] and third == queries[1:2]
    assert image == [{"kind": "row", "value": 12}] and last == queries[5:6] and none == []
    assert [query["kind"] for query in least] == ["strange", "uncertain"]
    assert mis == [{"kind": "misread", "value": 0}] and nonsense == []


# Pointing


def test_hovering_shows_the_points_image_and_asks_for_nothing(
    shown: Explorer, digits: Dataset
) -> None:
    requests: list[str] = []
    shown.page.on("request", lambda request: requests.append(request.url))
    index = shown.apart()
    shown.page.mouse.move(*shown.screen(index))
    shown.run("await painted()")
    np.testing.assert_array_equal(shown.picture(".card .picture"), digits.train.images[index])
    shares = shown.model.mixture.predict_proba(shown.model.latents[index : index + 1])[0]
    component = int(shares.argmax())
    name = shown.model.label_names[shown.model.names.names[component]]
    probability = shown.model.label_probabilities(shown.model.latents[index : index + 1])[0]
    top = probability.argmax()
    assert f"{name} (cluster {component})" in shown.card()
    assert f"{shown.model.label_names[top]}: {words.share(probability[top])}" in shown.card()
    assert "decoded" not in shown.card()
    assert requests == []


def test_without_images_a_point_is_decoded_and_it_says_so(decoded: Explorer) -> None:
    index = decoded.apart()
    decoded.page.mouse.move(*decoded.screen(index))
    decoded.run("await painted()")
    expected = pixels_of(decoded.model, decoded.model.latents[index])
    np.testing.assert_allclose(decoded.picture(".card .picture"), expected, atol=2)
    assert "decoded" in decoded.card()
    assert "all are decoded" in decoded.page.locator(".status").inner_text()


def test_empty_space_shows_what_would_be_there(decoded: Explorer) -> None:
    model, place = decoded.model, decoded.empty()
    decoded.page.mouse.move(*decoded.at(*place))
    decoded.run("await painted()")
    plane = model.pca.mean + place @ model.pca.components[:2]
    np.testing.assert_allclose(
        decoded.picture(".card .picture"), pixels_of(model, plane.astype(np.float32)), atol=3
    )
    assert "decoded, through the mean" in decoded.card()

    index = decoded.apart()
    decoded.run("explorer.pin(index)", index=index)
    decoded.page.mouse.move(*decoded.at(*(place + 0.01)))
    decoded.run("await painted()")
    rows, z = model.pca.components[:2], model.latents[index]
    there = z + (place + 0.01 - rows @ (z - model.pca.mean)) @ rows
    np.testing.assert_allclose(
        decoded.picture(".card .picture"), pixels_of(model, there.astype(np.float32)), atol=3
    )
    assert "through the pinned point" in decoded.card()


def test_a_click_pins_and_neighbours_lead_on(shown: Explorer, digits: Dataset) -> None:
    index = shown.apart()
    shown.page.mouse.click(*shown.screen(index))
    assert shown.view["pin"] == index
    panel = shown.page.locator(".inspector")
    assert f"image {index:,}" in panel.inner_text() and "nats" in panel.inner_text()
    images = panel.locator(".copies .picture")
    assert [images.nth(i).get_attribute("aria-label") for i in (0, 1)] == [
        *("the training image", "its reconstruction"),
    ]
    np.testing.assert_array_equal(shown.picture(".copies .picture"), digits.train.images[index])
    z = shown.model.latents
    distances = np.linalg.norm(z - z[index], axis=1)
    distances[index] = np.inf
    nearest = np.argsort(distances)[:8]
    tiles = panel.locator(".neighbours .tile")
    said = [tiles.nth(i).inner_text() for i in range(tiles.count())]
    assert said == [f"{distance:.2f}" for distance in distances[nearest]]
    tiles.nth(2).click()
    assert shown.view["pin"] == nearest[2]
    shown.page.keyboard.press("Escape")
    assert shown.view["pin"] is None and not panel.is_visible()
    shown.page.wait_for_function("told.length > 0 && told.at(-1).pin === null")


def test_a_click_on_empty_space_pins_the_place(decoded: Explorer) -> None:
    place = decoded.empty()
    decoded.page.mouse.click(*decoded.at(*place))
    pin = np.array(decoded.view["pin"])
    expected = decoded.model.pca.mean + place @ decoded.model.pca.components[:2]
    np.testing.assert_allclose(pin, expected, atol=0.02)
    assert "a place between images" in decoded.page.locator(".inspector").inner_text()


# Colours and the legend


@pytest.mark.parametrize("colour", ["label", "typicality", "right", "uncertainty", "likelihood"])
def test_swatches_are_exactly_the_points_colours(
    modules: Modules, small_model: VAEGMM, digits: Dataset, colour: str
) -> None:
    view = {"colour": colour}
    model = copy.copy(small_model)  # as it is, it is sure of nothing
    model.names = small_model.require_names().at_temperature(0.2)
    shown = Explorer(modules, model, None, digits.train.labels, view)
    swatches = shown.run(
        """return [...document.querySelectorAll(".legend i")].map((swatch) =>
          getComputedStyle(swatch).backgroundColor)"""
    )
    points = shown.run(
        """const { colouring, pointColours, colourings } = await import("/explorer/colouring.js");
        const { Scores } = await import("/model/scores.js");
        const { PALETTE } = await import("/pieces/colours.js");
        const scores = new Scores(model);
        await scores.compute();
        return pointColours(colouring(colour, { model, scores, truth, palette: PALETTE }))""",
        colour=colour,
        truth=digits.train.labels.astype(np.uint8),
    ).reshape(-1, 4)
    used = {"rgb({}, {}, {})".format(*point[:3]) for point in points}
    assert used <= set(swatches) and len(used) > 1
    assert len(swatches) == len(set(swatches))


def test_the_legend_hides_and_leaves_alone(shown: Explorer) -> None:
    page = shown.page
    page.get_by_label("Colour by").select_option("label")
    index = shown.apart()
    label = int(shown.model.label_probabilities(shown.model.latents[index : index + 1])[0].argmax())
    entry = page.locator(".legend").get_by_role("button", name=f"{label}: ", exact=False).first
    entry.click()
    assert shown.view["filter"] == {"by": "label", "hidden": [label]}
    assert entry.get_attribute("aria-pressed") == "false"
    shown.run("await settled()")
    page.mouse.move(*shown.screen(index))
    assert f"image {index:,}" not in shown.card()
    assert "through the mean" in shown.card()  # the point is not there: the place is empty
    page.get_by_label("Colour by").select_option("typicality")  # the filter stays
    assert shown.view["filter"] == {"by": "label", "hidden": [label]}
    page.get_by_role("button", name="show all").click()
    assert shown.view["filter"] is None
    page.get_by_label("Colour by").select_option("label")
    entry.dblclick()
    assert shown.view["filter"] == {"by": "label", "hidden": [c for c in range(10) if c != label]}
    entry.click(modifiers=["Shift"])
    assert shown.view["filter"] is None


def test_zoom_and_pin_survive_other_axes_and_colours(decoded: Explorer) -> None:
    index = decoded.apart()
    decoded.run("explorer.pin(index)", index=index)
    decoded.page.mouse.move(*decoded.screen(index))
    decoded.page.mouse.wheel(0, -500)
    decoded.run("await settled()")
    zoom = decoded.view["zoom"]["zoom"]
    before = np.array(decoded.screen(index))
    decoded.page.get_by_label("Colour by").select_option("likelihood")
    decoded.page.get_by_label("Axes", exact=True).select_option("mixture")
    decoded.run("await settled()")
    view = decoded.view
    assert (view["pin"], view["axes"], view["colour"]) == (index, "mixture", "likelihood")
    assert view["zoom"]["zoom"] == pytest.approx(zoom) and zoom > 1.5
    decoded.page.get_by_label("Axes", exact=True).select_option("pca")
    decoded.run("await settled()")
    np.testing.assert_allclose(decoded.screen(index), before, atol=1)
    decoded.page.get_by_role("button", name="3-D").click()
    decoded.run("await settled()")
    assert len(decoded.view["along"]) == 3 and decoded.view["pin"] == index
    assert set(decoded.view["zoom"]) == {"x", "y", "z", "zoom", "turn", "tilt"}


# Selections


def _select(shown: Explorer, shape: str) -> None:
    box = shown.page.locator(".mapped").bounding_box()
    assert box is not None
    x, y, width, height = box["x"], box["y"], box["width"], box["height"]
    shown.page.get_by_role("button", name=shape).click()
    shown.page.mouse.move(x + 0.3 * width, y + 0.3 * height)
    shown.page.mouse.down()
    for across, down in ((0.7, 0.3), (0.7, 0.8), (0.3, 0.8)):
        shown.page.mouse.move(x + across * width, y + down * height, steps=6)
    if shape == "Box":
        shown.page.mouse.move(x + 0.7 * width, y + 0.8 * height)
    shown.page.mouse.up()


def _saved(page: Page, name: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    download: Download = waiting.value
    return download.path().read_bytes()


@pytest.mark.parametrize("shape", ["Box", "Lasso"])
def test_a_selection_is_counted_shown_and_taken_along(
    shown: Explorer, digits: Dataset, shape: str
) -> None:
    _select(shown, shape)
    panel, model = shown.page.locator(".selection"), shown.model
    arrays = np.load(io.BytesIO(_saved(shown.page, "Download .npz")), allow_pickle=False)
    rows = arrays["rows"]
    assert 50 < len(rows) < len(model.latents)
    assert f"{len(rows):,} points" in panel.inner_text()
    np.testing.assert_allclose(arrays["z"], model.latents[rows], atol=1e-3)
    np.testing.assert_array_equal(arrays["components"], model.mixture.predict(model.latents[rows]))
    np.testing.assert_array_equal(arrays["images"], digits.train.images[rows])
    np.testing.assert_array_equal(arrays["true_labels"], digits.train.labels[rows])
    density = model.mixture.score_samples(model.latents[rows])
    np.testing.assert_allclose(arrays["log_likelihood"], density, atol=0.02)
    most = np.bincount(arrays["labels"]).argmax()
    first = panel.locator(".bar").first.inner_text().split()
    assert first[0] == str(most)
    assert " ".join(first[1:]) == words.share((arrays["labels"] == most).mean())

    table = list(csv.DictReader(io.StringIO(_saved(shown.page, "CSV").decode())))
    np.testing.assert_array_equal([int(line["row"]) for line in table], rows)
    np.testing.assert_allclose([float(line["z8"]) for line in table], arrays["z"][:, 7], atol=1e-6)

    tiles = panel.locator(".tile")
    n = tiles.count()
    assert n == min(60, len(rows))
    shown.page.get_by_role("button", name="more").click()
    named = {tiles.nth(i).get_attribute("aria-label") for i in range(tiles.count())}
    assert tiles.count() > n and len(named) == tiles.count()
    tiles.first.click()
    assert shown.view["pin"] in rows
    shown.page.keyboard.press("Escape")
    assert not panel.is_visible() and shown.view["pin"] is not None
    shown.page.keyboard.press("Escape")
    assert shown.view["pin"] is None


# Search and keys


def test_a_search_is_written_and_stepped_through(shown: Explorer, digits: Dataset) -> None:
    page = shown.page
    page.locator(".mapped canvas.touched").focus()
    page.keyboard.press("/")
    page.keyboard.type("misr")
    assert page.locator("[role=listbox] li").all_inner_texts() == ["misread"]
    page.keyboard.press("Enter")
    wrong = shown.model.label_probabilities(shown.model.latents).argmax(1) != digits.train.labels
    assert f"1 of {wrong.sum():,}" in page.locator(".results").inner_text()
    first = shown.view["pin"]
    assert wrong[first]
    page.keyboard.press("ArrowRight")
    second = shown.view["pin"]
    assert wrong[second] and second != first
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert f"{wrong.sum():,} of" in page.locator(".results").inner_text()
    assert "misread: the digit is" in page.locator(".inspector").inner_text()
    assert shown.view["search"] == {"kind": "misread", "value": 0}
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert shown.view["search"] is None and shown.view["pin"] is None


def test_keys_reach_everything(decoded: Explorer) -> None:
    page = decoded.page
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                """(() => { const { activeElement: it } = document;
                return it.getAttribute("aria-label") || it.textContent; })()"""
            )
        )
    for name in ("Colour by", "Axes", "Across", "Up", "3-D", "Search", "Lasso", "Clusters"):
        assert name in names
    assert all(names[: names.index("Lasso")])  # nothing is without a name
    assert any(name.startswith("Map of the latent space") for name in names)

    page.locator(".mapped canvas.touched").focus()
    page.keyboard.press("Enter")
    pin = decoded.view["pin"]
    assert isinstance(pin, int)
    page.keyboard.press("ArrowUp")
    assert decoded.view["pin"] != pin
    said = page.locator(".mapped [aria-live=polite]").inner_text()
    assert f"Image {decoded.view['pin']:,}" in said and "cluster" in said


# Walks


def test_a_slider_walks_and_the_image_follows(decoded: Explorer) -> None:
    index = decoded.apart()
    decoded.run("explorer.pin(index)", index=index)
    slider = decoded.page.get_by_role("slider", name="z3")
    slider.focus()
    decoded.page.keyboard.press("ArrowRight")
    decoded.page.keyboard.press("ArrowRight")
    pin = np.array(decoded.view["pin"])
    step = pin - decoded.model.latents[index]
    assert step[2] > 0.01
    np.testing.assert_allclose(np.delete(step, 2), 0, atol=1e-3)
    expected = pixels_of(decoded.model, pin.astype(np.float32))
    copy = "figure:not([hidden]) .picture"
    np.testing.assert_allclose(decoded.picture(f".copies {copy}"), expected, atol=2)

    decoded.page.get_by_role("button", name="principal axes").click()
    decoded.page.get_by_role("slider", name="PC 2").focus()
    decoded.page.keyboard.press("ArrowLeft")
    step = np.array(decoded.view["pin"]) - pin
    axis = decoded.model.pca.components[1]
    np.testing.assert_allclose(step, (step @ axis) * axis, atol=1e-4)
    assert step @ axis < -0.01


def test_a_way_from_a_to_b_is_dragged_along(decoded: Explorer) -> None:
    page, z = decoded.page, decoded.model.latents
    a, b = 3, int(np.linalg.norm(z - z[3], axis=1).argmax())
    for index, end in ((a, "A"), (b, "B")):
        decoded.run("explorer.pin(index)", index=index)
        page.get_by_role("button", name=f"Pin as {end}").click()
    assert (decoded.view["a"], decoded.view["b"]) == (a, b)
    strips = page.locator(".strip")
    assert strips.count() == 2 and page.locator(".curve").count() == 2
    box = strips.first.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.down()
    np.testing.assert_allclose(decoded.view["pin"], z[a], atol=1e-3)
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=4)
    np.testing.assert_allclose(decoded.view["pin"], (z[a] + z[b]) / 2, atol=0.02)
    page.mouse.up()
    page.get_by_role("slider", name="where images are").focus()
    page.keyboard.press("End")
    np.testing.assert_allclose(decoded.view["pin"], z[b], atol=1e-3)
    page.get_by_role("button", name="forget both").click()
    assert decoded.view["a"] is None and not page.locator(".ways").is_visible()


def test_a_sheet_of_decoded_images_follows_the_zoom(decoded: Explorer) -> None:
    page = decoded.page
    page.get_by_role("button", name="Sheet").click()
    decoded.run("await settled()")

    def sides() -> tuple[float, np.ndarray]:
        x, _ = decoded.at(0, 0)
        ink = decoded.run(
            """const canvas = document.querySelector(".mapped .backdrop");
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3])"""
        )
        return decoded.at(1, 0)[0] - x, ink

    scale, ink = sides()
    assert (ink > 60).mean() > 0.02
    page.mouse.move(*decoded.at(0, 0))
    page.mouse.wheel(0, -700)
    decoded.run("await settled()")
    nearer, other = sides()
    assert nearer > 2.5 * scale
    assert (other > 60).mean() > 0.02 and (other != ink).mean() > 0.05
    page.get_by_role("button", name="Sheet").click()
    assert page.locator(".mapped .backdrop").is_hidden()


# The address


def test_a_view_opens_the_same_elsewhere(
    shown: Explorer, small_model: VAEGMM, digits: Dataset
) -> None:
    page = shown.page
    page.get_by_label("Axes", exact=True).select_option("mixture")
    page.get_by_label("Colour by").select_option("right")
    page.locator(".legend").get_by_role("button", name="read rightly").click()
    page.get_by_role("button", name="Clusters").click()
    shown.run("explorer.pin(21)")
    page.locator(".mapped canvas.touched").focus()
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowRight")
    shown.run("await settled()")
    view = shown.view
    address = shown.run("return toAddress(told.at(-1))")
    again = shown.run("return fromAddress(address)", address=address)
    other = Explorer(shown.modules, small_model, digits.train.images, digits.train.labels, again)
    zoom = {name: pytest.approx(value, rel=1e-3) for name, value in view["zoom"].items()}
    assert other.view == {**view, "zoom": zoom}
    assert "image 21" in other.page.locator(".inspector").inner_text()
    assert other.page.get_by_label("Colour by").input_value() == "right"


# Other screens and hosts


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Callable[[VAEGMM], Explorer]]:
    context = chromium.new_context(has_touch=True, viewport={"width": 360, "height": 740})
    yield lambda model: Explorer(Modules(context.new_page()), model)
    context.close()


def test_on_a_phone_a_tap_pins_and_the_inspector_lies_below(
    phone: Callable[[VAEGMM], Explorer], small_model: VAEGMM
) -> None:
    shown = phone(small_model)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 360
    index = shown.apart()
    shown.page.touchscreen.tap(*shown.screen(index))
    assert shown.view["pin"] == index
    panel = shown.page.locator(".panel").bounding_box()
    stage = shown.page.locator(".stage").bounding_box()
    assert panel is not None and stage is not None
    assert panel["y"] >= stage["y"] + stage["height"]
    assert panel["width"] > 320
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_pictures_follow_the_theme(decoded: Explorer) -> None:
    decoded.run("explorer.pin(4)")

    def ink() -> list[int]:
        rgba = decoded.run(
            """const canvas = document.querySelector(".copies figure:not([hidden]) .picture");
            return canvas.getContext("2d").getImageData(0, 0, 28, 28).data"""
        ).reshape(-1, 4)
        return rgba[rgba[:, 3].argmax(), :3].tolist()

    assert ink() == [0, 0, 0]
    decoded.page.emulate_media(color_scheme="dark")
    decoded.run("await settled()")
    assert ink() == [255, 255, 255]


def test_it_runs_in_a_closed_shadow_root_and_leaves_nothing_behind(
    modules: Modules, small_blob: bytes
) -> None:
    result = modules.run(
        """async ({ blob }) => {
          const { createExplorer } = await import("/explorer/explorer.js");
          const { Model } = await import("/model/model.js");
          const host = document.createElement("div");
          const inner = document.createElement("div");
          host.attachShadow({ mode: "closed" }).append(inner);
          document.body.append(host);
          const explorer = createExplorer(inner, { model: Model.from(blob), renderer: "canvas" });
          await explorer.ready;
          explorer.pin(3);
          const field = inner.querySelector("input[type=search]");
          const press = (key) => inner.querySelector("button").dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
          press("/");
          const result = { isFocused: field.matches(":focus"), pin: explorer.view.pin };
          press("Escape");
          result.after = explorer.view.pin;
          explorer.destroy();
          result.left = inner.childElementCount;
          return result;
        }""",
        blob=small_blob,
    )
    assert result == {"isFocused": True, "pin": 3, "after": None, "left": 0}


def test_it_is_one_module_for_a_page_without_imports(modules: Modules, small_blob: bytes) -> None:
    source = bundle("explorer/explorer.js", "model/model.js", "explorer/address.js")
    body = f"""{source}
    const model = Model.from(blob);
    const explorer = createExplorer(document.body, {{ model, renderer: "canvas" }});
    return explorer.ready.then(() => toAddress({{ ...explorer.view, pin: 5 }}));"""
    address = modules.run(
        "({ blob, body }) => new Function('blob', body)(blob)", blob=small_blob, body=body
    )
    assert address == "pin*5"


def test_missing_images_are_said_and_decoded(modules: Modules, small_model: VAEGMM) -> None:
    shown = Explorer(modules, small_model, np.zeros((0, 28, 28), np.uint8))
    shown.page.wait_for_function(
        "document.querySelector('.status').textContent.includes('cannot be loaded')"
    )
    index = shown.apart()
    shown.page.mouse.move(*shown.screen(index))
    assert "decoded" in shown.card()


# Other models


def test_label_names_are_text(modules: Modules, small_model: VAEGMM) -> None:
    model = copy.copy(small_model)
    hostile = '<img src=x onerror="window.isBroken=1">'
    names = [hostile, "=1+1", 'a"b,c', "__proto__", *(f"a rather long name {i}" for i in range(6))]
    model.label_names = tuple(names)
    requests: list[str] = []
    shown = Explorer(modules, model)
    shown.page.on("request", lambda request: requests.append(request.url))
    index = int(shown.model.label_probabilities(model.latents)[:, 0].argmax())
    shown.run("explorer.pin(index)", index=index)
    shown.page.get_by_label("Colour by").select_option("label")
    assert hostile in shown.page.locator(".inspector h3").inner_text()
    assert hostile in shown.page.locator(".legend").inner_text()
    shown.page.mouse.move(*shown.screen(index))
    _select(shown, "Box")
    rows = list(csv.reader(io.StringIO(_saved(shown.page, "CSV").decode())))
    assert all(len(row) == len(rows[0]) for row in rows)
    labels = {row[3] for row in rows[1:]}
    assert not any(label.startswith("=") for label in labels) and len(labels) > 3
    assert shown.page.locator("#explorer img").count() == 0
    assert shown.page.evaluate("window.isBroken") is None
    assert requests == []
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _untrained(
    digits: Dataset, latent_dim: int, n_components: int, is_named: bool, n: int
) -> VAEGMM:
    config = TrainConfig(
        vae=VAEConfig(latent_dim=latent_dim, hidden_units=(16,)),
        mixture=MixtureConfig(n_components=n_components),
    )
    validation = (digits.test.images[:100], digits.test.labels[:100]) if is_named else None
    return VAEGMM(config, "cpu").finish(
        TrainState.start(config, "cpu"), digits.train.images[:n], validation, ()
    )


@pytest.mark.parametrize(
    ("latent_dim", "n_components", "is_named", "n"),
    [(1, 3, True, 200), (2, 1, True, 200), (2, 4, False, 200), (8, 2, True, 20), (1, 1, False, 20)],
)
def test_tiny_models_are_explored(
    modules: Modules,
    digits: Dataset,
    latent_dim: int,
    n_components: int,
    is_named: bool,
    n: int,
) -> None:
    model = _untrained(digits, latent_dim, n_components, is_named, n)
    shown = Explorer(modules, model)
    page = shown.page
    choices = page.get_by_label("Colour by").locator("option").count()
    for choice in range(choices):
        page.get_by_label("Colour by").select_option(index=choice)
        assert page.locator(".legend i").count() >= 1
    assert choices == (5 if is_named else 3)
    if latent_dim > 1:
        page.get_by_label("Axes", exact=True).select_option("mixture")
    page.get_by_role("button", name="Clusters").click()
    page.get_by_role("button", name="Sheet").click()
    box = page.locator(".mapped").bounding_box()
    assert box is not None
    for step in range(12):
        page.mouse.move(box["x"] + (0.1 + 0.07 * step) * box["width"], box["y"] + 200)
    page.locator(".mapped canvas.touched").focus()
    page.keyboard.press("Enter")
    assert isinstance(shown.view["pin"], int)
    assert page.locator(".rows label").count() == latent_dim
    page.get_by_role("button", name="Pin as A").click()
    page.locator(".neighbours .tile").last.click()
    page.get_by_role("button", name="Pin as B").click()
    assert page.locator(".strip").count() == 2
    _select(shown, "Box")
    page.keyboard.press("/")
    page.keyboard.type("least typ")
    page.keyboard.press("Enter")
    assert f"1 of {n}" in page.locator(".results").inner_text()
    assert json.dumps(shown.view)
    page.keyboard.press("Escape")

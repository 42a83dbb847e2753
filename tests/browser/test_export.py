"""The exported page, opened from disk without a network."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import vaegmm
from vaegmm import VAEGMM, MixtureConfig, TrainConfig
from vaegmm.browser import export as export_module
from vaegmm.browser.bundle import FOLDER
from vaegmm.browser.export import export_html, export_html_bytes
from vaegmm.config import VAEConfig
from vaegmm.data import Dataset
from vaegmm.reading import read_strokes
from vaegmm.training import TrainState

pytestmark = pytest.mark.browser

CHECKPOINT = Path(vaegmm.__file__).parents[1] / "checkpoints/mnist.safetensors"
STROKES = Path(__file__).resolve().parents[3] / "shared/data/strokes/pen_digits_dev.jsonl.gz"
MOST_BYTES = 6_000_000
HOSTILE = "</script><img src=https://example.com/x onerror='window.taken=1'>\u2028&amp;"
SEVEN = [[[0.25, 0.2], [0.5, 0.2], [0.75, 0.2], [0.65, 0.4], [0.55, 0.6], [0.45, 0.85]]]
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def shipped() -> VAEGMM:
    return vaegmm.load(CHECKPOINT)


@pytest.fixture(scope="module")
def exported(shipped: VAEGMM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as a page."""
    path = tmp_path_factory.mktemp("export") / "digits.html"
    size = export_html(shipped, path)
    assert size == path.stat().st_size
    return path


@pytest.fixture
def open_file(chromium: Browser) -> Iterator[Opened]:
    """Open a file; a request for anything else, or a word on the console, fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_file(path: Path, address: str = "", **context: Any) -> Page:
        contexts.append(
            chromium.new_context(
                **{"offline": True, "viewport": {"width": 1280, "height": 900}, **context}
            )
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        own = (path.as_uri(), "data:,")
        page.on(
            "request",
            lambda request: request.url.partition("#")[0] in own or complaints.append(request.url),
        )
        page.goto(path.as_uri() + address)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not complaints


def untrained(digits: Dataset, label_names: tuple[str, ...] | None = ()) -> VAEGMM:
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    validation = (digits.test.images[:200], digits.test.labels[:200])
    return VAEGMM(config, "cpu").finish(
        TrainState.start(config, "cpu"),
        digits.train.images[:200],
        None if label_names is None else validation,
        label_names or (),
    )


def points(page: Page, stroke: list[list[float]]) -> list[tuple[float, float]]:
    box = page.locator("#panel-draw .desk .drawing").bounding_box()
    assert box is not None
    return [(box["x"] + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke]


def draw(page: Page, strokes: Any) -> None:
    for stroke in strokes:
        first, *others = points(page, stroke)
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point)
        page.mouse.up()


def touch(page: Page, strokes: Any) -> None:
    session = page.context.new_cdp_session(page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in places]},
        )

    for stroke in strokes:
        first, *others = points(page, stroke)
        send("touchStart", first)
        for point in others:
            send("touchMove", point)
        send("touchEnd")


def label(page: Page) -> Any:
    return page.locator("#panel-draw .verdict strong")


def test_the_shipped_model_fits_and_opens_offline(exported: Path, open_file: Opened) -> None:
    assert exported.stat().st_size <= MOST_BYTES
    page = open_file(exported)
    expect(page).to_have_title("MNIST")
    expect(
        page.get_by_role("heading", name="Eight numbers are enough for a digit.")
    ).to_be_visible()
    for name in ("Overview", "Map", "Draw"):
        tab = page.get_by_role("tab", name=name)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
    page.get_by_role("tab", name="Map").click()
    expect(page.get_by_role("application", name="Map of the latent space: 55,000")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Overview")).to_be_focused()


def drawings() -> list[dict[str, Any]]:
    if not STROKES.is_file():
        pytest.skip("needs the pen strokes in ../shared/data; there are none")
    with gzip.open(STROKES, "rt") as lines:
        parsed = [json.loads(line) for line in lines]
    return [next(d for d in parsed if d["label"] == digit) for digit in (0, 2, 3, 8)]


def test_drawn_with_the_mouse_it_says_what_python_says(
    exported: Path, shipped: VAEGMM, open_file: Opened
) -> None:
    page = open_file(exported, "#draw")
    for drawing in [{"strokes": SEVEN}, *drawings()]:
        draw(page, drawing["strokes"])
        reading = read_strokes(shipped, drawing["strokes"])
        expect(label(page)).to_have_text(shipped.label_names[reading.label])
        page.get_by_role("button", name="Clear").click()
        expect(label(page)).to_have_text("?")


def test_drawn_by_touch_it_says_what_python_says(
    exported: Path, shipped: VAEGMM, open_file: Opened
) -> None:
    page = open_file(
        exported,
        "#draw",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
        color_scheme="dark",
    )
    touch(page, SEVEN)
    reading = read_strokes(shipped, SEVEN)
    expect(label(page)).to_have_text(shipped.label_names[reading.label])
    said = page.locator("#panel-draw .verdict .sure").text_content()
    assert float(said.removesuffix(" %")) == pytest.approx(100 * reading.probabilities.max(), abs=3)
    assert page.evaluate("scrollY") == 0
    for tab in ("Overview", "Map", "Draw"):
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_it_was_told_stays_in_the_browser(exported: Path, open_file: Opened) -> None:
    page = open_file(exported, "#draw")
    draw(page, SEVEN)
    expect(label(page)).to_have_text("7")
    page.get_by_role("group", name="What digit it was").get_by_text("1", exact=True).click()
    draw(page, SEVEN)
    expect(label(page)).to_have_text("1")
    page.reload()
    expect(label(page)).to_have_text("1")
    expect(page.get_by_text("Knows 1 drawing of your hand.")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)  # a later visit
    expect(other.get_by_text("Knows 1 drawing of your hand.")).to_be_visible()
    page.get_by_role("button", name="Forget what it was told last").click()
    expect(label(page)).to_have_text("7")


def test_the_console_has_the_model(
    exported: Path, shipped: VAEGMM, digits: Dataset, open_file: Opened
) -> None:
    page = open_file(exported)
    said = page.evaluate(f"vaegmm.read({SEVEN})")
    reading = read_strokes(shipped, SEVEN)
    assert said["label"] == reading.label
    assert said["name"] == shipped.label_names[reading.label]
    assert said["typicality"] == pytest.approx(reading.typicality, abs=4e-3)
    probabilities = page.evaluate(f"[...vaegmm.read({SEVEN}).probabilities]")
    np.testing.assert_allclose(probabilities, reading.probabilities, atol=3e-3)
    image = digits.test.images[0]
    z = page.evaluate(
        "pixels => [...vaegmm.encode(Uint8Array.from(pixels)).mean]", image.ravel().tolist()
    )
    np.testing.assert_allclose(z, shipped.encode(image[None])[0], atol=3e-3)
    pixels = page.evaluate("z => [...vaegmm.decode(z)]", z)
    decoded = shipped.decode(np.array([z], np.float32))[0].ravel()
    np.testing.assert_allclose(pixels, decoded, atol=3e-3)
    assert page.evaluate("vaegmm.model.nComponents") == len(shipped.mixture.weights_)


def test_the_address_carries_the_view(exported: Path, open_file: Opened) -> None:
    page = open_file(exported)
    slider = page.get_by_role("slider", name="z2")
    slider.focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("#overview="))
    z = [float(part) for part in page.url.partition("=")[2].split("*")]
    page.get_by_role("tab", name="Map").click()
    page.get_by_label("colour").select_option("label")
    expect(page).to_have_url(re.compile("#map="))
    address = "#" + page.url.partition("#")[2]

    other = open_file(exported, address)
    expect(other.get_by_role("tab", name="Map")).to_have_attribute("aria-selected", "true")
    assert other.get_by_label("colour").input_value() == "label"
    other.evaluate(f"location.hash = '#overview={'*'.join(map(str, z))}'")
    expect(other.get_by_role("tab", name="Overview")).to_have_attribute("aria-selected", "true")
    expect(other.get_by_role("slider", name="z2")).to_have_attribute(
        "aria-valuetext", f"{z[1]:.2f}"
    )
    # Typed in the moment in which another view comes to rest, and takes the address back.
    other.evaluate("dispatchEvent(new HashChangeEvent('hashchange', {newURL: 'file:///#draw'}))")
    expect(other.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    expect(other).to_have_url(re.compile("#draw$"))
    for odd in ("#overview=1*%", "#map=%E0%A4%A", "#nothing", "#overview=1*2", "#map=pin*9999999"):
        page = open_file(exported, odd)
        expect(page.get_by_role("tab", selected=True)).to_have_count(1)


def test_names_of_strangers_are_text(digits: Dataset, tmp_path: Path, open_file: Opened) -> None:
    path = tmp_path / "hostile.html"
    model = untrained(digits, tuple(f"{HOSTILE}{i}\ud800" for i in range(10)))
    export_html(model, path, title=f"</title>{HOSTILE}\ud800")
    page = open_file(path)
    expect(page).to_have_title(re.compile("^</title></script><img src="))
    expect(page.get_by_role("heading", level=1)).to_contain_text("</title></script><img src=")
    expect(page.locator("#panel-overview .verdict strong")).to_contain_text("</script><img src=")
    for tab in ("Map", "Draw"):
        page.get_by_role("tab", name=tab).click()
    draw(page, SEVEN)
    expect(label(page)).to_contain_text("</script><img src=")
    assert page.locator("img").count() == 0
    assert page.evaluate("window.taken") is None


def test_a_model_without_names(digits: Dataset, tmp_path: Path, open_file: Opened) -> None:
    path = tmp_path / "nameless.html"
    export_html(untrained(digits, None), path)
    page = open_file(path, "#draw")
    draw(page, SEVEN)
    expect(label(page)).to_contain_text("cluster")
    said = page.evaluate(f"vaegmm.read({SEVEN})")
    assert said["label"] is said["probabilities"] is said["name"] is None
    for tab in ("Overview", "Map"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (rb'id="content">[^<]{1000}', b'id="content">', "blob must be a model written by vaegmm"),
        (rb"[^<]{400}</script>\n<script", b"</script>\n<script", "blob is damaged"),
        (rb'id="content">[^<]+', b'id="content">!', "it is no base64"),
    ],
)
def test_a_damaged_model_is_a_sentence(
    digits: Dataset, tmp_path: Path, open_file: Opened, old: bytes, new: bytes, sentence: str
) -> None:
    content, n_changes = re.subn(old, new, export_html_bytes(untrained(digits)), count=1)
    assert n_changes == 1
    path = tmp_path / "damaged.html"
    path.write_bytes(content)
    page = open_file(path)
    expect(page.get_by_role("alert")).to_contain_text("The model in this file cannot be opened.")
    expect(page.get_by_role("alert")).to_contain_text(sentence)


def test_the_page_may_run_no_other_script_and_ask_for_nothing(
    digits: Dataset, tmp_path: Path, chromium: Browser
) -> None:
    content = export_html_bytes(untrained(digits))
    path = tmp_path / "page.html"
    added = b"<script>window.taken = 1</script><img src='https://example.com/x.png'>"
    path.write_bytes(content.replace(b"</body>", added + b"</body>"))
    context = chromium.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(path.as_uri())
    expect(page.get_by_role("tab", name="Map")).to_be_visible()
    assert page.evaluate("window.taken") is None
    assert page.evaluate("fetch('https://example.com').then(() => 1, () => 0)") == 0
    assert sum("Content Security Policy" in said for said in refused) >= 3
    context.close()


def test_the_page_has_the_colours_of_the_app() -> None:
    config = (Path(vaegmm.__file__).parents[1] / ".streamlit/config.toml").read_text()
    style = (FOLDER / "exported/export.css").read_text()
    parts = {"text": "text", "background": "background", "border": "border", "primary": "primary"}
    for ours, theirs in (parts | {"secondary-background": "secondaryBackground"}).items():
        light, dark = (
            re.search(rf'\[theme\.{theme}\]\n(?:\w.*\n)*{theirs}Color = "(.*)"', config).group(1)
            for theme in ("light", "dark")
        )
        assert f"--st-{ours}-color: light-dark({light}, {dark});" in style


def test_the_same_model_gives_the_same_file(digits: Dataset) -> None:
    model = untrained(digits)
    assert export_html_bytes(model) == export_html_bytes(model)


def test_what_cannot_be_written_is_left_as_it_was(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, path = untrained(digits), tmp_path / "page.html"
    path.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module.os, "replace", full)
    with pytest.raises(ValueError, match=r"page\.html cannot be written: .*No space left"):
        export_html(model, path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    export_html(model, path)
    assert path.read_bytes() == export_html_bytes(model)

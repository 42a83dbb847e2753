"""The Draw page in a real browser: what follows the pen, what is learned, and what is kept."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from vaegmm.preprocess import digit_from_strokes

pytestmark = pytest.mark.browser

SEVEN = [[[0.25, 0.2], [0.5, 0.2], [0.75, 0.2], [0.65, 0.4], [0.55, 0.6], [0.45, 0.85]]]
BAR = [[[0.4, 0.5], [0.55, 0.5], [0.7, 0.5]]]
Opened = Callable[..., Page]


def pad(page: Page) -> Locator:
    canvas = page.locator(".pad canvas.drawing:visible")
    expect(canvas).to_have_count(1, timeout=60_000)
    expect(canvas).to_be_visible(timeout=60_000)
    canvas.scroll_into_view_if_needed()
    return canvas


def places(page: Page, stroke: Any) -> list[tuple[float, float]]:
    box = pad(page).bounding_box()
    assert box is not None
    return [(box["x"] + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke]


def draw(page: Page, strokes: Any, is_done: bool = True) -> None:
    """Draw with the mouse."""
    for stroke in strokes:
        first, *others = places(page, stroke)
        page.mouse.move(*first)
        page.mouse.down()
        for place in others:
            page.mouse.move(*place)
        if is_done:
            page.mouse.up()


def send_touch(page: Page) -> Callable[..., None]:
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    return send


def touch(page: Page, strokes: Any) -> None:
    """Draw with a finger."""
    send = send_touch(page)
    for stroke in strokes:
        first, *others = places(page, stroke)
        send("touchStart", first)
        for place in others:
            send("touchMove", place)
        send("touchEnd")


def answer(page: Page) -> Locator:
    return page.locator(".verdict strong")


def teach(page: Page, name: str) -> None:
    page.get_by_role("group", name="What digit it was").get_by_text(name, exact=True).click()


def knows(page: Page, n: int) -> None:
    noun = "drawing" if n == 1 else "drawings"
    expect(page.get_by_text(f"Knows {n} {noun} of your hand.")).to_be_visible(timeout=60_000)


def test_the_answer_moves_with_the_pen_without_the_server(open_page: Opened) -> None:
    page = open_page()
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    canvas = pad(page)
    expect(answer(page)).to_have_text("?")
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)
    page.wait_for_load_state("networkidle")
    sent.clear()
    first, second, third, *others = places(page, SEVEN[0])
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*second)
    page.mouse.move(*third)
    expect(answer(page)).not_to_have_text("?")
    shown = "element => [...element.querySelectorAll('.value')].map((value) => value.textContent)"
    bar = [page.locator(part).evaluate(shown) for part in (".bars", "ol.latents")]
    for place in others:
        page.mouse.move(*place)
    expect(answer(page)).to_have_text("7")
    seven = [page.locator(part).evaluate(shown) for part in (".bars", "ol.latents")]
    assert all(one != other for one, other in zip(bar, seven, strict=True))
    assert not sent
    page.mouse.up()
    page.get_by_text("The training images that lie nearest").click()
    said = page.locator(".bars [data-best] .value").text_content()
    expect(page.get_by_text(f"Read as 7 ({said})")).to_be_visible(timeout=30_000)
    assert sent

    canvas.focus()
    page.keyboard.press("Control+z")
    expect(answer(page)).to_have_text("?")
    page.get_by_role("button", name="Redo").click()
    expect(answer(page)).to_have_text("7")
    draw(page, BAR)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(answer(page)).to_have_text("7")
    page.keyboard.press("Delete")
    expect(answer(page)).to_have_text("?")


def test_what_it_is_told_counts_for_the_next_drawing_and_is_kept(
    open_page: Opened, tmp_path: Any
) -> None:
    page = open_page()
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    teach(page, "4")
    knows(page, 1)
    expect(answer(page)).to_have_text("?")
    expect(page.get_by_text("0 of 1 were read rightly")).to_be_visible()
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("4")
    page.get_by_text("The training images that lie nearest").click()
    expect(page.get_by_text(re.compile(r"^Read as 4 "))).to_be_visible(timeout=30_000)

    page.reload()
    knows(page, 1)
    expect(answer(page)).to_have_text("4")  # the drawing, too, is still there
    page.get_by_role("link", name="Mixture").click()
    expect(page.get_by_role("heading", name="Mixture", exact=True)).to_be_visible()
    page.get_by_role("link", name="Draw", exact=True).click()
    knows(page, 1)

    other = open_page()  # somebody else
    draw(other, SEVEN)
    expect(answer(other)).to_have_text("7")
    expect(other.get_by_text("One tap, and it learns your hand.")).to_be_visible()

    page.get_by_role("button", name="Forget what it was told last").click()
    expect(answer(page)).to_have_text("7")
    pad(page).focus()
    page.keyboard.press("7")
    knows(page, 1)
    draw(page, SEVEN)
    page.keyboard.press("Enter")  # kept without a word
    expect(page.get_by_text("1 of 1 were read rightly")).to_be_visible()
    was = page.get_by_label("It was", exact=True)
    assert [each.input_value() for each in was.all()] == ["?", "7", "?"]
    was.first.select_option("7")
    knows(page, 2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Keep what it knows").click()
    file = tmp_path / "mine.npz"
    download.value.save_as(file)
    with np.load(file) as arrays:
        np.testing.assert_array_equal(arrays["images"][0], digit_from_strokes(SEVEN))
        assert arrays["labels"].tolist() == [7, 7]
    other.locator(".draw input[type=file]").set_input_files(file)
    knows(other, 2)
    expect(other.get_by_text("2 drawings brought back.")).to_be_visible()


def test_a_guided_round_asks_for_one_digit_after_the_other(open_page: Opened) -> None:
    page = open_page()
    pad(page)
    page.get_by_role("button", name="Draw each digit once").click()
    guided = page.get_by_role("group", name="Guided round")
    after = guided.get_by_role("button", name="Done, next")
    for digit in range(10):
        expect(guided.get_by_role("status")).to_have_text(f"Draw the digit {digit}")
        expect(guided).to_contain_text(f"{digit + 1} of 10")
        expect(after).to_be_disabled()  # there is nothing yet
        if digit in (3, 5):
            guided.get_by_role("button", name="Skip").click()
            continue
        draw(page, [[[x, 0.3 + 0.05 * digit] for x in (0.2, 0.5, 0.8)], *SEVEN])
        if digit == 0:
            page.keyboard.press("Enter")
        else:
            after.click()
    expect(guided).to_be_hidden()
    expect(page.get_by_text("8 drawings learned in this round.")).to_be_visible()
    knows(page, 8)
    expect(
        page.get_by_text(re.compile(r"^Worth: it reads .* of these 8 .* adapted"))
    ).to_be_visible()
    page.get_by_role("button", name="Draw each digit once").click()
    guided.get_by_role("button", name="Stop").click()
    knows(page, 8)


def test_a_number_is_read_while_it_is_written_and_each_digit_is_kept(open_page: Opened) -> None:
    page = open_page("Draw?source=A+number")
    draw(page, SEVEN)
    box = pad(page).bounding_box()
    assert box is not None and box["width"] > 850  # all there is beside the sidebar
    number = page.locator(".number .said")
    expect(number).to_have_text("7")
    one = [[[x + 0.9, y] for x, y in [[0.5, 0.1], [0.48, 0.5], [0.46, 0.9]]]]
    draw(page, one, is_done=False)
    expect(number).to_have_text("71")
    page.mouse.up()
    expect(number).to_have_text("71")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(number).to_have_text("")
    expect(page.get_by_label("It was", exact=True)).to_have_count(2)
    page.get_by_text("A digit", exact=True).click()
    expect(answer(page)).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Put it on the pad again: 7").click()
    expect(answer(page)).to_have_text("7")
    page.get_by_text("Your hand, any digit").click()
    expect(page.locator(".any-digit figure:visible")).to_have_count(10)
    page.get_by_text("From one drawing to another").click()
    expect(page.get_by_role("img", name="9 decoded images of the way")).to_be_visible()
    teach(page, "7")  # what was opened is judged, and not kept a second time
    expect(page.get_by_label("It was", exact=True)).to_have_count(2)
    knows(page, 1)


def test_on_a_phone_the_digit_stands_under_the_pad_and_a_swipe_beside_it_scrolls(
    open_page: Opened,
) -> None:
    page = open_page(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
        color_scheme="dark",
    )
    before = pad(page).bounding_box()
    touch(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    box = pad(page).bounding_box()
    assert box is not None and box == before
    said = answer(page).bounding_box()
    assert said is not None
    assert box["y"] + box["height"] <= said["y"] < said["y"] + said["height"] < 844
    taught = page.get_by_role("group", name="What digit it was").bounding_box()
    assert taught is not None and taught["y"] + taught["height"] < 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = pad(page).evaluate("canvas => [canvas.width, canvas.getBoundingClientRect().width]")
    assert shown[0] == pytest.approx(3 * shown[1], abs=2)
    teach(page, "7")
    knows(page, 1)

    beside = box["x"] + box["width"] + 30, box["y"] + box["height"] - 20
    send = send_touch(page)
    send("touchStart", beside)
    for way in range(10, 210, 10):
        send("touchMove", (beside[0], beside[1] - way))
    send("touchEnd")
    page.wait_for_function("() => document.querySelector('.stMain').scrollTop > 50")
    expect(answer(page)).to_have_text("?")


def test_nothing_is_sent_by_reference(open_page: Opened) -> None:
    """A reference that outlives its interrupted run would end the page: .streamlit/config.toml."""
    page = open_page()
    received: list[ForwardMsg] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(ForwardMsg.FromString(frame)))

    page.on("websocket", listen)
    page.goto(page.url.replace("Draw", "Mixture?mixture=EM+at+work"))
    play = page.get_by_text("Fit and play")
    for _ in range(2):  # the second playback is the same, to the byte
        play.click(timeout=60_000)
        chart = page.locator(".stPlotlyChart")
        expect(chart).to_have_count(1, timeout=120_000)
        play.click()
        expect(chart).to_have_count(0, timeout=30_000)
    large = [message.hash for message in received if message.ByteSize() > 10_000]
    assert len(large) > len(set(large))  # they are sent again
    assert not any(message.ref_hash for message in received)


PASTE = """
(place, bytes) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "seven.png", { type: "image/png" }));
  place.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
}
"""


def test_a_pasted_picture_is_read(open_page: Opened) -> None:
    paper = Image.fromarray(255 - np.kron(digit_from_strokes(SEVEN), np.ones((8, 8), np.uint8)))
    file = io.BytesIO()
    paper.save(file, "png")
    page = open_page()
    page.get_by_text("A photo").click()
    place = page.locator(".paste")
    expect(place).to_be_visible(timeout=60_000)
    place.evaluate(PASTE, list(file.getvalue()))
    expect(page.locator(".photo output.number")).to_have_text("7", timeout=30_000)

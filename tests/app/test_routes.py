"""What pages fetch by address: there for those who have been shown it, and nothing else."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from vaegmm import VAEGMM
from vaegmm.app import cached, routes
from vaegmm.browser.blob import to_blob
from vaegmm.data import Dataset

APP = Starlette(routes=routes.ROUTES)


def fetch(path: str) -> tuple[int, dict[str, str], bytes]:
    """Ask for an address; return status, headers and content."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "method": "GET", "path": path, "raw_path": path.encode()},
        **{"query_string": b"", "headers": [], "root_path": "", "scheme": "http"},
    }
    # In a thread of its own: a browser in the same process keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(APP(scope, receive, send))).result()
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:])


def test_a_module_is_javascript_that_can_be_kept_for_good() -> None:
    status, headers, content = fetch(routes.address_of_files() + "all.js")
    assert status == 200
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert b"export { Model, create" in content


@pytest.mark.parametrize(
    "path",
    [
        "/vaegmm/browser/0/all.js",
        routes.address_of_files() + "blob.py",
        routes.address_of_files() + "..%2Fcli.py",
        "/vaegmm/model/0123456789abcdef",
        "/vaegmm/labels/0123456789abcdef",
        "/vaegmm/fit/0123456789abcdef",
        "/vaegmm/images/0123456789abcdef/0.png",
    ],
)
def test_nothing_else_is_there(path: str) -> None:
    assert fetch(path)[0] == 404


def test_a_model_that_was_shown_can_be_fetched(small_model: VAEGMM) -> None:
    assert fetch(f"/vaegmm/model/{small_model.fingerprint}")[0] == 404, "nobody has shown it yet"
    status, headers, content = fetch(routes.address_of_model(small_model))
    assert (status, content) == (200, to_blob(small_model))
    assert "immutable" in headers["cache-control"]


def test_a_fit_that_is_played_can_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "_MOST_PLAYED", 1)
    first = routes.address_of_fit(b"one fit")
    assert fetch(first)[::2] == (200, b"one fit")
    assert fetch(routes.address_of_fit(b"another"))[::2] == (200, b"another")
    assert fetch(first)[0] == 404, "only so many are kept"


def test_images_and_labels_are_those_that_it_was_trained_on(
    small_model: VAEGMM, digits: Dataset
) -> None:
    images, labels = routes.address_of_images(small_model), routes.address_of_labels(small_model)
    assert images is not None and labels is not None
    status, _, content = fetch(f"{images}1.png")
    assert status == 200
    picture = np.asarray(Image.open(io.BytesIO(content)))
    assert picture.shape == (28 * routes.SHEET_ROWS, 28 * routes.SHEET_COLUMNS)
    np.testing.assert_array_equal(picture[28:56, 56:84], digits.train.images[1000 + 42])
    assert not picture[28 * 5 :, :].any(), "there are 1,199 images"
    assert fetch(f"{images}2.png")[0] == 404
    np.testing.assert_array_equal(
        np.frombuffer(fetch(labels)[2], np.uint8), digits.train.labels.astype(np.uint8)
    )


def test_images_of_another_data_set_of_the_same_name_are_not_shown(
    small_model: VAEGMM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(small_model.provenance["data"], "fingerprint", "another")
    assert cached.own_dataset(small_model) is None
    assert routes.address_of_images(small_model) is None
    assert routes.address_of_labels(small_model) is None


def test_addresses_follow_the_servers_base_path(
    small_model: VAEGMM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes.st, "get_option", lambda name: "/digits/")
    assert routes.address_of_model(small_model).startswith("/digits/vaegmm/model/")

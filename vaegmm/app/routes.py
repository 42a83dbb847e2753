"""What pages fetch by address: our JavaScript, a model as one blob, and the images it has seen.

All of it can be kept by the browser for good: an address names its content.
"""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from weakref import WeakValueDictionary

import numpy as np
import streamlit as st
from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vaegmm.app import cached, choice, run_routes
from vaegmm.app.run_routes import address, base_path
from vaegmm.browser.blob import to_blob
from vaegmm.browser.bundle import FOLDER, bundle
from vaegmm.model import VAEGMM

SHEET_COLUMNS, SHEET_ROWS = 40, 25  # of the images of one sheet

_MODULES = (
    "model/model.js",
    "explorer/explorer.js",
    "explorer/address.js",
    "em/em.js",
    "overview/overview.js",
    "components/components.js",
    "components/confusion.js",
    "draw/draw.js",
    "draw/drawings.js",
    "photo/photo.js",
    "photo/ink.js",
    "film/film.js",
)
_NAMES = (
    "Model, createComponents, createConfusion, createDraw, createEm, createExplorer, "
    "createOverview, createPhoto, createTrainings, fromAddress, inkOf, storageIn, toAddress"
)
_STYLES = {
    "components": ["components/components.css"],
    "draw": ["pieces/pieces.css", "pieces/explanation.css", "draw/draw.css", "draw/rest.css"],
    "em": ["em/em.css"],
    "explorer": ["explorer/explorer.css"],
    "photo": ["photo/photo.css"],
    "overview": ["pieces/pieces.css", "overview/overview.css"],
    "trainings": ["film/film.css", "curves/curves.css"],
}
_FILES = {
    # One file: sixty modules that import each other would be asked for one after the other.
    "all.js": f"{bundle(*_MODULES)}export {{ {_NAMES} }};\n".encode(),
    **{
        f"{part}.css": b"".join((FOLDER / name).read_bytes() for name in names)
        for part, names in _STYLES.items()
    },
}
_VERSION = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:12]
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOR_ONE = {"Cache-Control": "private, max-age=31536000, immutable"}

# The fits that pages play, by the digests of their blocks.
_played: OrderedDict[str, bytes] = OrderedDict()
_MOST_PLAYED = 24  # of 2 MB at most

# The models that pages show, by their names: whoever has been shown one may fetch it. The name of
# an upload ends with a secret of its session, as its content need not be one.
_shown: WeakValueDictionary[str, VAEGMM] = WeakValueDictionary()


def address_of_files() -> str:
    """Return where all.js and the style sheets are: their names are to be added."""
    return address(f"browser/{_VERSION}/")


def address_of_model(model: VAEGMM) -> str:
    """Return the address of a model's blob; from now on it can be fetched."""
    return address(f"model/{_name(model)}")


def address_of_fit(blob: bytes) -> str:
    """Return the address of a recorded fit; from now on it can be fetched."""
    digest = hashlib.sha256(blob).hexdigest()[:16]
    _played[digest] = blob
    _played.move_to_end(digest)
    while len(_played) > _MOST_PLAYED:
        _played.popitem(last=False)
    return address(f"fit/{digest}")


def address_of_images(model: VAEGMM) -> str | None:
    """Return where the sheets of a model's training images are; None where they are not here."""
    if cached.own_dataset(model) is None:
        return None
    return address(f"images/{_name(model)}/")


def address_of_test_images(model: VAEGMM) -> str:
    """Return where the sheets of the test images are that a model is shown with."""
    return address(f"test-images/{_name(model)}/")


def address_of_labels(model: VAEGMM) -> str | None:
    """Return where the true labels of a model's training images are, a byte each."""
    own = cached.own_dataset(model)
    if own is None or own.train.labels is None or own.label_names != model.label_names:
        return None
    return address(f"labels/{_name(model)}")


def under_base_path() -> list[Route]:
    """Return the routes where the server's base path puts them: Streamlit moves only its own."""
    base = base_path()
    return [Route(base + route.path, route.endpoint) for route in ROUTES]


def _name(model: VAEGMM) -> str:
    """Return a model's name in addresses; from now on it is known."""
    secret = choice.secret_of_upload()
    name = f"{model.fingerprint}-{secret}" if secret else model.fingerprint
    _shown[name] = model
    return name


async def _file(request: Request) -> Response:
    name, version = request.path_params["name"], request.path_params["version"]
    if name not in _FILES or version != _VERSION:
        raise HTTPException(404)
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(_FILES[name], media_type=kind, headers=_FOR_GOOD)


async def _model(request: Request) -> Response:
    blob = await run_in_threadpool(blob_of, _shown_model(request))
    # Weights hardly shrink: compressing them for each visitor took longer than sending them does.
    headers = {**_headers(request), "Content-Encoding": "identity"}
    return Response(blob, media_type="application/octet-stream", headers=headers)


async def _fit(request: Request) -> Response:
    blob = _played.get(request.path_params["digest"])
    if blob is None:
        raise HTTPException(404)
    return Response(blob, media_type="application/octet-stream", headers=_FOR_GOOD)


async def _images(request: Request) -> Response:
    return await _sheet_of(request, is_test=False)


async def _test_images(request: Request) -> Response:
    return await _sheet_of(request, is_test=True)


async def _sheet_of(request: Request, is_test: bool) -> Response:
    sheet = await run_in_threadpool(
        _sheet, _shown_model(request), int(request.path_params["sheet"]), is_test
    )
    return Response(sheet, media_type="image/png", headers=_headers(request))


async def _labels(request: Request) -> Response:
    model = _shown_model(request)
    own = await run_in_threadpool(cached.stored_split, model)
    if own is None or own.labels is None:
        raise HTTPException(404)
    labels = own.labels.astype(np.uint8).tobytes()
    return Response(labels, media_type="application/octet-stream", headers=_headers(request))


def _headers(request: Request) -> dict[str, str]:
    return _FOR_ONE if "-" in request.path_params["model"] else _FOR_GOOD


def _shown_model(request: Request) -> VAEGMM:
    model = _shown.get(request.path_params["model"])
    if model is None:
        raise HTTPException(404)
    return model


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=cached.BY_FINGERPRINT)
def blob_of(model: VAEGMM) -> bytes:
    """Write a model for the page."""
    return to_blob(model)


@st.cache_resource(max_entries=120, show_spinner=False, hash_funcs=cached.BY_FINGERPRINT)
def _sheet(model: VAEGMM, sheet: int, is_test: bool) -> bytes:
    """Lay a thousand training or test images out as one picture, row by row."""
    split = cached.dataset(model)[0].test if is_test else cached.stored_split(model)
    n_images = SHEET_COLUMNS * SHEET_ROWS
    if split is None or len(split) <= sheet * n_images:
        raise HTTPException(404)
    images = split.images[sheet * n_images : (sheet + 1) * n_images]
    _, height, width = images.shape
    grid = np.zeros((n_images, height, width), np.uint8)
    grid[: len(images)] = images
    grid = grid.reshape(SHEET_ROWS, SHEET_COLUMNS, height, width).swapaxes(1, 2)
    picture = Image.fromarray(grid.reshape(SHEET_ROWS * height, SHEET_COLUMNS * width), mode="L")
    buffer = io.BytesIO()
    picture.save(buffer, "png", compress_level=3)
    return buffer.getvalue()


ROUTES = [
    Route("/vaegmm/browser/{version}/{name}", _file),
    Route("/vaegmm/model/{model}", _model),
    Route("/vaegmm/fit/{digest}", _fit),
    Route("/vaegmm/labels/{model}", _labels),
    Route("/vaegmm/images/{model}/{sheet:int}.png", _images),
    Route("/vaegmm/test-images/{model}/{sheet:int}.png", _test_images),
    *run_routes.ROUTES,
]

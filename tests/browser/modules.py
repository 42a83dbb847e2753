"""Our JavaScript modules in a page of their own, called from Python with arrays."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, Route

from vaegmm import browser

FOLDER = Path(browser.__file__).parent
ADDRESS = "http://modules.test"  # made up: every request to it is answered here
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
# Arrays on their way in are fetched, those on their way out are base64 in the JSON.
_CALL = """
async ([code, inputs]) => {
  const arrays = {
    float32: Float32Array, float64: Float64Array, uint8: Uint8Array, uint16: Uint16Array,
    int32: Int32Array, uint32: Uint32Array,
  };
  for (const [name, sent] of Object.entries(inputs)) {
    if (sent.json !== undefined) { inputs[name] = JSON.parse(sent.json); continue; }
    const buffer = await (await fetch(sent.address)).arrayBuffer();
    inputs[name] = sent.dtype === "bytes" ? buffer : new arrays[sent.dtype](buffer);
  }
  const pack = (value) => {
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      let text = "";
      for (let at = 0; at < bytes.length; at += 32768)
        text += String.fromCharCode(...bytes.subarray(at, at + 32768));
      const dtype = value.constructor.name.replace("Array", "").replace("Clamped", "");
      return { $array: dtype.toLowerCase(), base64: btoa(text) };
    }
    if (Array.isArray(value)) return value.map(pack);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, pack(part)]));
  };
  return pack(await eval(code)(inputs));
}
"""


class Modules:
    """A page at a made-up origin under which the files of `vaegmm/browser` lie.

    Example:
        >>> modules.run("async ({ z }) => (await import('/model/model.js')).f(z)", z=np.zeros(8))
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.served: dict[str, tuple[bytes, str]] = {}  # further files by path: bytes, MIME type
        page.route(f"{ADDRESS}/**", self._answer)
        self.serve("/", b"<!doctype html><title>modules</title>", "text/html")
        page.goto(f"{ADDRESS}/")

    def serve(self, path: str, body: bytes, mime: str = "application/octet-stream") -> None:
        """Put a further file, such as a fetched blob or a page, under a path of the origin."""
        self.served[path] = body, mime

    def run(self, function: str, **inputs: Any) -> Any:
        """Call a JavaScript function (async or not) with one object of inputs; return its result.

        The page stays as it is between calls. What the function throws is raised as a
        `playwright.sync_api.Error` with its message.

        Args:
            function: the source of a function expression; `import("/model/model.js")` works in it.
            inputs: numpy arrays become typed arrays of their type, flat; bytes an ArrayBuffer;
                the rest goes as JSON.

        Returns:
            JSON, in which every typed array is a numpy array, flat.
        """
        sent: dict[str, dict[str, str]] = {}
        for name, value in inputs.items():
            if isinstance(value, (np.ndarray, bytes)):
                path = f"/inputs/{name}"
                dtype = "bytes" if isinstance(value, bytes) else str(value.dtype)
                body = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
                self.serve(path, body)
                sent[name] = {"address": path, "dtype": dtype}
            else:
                sent[name] = {"json": json.dumps(value)}
        return _unpack(self.page.evaluate(_CALL, [f"({function})", sent]))

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS).partition("?")[0]
        file = (FOLDER / path.lstrip("/")).resolve()
        if path in self.served:
            body, mime = self.served[path]
            route.fulfill(body=body, content_type=mime, headers={"Cache-Control": "no-store"})
        elif FOLDER in file.parents and file.is_file() and file.suffix in _TYPES:
            route.fulfill(body=file.read_bytes(), content_type=_TYPES[file.suffix])
        else:
            route.fulfill(status=404)


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(part) for part in value]
    if isinstance(value, dict) and "$array" in value:
        return np.frombuffer(base64.b64decode(value["base64"]), dtype=value["$array"])
    if isinstance(value, dict):
        return {key: _unpack(part) for key, part in value.items()}
    return value

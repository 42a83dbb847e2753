"""A page as one HTML file that runs in any browser, without a network or a server."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from string import Template

from vaegmm.browser.bundle import FOLDER, bundle

_OPEN = """
const encoded = document.getElementById("content");
openPage(encoded.textContent, document.getElementById("page"));
encoded.remove();
"""


def one_file(module: str, styles: Sequence[str], content: bytes, title: str, waiting: str) -> bytes:
    """Write a page that holds what it shows, and all that shows it.

    The page fetches nothing, and its Content-Security-Policy keeps it from doing so: of scripts it
    allows the one in it, by its hash. The content is inside in base64, and the module's `openPage`
    makes text of it only.

    Args:
        module: that exports `openPage(encoded, element)`, such as "exported/page.js".
        styles: what it needs of style sheets, by their names.
        content: what is shown.
        title: of the page.
        waiting: what is said until it is open.

    Returns:
        HTML in UTF-8. The same content gives the same bytes.
    """
    script = f"\n{bundle(module)}{_OPEN}"
    digest = hashlib.sha256(script.encode()).digest()
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src 'sha256-{base64.b64encode(digest).decode()}'",
            # The modules bring styles of their own; without sources they cannot fetch, either.
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    page = Template((FOLDER / "exported/export.html").read_text(encoding="utf-8")).substitute(
        policy=policy,
        title=html.escape(title),
        waiting=html.escape(waiting),
        style="\n".join((FOLDER / name).read_text(encoding="utf-8") for name in styles),
        content=base64.b64encode(content).decode(),
        script=script,
    )
    return page.encode(errors="replace")  # a title may hold half a character

"""Text files that readers see whole, whatever ends the process that writes them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from vaegmm.runs.errors import unwritable


def replace(path: Path, text: str) -> None:
    """Write a text file such that a reader sees the old one or the new one, never half.

    Raises:
        RunError: if it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)

"""Text files that readers see whole, whatever ends the process that writes them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

from vaegmm.runs.errors import RunError, unwritable


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it holds anything else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:  # brackets without end
        raise ValueError("it is nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError(f"it must hold a JSON object; it holds a {type(values).__name__}")
    return values


def replace(path: Path, text: str) -> None:
    """Write a text file such that a reader sees the old one or the new one, never half.

    Raises:
        RunError: if it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Add a line to a text file; what is cut off by a crash or a full disk lacks its end.

    Raises:
        RunError: if it cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise unwritable(path, error) from error


def remove(path: Path) -> None:
    """Remove a run's directory and all it holds, or a link to it.

    Raises:
        RunError: if it cannot be removed.
    """
    try:
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)
    except OSError as error:
        raise RunError(
            f"{path} cannot be removed: {error}.", reason="run cannot be removed"
        ) from error

"""Our JavaScript modules as one, for a page that can import no files."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent

# Statements of a module start at its left edge; what is within others is indented.
_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"\./([\w./-]+)";\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|class|const|let)\b)", re.MULTILINE)
_DECLARATION = re.compile(
    r"^(?:export\s+)?(?:async\s+)?(?:function\b\s*\*?|class\b|const\b|let\b|var\b)\s*([\w$]*)",
    re.MULTILINE,
)
_EXPORTED = re.compile(
    r"^export\s+(?:async\s+)?(?:function\b\s*\*?|class\b|const\b|let\b)\s*([\w$]+)", re.MULTILINE
)


def bundle(*entries: str, folder: Path = FOLDER) -> str:
    """Join modules, and all that they import, into the source of one that imports nothing.

    Each module comes after those it imports. What the modules export is in the scope of what is
    written behind them. Modules say `import { a, b } from "./other.js";` and export declarations;
    nothing else of the module syntax is understood.

    Args:
        entries: names of the modules that are wanted, in `folder`.
        folder: where they lie.

    Raises:
        ValueError: if two modules declare the same name, import each other in a circle, import what
            is not exported, use other module syntax, or hold what would end a `<script>`.
    """
    sources: dict[str, str] = {}
    for entry in entries:
        _collect(entry, folder, sources, ())
    owners: dict[str, str] = {}
    for name, source in sources.items():
        for declared in _DECLARATION.findall(source):
            if not declared:
                raise ValueError(f"{name} must declare names one by one, to be joined with others.")
            if declared in owners:
                raise ValueError(
                    f"modules must declare different names; {owners[declared]} and {name} both "
                    f"declare {declared}. Rename one."
                )
            owners[declared] = name
    return "\n".join(
        f"// {name}\n{_EXPORT.sub('', _IMPORT.sub('', source)).strip()}\n"
        for name, source in sources.items()
    )


def _collect(name: str, folder: Path, sources: dict[str, str], path: tuple[str, ...]) -> None:
    """Add a module to `sources`, after the modules that it imports."""
    if name in path:
        raise ValueError(f"modules must not import each other; got {' → '.join((*path, name))}.")
    if name in sources:
        return
    source = (folder / name).read_text(encoding="utf-8")
    rest = _EXPORT.sub("", _IMPORT.sub("", source))
    other = re.search(r"^(?:import|export)\b.*", rest, re.MULTILINE)
    if other:
        raise ValueError(
            f'{name} must import by `import {{ a, b }} from "./other.js";` and export '
            f"declarations; got {other.group()!r}."
        )
    if re.search(r"</script|<!--", source, re.IGNORECASE):
        raise ValueError(f"{name} must not contain </script or <!--, which end a page's script.")
    for names, imported in _IMPORT.findall(source):
        _collect(imported, folder, sources, (*path, name))
        exported = _EXPORTED.findall(sources[imported])
        for wanted in filter(None, (part.strip() for part in names.split(","))):
            if wanted not in exported:
                raise ValueError(f"{name} must import what {imported} exports; got {wanted!r}.")
    sources[name] = source

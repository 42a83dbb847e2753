"""Our JavaScript modules as one, for a page that can import no files."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

FOLDER = Path(__file__).parent

# Statements of a module start at its left edge; what is within others is indented.
_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"(\.[\w./-]+)";\n?', re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+((?:async\s+)?(?:function\b\s*\*?|class\b|const\b)\s*([\w$]+))", re.MULTILINE
)


def bundle(*entries: str, folder: Path = FOLDER) -> str:
    """Join modules, and all that they import, into the source of one that imports nothing.

    Each module becomes a function of its own, so that two may use the same name for two things,
    and comes after those it imports. What the entries export is in the scope of what is written
    behind them. Modules say `import { a, b } from "./other.js";` and export declarations of
    functions, classes and constants; nothing else of the module syntax is understood.

    Args:
        entries: the modules that are wanted, such as "model/model.js".
        folder: where they lie.

    Raises:
        ValueError: if two entries export the same name, or modules import each other in a circle,
            import what is not exported, use other module syntax, or hold what would end a
            `<script>`.
    """
    sources: dict[str, str] = {}
    for entry in entries:
        _collect(entry, folder, sources, ())
    owners: dict[str, str] = {}
    for entry in dict.fromkeys(entries):
        for name in _exports(sources[entry]):
            if name in owners:
                raise ValueError(
                    f"entries must export different names; {owners[name]} and {entry} both "
                    f"export {name}. Rename one."
                )
            owners[name] = entry
    parts = [_as_function(name, source) for name, source in sources.items()]
    parts += [f"const {{ {name} }} = {_variable(entry)};\n" for name, entry in owners.items()]
    return "".join(parts)


def _exports(source: str) -> list[str]:
    return [name for _, name in _EXPORT.findall(source)]


def _variable(module: str) -> str:
    """Return what a module is called in the joined source; modules' own names have no `$` first."""
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))


def _as_function(name: str, source: str) -> str:
    body = _EXPORT.sub(r"\1", _IMPORT.sub("", source)).strip()
    imports = "".join(
        f"const {{ {', '.join(_names(names))} }} = {_variable(_resolved(address, name))};\n"
        for names, address in _IMPORT.findall(source)
    )
    result = f"return {{ {', '.join(_exports(source))} }};"
    return f"// {name}\nconst {_variable(name)} = (() => {{\n{imports}{body}\n{result}\n}})();\n\n"


def _resolved(address: str, name: str) -> str:
    """Return the name of the module that another one imports by a relative address."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), address))


def _names(names: str) -> list[str]:
    return [part.strip() for part in names.split(",") if part.strip()]


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
    for names, address in _IMPORT.findall(source):
        imported = _resolved(address, name)
        _collect(imported, folder, sources, (*path, name))
        exported = _exports(sources[imported])
        for wanted in _names(names):
            if wanted not in exported:
                raise ValueError(f"{name} must import what {imported} exports; got {wanted!r}.")
    sources[name] = source

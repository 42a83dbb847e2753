"""`vaegmm film`: the film of a training, as a picture, a video or a page for others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaegmm.film import Film

_KINDS = (".film", ".gif", ".mp4", ".html")
_MEGABYTE = 1_000_000


def add(commands: Any) -> None:
    """Add `film` to the command line."""
    command = commands.add_parser("film", help="write a training's film for others")
    command.add_argument("source", metavar="RUN", help="a run's directory, or a film's file")
    command.add_argument(
        "out", metavar="OUT", help="FILE.gif, FILE.mp4, FILE.html, or FILE.film: a smaller film"
    )
    command.add_argument("--title", help="what stands above it (default: the data set's title)")
    command.add_argument("--seconds", type=float, help="of a gif or mp4 (default: 12)")
    command.add_argument("--megabytes", type=float, help="of a .film at most (default: 3)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write a film."""
    from vaegmm.film import FilmError, read_film

    source, out = Path(options.source), Path(options.out)
    kind = out.suffix.lower()
    if kind not in _KINDS:
        raise ValueError(f"out must end in {', '.join(_KINDS)}; got {options.out}.")
    if options.seconds is not None and kind not in (".gif", ".mp4"):
        raise ValueError(f"seconds are of a gif or mp4; got {options.out}. Leave them out.")
    if options.megabytes is not None and kind != ".film":
        raise ValueError(f"megabytes are of a .film; got {options.out}. Leave them out.")
    path = source / "film.bin" if source.is_dir() else source
    try:
        film = read_film(path)
        size = _write(film, path, out, options)
    except FilmError as error:
        raise ValueError(str(error)) from error
    except OSError as error:
        raise ValueError(f"{out} cannot be written: {error}.") from error
    print(f"{out}  ({size / _MEGABYTE:.1f} MB)")


def _write(film: Film, path: Path, out: Path, options: argparse.Namespace) -> int:
    from vaegmm.film import thin
    from vaegmm.film.export import SECONDS, write_gif, write_mp4

    title, kind = options.title or "", out.suffix.lower()
    if kind == ".film":
        megabytes = 3.0 if options.megabytes is None else options.megabytes
        return out.write_bytes(thin(film, int(megabytes * _MEGABYTE)).to_bytes())
    if kind == ".html":
        from vaegmm.browser.film_page import film_html

        return out.write_bytes(film_html(path, title or film.opening.header["title"]))
    write = write_gif if kind == ".gif" else write_mp4
    return write(film, out, title, SECONDS if options.seconds is None else options.seconds)

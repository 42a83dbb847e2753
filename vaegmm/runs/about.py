"""What people call a run: its title, a note, tags, and the name of its directory."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vaegmm.config import TrainConfig
from vaegmm.data import NAMED
from vaegmm.errors import InputError
from vaegmm.settings import describe

MOST_CHARACTERS = {"title": 300, "note": 10_000, "tag": 60}
MOST_TAGS = 20
_SLUG_CHARACTERS = 40  # with the time before it a name of at most 60


@dataclass(frozen=True)
class About:
    """What people wrote about a run; nothing that a training depends on."""

    title: str = ""  # empty: what `default_title` calls it
    note: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Keep what is written as it is, but for what no text holds; refuse what is too long.

        Raises:
            InputError: if title, note or a tag is too long, or there are too many tags.
        """
        title, note = _line(self.title), _text(self.note)
        tags = tuple(dict.fromkeys(filter(None, map(_line, self.tags))))
        for kind, text in [("title", title), ("note", note), *(("tag", tag) for tag in tags)]:
            if len(text) > (most := MOST_CHARACTERS[kind]):
                raise InputError(
                    f"{kind} must have at most {most} characters; got {len(text)}. Shorten it.",
                    reason="long text",
                    what=kind,
                    most=most,
                )
        if len(tags) > MOST_TAGS:
            raise InputError(
                f"tags must be at most {MOST_TAGS}; got {len(tags)}. Leave some out.",
                reason="many tags",
                most=MOST_TAGS,
            )
        for name, value in {"title": title, "note": note, "tags": tags}.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> About:
        """Rebuild from a file that people may have edited: what is no text there is left out."""
        title, note, tags = (values.get(name) for name in ("title", "note", "tags"))
        written = tags if isinstance(tags, list) else []
        return cls(
            _line(title if isinstance(title, str) else "")[: MOST_CHARACTERS["title"]],
            _text(note if isinstance(note, str) else "")[: MOST_CHARACTERS["note"]],
            tuple(_line(tag)[: MOST_CHARACTERS["tag"]] for tag in written if isinstance(tag, str))[
                :MOST_TAGS
            ],
        )


def default_title(config: TrainConfig, data_name: str, created: datetime | None) -> str:
    """Say in words what is trained, on what and since when.

    Args:
        config: what is trained.
        data_name: a name or path that `data.load` takes.
        created: local time.
    """
    preset, *changes = describe(config).split(", ")
    words = [f"{preset} on {data_title(data_name)}", *changes]
    if created is not None:
        words.append(f"{created.day} {created:%b %H:%M}")
    return ", ".join(words)


def data_title(data_name: str) -> str:
    """Say what a data set is called, without the folder it lies in."""
    if data_name in NAMED:
        return NAMED[data_name].title.partition(" (")[0]
    return Path(data_name).stem


def again(title: str) -> str:
    """Return a title for the duplicate of a run: with the next number behind it."""
    match = re.fullmatch(r"(.*) \((\d{1,6})\)", title, re.DOTALL)
    base, number = (match[1], int(match[2]) + 1) if match else (title, 2)
    ending = f" ({number})"
    return base[: MOST_CHARACTERS["title"] - len(ending)] + ending


def slug(text: str) -> str:
    """Return what a directory can be called after a text: a to z, digits and hyphens, or nothing.

    Letters lose their accents; those of other scripts are left out.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_CHARACTERS].strip("-")


def _line(text: str) -> str:
    """Return a text on one line."""
    return _text(re.sub(r"[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text))


def _text(text: str) -> str:
    """Leave out what cannot be written or shown: control characters and halves of pairs."""
    is_text = (c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") for c in text)
    return "".join(c for c, keep in zip(text, is_text, strict=True) if keep).strip()

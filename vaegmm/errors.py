"""Errors that say what is wrong twice: precisely in their message, and by a word for pages."""

from __future__ import annotations

from typing import Any


class ReasonedError(Exception):
    """An error that pages can put into words of their own, without reading its message.

    Attributes:
        reason: which of the sentences of `vaegmm.app.words` says it; empty where none does.
        facts: what that sentence mentions, by name.
    """

    def __init__(self, message: str = "", *, reason: str = "", **facts: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.facts = facts


class InputError(ReasonedError, ValueError):
    """A value that people chose, drew or sent cannot be used."""


def handed_on(error: Exception, **facts: object) -> dict[str, Any]:
    """Return the reason and the facts of an error, for one that is raised because of it.

    Args:
        error: the cause.
        facts: what is added to its facts.
    """
    return {
        "reason": getattr(error, "reason", ""),
        **getattr(error, "facts", {}),
        **facts,
    }

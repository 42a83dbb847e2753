"""What is wrong with a run's directory, in words."""

from __future__ import annotations

from pathlib import Path

from vaegmm.errors import ReasonedError


class RunError(ReasonedError):
    """A run directory cannot be used as asked; the message says why and what to do."""


def busy(path: Path) -> RunError:
    """Return the error for a run that another process works on."""
    return RunError(
        f"{path} is being worked on by another process. Wait for it, or stop it.",
        reason="run busy",
    )


def unwritable(path: Path, error: Exception) -> RunError:
    """Return the error for a place that cannot be written."""
    return RunError(
        f"{path} cannot be written: {error}. Free some space, or choose another place.",
        reason="run unwritable",
    )


def damaged(path: Path, problem: Exception | str) -> RunError:
    """Return the error for a file of a run that cannot be what a training wrote."""
    problem = str(problem).rstrip(".")
    return RunError(
        f"{path} is damaged: {problem}. Correct it, or delete the run.",
        reason="damaged file",
        file=path.name,
        problem=problem,
    )


def finished(path: Path) -> RunError:
    """Return the error for a run that has nothing left to train."""
    return RunError(
        f"{path} is finished; its result is {path / 'model.safetensors'}.", reason="run finished"
    )

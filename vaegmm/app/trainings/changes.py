"""All that a page changes about trainings, for the owner alone.

Whatever else of the app does one of these goes by here; tests/app/test_permission.py looks.
"""

from __future__ import annotations

from collections.abc import Iterable

from vaegmm.app.permission import owner_only
from vaegmm.runs import Run, queue, trash
from vaegmm.runs import new_run as _new_run

new_run = owner_only(_new_run)

enqueue = owner_only(queue.enqueue)
start_now = owner_only(queue.start_now)
cancel = owner_only(queue.cancel)
change_settings = owner_only(queue.change_settings)

discard = owner_only(trash.discard)
restore = owner_only(trash.restore)


@owner_only
def describe(run: Run, title: str, note: str, tags: Iterable[str]) -> None:
    """Change what people say of a run."""
    run.describe(title=title, note=note, tags=tags)


@owner_only
def stop(run: Run) -> None:
    """Ask the process that works on a run to stop."""
    run.stop()

"""A training as a process with a directory: created, executed, watched, stopped, resumed.

Runs
    `Run.create(path, config, data_name, device, upload, title=…, note=…, tags=…)` makes a run in a
    place of one's own, `new_run(config, data_name, title=…, **options)` in the folder of runs,
    whoever else makes one there at this moment. `run.title` is what to show: what people wrote, or
    in words what it trains; `run.about` is what they wrote alone (`title`, `note`, `tags`), and
    `run.describe(title=…, note=…, tags=…)` writes it. `run.name` is the directory's name, its id.
    `run.execute()` trains in this process, `run.launch()` in one of its own, `run.stop()` ends
    either, or the waiting. `run.status`, `run.losses`, `run.losses_from(n)`, `run.metrics`,
    `run.created` and `run.log_tail()` never raise, whatever someone made of the files.
    `duplicate(run)` returns what a form for another run like it begins with.
    With `attempts=N` N seeds are trained, and one is kept: `finished_attempts(run)`, `best_of`.

Folder
    `list_runs()` yields each `Run`, and as a `DamagedRun` (with `error` and `reason`, a sentence)
    what cannot be read as one; `sound_runs()` only those that can. Both kinds have `path`, `name`,
    `title`, `about`, `status`, `model_path` and `delete()`; a damaged one's `config` raises.

Trash
    `entry = trash.discard(run)` deletes with a way back, `trash.restore(entry)` is that way and
    returns the directory; `trash.list_trash()`, `trash.empty()`. `run.delete()` has no way back.

Queue
    `queue.enqueue(run)` starts a run or lets it wait (state "waiting"); `queue.waiting()` in order,
    `queue.place(run)` from 1, `queue.move(run, place)`, `queue.start_now(run)`,
    `queue.cancel(run)`, `queue.settings().at_once`, `queue.change_settings(at_once)`, and
    `queue.ensure()` wherever someone begins to look after the folder.
"""

from vaegmm.runs import queue, trash
from vaegmm.runs.about import About, data_title
from vaegmm.runs.attempts import Attempt, best_of, finished_attempts
from vaegmm.runs.duplicate import Prefill, duplicate
from vaegmm.runs.errors import RunError
from vaegmm.runs.folder import (
    DamagedRun,
    list_runs,
    new_run,
    new_run_path,
    runs_folder,
    sound_runs,
)
from vaegmm.runs.provenance import command_of
from vaegmm.runs.run import Run
from vaegmm.runs.sharing import assist
from vaegmm.runs.status import State, Status

__all__ = [
    "About",
    "Attempt",
    "DamagedRun",
    "Prefill",
    "Run",
    "RunError",
    "State",
    "Status",
    "assist",
    "best_of",
    "command_of",
    "data_title",
    "duplicate",
    "finished_attempts",
    "list_runs",
    "new_run",
    "new_run_path",
    "queue",
    "runs_folder",
    "sound_runs",
    "trash",
]

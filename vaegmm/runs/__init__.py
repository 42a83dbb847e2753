"""A training as a process with a directory: created, executed, watched, stopped, resumed.

`directory` reads and writes the files of a run, `run` is what is done with one, `execution` the
training itself, `attempts` several of them, `sharing` its part under torchrun, `folder` where runs
are kept.
"""

from vaegmm.runs.attempts import Attempt, best_of, finished_attempts
from vaegmm.runs.errors import RunError
from vaegmm.runs.folder import list_runs, new_run_path, runs_folder
from vaegmm.runs.provenance import command_of
from vaegmm.runs.run import Run
from vaegmm.runs.sharing import assist
from vaegmm.runs.status import State, Status

__all__ = [
    "Attempt",
    "Run",
    "RunError",
    "State",
    "Status",
    "assist",
    "best_of",
    "command_of",
    "finished_attempts",
    "list_runs",
    "new_run_path",
    "runs_folder",
]

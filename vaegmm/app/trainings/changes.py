"""All that a page changes about trainings, for the owner alone.

Whatever else of the app does one of these goes by here; tests/app/test_permission.py looks.
"""

from __future__ import annotations

from vaegmm.app.permission import owner_only
from vaegmm.runs import Run, queue, trash
from vaegmm.runs import new_run as _new_run

new_run = owner_only(_new_run)
describe = owner_only(Run.describe)
stop = owner_only(Run.stop)

enqueue = owner_only(queue.enqueue)
start_now = owner_only(queue.start_now)
cancel = owner_only(queue.cancel)
change_settings = owner_only(queue.change_settings)

discard = owner_only(trash.discard)
restore = owner_only(trash.restore)

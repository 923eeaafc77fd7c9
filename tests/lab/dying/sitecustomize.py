"""On PYTHONPATH, this kills a runner right after its event number HACTL_DIE_AT is on disk: SIGKILL, no last words.

The prober's ticks are not counted, so that the number means the same whatever the machine has else to do. With
HACTL_DIE_IN, the index of a step, only what tells of that step counts, and no progress of it.
The interpreter imports it before anything else; programs that are no runner are left alone.
"""

import os
import signal
import sys

if "hactl.control.runner" in sys.orig_argv and (number := os.environ.get("HACTL_DIE_AT")):
    from hactl.engine.journal import Journal

    append, seen, step = Journal.append, [], os.environ.get("HACTL_DIE_IN")

    def append_and_die(self, run, event, *rest, **more):
        recorded = append(self, run, event, *rest, **more)
        counts = type(event).__name__ not in {"ProbeTick", *(["StepProgress"] if step else [])}
        if counts and (step is None or str(getattr(event, "step", None)) == step):
            seen.append(event)
        if len(seen) >= int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return recorded

    Journal.append = append_and_die

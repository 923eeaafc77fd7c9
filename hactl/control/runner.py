"""The runner: `python -m hactl.control.runner RUN PURPOSE INVENTORY`, the process in which a run lives.

Detached by whoever starts it (`control.runs`); it asks nobody anything, and says what it does in the journal. Exit
status 0 when the run's outcome is "done", 1 for any other end, 2 when it could not even begin.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hactl.config import load_inventory
from hactl.control.control import Control
from hactl.control.operator import operator
from hactl.control.plans import lock_transports, made
from hactl.drivers.verbs.catalogue import VERBS
from hactl.engine.clock import RealClock
from hactl.engine.crew import Crew, Rules
from hactl.engine.hands import Hands
from hactl.engine.journal import Journal, default_journal
from hactl.engine.lock import ClusterLock
from hactl.engine.prober import Prober
from hactl.engine.runner import Runner
from hactl.engine.story import Story
from hactl.engine.watchman import Watchman
from hactl.engine.will import Will
from hactl.model.errors import HactlError, PlanChangedError
from hactl.model.events import Outcome, RunEnded, RunStarted
from hactl.model.guard import GuardVerdict
from hactl.model.inventory import Inventory
from hactl.model.lock import Holder
from hactl.model.plan import Plan
from hactl.planning.changes import changes
from hactl.planning.conditions import holds
from hactl.planning.guards import before_step

log = logging.getLogger("hactl.runner")

_NOT_BEGUN = 2


def main(argv: Sequence[str]) -> int:
    run, purpose, path = argv
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        inventory = load_inventory(Path(path))
        journal = Journal(default_journal())
        with journal.live(run):
            ended = asyncio.run(carried_out(journal, inventory, run, purpose))
    except HactlError as error:
        log.error("%s", error)  # noqa: TRY400 - an expected one: its sentence says all
        return _NOT_BEGUN
    return 0 if ended.outcome is Outcome.DONE else 1


async def carried_out(journal: Journal, inventory: Inventory, run: str, purpose: str) -> RunEnded:
    """Carry the run out, from where its story stands. Raises JournalError."""
    plan, clock = journal.plan_of(run), RealClock()
    story = Story(journal, run, plan, journal.events(run))
    will = Will(journal, story, clock)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, will.signalled)
    # The lock has connections of its own, and so has the second look at the plan: each of them, like the watchman,
    # holds a session on every connection, and where sshd allows few (MaxSessions), none would be left for commands.
    async with Control(inventory) as control, Control(inventory) as aside:
        transports = control.transports()
        probes = {node: control.probes(node) for node in inventory.nodes}
        hands = Hands(inventory, transports, clock)
        lock = ClusterLock(lock_transports(aside, inventory), inventory.name, _holder(run, plan))
        crew = Crew(
            inventory=inventory,
            verbs=VERBS,
            clock=clock,
            diary=journal,
            story=story,
            hands=hands,
            fence=lock,
            watch=Watchman(inventory, transports, probes, clock, pools=plan.pools, told=story.write),
            will=will,
            rules=Rules(holds, before_step),
        )

        async def still() -> tuple[GuardVerdict, ...]:
            async with Control(inventory) as own:
                return await _still(own, journal, plan, run)

        prober = Prober(plan.endpoints, transports, clock, story.write, dict(story.probed))
        return await Runner(crew, lock, prober, still).run(_started(story, purpose))


async def _still(control: Control, journal: Journal, confirmed: Plan, run: str) -> tuple[GuardVerdict, ...]:
    """The verdicts of the plan as it would be made now. Raises PlanChangedError."""
    now = await made(control, journal, confirmed.request, os.environ, lambda _: None, run=run)
    if found := changes(confirmed, now):
        raise PlanChangedError(
            f"The cluster has changed since the plan: {'; '.join(found)}.", found, remedy="Plan again."
        )
    return now.verdicts


def _started(story: Story, purpose: str) -> RunStarted:
    state = story.state
    who = state.who or story.plan.request.who
    return RunStarted(story.plan.digest, who, socket.gethostname(), os.getpid(), state.attempt + 1, purpose)


def _holder(run: str, plan: Plan) -> Holder:
    who = plan.request.who or operator()
    return Holder(secrets.token_hex(4), who, socket.gethostname(), os.getpid(), run, plan.playbook, time.time())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

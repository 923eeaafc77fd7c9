"""Makes a plan: playbook, fresh picture, a look at every step, guards. For whoever asks and for the runner alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from hactl.config.playbooks import load_playbook
from hactl.control.control import Control
from hactl.drivers.verbs.catalogue import VERBS
from hactl.engine.clock import RealClock
from hactl.engine.hands import Hands
from hactl.engine.journal import Journal
from hactl.engine.local import checksums
from hactl.engine.lock_look import holders
from hactl.engine.look import Looker
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Inventory, Standing
from hactl.model.plan import Plan, Request
from hactl.model.playbook import Playbook
from hactl.planning.basis import file_key
from hactl.planning.draft import draft
from hactl.planning.finish import carried_over, finished, needless
from hactl.planning.parameters import filled
from hactl.planning.resolve import names
from hactl.planning.targets import meant
from hactl.planning.touched import local_files
from hactl.planning.world import World
from hactl.transport.protocol import Transport


def lock_transports(control: Control, inventory: Inventory) -> Mapping[str, Transport]:
    """The nodes that decide about the cluster's lock."""
    active = {name for name, node in inventory.nodes.items() if node.standing is Standing.ACTIVE}
    return {name: transport for name, transport in control.transports().items() if name in active}


async def made(
    control: Control,
    journal: Journal,
    request: Request,
    env: Mapping[str, str],
    progress: Callable[[str], None],
    *,
    run: str = "",
) -> Plan:
    """The plan for `request` as things are now. Touches nothing. `run` is the run that the plan is made for again.

    Raises InputError (PlaybookError among them), JournalError.
    """
    inventory, clock = control.inventory, RealClock()
    playbook = load_playbook(request.playbook, VERBS, env=env)
    count = len(inventory.nodes)
    progress(f"asking {count} nodes")
    picture, locked = await asyncio.gather(
        control.snapshot(
            lambda done, all_: progress(f"{done} of {all_} nodes have answered"),
            rare=_rarely_asked(playbook, request, inventory),
        ),
        _locked(control, inventory, run),
    )
    history = journal.history(inventory.name, playbook.name)
    history = replace(history, unfinished=tuple(one for one in history.unfinished if one.run != run))
    world = World(inventory, picture, time.time(), history)
    drafting = partial(draft, playbook, request, world, VERBS)
    drafted = drafting()
    progress(f"looking at {len(drafted.steps)} steps")
    hands = Hands(inventory, control.transports(), clock)
    looked = await Looker(inventory, VERBS, picture, hands, clock).look(drafted)
    if idle := needless(drafted, looked):
        whole, drafted = drafted, drafting(idle)
        looked = carried_over(looked, whole, drafted)
    sums = await checksums(local_files(drafted.steps, VERBS))
    files = {file_key(path): word for path, word in sums.items()}
    drafted = replace(drafted, verdicts=(*drafted.verdicts, *locked), basis=files)
    return finished(drafted, looked, replace(world, wall=time.time()))


def _rarely_asked(playbook: Playbook, request: Request, inventory: Inventory) -> tuple[str, ...]:
    """Targets of which the plan has to know what costs them much to find out: packages on offer."""
    wanted = any(
        step.verb.startswith("package.") or (step.when is not None and step.when.fact == "package_pending")
        for step in playbook.steps
    )
    if not wanted or playbook.targets is None:
        return ()
    known = names(filled(playbook, request.parameters, inventory), inventory)
    nodes, _ = meant(playbook.targets, known, request.limit, inventory)
    return nodes


async def _locked(control: Control, inventory: Inventory, run: str) -> tuple[GuardVerdict, ...]:
    """A refusal when somebody else holds the cluster's lock."""
    picture = await holders(lock_transports(control, inventory), inventory.name)
    holder = picture.holder
    if holder is None or (run and holder.run == run):
        return ()
    return (GuardVerdict("lock", Ruling.REFUSE, f"the lock is held: {holder.sentence}", can_override=False),)

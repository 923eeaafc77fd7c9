"""The watcher of an exercise: `python -m hactl.control.training_watcher LAB FOLDER`, a process of its own.

Detached by whoever begins the exercise; killed, the next command about it starts another one, which goes on from the
notes. It does what the exercise does to the lab, looks at the cluster as any hactl does, notes what happens, and ends
the exercise: when its last goal holds, when it is asked to stop, when its time is over, when the lab is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hactl.config import load_inventory
from hactl.control.acks import Acks
from hactl.control.control import Control
from hactl.control.training_acts import Hands, wind_up
from hactl.control.training_diary import Diary
from hactl.control.unfinished import newest
from hactl.lab import crowd
from hactl.lab.backend import BACKEND_VARIABLE, NAMESPACES, AnyLab, open_lab
from hactl.model.errors import HactlError
from hactl.model.inventory import Inventory
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.model.scenario_goals import NOBODY_COUNTED, Scene, counts_rows, judged, new_findings, settled
from hactl.model.scenario_sights import Sights, noticed
from hactl.model.scenario_story import Ending, Mark, Standing

log = logging.getLogger("hactl.training")

_INTERVAL = 2.0  # seconds between two fast samples
_STEADY = 3.0  # seconds for which the last goal must hold
_REFRESH = 10.0  # seconds between two looks at what is asked rarely
_SETTLES = 30.0  # seconds after which pictures are believed, whoever is still silent
_COUNTS = 5.0  # seconds between two counts of the orders
_ITSELF = 30.0  # seconds after an act in which what gets better got so by itself


def main(argv: Sequence[str]) -> int:
    name, folder = argv
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    lab = open_lab(name, backend=os.environ.get(BACKEND_VARIABLE, NAMESPACES))
    diary = Diary(Path(folder))
    with diary.held() as mine:
        if not mine or diary.standing().over:
            return 0
        diary.note(Mark.WATCHED, f"process {os.getpid()}")
        try:
            ending, at = asyncio.run(_Watch(lab, diary).ended())
        except HactlError:
            log.exception("the watcher cannot go on")
            return 1
        wind_up(lab, diary, ending, at=at)
    return 0


class _Watch:
    def __init__(self, lab: AnyLab, diary: Diary) -> None:
        self._lab, self._diary = lab, diary
        self._standing: Standing = diary.standing()
        self._session = self._standing.session
        self._scenario = self._session.scenario
        self._acted = self._last_act()
        self._wrong = any(note.mark is Mark.OPEN for note in self._standing.notes)
        self._holds_since: float | None = None
        self._sights: Sights | None = None
        self._lost: int | Unknown = NOBODY_COUNTED
        self._counted = self._refreshed = 0.0
        self._settled = asyncio.Event()
        self._opened = time.monotonic()

    async def ended(self) -> tuple[Ending, float]:
        """How the exercise ends, and when (epoch seconds)."""
        try:
            inventory = load_inventory(self._lab.paths.inventory)
        except HactlError:
            return Ending.GONE, time.time()
        acting = asyncio.create_task(self._act())
        try:
            async with Control(inventory, interval=_INTERVAL) as control:
                async for picture in control.watch():
                    if acting.done():
                        acting.result()
                    if (ending := await self._look(control, inventory, picture, acting)) is not None:
                        return ending
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
        return Ending.GONE, time.time()

    # --- what the exercise does ---

    async def _act(self) -> None:
        """The acts that are not done yet, each in its time."""
        hands = Hands(self._lab, self._diary.folder)
        await self._settled.wait()  # what happens is to be seen happening
        for number, act in enumerate(self._scenario.acts, 1):
            if number <= self._standing.acts:
                continue
            await asyncio.sleep(max(0.0, self._acted + act.after - time.time()))
            said = str(act)
            try:
                await asyncio.to_thread(hands.do, act)
            except HactlError as error:
                said = f"{act}, which failed: {error.message}"
            self._acted = time.time()
            self._diary.note(Mark.ACT, said, number)

    def _last_act(self) -> float:
        times = [note.at for note in self._standing.notes if note.mark in {Mark.BEGUN, Mark.ACT}]
        return max(times, default=time.time())

    # --- what is seen ---

    async def _look(
        self, control: Control, inventory: Inventory, picture: Picture, acting: asyncio.Task[None]
    ) -> tuple[Ending, float] | None:
        self._standing = self._diary.standing()
        if (over := self._over()) is not None:
            return over, time.time()
        if not self._settled.is_set() and not settled(picture) and time.monotonic() - self._opened < _SETTLES:
            return None
        self._settled.set()
        scene = Scene(picture, self._began, frozenset(self._session.before), self._lost)
        self._note_sights(scene, inventory)
        goal = self._standing.goal
        if goal is None:  # the watcher before this one was killed right then
            return Ending.REACHED, max(note.at for note in self._standing.notes if note.mark is Mark.GOAL)
        scene = await self._with_rows(scene)
        missing = [one.sentence for one in judged(goal, scene) if not one.holds]
        holds = not missing
        if missing and not self._wrong:  # else what is about to break would count as mended
            self._wrong = True
            self._diary.note(Mark.OPEN, missing[0])
        last = self._standing.reached + 1 == len(self._scenario.goals)
        if not holds or not self._wrong or (last and not acting.done()):
            self._holds_since = None
            if time.monotonic() - self._refreshed > _REFRESH:
                self._refreshed = time.monotonic()
                control.refresh()
            return None
        self._holds_since = self._holds_since or time.time()
        if last and time.time() - self._holds_since < _STEADY:
            return None
        self._detected("a goal was reached")
        self._diary.note(Mark.GOAL, goal.title, self._standing.reached + 1, at=self._holds_since)
        at, self._holds_since = self._holds_since, None
        return (Ending.REACHED, at) if last else None

    @property
    def _began(self) -> float:
        return self._standing.began or self._session.prepared

    def _over(self) -> Ending | None:
        if self._diary.asked_to_stop:
            return Ending.STOPPED
        try:
            life = self._lab.paths.life.read_text(encoding="ascii")
        except FileNotFoundError:
            return Ending.GONE
        if life != self._session.life:
            return Ending.GONE
        return Ending.TIMEOUT if time.time() > self._began + self._scenario.limit else None

    async def _with_rows(self, scene: Scene) -> Scene:
        """The orders are counted only where nothing else is in the way of the goal."""
        goal = self._standing.goal
        if goal is None or not counts_rows(goal, scene):
            return scene
        if time.monotonic() - self._counted > _COUNTS:
            self._lost = await asyncio.to_thread(crowd.missing, self._lab, self._diary.folder)
            self._counted = time.monotonic()
        return Scene(scene.picture, scene.began, scene.before, self._lost)

    def _note_sights(self, scene: Scene, inventory: Inventory) -> None:
        """What has come, gone and moved since the picture before."""
        seen = Sights.of(scene.picture, new_findings(scene))
        if self._sights is not None:
            for mark, text in noticed(self._sights, seen):
                self._diary.note(mark, text)
                if mark is Mark.GONE and time.time() - self._acted > _ITSELF:
                    self._detected(f"something got better: {text}")
        self._sights = seen
        if self._standing.detected is None and (what := self._operator_did(inventory)):
            self._detected(what)

    def _operator_did(self, inventory: Inventory) -> str:
        """What whoever began the exercise has done with hactl since; "" nothing."""
        try:
            run = next((one for one in newest(inventory.name, limit=1) if one.planned_at > self._began), None)
            ack = next((one for one in Acks(inventory.name).look() if one.at > self._began), None)
        except HactlError as error:
            log.warning("what the operator does cannot be read: %s", error)
            return ""
        if run is not None:
            return f"run {run.run}: {run.title}"
        return f"acknowledged: {ack.key}" if ack is not None else ""

    def _detected(self, text: str) -> None:
        if self._standing.detected is None:
            self._diary.note(Mark.DETECTED, text)
            self._standing = self._diary.standing()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

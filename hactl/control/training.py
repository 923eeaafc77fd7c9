"""`Training`: the exercises of one lab; the only door to them, for commands and the dashboard alike."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hactl.config import load_inventory
from hactl.config.scenarios import FaultArguments, load_scenario, scenarios
from hactl.control.control import Control
from hactl.control.operator import operator
from hactl.control.training_acts import Hands, wind_up
from hactl.control.training_diary import Diary, Shelf
from hactl.lab import crowd
from hactl.lab.backend import BACKEND_VARIABLE, AnyLab
from hactl.lab.faults import FAULTS
from hactl.model.errors import InputError, InternalError, LabError
from hactl.model.findings import Level
from hactl.model.picture import Picture
from hactl.model.scenario import Hint, Scenario
from hactl.model.scenario_goals import Judgement, Scene, counts_rows, judged
from hactl.model.scenario_places import places_of
from hactl.model.scenario_score import Score, scored
from hactl.model.scenario_story import Ending, Mark, Session, Standing, Traffic

_BEGINS_WITHIN = 30.0  # seconds in which a watcher has written that it looks
_ENDS_WITHIN = 420.0  # seconds for counting and putting back
_POLL = 0.1
_LIST = "`hactl lab scenario list` shows them."


@dataclass(frozen=True, slots=True)
class Played:
    """A playing of an exercise. `score` None: it goes on. `watched`: a process works on it now."""

    id: str
    standing: Standing
    traffic: Traffic
    score: Score | None
    watched: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What stands between now and the next goal. `number` counts from 1; of an exercise that is over all hold."""

    standing: Standing
    number: int
    judgements: tuple[Judgement, ...]

    @property
    def holds(self) -> bool:
        return self.standing.ending is Ending.REACHED or (
            self.number == len(self.standing.session.scenario.goals) and all(one.holds for one in self.judgements)
        )


class Training:
    """Of the lab, which need not be up to look at what was played. Calls block; `told` hears of what takes long."""

    def __init__(self, lab: AnyLab, env: Mapping[str, str] = os.environ) -> None:
        self._lab, self._env = lab, env
        self._shelf = Shelf(lab.spec.name, lab.paths.shelf)

    # --- looking ---

    @staticmethod
    def scenarios() -> tuple[Scenario, ...]:
        """Every exercise, the easy ones first."""
        return scenarios(fault_arguments())

    def current(self) -> Played | None:
        """The one that goes on; a watcher that was killed is begun again. None where there is none."""
        diary = self._going()
        return None if diary is None else self._played(diary)

    def history(self) -> tuple[Played, ...]:
        """Everything that was played, the newest first."""
        return tuple(self._played(diary) for diary in reversed(self._shelf.diaries()))

    def best(self) -> Mapping[str, Score]:
        """The best score of each exercise that was ever brought to its goal, by name."""
        found: dict[str, Score] = {}
        for one in self.history():
            name = one.standing.session.scenario.name
            reached = one.score is not None and one.standing.ending is Ending.REACHED
            if one.score is not None and reached and (name not in found or one.score.points > found[name].points):
                found[name] = one.score
        return found

    def report(self, id_: str = "last") -> Played:
        """One of them, by its id or a beginning of it. Raises InputError."""
        self._going()
        found = [diary for diary in self._shelf.diaries() if id_ == "last" or diary.folder.name.startswith(id_)]
        if not found:
            raise InputError(
                "Nothing has been played yet." if id_ == "last" else f"No exercise was played as {id_}.", remedy=_LIST
            )
        return self._played(found[-1])

    def check(self) -> Checked:
        """The next goal against the real cluster, asked now. Raises LabError where no exercise goes on."""
        diary = self._going()
        if diary is None:
            return self._checked_over()
        standing = diary.standing()
        goal = standing.goal
        if goal is None or standing.over:
            return Checked(standing, len(standing.session.scenario.goals), ())
        scene = Scene(self._picture(), standing.began or standing.session.prepared, frozenset(standing.session.before))
        if counts_rows(goal, scene):
            lost = crowd.missing(self._lab, diary.folder)
            scene = Scene(scene.picture, scene.began, scene.before, lost)
        return Checked(standing, standing.reached + 1, judged(goal, scene))

    def _checked_over(self) -> Checked:
        newest = self._shelf.diaries()[-1:]
        if not newest:
            raise LabError(f"No exercise goes on in the lab {self._lab.spec.name}.", remedy=_LIST)
        standing = newest[0].standing()
        return Checked(standing, len(standing.session.scenario.goals), ())

    # --- playing ---

    def start(
        self,
        name: str | None = None,
        *,
        seed: int | None = None,
        told: Callable[[str], None] = lambda _: None,
    ) -> Played:
        """Begin an exercise; without a name a surprise. Raises ScenarioError, LabError."""
        scenario = self._surprise(seed) if name is None else load_scenario(name, fault_arguments())
        self._require_ready()
        told("looking at the lab")
        picture = self._picture()
        self._require_well(picture)
        found = places_of(picture)
        if isinstance(found, str):
            raise LabError(f"The lab is not as an exercise needs it: {found}.", remedy="Start anew: hactl lab reset")
        wall = time.time()
        diary = self._shelf.new(wall)
        session = Session(
            id=diary.folder.name,
            scenario=scenario.told(found),
            who=operator(),
            prepared=wall,
            secret=name is None,
            places=found,
            before=tuple(sorted(one.key for one in picture.assessment.findings)),
            life=self._lab.paths.life.read_text(encoding="ascii"),
        )
        self._prepare(diary, session, told)
        diary.begin(session)
        crowd.come(self._lab, diary.folder, session.id)
        diary.note(Mark.BEGUN, session.who)
        self._watch(diary)
        return self._played(diary)

    def hint(self) -> tuple[int, Hint]:
        """The next hint, which is counted. Raises LabError where there is none, or no exercise goes on."""
        diary = self._required()
        standing = diary.standing()
        hints = standing.session.scenario.hints
        if standing.hints >= len(hints):
            raise LabError("There is no further hint.", remedy="`hactl lab scenario check` says what is missing.")
        number = standing.hints + 1
        diary.note(Mark.HINT, hints[number - 1].text, number)
        return number, hints[number - 1]

    def stop(self, told: Callable[[str], None] = lambda _: None) -> Played:
        """End the exercise and put the lab back. Raises LabError where none goes on."""
        diary = self._required(watched=False)
        diary.ask_to_stop()
        deadline = time.monotonic() + _ENDS_WITHIN
        while not diary.standing().over:
            if diary.watcher() is None:
                with diary.held() as mine:
                    if mine and not diary.standing().over:
                        wind_up(self._lab, diary, Ending.STOPPED, told=told, env=self._env)
            if time.monotonic() > deadline:
                raise LabError(
                    "The exercise did not end; its watcher still works on it.", remedy=f"Its log is {diary.log}."
                )
            time.sleep(_POLL)
        return self._played(diary)

    # --- inside ---

    def _surprise(self, seed: int | None) -> Scenario:
        """One that an operator can find without having been told."""
        chosen = random.Random(seed)  # noqa: S311 - a game
        return chosen.choice([one for one in self.scenarios() if one.surprise])

    def _require_ready(self) -> None:
        """Raises LabError when the lab is down, something is broken on purpose, or an exercise goes on."""
        name = self._lab.spec.name
        if not self._lab.status().running:
            raise LabError(f"The lab {name} is not up.", remedy=f"Bring it up: {self._lab.command} up --name {name}")
        if (going := self._going()) is not None:
            raise LabError(
                f"Another exercise goes on: {going.standing().name}.",
                remedy="Go on with it (`hactl lab scenario check`), or end it: hactl lab scenario stop",
            )
        if active := self._lab.faults.active():
            raise LabError(
                f"Faults are active: {', '.join(map(str, active))}.", remedy="Take them back: hactl lab fault undo"
            )

    @staticmethod
    def _require_well(picture: Picture) -> None:
        wrong = [one for one in picture.assessment.findings if one.level > Level.WARN]
        if wrong:
            said = "; ".join(f"{one.node or one.scope.name}: {one.sentence}" for one in wrong[:3])
            raise LabError(f"The lab is not well: {said}.", remedy="See `hactl status`; start anew: hactl lab reset")

    def _prepare(self, diary: Diary, session: Session, told: Callable[[str], None]) -> None:
        """What is done before the clock begins; put back when it cannot be. Raises HactlError."""
        diary.folder.mkdir(parents=True, exist_ok=True)
        hands = Hands(self._lab, diary.folder, self._env)
        try:
            for act in session.scenario.prepare:
                told("preparing" if session.secret else f"preparing: {act}")
                hands.do(act)
        except BaseException:
            hands.put_back(session.scenario.cleanup, told)
            raise

    def _picture(self) -> Picture:
        """Of the whole cluster, asked now."""
        import asyncio  # noqa: PLC0415 - who only lists asks nobody

        async def asked() -> Picture:
            async with Control(load_inventory(self._lab.paths.inventory)) as control:
                return await control.snapshot()

        return asyncio.run(asked())

    def _required(self, *, watched: bool = True) -> Diary:
        diary = self._going(watched=watched)
        if diary is None:
            raise LabError(f"No exercise goes on in the lab {self._lab.spec.name}.", remedy=_LIST)
        return diary

    def _going(self, *, watched: bool = True) -> Diary | None:
        """The one that goes on, watched again where its watcher was killed."""
        diary = self._shelf.open()
        if diary is None or diary.watcher() is not None:
            return diary
        if not self._same_life(diary):
            with diary.held() as mine:
                if mine and not diary.standing().over:
                    wind_up(self._lab, diary, Ending.GONE)
            return None
        if watched:
            self._watch(diary)
            return None if diary.standing().over else diary
        return diary

    def _same_life(self, diary: Diary) -> bool:
        try:
            return self._lab.paths.life.read_text(encoding="ascii") == diary.session().life
        except FileNotFoundError:
            return False

    def _watch(self, diary: Diary) -> None:
        """Begin a watcher and wait until it looks. Raises InternalError."""
        before = len(diary.standing().notes)
        with diary.log.open("ab") as log:
            child = subprocess.Popen(
                # -P: what lies in the present folder is not taken for a part of hactl.
                [sys.executable, "-P", "-m", "hactl.control.training_watcher", self._lab.spec.name, str(diary.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self._env, BACKEND_VARIABLE: self._lab.backend},
                start_new_session=True,
            )
        deadline = time.monotonic() + _BEGINS_WITHIN
        while len(diary.standing().notes) == before:
            if child.poll() is not None or time.monotonic() > deadline:
                if diary.watcher() is not None or diary.standing().over:
                    return  # somebody else's was quicker
                said = diary.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise InternalError(
                    f"The exercise's watcher did not begin: {'; '.join(said) or 'no word of why'}",
                    remedy=f"Its log is {diary.log}.",
                )
            time.sleep(0.02)

    def _played(self, diary: Diary) -> Played:
        standing, requests = diary.standing(), crowd.traffic(diary.folder)
        score = scored(standing, requests) if standing.over else None
        return Played(diary.folder.name, standing, requests, score, diary.watcher() is not None)


def fault_arguments() -> FaultArguments:
    """For each fault of the lab: how many arguments it must have, and may have."""
    return {
        name: (sum(one.default is None for one in fault.parameters), len(fault.parameters))
        for name, fault in FAULTS.items()
    }


__all__ = ["Checked", "Played", "Training", "fault_arguments"]

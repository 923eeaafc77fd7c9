"""Doing what an exercise does to a lab, and putting it back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hactl.control.training_diary import Diary
from hactl.lab import crowd
from hactl.lab.backend import AnyLab
from hactl.model.errors import HactlError, LabError
from hactl.model.observed import Unknown
from hactl.model.scenario import Act, ActKind
from hactl.model.scenario_story import Ending, Mark

_PATIENCE = 300.0  # seconds for a colleague's command
_COUNTING = 20.0  # seconds in which somebody must be able to count the orders
_LAST_LINES = 3


class Hands:
    """Acts on one lab for one playing; a colleague has a home of their own in `folder`."""

    def __init__(self, lab: AnyLab, folder: Path, env: Mapping[str, str] = os.environ) -> None:
        self._lab, self._folder, self._env = lab, folder, env

    def do(self, act: Act) -> None:
        """Raises HactlError when it cannot be done."""
        match act.kind:
            case ActKind.FAULT:
                self._lab.faults.inject(act.words[0], *act.words[1:])
            case ActKind.UNDO:
                self._lab.faults.undo(act.words[0], *act.words[1:])
            case ActKind.OPERATOR:
                self._colleague(act)

    def _colleague(self, act: Act) -> None:
        home = self._folder / f"home-{act.who}"
        home.mkdir(parents=True, exist_ok=True)
        dropped = {"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HACTL_LOG"}
        env = {name: value for name, value in self._env.items() if name not in dropped}
        # SUDO_USER is what says who acts, where that is root: see `control.operator`.
        env |= {"HOME": str(home), "USER": act.who, "LOGNAME": act.who, "SUDO_USER": act.who}
        words = [sys.executable, "-P", "-m", "hactl", "-i", str(self._lab.paths.inventory), *act.words]
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=_PATIENCE,
                check=False,
                env=env,
                cwd=home,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{act} did not end within {_PATIENCE:.0f} s.") from error
        if done.returncode != 0:
            said = " / ".join([*done.stdout.splitlines(), *done.stderr.splitlines()][-_LAST_LINES:])
            raise LabError(f"{act} ended with status {done.returncode}: {said}")

    def put_back(self, cleanup: tuple[Act, ...], told: Callable[[str], None]) -> None:
        """Take every fault back, then do what the exercise says; what does not work is told and hinders nothing."""
        try:
            for undone in self._lab.faults.undo():
                told(f"undone: {undone}")
        except LabError as error:
            told(error.message)
        for act in cleanup:
            try:
                self.do(act)
                told(str(act))
            except HactlError as error:
                told(error.message)


def wind_up(
    lab: AnyLab,
    diary: Diary,
    ending: Ending,
    *,
    at: float | None = None,
    told: Callable[[str], None] = lambda _: None,
    env: Mapping[str, str] = os.environ,
) -> None:
    """The end of a playing, however it comes: users go, orders are counted, the lab is put back. `at`: when it was."""
    at = time.time() if at is None else at
    if ending is Ending.GONE:
        diary.note(Mark.ENDED, ending.value, at=at)
        return
    session = diary.session()
    crowd.leave(lab)
    if ending is Ending.REACHED:
        _count(lab, diary)

    def noted(text: str) -> None:
        diary.note(Mark.PUT_BACK, text)
        told(text)

    Hands(lab, diary.folder, env).put_back(session.scenario.cleanup, noted)
    if ending is not Ending.REACHED:  # what is left is told all the same; what had been broken hinders nobody any more
        _count(lab, diary)
    diary.note(Mark.ENDED, ending.value, at=at)


def _count(lab: AnyLab, diary: Diary) -> None:
    """How many confirmed orders are missing; a database that cannot say now is given some time."""
    deadline = time.monotonic() + _COUNTING
    lost = crowd.missing(lab, diary.folder)
    while isinstance(lost, Unknown) and time.monotonic() < deadline:
        time.sleep(1.0)
        lost = crowd.missing(lab, diary.folder)
    if isinstance(lost, Unknown):
        diary.note(Mark.COUNTED, lost.reason, -1)
    else:
        diary.note(Mark.COUNTED, f"{lost} of {len(crowd.confirmed(diary.folder))} confirmed orders are missing", lost)

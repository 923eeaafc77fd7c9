"""Which faults are active, and doing and undoing them. The book is written before a fault is injected, so that a killed
injection can still be undone; undoing never believes the book alone.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from hactl.lab.faults.model import NODE, Active, Fault, Means
from hactl.lab.faults.table import FAULTS, REVERSES
from hactl.lab.spec import LabSpec
from hactl.model.errors import LabError
from hactl.model.suggest import did_you_mean, quoted


def known(name: str) -> Fault:
    """The fault called `name`. Raises LabError, with the nearest name, when there is none."""
    if name in FAULTS:
        return FAULTS[name]
    raise LabError(
        f"There is no fault {quoted(name)}{did_you_mean(name, [*FAULTS, *REVERSES]) or '.'}",
        remedy="`hactl lab fault list` explains all.",
    )


class Faults:
    """The faults of one lab. `folder` outlives the lab's stop, as faults on disks do."""

    def __init__(self, spec: LabSpec, means: Means, folder: Path, life: Path) -> None:
        self._spec = spec
        self._means = means
        self._folder = folder
        self._life_file = life

    def inject(self, name: str, *arguments: str, **options: str) -> Active:
        """Does the fault; doing an active one again replaces it. Raises LabError, and then it counts as active too.

        Raises InputError where this kind of lab cannot do it; then nothing was done.
        """
        fault = known(name)
        active = Active(name, fault.values(arguments, options), time.time())
        self._means.require(fault, active.values)
        self._write(active, fault)
        self._means.inject(fault, active.values)
        return active

    def undo(self, name: str | None = None, *arguments: str) -> list[Active]:
        """Undoes the active faults called `name` (None: all), only those with these leading `arguments` if given.

        With arguments the undo is done even if no such fault is in the book. Returns what was undone, newest first.
        """
        if name is None:
            chosen = self.active()
        elif arguments:
            fault = known(name)
            chosen = [Active(name, fault.values(arguments, {}), time.time())]
        else:
            chosen = [active for active in self.active() if active.fault == known(name).name]
        # What keeps nodes from being reached goes first: the other undos work inside them.
        order = sorted(chosen, key=lambda active: (not FAULTS[active.fault].reach, -active.since))
        problems = []
        for active in order:
            try:
                self._means.undo(FAULTS[active.fault], active.values)
            except LabError as error:
                problems.append(f"{active}: {error}")
            else:
                self._forget(active)
        if name is None:
            self._means.sweep()
        if problems:
            raise LabError("Not undone:\n" + "\n".join(f"  {problem}" for problem in problems))
        return order

    def reverse(self, name: str, *arguments: str) -> list[Active]:
        """Undo by its own name: `thaw`, `heal`, `power-on` ..."""
        return self.undo(REVERSES[name].name, *arguments)

    def active(self) -> list[Active]:
        """Every fault that is active, the oldest first: those in the book, and what the machine itself shows."""
        booked = self._booked()
        found = [
            Active("freeze", {NODE: name}, time.time())
            for name in sorted(self._means.frozen() - self._nodes_of("freeze", booked))
        ]
        return sorted([*booked, *found], key=lambda active: active.since)

    def off_on_purpose(self) -> set[str]:
        """Nodes that a fault keeps off."""
        return self._nodes_of("power-off", self._booked())

    def forget_all(self) -> None:
        """For disks that are thrown away."""
        for path in self._folder.glob("*.json"):
            path.unlink()

    def _nodes_of(self, fault: str, booked: list[Active]) -> set[str]:
        """The nodes that this fault is active on."""
        chosen = [self._spec.select(active.values[NODE]) for active in booked if active.fault == fault]
        return {node.name for nodes in chosen for node in nodes}

    # The book: a file for each active fault. One that does not last counts only in the lab's life that it was made in.

    def _booked(self) -> list[Active]:
        found = []
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # undone meanwhile
                entry = json.loads(path.read_text(encoding="utf-8"))
                if FAULTS[entry["fault"]].lasting or entry["life"] == self._life():
                    found.append(Active(entry["fault"], entry["values"], entry["since"]))
                else:
                    path.unlink(missing_ok=True)
        return found

    def _write(self, active: Active, fault: Fault) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        entry = {"fault": fault.name, "values": dict(active.values), "since": active.since, "life": self._life()}
        draft = self._folder / f".{active.key}.new"
        draft.write_text(json.dumps(entry), encoding="utf-8")
        draft.rename(self._folder / f"{active.key}.json")

    def _forget(self, active: Active) -> None:
        (self._folder / f"{active.key}.json").unlink(missing_ok=True)

    def _life(self) -> str:
        try:
            return self._life_file.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

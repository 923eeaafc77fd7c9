"""Parser cases as data: tests/cases/<driver>/<case>.txt is what a node said, the .json beside it what must come of it.

The .json holds `facts`, or `error` (a part of the ParseError's message), and under `given` what the parser was told
besides: `exit`, `sent`, `received`, and whatever the driver's reader wants. Several answers in one file stand under
lines that begin with `=== `.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, Flag
from pathlib import Path
from typing import Any

from hactl.drivers import apt, haproxy, host, pgbackrest, postgresql, restic, room, systemd
from hactl.drivers.probe import Asked
from hactl.model.command import Completed
from hactl.model.text import safe_text

ROOT = Path(__file__).parent.parent / "cases"


@dataclass(frozen=True)
class Case:
    driver: str
    name: str
    said: str
    given: dict[str, Any]
    facts: Any
    error: str | None

    def __str__(self) -> str:
        return f"{self.driver}/{self.name}"

    @property
    def done(self) -> Completed:
        return Completed(self.given.get("exit", 0), self.said, self.given.get("stderr", ""), 0.1)

    @property
    def asked(self) -> Asked:
        return Asked(self.given.get("sent", 1000.0), self.given.get("received", 1000.2))

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(part.strip("\n") for part in re.split(r"^=== .*\n", self.said, flags=re.MULTILINE)[1:])


READERS: dict[str, Callable[[Case], object]] = {
    "host": lambda case: host.parse_tick(case.done, case.asked),
    "disk": lambda case: host.parse_disk(case.done, case.asked),
    "clock": lambda case: host.parse_clock(case.done, case.asked),
    "systemd": lambda case: systemd.parse_units(tuple(case.given["units"]), case.done, case.asked),
    "apt": lambda case: apt.parse(tuple(case.given.get("packages", ())), case.done, case.asked),
    "haproxy": lambda case: haproxy.parse(case.answers, case.asked),
    "postgresql": lambda case: postgresql.parse(case.said, case.asked),
    "pgbackrest": lambda case: pgbackrest.parse(case.given["stanza"], case.done, case.asked),
    "restic": lambda case: restic.parse(case.done, case.asked),
    "room": lambda case: room.parse(tuple(case.given["paths"]), case.done, case.asked),
}


def load() -> list[Case]:
    """Every case of every driver here. What the node said is made safe first, as the transport does."""
    return [_case(driver, path) for driver in READERS for path in sorted((ROOT / driver).glob("*.txt"))]


def plain(value: object) -> object:
    """Facts as JSON has them; floats to the microsecond."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Flag):
        return [flag.name for flag in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def _case(driver: str, path: Path) -> Case:
    wanted = json.loads(path.with_suffix(".json").read_text())
    said = safe_text(path.read_bytes())
    return Case(driver, path.stem, said, wanted.get("given", {}), wanted.get("facts"), wanted.get("error"))

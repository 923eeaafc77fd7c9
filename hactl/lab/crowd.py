"""The users of an exercise as the rest of the lab uses them: begin, end, and what became of their requests."""

from __future__ import annotations

import contextlib
import json
import sys
from collections import Counter
from pathlib import Path

from hactl.lab import shell
from hactl.lab.backend import AnyLab
from hactl.lab.faults.scripts import databases
from hactl.model.errors import LabError
from hactl.model.observed import Unknown
from hactl.model.scenario_story import Traffic

GROUP = "@users"
RATE = 10.0  # requests a second
_COUNT = """
CREATE TEMPORARY TABLE confirmed (key text PRIMARY KEY);
COPY confirmed FROM STDIN;
{keys}
\\.
SELECT count(*) FROM confirmed c WHERE NOT EXISTS (SELECT FROM public.orders o WHERE o.key = c.key);
"""


def come(lab: AnyLab, folder: Path, name: str) -> None:
    """Users send requests from now on; they outlive this process. They go when the lab goes down, or by `leave`."""
    script = Path(__file__).with_name("users.py")
    argv: list[str | Path] = [sys.executable, "-IS", script, lab.spec.vip, f"{RATE:g}", folder, name]
    lab.helpers.begin(GROUP, argv, folder / "users.log")


def leave(lab: AnyLab) -> None:
    lab.helpers.end(GROUP)


def here(lab: AnyLab) -> bool:
    """Whether users are there."""
    return lab.helpers.there(GROUP)


def traffic(folder: Path) -> Traffic:
    """What became of the requests until now. A line that is half written does not count."""
    sent = failed = 0
    gap, first, last = 0.0, None, None
    errors = Counter[str]()
    for line in _lines(folder / "traffic"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            sent, failed, gap = sent + told["sent"], failed + told["failed"], max(gap, told["gap"])
            if told["failed"]:
                first, last = first or told["at"], told["at"]
                errors[str(told["error"])] += told["failed"]
    return Traffic(sent, failed, len(confirmed(folder)), gap, first, last, dict(errors))


def confirmed(folder: Path) -> list[str]:
    """The keys of the orders that were confirmed to users."""
    return _lines(folder / "orders")


def missing(lab: AnyLab, folder: Path) -> int | Unknown:
    """How many of those are not in the database of the one primary, asked there; Unknown where nobody can say."""
    keys = confirmed(folder)
    try:
        primaries = databases(lab.ground, standby=False)
        if len(primaries) != 1:
            return Unknown(f"{len(primaries)} databases are primaries", 0.0)
        argv = [
            "runuser",
            "-u",
            "postgres",
            "--",
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            "shop",
        ]
        done = primaries[0].attempt(argv, stdin=_COUNT.format(keys="\n".join(keys)), timeout=30.0)
    except LabError as error:
        return Unknown(error.message, 0.0)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        return Unknown(f"the orders cannot be read: {said[0] if said else shell.failed(argv, done)}", 0.0)
    return int(done.stdout.split()[-1])


def _lines(path: Path) -> list[str]:
    """Whole lines only."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return text[: text.rfind("\n") + 1].splitlines()

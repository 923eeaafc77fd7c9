"""The command lines by which a whole database is restored in its place, word for word: what verbs run, sudo grants."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.drivers.verbs.drill_commands import Target
from hactl.drivers.verbs.package_commands import literal
from hactl.model.inventory import PgbackrestService, PostgresqlService

_LABEL, _TIME = "20260101-000000F", "2026-01-01 00:00:00+00"
_LABELS, _TIMES = "[0-9A-Z_-]+", r"[0-9-]+ [0-9.:]+\+00"


def make(service: PostgresqlService) -> tuple[str, ...]:
    """Fails where there is one already."""
    return ("mkdir", "--mode=0700", "--", service.data_directory)


def restore(backups: PgbackrestService, target: Target) -> tuple[str, ...]:
    """Into the place that the node's own configuration names; without --delta and --force it has to be empty."""
    return ("pgbackrest", f"--stanza={backups.stanza}", f"--repo={target.repository}", *target.words, "restore")


def settle(service: PostgresqlService) -> tuple[str, ...]:
    """Takes out what was said for the recovery alone: a later standby would stop at it."""
    said = ("--expression=/^restore_command = /d", "--expression=/^recovery_target/d")
    return ("sed", "--in-place", *said, f"{service.data_directory}/postgresql.auto.conf")


def fixed(service: PostgresqlService) -> dict[tuple[str, ...], str]:
    """Every command line that is the same each time, and what for."""
    return {
        make(service): "make a place for a restore",
        settle(service): "take the settings of a recovery out after it",
    }


def patterns(backups: PgbackrestService) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Command lines of which a part differs: one of them, the pattern of all its arguments, and what for."""
    for number in backups.repositories:
        for target in (
            Target(number),
            Target(number, _LABEL),
            Target(number, "", _TIME),
            Target(number, _LABEL, _TIME),
        ):
            argv = restore(backups, target)
            found = literal(" ".join(argv[1:])).replace(literal(_LABEL), _LABELS).replace(literal(_TIME), _TIMES)
            what = " and ".join(filter(None, (target.set and "a backup", target.time and "a moment"))) or "all"
            yield argv, f"^{found}$", f"restore {what} of repository {number} in its place"

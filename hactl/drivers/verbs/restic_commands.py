"""The command lines by which verbs act on files that restic keeps, word for word: what verbs run, sudo grants.

A drill writes nothing outside of SCRATCH/RUN. A RUN has the strict form of a run's id, so that no rule reaches anything
else.
"""

from __future__ import annotations

from collections.abc import Iterator

from hactl.drivers import restic
from hactl.drivers.drill import MARKER
from hactl.drivers.verbs.package_commands import literal
from hactl.model.inventory import ResticService
from hactl.model.snapshots import tag_of

EXAMPLE = "20260101-000000-run"
"""A run's id where there is none yet: while a plan is made, and to ask sudo with."""
RUN = "[0-9]{8}-[0-9]{6}-[0-9a-z]{3}"
_SNAPSHOT, _ANY_SNAPSHOT = "0" * 64, "[0-9a-f]{64}"
_STAT = "%s:%a:%.9Z:%n"


def scratch(service: ResticService, run: str) -> str:
    return f"{service.scratch}/{run}"


def restored(service: ResticService, run: str) -> str:
    """Below it everything lies at the path that it came from."""
    return f"{scratch(service, run)}/files"


# --- the repository -----------------------------------------------------------------------------------------------


def backup(service: ResticService, node: str, run: str) -> tuple[str, ...]:
    tag = f"--tag={tag_of(run)}"
    return (*restic.base(service, node), "backup", f"--host={node}", tag, "--", *service.paths)


def running(run: str) -> tuple[str, ...]:
    """Finds the backup of a run at work; the brackets keep it from finding whoever looks."""
    return ("pgrep", "-f", "--", f"--tag={tag_of(run).replace('=', '[=]')}")


def unlock(service: ResticService, node: str) -> tuple[str, ...]:
    """Ends the locks of those who are gone, and no others."""
    return (*restic.base(service, node), "unlock")


def check(service: ResticService, node: str) -> tuple[str, ...]:
    return (*restic.base(service, node), "check", "--read-data")


def size(service: ResticService, node: str, snapshot: str) -> tuple[str, ...]:
    return (*restic.base(service, node), "--json", "--no-lock", "stats", "--mode=restore-size", snapshot)


def restore(service: ResticService, node: str, snapshot: str, run: str) -> tuple[str, ...]:
    """It reads back what it has written, and compares it with what the repository says."""
    target = f"--target={restored(service, run)}"
    paths = (f"--include={path}" for path in service.paths)
    return (*restic.base(service, node), "--no-lock", "restore", snapshot, target, *paths, "--verify")


# --- scratch space ------------------------------------------------------------------------------------------------


def room(service: ResticService) -> tuple[str, ...]:
    return ("df", "--block-size=1", "--output=avail", service.scratch)


def note(service: ResticService) -> tuple[str, ...]:
    """One line more in the history, from standard input."""
    return ("tee", "--append", "--", f"{service.scratch}/history.jsonl")


def make(service: ResticService, run: str) -> tuple[str, ...]:
    """Fails where it is there already."""
    return ("mkdir", "--mode=0700", scratch(service, run))


def mark(service: ResticService, run: str) -> tuple[str, ...]:
    return ("tee", f"{scratch(service, run)}/{MARKER}")


def clear(service: ResticService, run: str) -> tuple[str, ...]:
    """All but the marker."""
    return ("rm", "--recursive", "--force", "--", restored(service, run))


def remove_empty(service: ResticService, run: str) -> tuple[str, ...]:
    """One that was never marked."""
    return ("rmdir", "--", scratch(service, run))


def remove(service: ResticService, run: str) -> tuple[str, ...]:
    return ("rm", "--recursive", "--force", "--", scratch(service, run))


# --- what files are -----------------------------------------------------------------------------------------------


def roots(service: ResticService, run: str = "") -> tuple[str, ...]:
    """The live paths; with a run those that it has restored."""
    below = restored(service, run) if run else ""
    return tuple(f"{below}{path}" for path in service.paths)


def listed(roots: tuple[str, ...]) -> tuple[str, ...]:
    """A line a file: bytes, mode, when it or its entry changed, name."""
    return ("find", *roots, "-type", "f", "-exec", "stat", f"--format={_STAT}", "{}", "+")


def summed(roots: tuple[str, ...]) -> tuple[str, ...]:
    return ("find", *roots, "-type", "f", "-exec", "sha256sum", "--", "{}", "+")


# --- what sudo grants ---------------------------------------------------------------------------------------------


def rules(service: ResticService, node: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Command lines that sudo has to allow: one of them, the pattern of all its words ("": just these), what for."""
    run, snapshot = (EXAMPLE, RUN), (_SNAPSHOT, _ANY_SNAPSHOT)
    live, copy = roots(service), roots(service, EXAMPLE)
    yield _pattern(backup(service, node, EXAMPLE), "back its files up", run)
    yield unlock(service, node), "", "end the locks of those who are gone"
    yield check(service, node), "", "see that the repository is whole"
    yield _pattern(size(service, node, _SNAPSHOT), "measure a snapshot", snapshot)
    yield _pattern(restore(service, node, _SNAPSHOT, EXAMPLE), "restore to scratch space", run, snapshot)
    yield room(service), "", "measure the scratch space"
    yield note(service), "", "keep what a drill has shown"
    for argv in (make(service, EXAMPLE), mark(service, EXAMPLE)):
        yield _pattern(argv, "make scratch space", run)
    for argv in (clear(service, EXAMPLE), remove(service, EXAMPLE), remove_empty(service, EXAMPLE)):
        yield _pattern(argv, "take scratch space down", run)
    for argv in (listed(live), summed(live)):
        yield argv, "", "tell what its files are"
    for argv in (listed(copy), summed(copy)):
        yield _pattern(argv, "tell what was restored", run)


def _pattern(argv: tuple[str, ...], purpose: str, *parts: tuple[str, str]) -> tuple[tuple[str, ...], str, str]:
    """The arguments with examples in them replaced by what may stand there."""
    found = literal(" ".join(argv[1:]))
    for example, pattern in parts:
        found = found.replace(literal(example), pattern)
    return argv, f"^{found}$", purpose

"""The command lines by which verbs act on pgBackRest's repositories, word for word: what verbs run, sudo grants."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hactl.drivers.verbs.package_commands import literal
from hactl.model.holdings import RUN_NOTE
from hactl.model.inventory import PgbackrestService

KINDS = ("full", "diff", "incr")
_COMPLETE = re.compile(r"(\d{1,3}(?:\.\d+)?)% complete")


def backup(service: PgbackrestService, number: int, kind: str, run: str) -> tuple[str, ...]:
    """`run`: a run's id, which the backup is annotated with (pgBackRest 2.41 or later)."""
    return _words(service, f"--repo={number}", f"--type={kind}", f"--annotation={RUN_NOTE}={run}", "backup")


def progress(service: PgbackrestService) -> tuple[str, ...]:
    """The words for people; only they say how far a backup is."""
    return _words(service, "info")


def complete(text: str) -> float | None:
    """Percent that are done of the backup that is being made, where the words say so."""
    found = _COMPLETE.search(text)
    return float(found[1]) if found else None


def verify(service: PgbackrestService, number: int) -> tuple[str, ...]:
    return _words(service, f"--repo={number}", "--output=text", "--verbose", "verify")


def rules(service: PgbackrestService) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Command lines that sudo has to allow: one of them, the pattern of all its words ("": just these), what for."""
    for number in service.repositories:
        for kind in KINDS:
            argv = backup(service, number, kind, "run")
            pattern = f"^{literal(' '.join(argv[1:]))}$".replace(f"{RUN_NOTE}=run ", f"{RUN_NOTE}=[0-9a-z-]+ ")
            yield argv, pattern, f"take a backup of type {kind} into repository {number}"
        yield verify(service, number), "", f"see that repository {number} is whole"
    yield progress(service), "", "see how far a backup is"


def _words(service: PgbackrestService, *words: str) -> tuple[str, ...]:
    return ("pgbackrest", f"--stanza={service.stanza}", *words)

"""restic: what a repository holds of one node's files, asked on that node; and what its words mean when it fails."""

from __future__ import annotations

import re
from datetime import datetime

from hactl.drivers.probe import Asked, Cadence, ExecProbe
from hactl.drivers.reading import Record, explained, json_of
from hactl.model.command import Command, Completed, command
from hactl.model.errors import ParseError
from hactl.model.facts import RepositoryTrouble, ResticFacts, Snapshot
from hactl.model.inventory import ResticService
from hactl.model.text import one_line, safe

_WHAT = "restic's answer"
_TIMEOUT = 45.0  # seconds: it may have to reach a repository far away, and takes its time to check the password
_ID = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = re.compile(r"^could not load snapshot", re.MULTILINE)

# Its exit statuses since 0.17. Before, nearly everything was 1, and only its words tell.
_STATUS = {
    10: RepositoryTrouble.ABSENT,
    11: RepositoryTrouble.LOCKED,
    12: RepositoryTrouble.PASSWORD,
}
_DAMAGE = (
    *("ciphertext verification failed", "invalid data returned", "does not match", "contains errors"),
    *("is damaged", "LoadIndex returned errors", "Fatal: Unmarshal"),
)
# In this order: of a repository that is not there it also says that it cannot be opened.
_WORDS = (
    (("repository is already locked",), RepositoryTrouble.LOCKED),
    (("wrong password or no key found", "Resolving password failed", "empty password"), RepositoryTrouble.PASSWORD),
    (("Is there a repository at the following location", "repository does not exist"), RepositoryTrouble.ABSENT),
    (_DAMAGE, RepositoryTrouble.DAMAGED),
    (
        ("subprocess ssh", "unable to start the sftp session", "unable to open repository"),
        RepositoryTrouble.UNREACHABLE,
    ),
)


def base(service: ResticService, node: str) -> tuple[str, ...]:
    """How every command line begins: whose repository, and where its password is."""
    return ("restic", f"--repo={service.repository_of(node)}", f"--password-file={service.password_file}")


def snapshots_argv(service: ResticService, node: str) -> tuple[str, ...]:
    """The one spelling of the question. It takes no lock: a look writes nothing into the repository."""
    paths = (f"--path={path}" for path in service.paths)
    return (*base(service, node), "--json", "--no-lock", "snapshots", f"--host={node}", *paths)


def snapshots_command(service: ResticService, node: str) -> Command:
    return command(*snapshots_argv(service, node), as_user=service.os_user, timeout=_TIMEOUT)


def snapshots(service: ResticService, node: str) -> ExecProbe:
    """What the repository holds of this node's files, asked there as the user who backs them up."""
    asked = snapshots_command(service, node)
    return ExecProbe(f"restic:{service.name}", Cadence.SLOW, _TIMEOUT, asked, parse)


def parse(done: Completed, asked: Asked) -> ResticFacts:
    """Facts, also where restic says why it cannot tell. `now` is by our own clock: snapshots are hours old."""
    now = (asked.sent + asked.received) / 2
    if not done.ok:
        if (trouble := trouble_of(done)) is None:
            raise ParseError(explained(done, "restic snapshots"))
        return ResticFacts((), now, trouble=trouble, message=words_of(done))
    answer = json_of(done.stdout, "restic snapshots")
    if answer is None:
        answer = []
    if not isinstance(answer, list):
        raise ParseError(f"{_WHAT} is not a list of snapshots.")
    found = (_snapshot(Record.of(item, _WHAT)) for item in answer)
    unreadable = len(_UNREADABLE.findall(done.stderr))
    return ResticFacts(tuple(sorted(found, key=lambda one: (one.taken, one.id))), now, unreadable)


def trouble_of(done: Completed) -> RepositoryTrouble | None:
    """What its exit status or its words say about the repository; None where they are about something else."""
    if isinstance(done.exit, int) and done.exit in _STATUS:
        return _STATUS[done.exit]
    said = f"{done.stderr}\n{done.stdout}"
    return next((trouble for words, trouble in _WORDS if any(word in said for word in words)), None)


def words_of(done: Completed) -> str:
    """Its own reason: what ssh said, who has the lock, what it calls fatal, else the first thing that it said."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    told = (line.partition(sign)[2] for sign in ("subprocess ssh: ", "repository is", "Fatal: ") for line in lines)
    first = next(filter(None, told), lines[0] if lines else "it said nothing")
    return one_line(first, 200).removesuffix(".")


def _snapshot(row: Record) -> Snapshot:
    told = row.record("summary") if row.fields.get("summary") is not None else None
    began = _second(row.text("time"))
    name = row.text("id")
    if _ID.fullmatch(name) is None:
        raise ParseError(f'{_WHAT}: "{one_line(name, 40)}" is no snapshot.')
    return Snapshot(
        id=name,
        taken=began,
        paths=_words(row, "paths"),
        tags=_words(row, "tags"),
        took=None if told is None else max(0.0, _second(told.text("backup_end")) - _second(told.text("backup_start"))),
        size=None if told is None else told.maybe_integer("total_bytes_processed"),
        stored=None if told is None else told.maybe_integer("data_added_packed"),
    )


def _words(row: Record, key: str) -> tuple[str, ...]:
    """A list of texts; empty where it is absent or null."""
    value = row.fields.get(key)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(map(safe, value))
    raise ParseError(f"{_WHAT}: {key} is not a list of texts.")


def _second(text: str) -> float:
    """RFC 3339, with a zone: a time of nowhere tells no age."""
    try:
        told = datetime.fromisoformat(text)
        if told.tzinfo is not None:
            return told.timestamp()
    except (ValueError, OverflowError):
        pass
    raise ParseError(f'{_WHAT}: "{one_line(text, 40)}" is not a time.')

"""The command lines of restore drills, word for word: what verbs run as the drill's user, sudo grants.

Nothing is written outside of DIRECTORY/RUN, but for a line at the end of DIRECTORY/history.jsonl. `Scratch` knows the
places; a RUN has the strict form of a run's id, so that no rule reaches anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hactl.drivers.verbs.package_commands import literal
from hactl.model.inventory import PgbackrestService, PostgresqlService

EXAMPLE = "20260101-000000-run"
"""A run's id where there is none yet: while a plan is made, and to ask sudo with."""
SUPERUSER = "postgres"
PRIVATE = "--mode=0700"
_RUN = "[0-9]{8}-[0-9]{6}-[0-9a-z]{3}"
_LABEL, _DATABASE, _TIME = "[0-9A-Z_-]+", "[0-9A-Za-z_.-]+", r"[0-9-]+ [0-9.:]+\+00"
TABLE = r"[0-9A-Za-z_]+(\.[0-9A-Za-z_]+)?"  # with or without its schema
_TABLE = "[0-9A-Za-z_.]+"  # in a rule of sudo's, where a word is named by its characters alone
_PATH = "[0-9A-Za-z_/-]+"  # without a dot it leads nowhere else
_WRITTEN = (".hactl-drill", "postgresql.conf", "pg_hba.conf", "repository.sha256", "found.json")


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where one run restores to, and with what."""

    service: PgbackrestService
    database: PostgresqlService
    run: str

    @property
    def root(self) -> str:
        return f"{self.service.drill_directory}/{self.run}"

    @property
    def data(self) -> str:
        return f"{self.root}/data"

    @property
    def socket(self) -> str:
        return f"{self.root}/socket"

    @property
    def log(self) -> str:
        return f"{self.root}/log"

    @property
    def marker(self) -> str:
        """Says whose it is: what has none is none of ours."""
        return f"{self.root}/.hactl-drill"

    @property
    def table(self) -> str:
        """A table that was asked for, as SQL. Beside the run's directory: it is there to stay."""
        return f"{self.root}.sql"

    @property
    def sums(self) -> str:
        """What the files of the repository are when the drill begins."""
        return f"{self.root}/repository.sha256"

    @property
    def found(self) -> str:
        """What the checks have given, kept until the run has written it down."""
        return f"{self.root}/found.json"

    @property
    def tablespaces(self) -> str:
        return f"{self.root}/tablespaces"

    @property
    def folders(self) -> tuple[str, ...]:
        return (self.data, self.tablespaces, self.socket, f"{self.root}/lock", f"{self.root}/spool")

    def program(self, name: str) -> str:
        return f"/usr/lib/postgresql/{self.database.version}/bin/{name}"


@dataclass(frozen=True, slots=True)
class Target:
    """What is restored. With neither set nor time: everything, to the end of the archive."""

    repository: int
    set: str = ""  # a backup's label
    time: str = ""  # "2026-11-21 14:30:05+00"

    @property
    def words(self) -> tuple[str, ...]:
        chosen = (f"--set={self.set}",) if self.set else ()
        if self.time:
            return (*chosen, "--type=time", f"--target={self.time}", "--target-action=promote")
        return (*chosen, "--type=immediate", "--target-action=promote") if self.set else ("--type=default",)


# --- what is there ------------------------------------------------------------------------------------------------


def config(service: PgbackrestService) -> tuple[str, ...]:
    return ("cat", service.drill_config)


def info(service: PgbackrestService) -> tuple[str, ...]:
    """What the drill's user sees of the repositories."""
    return ("pgbackrest", f"--config={service.drill_config}", f"--stanza={service.stanza}", "--output=json", "info")


def look(scratch: Scratch) -> tuple[str, ...]:
    """What there is of a run: paths, one a line, and what small files hold. Fails where there is nothing."""
    named = [(scratch.marker, True), (f"{scratch.data}/global/pg_control", False)]
    named += [(f"{scratch.data}/backup.manifest", False), (scratch.found, True)]
    named += [(scratch.sums, False), (scratch.root, False)]
    tests: list[str] = []
    for path, whole in named:
        shown = ("-exec", "cat", "{}", ";") if whole else ()
        tests += ["-o"] * bool(tests) + ["(", "-path", path, "-print", *shown, ")"]
    return ("find", scratch.root, "-maxdepth", "3", *tests)


def used(scratch: Scratch) -> tuple[str, ...]:
    return ("du", "--summarize", "--block-size=1", scratch.root)


def working(scratch: Scratch) -> tuple[str, ...]:
    """Processes of the drill's user with the run's scratch in their words. Asked by anybody."""
    user = scratch.service.drill_user or ""
    return ("pgrep", "--euid", user, "--list-full", "--full", "--", f"{literal(scratch.root)}/")


def sums(directory: str, since: int) -> tuple[str, ...]:
    """Checksums of what a restore reads there: all that is not older than the oldest backup that it needs."""
    return ("find", directory, "-type", "f", "-newermt", f"@{since}", "-exec", "sha256sum", "{}", "+")


def readable(path: str) -> bool:
    """Whether rules cover a repository at this path."""
    return re.fullmatch(f"/{_PATH}", path) is not None


def kept(scratch: Scratch) -> tuple[str, ...]:
    """The checksums from when the drill began."""
    return ("cat", scratch.sums)


def control(scratch: Scratch) -> tuple[str, ...]:
    return (scratch.program("pg_controldata"), "-D", scratch.data)


def said(scratch: Scratch) -> tuple[str, ...]:
    """The end of the server's log."""
    return ("tail", "--lines=400", scratch.log)


# --- what is done -------------------------------------------------------------------------------------------------


def make_root(scratch: Scratch) -> tuple[str, ...]:
    """Fails where it is there already."""
    return ("mkdir", PRIVATE, "--", scratch.root)


def make_folders(scratch: Scratch) -> tuple[str, ...]:
    return ("mkdir", PRIVATE, "--parents", "--", *scratch.folders)


def write(scratch: Scratch, name: str) -> tuple[str, ...]:
    """Standard input goes there."""
    return ("tee", "--", f"{scratch.root}/{name}")


def restore(scratch: Scratch, target: Target) -> tuple[str, ...]:
    service = scratch.service
    return (
        *("pgbackrest", f"--config={service.drill_config}", f"--stanza={service.stanza}"),
        *(f"--repo={target.repository}", f"--pg1-path={scratch.data}", "--archive-mode=off"),
        *(f"--tablespace-map-all={scratch.tablespaces}", f"--lock-path={scratch.root}/lock"),
        *(
            f"--spool-path={scratch.root}/spool",
            "--log-level-file=off",
            "--log-level-console=info",
            "--log-level-stderr=off",
        ),
        *target.words,
        "restore",
    )


def fetch(scratch: Scratch, repository: int) -> str:
    """The restore_command, which the drill's own server runs by its shell."""
    service = scratch.service
    words = (
        *("pgbackrest", f"--config={service.drill_config}", f"--stanza={service.stanza}"),
        *(f"--repo={repository}", f"--pg1-path={scratch.data}", f"--lock-path={scratch.root}/lock"),
        *("--no-archive-async", "--log-level-file=off", "--log-level-console=off"),
        *("--log-level-stderr=warn", "archive-get"),
    )
    return f'{" ".join(words)} %f "%p"'


def forget_settings(scratch: Scratch) -> tuple[str, ...]:
    """What was set by ALTER SYSTEM is the primary's: whom to follow, where to archive."""
    return ("truncate", "--size=0", f"{scratch.data}/postgresql.auto.conf")


def start(scratch: Scratch) -> tuple[str, ...]:
    """Waits a little: a server that cannot start says so at once."""
    options = f"--options=-c config_file={scratch.root}/postgresql.conf"
    where = (f"--pgdata={scratch.data}", f"--log={scratch.log}")
    return (scratch.program("pg_ctl"), "start", *where, "--wait", "--timeout=2", "--silent", options)


def status(scratch: Scratch) -> tuple[str, ...]:
    """Exit 0: it runs; 3: it does not; 4: there is no data."""
    return (scratch.program("pg_ctl"), "status", f"--pgdata={scratch.data}")


def stop(scratch: Scratch) -> tuple[str, ...]:
    """The server whose postmaster.pid is in this very directory."""
    return (scratch.program("pg_ctl"), "stop", f"--pgdata={scratch.data}", "--mode=immediate", "--silent")


def end(scratch: Scratch) -> tuple[str, ...]:
    """Whatever else of the drill's user still works there."""
    user = scratch.service.drill_user or ""
    return ("pkill", "--signal", "KILL", "--euid", user, "--full", "--", f"{literal(scratch.root)}/")


def sql(scratch: Scratch, database: str) -> tuple[str, ...]:
    """One statement on standard input. Settings of the database or of a role load nothing."""
    plain = "options='-c session_preload_libraries= -c local_preload_libraries='"
    where = f"host={scratch.socket} port={scratch.service.drill_port} user={SUPERUSER} dbname={database} {plain}"
    return ("psql", "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-", where)


def amcheck(scratch: Scratch) -> tuple[str, ...]:
    return (scratch.program("pg_amcheck"), *_server(scratch), "--all", "--install-missing", "--jobs=2")


def dump(scratch: Scratch) -> tuple[str, ...]:
    """Reads every row, and keeps none."""
    return (scratch.program("pg_dumpall"), *_server(scratch), "--file=/dev/null", "--no-sync")


def keep(scratch: Scratch, database: str, table: str) -> tuple[str, ...]:
    """One table of the copy as SQL that makes it again, with its rows, indexes and owner."""
    what = (f"--dbname={database}", f"--table={table}", f"--file={scratch.table}")
    return (scratch.program("pg_dump"), *_server(scratch), *what)


def measure(scratch: Scratch) -> tuple[str, ...]:
    return ("du", "--bytes", scratch.table)


def clear(scratch: Scratch) -> tuple[str, ...]:
    """All but the marker, so that what is left of it is known as ours whatever happens meanwhile."""
    return ("rm", "--recursive", "--force", "--one-file-system", "--", *scratch.folders)


def remove(scratch: Scratch) -> tuple[str, ...]:
    return ("rm", "--recursive", "--force", "--one-file-system", "--", scratch.root)


def remove_empty(scratch: Scratch) -> tuple[str, ...]:
    """One that was never marked."""
    return ("rmdir", "--", scratch.root)


def note(service: PgbackrestService) -> tuple[str, ...]:
    """One line more in the history, from standard input."""
    return ("tee", "--append", "--", f"{service.drill_directory}/history.jsonl")


def _server(scratch: Scratch) -> tuple[str, ...]:
    port = f"--port={scratch.service.drill_port}"
    return (f"--host={scratch.socket}", port, f"--username={SUPERUSER}", "--no-password")


# --- sudo ---------------------------------------------------------------------------------------------------------


def rules(service: PgbackrestService, database: PostgresqlService) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Command lines that sudo has to allow: one of them, the pattern of all its words ("": just these), what for."""
    scratch = Scratch(service, database, EXAMPLE)
    yield config(service), "", "read how pgBackRest is configured there"
    yield info(service), "", "see what can be restored"
    yield note(service), "", "keep what a drill has shown"
    for argv, purpose in _of_a_run(scratch).items():
        yield argv, _pattern(argv), purpose
    for name in _WRITTEN:
        argv = write(scratch, name)
        yield argv, _pattern(argv), f"write {name} of a drill"
    label, time = "20260101-000000F", "2026-01-01 00:00:00+00"
    for number in service.repositories:
        targets = (Target(number), Target(number, label), Target(number, time=time), Target(number, label, time))
        for target in targets:
            argv = restore(scratch, target)
            found = _pattern(argv).replace(literal(f"--set={label}"), f"--set={_LABEL}")
            what = " ".join(filter(None, (target.set and "a backup", target.time and "a moment"))) or "the newest"
            yield argv, found.replace(literal(time), _TIME), f"restore {what} of repository {number}"
    argv = sql(scratch, "postgres")
    yield argv, _pattern(argv).replace("dbname=postgres ", f"dbname={_DATABASE} "), "ask what was restored"
    argv = keep(scratch, "postgres", "orders")
    found = _pattern(argv).replace("--dbname=postgres ", f"--dbname={_DATABASE} ")
    yield argv, found.replace("--table=orders ", f"--table={_TABLE} "), "keep a table of what was restored"
    for argv, pattern, purpose in _of_files(service, "/repository"):
        yield argv, pattern.replace("/repository/", f"/{_PATH}/"), purpose


def rules_there(service: PgbackrestService) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The same of the repositories' node, where drills are made on another one."""
    for path in filter(readable, dict.fromkeys(map(service.repository_path, service.repositories))):
        yield from _of_files(service, path)


def _of_files(service: PgbackrestService, path: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    label = "20260101-000000F"
    for kind, of in (("backup", f"/{label}"), ("archive", "")):
        argv = sums(f"{path}/{kind}/{service.stanza}{of}", 1)
        found = literal(" ".join(argv[1:])).replace("@1 ", "@[0-9]+ ").replace(label, _LABEL)
        yield argv, f"^{found}$", f"see that the {kind} stays as it is"


def _of_a_run(scratch: Scratch) -> dict[tuple[str, ...], str]:
    return {
        look(scratch): "see how far a drill is",
        used(scratch): "see how much is restored",
        measure(scratch): "see how large a kept table is",
        make_root(scratch): "make a drill's directory",
        make_folders(scratch): "make the directories in it",
        forget_settings(scratch): "take the primary's settings out of what was restored",
        control(scratch): "read what the restored server needs",
        start(scratch): "start the restored server",
        status(scratch): "see whether it runs",
        said(scratch): "read its log",
        amcheck(scratch): "look for damage in it",
        dump(scratch): "read every row of it",
        kept(scratch): "read what the repository was",
        stop(scratch): "stop the restored server",
        end(scratch): "end what else a drill has begun",
        clear(scratch): "remove what was restored",
        remove(scratch): "remove a drill's directory",
        remove_empty(scratch): "remove one with nothing in it",
    }


def _pattern(argv: tuple[str, ...]) -> str:
    """Of any run. Words that are patterns themselves (pgrep's) have the id unescaped, as it holds nothing special."""
    return re.sub(re.escape(literal(EXAMPLE)), lambda _: _RUN, f"^{literal(' '.join(argv[1:]))}$")

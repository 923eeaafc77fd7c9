"""The command lines by which verbs act on PostgreSQL as root or postgres, word for word: what verbs run, sudo grants.

What hactl's own role may do goes through the database's socket instead (see `postgresql_server`), so it is granted
there. Paths and units are Debian's, as the inventory names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from hactl.drivers.verbs.package_commands import literal
from hactl.model.inventory import PostgresqlService

OS_USER = "postgres"
ASIDE = ".hactl-aside-"
"""What a data directory is called that was put aside, before the seconds since the epoch. Nothing deletes it."""
_NEW = ".hactl-new"
_SEGMENT = "000000010000000000000001"
_CONFIG = ("postgresql.auto.conf", "postgresql.conf", "pg_hba.conf", "pg_ident.conf")
# A host's name or address; what a role or a database may be called without quotes.
_HOST, _WORD = "[0-9A-Za-z.:_-]+", "[0-9A-Za-z_-]+"


@dataclass(frozen=True, slots=True)
class Source:
    """The server that is copied from, as a connection string without secrets: those are in ~postgres/.pgpass."""

    host: str
    port: int
    user: str
    database: str

    def __str__(self) -> str:
        return f"host={self.host} port={self.port} user={self.user} dbname={self.database}"


def unit(service: PostgresqlService) -> str:
    return service.units[0] if service.units else f"postgresql@{service.version}-{service.cluster}.service"


def signal_file(service: PostgresqlService) -> str:
    """With it the server starts as a standby, whatever else is configured."""
    return f"{service.data_directory}/standby.signal"


def new_directory(service: PostgresqlService) -> str:
    return service.data_directory + _NEW


def kept_file(service: PostgresqlService) -> str:
    """Where the configuration inside the data directory is while pg_rewind overwrites it."""
    return f"{service.data_directory}.hactl-config.tar"


def program(service: PostgresqlService, name: str) -> str:
    return f"/usr/lib/postgresql/{service.version}/bin/{name}"


# --- as root ------------------------------------------------------------------------------------------------------


def root(service: PostgresqlService) -> dict[tuple[str, ...], str]:
    """Every command line that root runs, and what for."""
    return {
        stop(service): "stop it; whoever asked looks when it is down",
        kill(service): "end it at once, where it does not stop",
        fence(service): "keep it from being started",
        fence_now(service): "keep it from being started, by hand too",
        unfence(service): "let it be started again",
        start(service): "start it",
    }


def stop(service: PostgresqlService) -> tuple[str, ...]:
    """Not waited for: it is down as soon as its control file says so; its archiver may take longer."""
    return ("systemctl", "stop", "--no-block", unit(service))


def kill(service: PostgresqlService) -> tuple[str, ...]:
    return ("systemctl", "kill", "--signal=SIGKILL", unit(service))


def fence(service: PostgresqlService) -> tuple[str, ...]:
    """On disk at once, so no boot starts it; systemd itself reads that with its next reload, or by `fence_now`."""
    return ("systemctl", "mask", "--no-reload", unit(service))


def fence_now(service: PostgresqlService) -> tuple[str, ...]:
    return ("systemctl", "mask", unit(service))


def unfence(service: PostgresqlService) -> tuple[str, ...]:
    return ("systemctl", "unmask", unit(service))


def start(service: PostgresqlService) -> tuple[str, ...]:
    return ("systemctl", "start", unit(service))


# --- as postgres --------------------------------------------------------------------------------------------------


def fixed(service: PostgresqlService) -> dict[tuple[str, ...], str]:
    """Every command line that postgres runs and that is the same each time."""
    return {
        control(service): "read how it was stopped",
        standby(service): "make it a standby when it starts",
        free(service): "measure the room beside its data",
        used(service): "measure its data",
        keep(service): "keep its configuration while it is rewound",
        keep_back(service): "put its configuration back",
        into_place(service): "put a new copy in its place",
        clear(service): "take a copy away that was not finished",
    }


def control(service: PostgresqlService) -> tuple[str, ...]:
    """In English, whatever the node speaks."""
    return ("env", "LC_ALL=C", program(service, "pg_controldata"), "-D", service.data_directory)


def standby(service: PostgresqlService) -> tuple[str, ...]:
    return ("touch", signal_file(service))


def archived(service: PostgresqlService, segment: str) -> tuple[str, ...]:
    """PostgreSQL's own note that a segment is in the archive, or need not be."""
    return ("touch", f"{service.data_directory}/pg_wal/archive_status/{segment}.done")


def free(service: PostgresqlService) -> tuple[str, ...]:
    return ("df", "--block-size=1", "--output=avail", str(PurePosixPath(service.data_directory).parent))


def used(service: PostgresqlService) -> tuple[str, ...]:
    return ("du", "--summarize", "--block-size=1", service.data_directory)


def keep(service: PostgresqlService) -> tuple[str, ...]:
    directory = service.data_directory
    return (
        "tar",
        "--create",
        "--ignore-failed-read",
        f"--file={kept_file(service)}",
        f"--directory={directory}",
        *_CONFIG,
    )


def keep_back(service: PostgresqlService) -> tuple[str, ...]:
    return ("tar", "--extract", f"--file={kept_file(service)}", f"--directory={service.data_directory}")


def into_place(service: PostgresqlService) -> tuple[str, ...]:
    return ("mv", "--no-target-directory", new_directory(service), service.data_directory)


def clear(service: PostgresqlService) -> tuple[str, ...]:
    """Only ever what an unfinished `clone` of hactl's own has left; never a data directory."""
    return ("rm", "--recursive", "--force", "--", new_directory(service))


def aside(service: PostgresqlService, second: int) -> tuple[str, ...]:
    return ("mv", "--no-target-directory", service.data_directory, f"{service.data_directory}{ASIDE}{second}")


def rewind(service: PostgresqlService, source: Source, *, dry: bool) -> tuple[str, ...]:
    """`--config-file`: Debian keeps it outside of the data directory, where its restore_command stands."""
    config = f"--config-file=/etc/postgresql/{service.version}/{service.cluster}/postgresql.conf"
    directory = f"--target-pgdata={service.data_directory}"
    words = (program(service, "pg_rewind"), directory, config, "--restore-target-wal", f"--source-server={source}")
    return (*words, *(("--dry-run",) if dry else ()))


def clone(service: PostgresqlService, source: Source, slot: str) -> tuple[str, ...]:
    return (
        *(program(service, "pg_basebackup"), f"--pgdata={new_directory(service)}", "--checkpoint=fast"),
        *("--wal-method=stream", f"--slot={slot}", "--no-password", f"--dbname={source}"),
    )


def patterns(service: PostgresqlService) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Command lines of which a part differs: one of them, the pattern of all its arguments, and what for."""
    source, any_source = Source("192.0.2.1", service.port, "replicator", service.database), _source(service)
    for dry in (True, False):
        argv = rewind(service, source, dry=dry)
        yield argv, _pattern(argv, str(source), any_source), "try to rewind it" if dry else "rewind it"
    argv = clone(service, source, "node1")
    found = _pattern(argv, str(source), any_source).replace("--slot=node1 ", "--slot=[0-9a-z_]+ ")
    yield argv, found, "copy the primary beside it"
    argv, digits = archived(service, _SEGMENT), "[0-9A-F]{24}"
    found = _pattern(argv, _SEGMENT, digits)
    yield argv, found, "note that the rest of an old timeline needs no archiving"
    argv = aside(service, 1)
    yield argv, f"^{literal(' '.join(argv[1:])[:-1])}[0-9]+$", "put its data aside"


def _source(service: PostgresqlService) -> str:
    return f"host={_HOST} port={service.port} user={_WORD} dbname={literal(service.database)}"


def _pattern(argv: tuple[str, ...], example: str, pattern: str) -> str:
    return f"^{literal(' '.join(argv[1:])).replace(literal(example), pattern)}$"

"""Faults inside nodes: POSIX shell run there as root, one script that injects and one that undoes.

A script's $1, $2 ... are the fault's values after the node, in the order of its parameters. Both must be safe to run
again, and the undo must work whatever the injection got done.
"""

from __future__ import annotations

from dataclasses import dataclass

from hactl.lab.faults.model import NODE, Ground, Values
from hactl.lab.node import Node, in_parallel
from hactl.model.errors import LabError

MAIN_UNIT = {
    "lb": "haproxy.service",
    "app": "shop.service",
    "db": "postgresql@15-main.service",
    "backup": "ssh.service",
}
"""The unit that a role is about: what a fault takes that names none."""

_SQL = 'sql() { runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres -c "$1"; }\n'
END_SESSIONS = "pkill -u hactl -x sshd || true\n"
"""Ends hactl's SSH sessions: the next ones start under the changed settings."""


def _sql(script: str) -> str:
    """`script` with a function `sql STATEMENT`, run as PostgreSQL's superuser, rows unadorned."""
    return _SQL + script


def databases(ground: Ground[Node], *, standby: bool) -> tuple[Node, ...]:
    """The database nodes that are up and in that role, in the inventory's order."""
    wanted = "t" if standby else "f"
    found = []
    for machine in ground.machines:
        if "db" in machine.node.roles and machine.answers():
            done = machine.attempt(["sh", "-s"], stdin=_sql('sql "SELECT pg_is_in_recovery()"'))
            if done.stdout.strip() == wanted:
                found.append(machine)
    return tuple(found)


def located(ground: Ground[Node], selector: str) -> tuple[Node, ...]:
    """Like `ground.chosen`, and knows `primary` and `standby` (the first one)."""
    if selector not in ("primary", "standby"):
        return ground.chosen(selector)
    found = databases(ground, standby=selector == "standby")[:1]
    if not found:
        raise LabError(f"No database is a {selector} now.")
    return found


@dataclass(frozen=True, slots=True)
class Scripts:
    """`undo_on`: where the undo runs when that is not where it was injected (the primary may have moved)."""

    do: str
    undo_do: str
    undo_on: str = ""

    def inject(self, ground: Ground[Node], values: Values) -> None:
        self._run(self.do, located(ground, values[NODE]), values)

    def undo(self, ground: Ground[Node], values: Values) -> None:
        machines = located(ground, self.undo_on or values[NODE])
        if self.undo_on:  # whoever is off there has nothing to undo until it is back
            machines = tuple(machine for machine in machines if machine.on())
        self._run(self.undo_do, machines, values)

    def _run(self, script: str, machines: tuple[Node, ...], values: Values) -> None:
        def one(machine: Node) -> None:
            words = [value for name, value in values.items() if name != NODE]
            if "unit" in values and not values["unit"]:
                words = [MAIN_UNIT[machine.node.role]]
            machine.script(script, *words)

        in_parallel(one, machines)


SERVICE_STOP = Scripts('systemctl stop "$1"', 'systemctl start "$1"')
SERVICE_KILL = Scripts(
    # Until systemd has noticed: an undo that came before would be followed by a restart.
    """
    before=$(systemctl show -p MainPID --value "$1")
    systemctl kill --signal=KILL "$1"
    for _ in $(seq 50); do
        [ "$(systemctl show -p MainPID --value "$1")" = "$before" ] || break
        sleep 0.1
    done""",
    # The count of restarts is forgotten last, or the unit would be called restarted for some minutes more.
    """
    systemctl is-active --quiet "$1" || { systemctl reset-failed "$1"; systemctl start "$1"; }
    systemctl reset-failed "$1"
    """,
)
SERVICE_FREEZE = Scripts('systemctl kill --signal=STOP "$1"', 'systemctl kill --signal=CONT "$1"')

_SKEW_FILE = "/etc/ssh/sshd_config.d/00-lab-skew.conf"
# Not /etc/ld.so.preload: sshd's sandbox would die of it. Monotonic clocks stay true, so nothing hangs.
CLOCK_SKEW = Scripts(
    f"""
    library=$(ls /usr/lib/*/faketime/libfaketime.so.1)
    echo "SetEnv LD_PRELOAD=$library FAKETIME=$(printf '%+d' "$1")s DONT_FAKE_MONOTONIC=1" >{_SKEW_FILE}
    systemctl reload ssh.service
    {END_SESSIONS}""",
    f"""
    [ -e {_SKEW_FILE} ] || exit 0
    rm {_SKEW_FILE}
    systemctl reload ssh.service
    {END_SESSIONS}""",
)

_LIMITS_FILE = "/etc/ssh/sshd_config.d/00-lab-limits.conf"
SSH_LIMITS = Scripts(
    f"""
    printf 'MaxSessions 2\\nMaxStartups 2\\n' >{_LIMITS_FILE}
    systemctl reload ssh.service
    {END_SESSIONS}""",
    f"""
    [ -e {_LIMITS_FILE} ] || exit 0
    rm {_LIMITS_FILE}
    systemctl reload ssh.service
    {END_SESSIONS}""",
)

_REPOSITORY = "/opt/hactl-lab/provision/repo.sh"
BAD_PACKAGE = Scripts(f"sh {_REPOSITORY} offer 1.2.0", f"sh {_REPOSITORY} withdraw")
OLD_RELEASE = Scripts(
    """
    [ "$(dpkg-query -W -f '${Version}' shop)" != 1.0.0 ] || exit 0
    apt-get install -y -qq --allow-downgrades shop=1.0.0 >/dev/null
    """,
    ":",
)

STOP_ARCHIVING = Scripts(
    _sql("""
    sql "ALTER SYSTEM SET archive_command = 'false'"
    sql "SELECT pg_reload_conf()" >/dev/null
    # Something to archive, so that the failure is seen now.
    sql "SELECT pg_logical_emit_message(true, 'lab', 'a segment to archive')" >/dev/null
    sql "SELECT pg_switch_wal()" >/dev/null
    """),
    _sql('sql "ALTER SYSTEM RESET archive_command"; sql "SELECT pg_reload_conf()" >/dev/null'),
    undo_on="role:db",
)

PAUSE_REPLAY = Scripts(
    _sql('sql "SELECT pg_wal_replay_pause()" >/dev/null'),
    _sql("""[ "$(sql "SELECT pg_is_in_recovery()")" = f ] || sql "SELECT pg_wal_replay_resume()" >/dev/null"""),
    undo_on="role:db",
)

ABANDONED_SLOT = Scripts(
    _sql("""
    sql "SELECT pg_create_physical_replication_slot('abandoned', true)
         WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'abandoned')" >/dev/null
    sql "SELECT sum(pg_logical_emit_message(false, 'lab', repeat('x', 1048576)) - '0/0')
         FROM generate_series(1, $1)" >/dev/null
    sql "SELECT pg_switch_wal()" >/dev/null
    """),
    _sql("""
    sql "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'abandoned'" >/dev/null
    """),
    undo_on="role:db",
)

# The rows are kept in another database, from where they can be put back whoever is the primary then. Writers wait for
# three seconds before the table is gone, so that there is a moment to restore to between the last row and the mistake.
DROP_TABLE = Scripts(
    _sql("""
    at() { runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
    [ "$(at shop "SELECT to_regclass('public.orders') IS NOT NULL")" = t ] || exit 0
    sql 'CREATE TABLE IF NOT EXISTS lab_kept
        (id bigint, key text, item text, quantity integer, node text, at timestamptz)'
    sql 'TRUNCATE lab_kept'
    at shop "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
        COPY orders (id, key, item, quantity, node, at)
            TO PROGRAM 'psql -X -q -v ON_ERROR_STOP=1 -d postgres -c \\"COPY lab_kept FROM STDIN\\"';
        SELECT pg_sleep(3); DROP TABLE orders; COMMIT" >/dev/null
    """),
    _sql("""
    at() { runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
    [ "$(sql "SELECT NOT pg_is_in_recovery() AND to_regclass('lab_kept') IS NOT NULL")" = t ] || exit 0
    at shop 'CREATE TABLE IF NOT EXISTS orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, item text NOT NULL,
        quantity integer NOT NULL CHECK (quantity > 0), node text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()); ALTER TABLE orders OWNER TO shop'
    sql 'COPY lab_kept TO STDOUT' | runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 -d shop -c 'BEGIN' \
        -c 'CREATE TEMPORARY TABLE kept (id bigint, key text, item text, quantity integer, node text, at timestamptz)' \
        -c 'COPY kept FROM STDIN' \
        -c 'INSERT INTO orders (id, key, item, quantity, node, at) OVERRIDING SYSTEM VALUE
            SELECT * FROM kept k WHERE NOT EXISTS (SELECT FROM orders o WHERE o.key = k.key OR o.id = k.id)' \
        -c "SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT coalesce(max(id), 1) FROM orders))" \
        -c 'COMMIT' >/dev/null
    sql 'DROP TABLE lab_kept'
    """),
    undo_on="role:db",
)

# The byte at a third of the newest full backup's largest file becomes another one. What it was stands beside the
# repository, so that it can be put back.
DAMAGE_BACKUP = Scripts(
    r"""
    kept=/var/lib/pgbackrest.damaged
    [ ! -e "$kept" ] || exit 0
    newest=$(ls -d /var/lib/pgbackrest/backup/main/*F | tail -n 1)
    file=$(ls -S "$newest"/bundle/* | head -n 1)
    at=$(($(stat -c %s "$file") / 3))
    was=$(od -An -tu1 -j "$at" -N 1 "$file" | tr -d ' ')
    printf '%s\n' "$file" "$at" "$was" >"$kept"
    printf "\\$(printf %o $((was ^ 255)))" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
    """,
    r"""
    kept=/var/lib/pgbackrest.damaged
    [ -e "$kept" ] || exit 0
    { read -r file && read -r at && read -r was; } <"$kept"
    [ ! -e "$file" ] || printf "\\$(printf %o "$was")" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
    rm "$kept"
    """,
)

_ADMIN_SOCKET = "/run/haproxy/admin.sock"
_SET_STATE = """
    said=$(echo "set server $1 state {state}" | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock)
    [ -z "$said" ] || { echo "$said" >&2; exit 1; }
    """
DRAIN_ONE = Scripts(_SET_STATE.replace("{state}", "drain"), _SET_STATE.replace("{state}", "ready"))
SOCKET_DENY = Scripts(f"chmod 600 {_ADMIN_SOCKET}", f"[ ! -S {_ADMIN_SOCKET} ] || chmod 660 {_ADMIN_SOCKET}")
SOCKET_REMOVE = Scripts(
    f"[ ! -S {_ADMIN_SOCKET} ] || mv {_ADMIN_SOCKET} {_ADMIN_SOCKET}.away",
    f"[ ! -S {_ADMIN_SOCKET}.away ] || mv {_ADMIN_SOCKET}.away {_ADMIN_SOCKET}",
)

_SUDOERS = "/etc/sudoers.d/hactl"
SUDO_TRIM = Scripts(
    f"[ ! -e {_SUDOERS} ] || mv {_SUDOERS} /root/sudoers-hactl",
    f"[ ! -e /root/sudoers-hactl ] || mv /root/sudoers-hactl {_SUDOERS}",
)

"""A restore drill by hactl beside the bare restore and start of the same backup, in the same lab, turn by turn.

    python -m tests.bench.drill [--times 3] [--lab NAME] [--gib 2] [--keep]

The database is filled until it has that size, and one full backup is taken. Bare is what a shell on the node needs:
pgBackRest's restore, then pg_ctl start until the server is out of recovery. What is compared is the RTO: of the drill
as its record has it, restore and start together. Every other turn hactl begins, and the disk comes to rest before
each: a restore that follows the removal of another takes a third longer. Needs root and a machine that hosts the lab.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from hactl.lab import Lab
from tests.lab.acting import Operator
from tests.lab.database import psql

_NODE = "backup1"
_REST = 6.0  # seconds: a journal of ext4 is committed every 5
_ROWS = 500_000  # of about 1 KiB, in one step
_ROW = "SELECT n, repeat(md5((n * random())::text), 30) FROM generate_series(1, {rows}) n"
_BARE = """
set -eu
at=/var/lib/pgdrill/bare
rm -rf $at; mkdir -m 700 $at $at/data $at/lock $at/spool
fetch="pgbackrest --config=/etc/pgbackrest-drill.conf --stanza=main --repo=1 --pg1-path=$at/data --lock-path=$at/lock"
began=$(date +%s.%N)
$fetch --archive-mode=off --spool-path=$at/spool --log-level-file=off --log-level-console=off restore
bin=/usr/lib/postgresql/15/bin
echo "local all all trust" >$at/hba
: >$at/data/postgresql.auto.conf
cat >$at/conf <<END
listen_addresses = ''
port = 5498
unix_socket_directories = '$at'
hba_file = '$at/hba'
archive_mode = off
restore_command = '$fetch --no-archive-async --log-level-file=off --log-level-console=off archive-get %f "%p"'
max_connections = 60
max_wal_senders = 10
END
$bin/pg_ctl start -D $at/data -l $at/log -s -w -t 600 -o "-c config_file=$at/conf" || { cat $at/log >&2; exit 1; }
until [ "$(psql -XAtq -h $at -p 5498 -U postgres -c 'SELECT pg_is_in_recovery()')" = f ]; do sleep 0.1; done
ended=$(date +%s.%N)
$bin/pg_ctl stop -D $at/data -m immediate -s
rm -rf $at
echo "$began $ended"
"""


def fill(lab: Lab, gib: float) -> float:
    """Until the database has that size; its GiB then."""
    psql(lab, "db1", "CREATE TABLE IF NOT EXISTS ballast (n int, said text)", database="shop")
    while (size := float(psql(lab, "db1", "SELECT pg_database_size('shop')")) / 2**30) < gib:
        said = lab.exec(
            "db1",
            [*("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"), "psql", "-XAtq", "-d", "shop"],
            stdin=f"INSERT INTO ballast {_ROW.format(rows=_ROWS)};\n",
            timeout=600,
        )
        assert said.returncode == 0, said.stderr
    psql(lab, "db1", "CHECKPOINT", timeout=120)
    return size


def bare(lab: Lab) -> float:
    """Seconds."""
    words = ["setpriv", "--reuid=pgdrill", "--regid=pgdrill", "--init-groups", "sh", "-s"]
    done = lab.exec(_NODE, words, stdin=_BARE, timeout=1800)
    assert done.returncode == 0, done.stderr + done.stdout
    began, ended = map(float, done.stdout.split())
    return ended - began


def by_hactl(lab: Lab, anna: Operator) -> tuple[float, str]:
    """Seconds of restore and start, and the verdict."""
    done = anna("drill", "run", "--yes", timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = lab.exec(_NODE, ["cat", "/var/lib/pgdrill/history.jsonl"]).stdout.split("\n")
    record = json.loads([line for line in lines if line][-1])
    return float(record["rto"]), str(record["verdict"])


def rest() -> None:
    """What was written is on the disk, and what was removed is given back to it."""
    for _ in range(3):
        os.sync()
        time.sleep(_REST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--lab", default="bench")
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    chosen = parser.parse_args()
    lab = Lab(chosen.lab)
    lab.up()
    try:
        with tempfile.TemporaryDirectory() as folder:
            report(lab, Operator(lab, Path(folder)), chosen)
    finally:
        if not chosen.keep:
            lab.down(now=True, disks=True)


def report(lab: Lab, anna: Operator, chosen: argparse.Namespace) -> None:
    size = fill(lab, chosen.gib)
    done = anna("backup", "run", "--type", "full", "--yes", timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.stdout.write(f"{size:.2f} GiB, seconds of restore and start\n")
    ways: dict[str, list[float]] = {"bare": [], "hactl": []}
    verdict = ""
    for turn in range(chosen.times):
        for way in sorted(ways, reverse=bool(turn % 2)):
            rest()
            if way == "bare":
                took = bare(lab)
            else:
                took, verdict = by_hactl(lab, anna)
            ways[way].append(took)
        sys.stdout.write(f"  {turn + 1}: bare {ways['bare'][-1]:6.2f}   hactl {ways['hactl'][-1]:6.2f} ({verdict})\n")
        sys.stdout.flush()
    middle = {name: statistics.median(found) for name, found in ways.items()}
    more = 100.0 * (middle["hactl"] / middle["bare"] - 1.0)
    sys.stdout.write(f"median: bare {middle['bare']:.2f}, hactl {middle['hactl']:.2f}: {more:+.1f} %\n")


if __name__ == "__main__":
    main()

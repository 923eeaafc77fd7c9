"""repmgr in a running lab: installed on its database nodes from this machine's own package sources, told of its
servers, asked for a switchover, and taken away again.

Set up as its manual says for Debian: a superuser of its own, a database for what it keeps, ssh between the servers as
postgres, systemd asked to start and stop them, replication slots of its own. Its daemon is not needed for a switchover.
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from hactl.lab import Lab
from tests.lab.database import DATABASES, others, primaries, psql

PACKAGES = ("repmgr-common", "postgresql-15-repmgr")
_CONF = "/etc/repmgr.conf"
# Whatever speaks to the servers comes from them: the repmgr role from their addresses, and ssh with a key of its own.
_SETUP = """
set -eu
dpkg --install --force-depends /run/repmgr/*.deb >/dev/null 2>&1
install -d -m 700 -o postgres -g postgres ~postgres/.ssh
install -m 600 -o postgres -g postgres /run/repmgr/key ~postgres/.ssh/repmgr
keys=~postgres/.ssh/authorized_keys
grep -qF -f /run/repmgr/key.pub $keys || cat /run/repmgr/key.pub >>$keys
install -m 640 -o postgres -g postgres /run/repmgr/repmgr.conf /etc/repmgr.conf
install -m 440 /run/repmgr/sudoers /etc/sudoers.d/repmgr
grep -q repmgr /etc/postgresql/15/main/pg_hba.conf || cat /run/repmgr/hba >>/etc/postgresql/15/main/pg_hba.conf
systemctl reload postgresql@15-main
"""
_AWAY = """
set -u
dpkg --purge --force-depends postgresql-15-repmgr repmgr-common >/dev/null 2>&1
sed -i /repmgr/d /etc/postgresql/15/main/pg_hba.conf ~postgres/.ssh/authorized_keys
rm -rf /run/repmgr ~postgres/.ssh/repmgr /etc/repmgr.conf /etc/sudoers.d/repmgr
systemctl reload postgresql@15-main
"""
_UNIT, _ACTS = "postgresql@15-main", ("start", "stop", "restart", "reload")
_SUDOERS = f"postgres ALL=(root) NOPASSWD: {', '.join(f'/usr/bin/systemctl {act} {_UNIT}' for act in _ACTS)}\n"
_SSH = "-q -o BatchMode=yes -o ConnectTimeout=10 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"


@dataclass
class Repmgr:
    """`folder` keeps its packages and key."""

    lab: Lab
    folder: Path

    def set_up(self) -> None:
        """On every server; a role and a database on the primary, from which the others have them."""
        print(f"Installing {', '.join(PACKAGES)} on {', '.join(DATABASES)} ...", file=sys.stderr)
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", *PACKAGES], check=True, cwd=self.folder)
        key = self.folder / "key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "repmgr", "-f", key], check=True)
        for number, node in enumerate(DATABASES, 1):
            self._run(node, "mkdir -p /run/repmgr; base64 -d | tar -x -C /run/repmgr", stdin=self._files(number, node))
            self._run(node, _SETUP)
        (primary,) = primaries(self.lab)
        psql(self.lab, primary, "CREATE ROLE repmgr SUPERUSER LOGIN")
        psql(self.lab, primary, "CREATE DATABASE repmgr OWNER repmgr")

    def know(self) -> None:
        """Whatever was done without it: who is the primary now, and who follows."""
        (primary,) = primaries(self.lab)
        self._repmgr(primary, "primary", "register", "--force")
        for node in others(primary):
            self._repmgr(node, "standby", "register", "--force", "--upstream-node-id", str(_number(primary)))

    def switchover(self, to: str) -> int:
        """Asked of the standby that takes over; the others follow it. The exit status."""
        return self.lab.exec(to, _argv("standby", "switchover", "--siblings-follow"), timeout=300).returncode

    def take_away(self) -> None:
        for primary in primaries(self.lab):
            psql(self.lab, primary, "DROP DATABASE IF EXISTS repmgr")
            psql(self.lab, primary, "DROP ROLE IF EXISTS repmgr")
        for node in DATABASES:
            self.lab.exec(node, ["sh", "-c", _AWAY], timeout=120)

    def _files(self, number: int, node: str) -> str:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            for path in (*self.folder.glob("*.deb"), self.folder / "key", self.folder / "key.pub"):
                archive.add(path, path.name)
            for name, text in self._texts(number, node).items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        return base64.b64encode(made.getvalue()).decode()

    def _texts(self, number: int, node: str) -> dict[str, str]:
        addresses = {name: self.lab.spec.node(name).address for name in DATABASES}
        settings = {
            "node_id": number,
            "node_name": node,
            "conninfo": f"host={addresses[node]} user=repmgr dbname=repmgr connect_timeout=2",
            "data_directory": "/var/lib/postgresql/15/main",
            "pg_bindir": "/usr/lib/postgresql/15/bin",
            "replication_user": "replicator",
            "use_replication_slots": "true",
            "ssh_options": f"{_SSH} -i ~postgres/.ssh/repmgr",
            **{f"service_{act}_command": f"sudo systemctl {act} {_UNIT}" for act in _ACTS},
        }
        hba = [f"host  repmgr  repmgr  {address}/32  trust\n" for address in addresses.values()]
        conf = "".join(f"{name}='{value}'\n" for name, value in settings.items())
        return {"repmgr.conf": conf, "sudoers": _SUDOERS, "hba": "".join(hba)}

    def _repmgr(self, node: str, *words: str) -> None:
        done = self.lab.exec(node, _argv(*words), timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"repmgr {' '.join(words)} on {node}: {done.stdout}{done.stderr}")

    def _run(self, node: str, script: str, *, stdin: str | None = None) -> None:
        done = self.lab.exec(node, ["sh", "-c", script], stdin=stdin, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{node}: {done.stdout}{done.stderr}")


def _number(node: str) -> int:
    return DATABASES.index(node) + 1


def _argv(*words: str) -> list[str]:
    return ["runuser", "-u", "postgres", "--", "repmgr", "-f", _CONF, *words]

"""A real OpenSSH server for tests: its own keys, its own configuration, on a free port of 127.0.0.1.

As root the logins go to a temporary unprivileged account, because sshd treats root's sessions differently; otherwise
to whoever runs the tests. Everything lives in one folder and ends with the context.
"""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
MISSING = "needs openssh-server (apt-get install openssh-server): no sshd found" if SSHD is None else None


_COUNT = itertools.count()  # several suites of one run may each want an account


@dataclass(frozen=True)
class Account:
    name: str
    home: Path


@contextlib.contextmanager
def account() -> Iterator[Account]:
    """Who logs in."""
    if os.geteuid() != 0:
        yield Account(getpass.getuser(), Path.home())
        return
    name = f"hactl-t{os.getpid()}-{next(_COUNT)}"
    subprocess.run(
        ["useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", name], check=True, capture_output=True
    )
    try:
        yield Account(name, Path(pwd.getpwnam(name).pw_dir))
    finally:
        subprocess.run(["pkill", "-KILL", "-u", name], check=False)
        for _ in range(20):  # userdel refuses while a process of the account is being reaped
            if subprocess.run(["userdel", "--remove", name], check=False, capture_output=True).returncode in (0, 6):
                break
            time.sleep(0.1)


def keygen(path: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    """A key pair; gives back the private half's path."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", path], check=True)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sshd:
    """One running server. `identity` may log in; `host_key` is what it presents."""

    def __init__(self, folder: Path, who: Account, identity: Path, options: str = "", port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.who, self.identity = folder, who, identity
        self.port = port or free_port()
        self.host_key = folder / "host"
        if not self.host_key.exists():
            keygen(self.host_key)
        # sshd reads it as the one who logs in, who may not enter the folder of a test that root runs.
        place = who.home if os.geteuid() == 0 else folder
        self.authorized = place / f"authorized_keys_{self.port}"
        self.authorized.write_text(Path(f"{identity}.pub").read_text())
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {self.public}\n")
        self.configuration = folder / "sshd_config"
        self.configuration.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.host_key}\n"
            f"AuthorizedKeysFile {self.authorized}\n"
            "StrictModes no\nUsePAM no\nPidFile none\nUseDNS no\nPasswordAuthentication no\n"
            # Keeps bash from reading ~/.bashrc, which is of this machine's making.
            "SetEnv SHLVL=2\nPerSourceMaxStartups none\nMaxStartups 100\n" + options
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def public(self) -> str:
        kind, blob, *_ = Path(f"{self.host_key}.pub").read_text().split()
        return f"{kind} {blob}"

    @property
    def fingerprint(self) -> str:
        asked = ["ssh-keygen", "-lf", f"{self.host_key}.pub"]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[1]

    def start(self) -> None:
        assert SSHD is not None
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # privilege separation wants it
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", self.configuration], stdin=subprocess.DEVNULL, stderr=log
        )
        log.close()
        deadline = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "sshd did not listen within 5 s"
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """Ends the listener and every session it made."""
        if self.process is None:
            return
        for pid in [*self.sessions(), self.process.pid]:
            for number in (signal.SIGCONT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.process.wait()
        self.process = None

    def sessions(self) -> list[int]:
        """Every process under the listener: monitors, session processes, shells and their commands."""
        assert self.process is not None
        found: list[int] = []
        todo = [self.process.pid]
        while todo:
            children = children_of(todo.pop())
            found += children
            todo += children
        return found

    def freeze(self, pids: list[int] | None = None) -> None:
        assert self.process is not None
        for pid in pids if pids is not None else [self.process.pid]:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self, pids: list[int] | None = None) -> None:
        assert self.process is not None
        for pid in pids if pids is not None else [self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def running(self) -> Iterator[Sshd]:
        self.start()
        try:
            yield self
        finally:
            self.stop()


def children_of(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextlib.contextmanager
def agent(*keys: Path) -> Iterator[tuple[str, int]]:
    """A real ssh-agent that holds `keys` (unencrypted): its socket and its process id."""
    folder = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.01)
        for key in keys:
            environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
            subprocess.run(["ssh-add", "-q", key], check=True, env=environment, capture_output=True)
        yield str(path), process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        shutil.rmtree(folder)

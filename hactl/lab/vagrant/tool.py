"""The program `vagrant`, as the lab runs it: in the shipped folder, its own files in the lab's."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from hactl.config.share import share_path
from hactl.lab import shell
from hactl.lab.vagrant.places import VagrantPaths
from hactl.model.errors import LabError, LabUnsupportedError

PROGRAM = "vagrant"
OLDEST = (2, 3)
OFF = frozenset({"not_created", "poweroff", "shutoff", "aborted", "stopped"})
"""States, as providers call them, in which a machine surely runs nothing. One that is saved or paused may come back."""

RUNNING = "running"
_PERCENT = "Progress: "  # a line for each percent of a copy
_ASK_TIMEOUT = 120.0
_ACT_TIMEOUT = 600.0
_UP_TIMEOUT = 3600.0
_INSTALL = "install Vagrant 2.3 or later, and VirtualBox or vagrant-libvirt: see vagrant/README.md"


def missing(which: Callable[[str], str | None] = shutil.which) -> tuple[str, ...]:
    """What this computer lacks for machines by Vagrant, each with what to do; the provider is Vagrant's to judge."""
    lacking = [f"{PROGRAM}: {_INSTALL}"] if which(PROGRAM) is None else []
    lacking += [f"{name}: install OpenSSH's client" for name in ("ssh", "ssh-keygen") if which(name) is None]
    return tuple(lacking)


def require() -> None:
    """Raises LabUnsupportedError that names everything missing; a Vagrant that is too old counts."""
    require_quickly()
    said = shell.run([PROGRAM, "--version"], timeout=_ASK_TIMEOUT).split()
    found = tuple(int(part) for part in said[-1].split(".")[:2] if part.isdigit()) if said else ()
    if found < OLDEST:
        _refuse(f"{' '.join(said) or PROGRAM} is too old: {_INSTALL}")


def require_quickly() -> None:
    """Raises LabUnsupportedError where a program is missing; starts none."""
    if lacking := missing():
        _refuse(*lacking)


def _refuse(*lacking: str) -> NoReturn:
    raise LabUnsupportedError(
        "This computer cannot host the lab in Vagrant's machines.",
        lacking,
        remedy="`hactl lab --backend vagrant check` looks again; `hactl lab check` asks for a lab without Vagrant.",
    )


def parse_states(text: str) -> dict[str, str]:
    """Node -> its provider's word for what it does, from `vagrant status --machine-readable`."""
    words = (line.split(",") for line in text.splitlines())
    return {row[1]: row[3] for row in words if len(row) > 3 and row[2] == "state"}


def parse_hosts(text: str) -> dict[str, str]:
    """Node -> its block of an ssh_config that `vagrant ssh-config` wrote."""
    blocks: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("Host "):
            name = line.split()[1]
            blocks[name] = ""
        if name and line.strip():
            blocks[name] += line
    return blocks


@dataclass(frozen=True, slots=True)
class Tool:
    """Runs it for one lab. `nodes`: the names of those that the lab has, where it has only some; else empty."""

    paths: VagrantPaths
    nodes: tuple[str, ...] = ()

    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "VAGRANT_CWD": str(share_path("vagrant")),
            "VAGRANT_DOTFILE_PATH": str(self.paths.dotfile),
            "VAGRANT_CHECKPOINT_DISABLE": "1",
            "VAGRANT_NO_COLOR": "1",
            "HACTL_LAB_OWN": str(self.paths.own),
            "HACTL_LAB_NODES": ",".join(self.nodes),
        }

    def run(self, words: Sequence[str], timeout: float = _ACT_TIMEOUT) -> str:
        """What `vagrant WORDS` wrote. Raises LabError with the end of what it said unless it exits 0."""
        return shell.run([PROGRAM, *words], timeout=timeout, env=self.environment())

    def states(self, *nodes: str) -> dict[str, str]:
        """Node -> its provider's word for what it does; of all nodes where none is named."""
        found = parse_states(self.run(["status", "--machine-readable", *nodes], _ASK_TIMEOUT))
        if lacking := set(nodes) - set(found):
            raise LabError(f"Vagrant says nothing of {', '.join(sorted(lacking))}.")
        return found

    def up(self, nodes: Sequence[str], heard: Callable[[str], None], *, provision: bool) -> None:
        """Every one of `nodes` runs; new ones are provisioned, with `provision` the others too."""
        words = ["up", *(["--provision"] if provision else []), *nodes]
        self._told([PROGRAM, *words], "vagrant-up.log", heard)

    def bootstrap(self, step: str, heard: Callable[[str], None]) -> None:
        """Runs bootstrap.sh: all of it, or only `step`."""
        script = share_path("vagrant", "bootstrap.sh")
        self._told(["sh", str(script), *([step] if step else [])], "bootstrap.log", heard)

    def refresh(self, node: str) -> None:
        """Asks anew how to log in to `node`, which has started."""
        config = self.paths.vagrant_ssh_config
        blocks = parse_hosts(config.read_text(encoding="utf-8")) if config.exists() else {}
        blocks |= parse_hosts(self.run(["ssh-config", node], _ASK_TIMEOUT))
        draft = config.with_name(f".{config.name}.{node}")
        draft.write_text("\n".join(blocks.values()), encoding="utf-8")
        draft.rename(config)

    def _told(self, argv: Sequence[str], log: str, heard: Callable[[str], None]) -> None:
        """Runs it, which may take long: each line is heard, all of them are in the log."""
        self.paths.logs.mkdir(parents=True, exist_ok=True)
        said = self.paths.logs / log
        with (
            said.open("w", encoding="utf-8", buffering=1) as file,
            subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="backslashreplace",
                env=self.environment(),
            ) as child,
        ):
            patience = threading.Timer(_UP_TIMEOUT, child.kill)
            patience.start()
            try:
                for line in child.stdout or ():
                    if _PERCENT not in line:
                        file.write(line)
                        heard(line.rstrip())
            finally:
                patience.cancel()
        if child.returncode != 0:
            text = said.read_text(encoding="utf-8")
            done = subprocess.CompletedProcess(argv, child.returncode, text, "")
            raise shell.failed(argv, done, what=" ".join(Path(word).name for word in argv[:2]))

"""Where the lab in Vagrant's machines keeps what: all of it below the user's own state folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VagrantPaths:
    """`shelf` is beside the lab's own folder, so that what was played outlives it."""

    shelf: Path
    name: str

    @property
    def root(self) -> Path:
        return self.shelf / self.name

    @property
    def lock(self) -> Path:
        return self.shelf / f"{self.name}.lock"

    @property
    def dotfile(self) -> Path:
        """What Vagrant itself keeps of its machines."""
        return self.root / "machines"

    @property
    def own(self) -> Path:
        """What the Vagrantfile and bootstrap.sh keep: keys, secrets, and the files by which nodes are reached."""
        return self.root / "own"

    @property
    def logs(self) -> Path:
        return self.own / "logs"

    @property
    def inventory(self) -> Path:
        return self.own / "inventory.toml"

    @property
    def ssh_config(self) -> Path:
        """For operators: as hactl, at the nodes' own addresses."""
        return self.own / "ssh_config"

    @property
    def vagrant_ssh_config(self) -> Path:
        """For the lab itself: Vagrant's logins, past the lab's network."""
        return self.own / "vagrant-ssh-config"

    @property
    def faults(self) -> Path:
        return self.root / "faults"

    @property
    def helpers(self) -> Path:
        return self.root / "helpers"

    @property
    def life(self) -> Path:
        """Holds a word that is another one each time the lab comes up after a `down`."""
        return self.root / "life"

    @property
    def chosen(self) -> Path:
        """The names of its nodes, where it has only some of the inventory's."""
        return self.root / "nodes"

    @property
    def provisioned(self) -> Path:
        """With which scripts the nodes were made."""
        return self.root / "provisioned"

    @property
    def joined(self) -> Path:
        """With which scripts they were joined."""
        return self.root / "joined"

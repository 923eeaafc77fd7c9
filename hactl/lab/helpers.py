"""Programs of this computer that belong to a lab and stand where its users stand: clients of its shop."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hactl.lab import cgroups, network
from hactl.lab.spec import LabSpec


class Helpers(Protocol):
    """They outlive this process and end with the lab; `group` names one."""

    def begin(self, group: str, argv: Sequence[str | Path], log: Path) -> None:
        """What it writes is added to `log`."""
        ...

    def end(self, group: str) -> None:
        """Nothing of it runs afterwards; fine when nothing does now."""
        ...

    def there(self, group: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class InNetwork:
    """In the lab's network namespace, each in a control group of its own."""

    spec: LabSpec

    def begin(self, group: str, argv: Sequence[str | Path], log: Path) -> None:
        self.end(group)
        cgroups.create(self.spec.name, group)
        inside = shlex.join(network.inside(self.spec, argv))
        command = f"{cgroups.join_script(self.spec.name, group)}; exec {inside}"
        with log.open("ab") as said:
            subprocess.run(
                ["setsid", "--fork", "sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=True,
            )

    def end(self, group: str) -> None:
        if cgroups.existing(self.spec.name, group):
            cgroups.kill(self.spec.name, group)
            cgroups.remove(self.spec.name, group)

    def there(self, group: str) -> bool:
        return bool(cgroups.processes(self.spec.name, group))

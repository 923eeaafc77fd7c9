"""What faults and exercises ask of a lab's machine, whatever it is made of, and doing a thing on several at once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from hactl.lab.spec import LabNode
from hactl.model.errors import LabError


class Node(Protocol):
    """One machine of a lab. Everything it does there is done as root."""

    @property
    def node(self) -> LabNode: ...

    def on(self) -> bool:
        """It has power, whether or not it answers."""
        ...

    def answers(self) -> bool:
        """It can be told to do something."""
        ...

    def command(self, argv: Sequence[str]) -> list[str]:
        """What to run on this computer so that `argv` runs there. Raises LabError when it is off."""
        ...

    def attempt(
        self, argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Runs `argv` there; a non-zero exit is data."""
        ...

    def script(self, text: str, *arguments: str, timeout: float = 60.0) -> str:
        """What a POSIX shell script wrote there. Raises LabError unless it exits 0."""
        ...


AnyNode = TypeVar("AnyNode", bound=Node)


def in_parallel(act: Callable[[AnyNode], None], machines: Sequence[AnyNode]) -> None:
    """`act` on all of them at once; waits for all, then raises one LabError that holds every failure."""
    if not machines:
        return
    with ThreadPoolExecutor(max_workers=len(machines)) as pool:
        futures = [pool.submit(act, machine) for machine in machines]
    errors = [error for future in futures if (error := future.exception()) is not None]
    others = [error for error in errors if not isinstance(error, LabError)]
    if others:
        raise others[0]
    if errors:
        remedies = {error.remedy for error in errors if isinstance(error, LabError) and error.remedy}
        raise LabError(
            "\n".join(error.message for error in errors if isinstance(error, LabError)), remedy=" ".join(remedies)
        )

"""What the dashboard needs to act: plans, runs, and wishes for them. `hactl.control.runs.Runs` is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the first paint does not wait for what acts
    from hactl.model.errors import HactlError
    from hactl.model.events import Recorded, WishKind
    from hactl.model.inventory import Inventory
    from hactl.model.journal import RunSummary
    from hactl.model.parameters import Value
    from hactl.model.plan import Plan, Request
    from hactl.model.playbook import Playbook
    from hactl.model.run import RunState


class RunSource(Protocol):
    """Plans are made here, runs live in processes of their own; this is a window on their journal."""

    @property
    def inventory(self) -> Inventory:
        """The cluster that plans are for."""

    async def plan(self, request: Request, progress: Callable[[str], None] | None = None) -> Plan: ...

    def start(self, plan: Plan) -> str: ...

    def resume(self, run: str) -> None: ...

    def undo(self, run: str) -> None: ...

    def follow(self, run: str, after: int = 0) -> AsyncIterator[Recorded]: ...

    def state(self, run: str) -> RunState: ...

    def story(self, run: str) -> list[Recorded]: ...

    def runs(self) -> list[RunSummary]: ...

    def wish(self, run: str, kind: WishKind) -> None: ...

    def alive(self, run: str) -> bool: ...

    def playbooks(self) -> tuple[Playbook, ...]: ...


def request(playbook: str, parameters: Mapping[str, Value], *, limit: str | None = None) -> Request:
    """What the operator at this terminal wants."""
    from hactl.control.operator import operator  # noqa: PLC0415 - see above
    from hactl.model.plan import Request  # noqa: PLC0415 - likewise

    return Request(playbook, parameters, limit, who=operator(), origin="dashboard")


def told(error: HactlError) -> str:
    """An error for a line on the screen."""
    return f"{error.message} {error.remedy}".rstrip()

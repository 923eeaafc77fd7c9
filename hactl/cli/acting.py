"""What every command that changes the cluster shares: the plan shown, the question asked, the run started and followed.

Everything is decided before anything is touched: what is carried out is the plan that was shown, by its digest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from hactl.cli.context import Cli
from hactl.cli.exit_codes import ExitCode, exit_code
from hactl.cli.params import events
from hactl.model.errors import GuardError, InputError

if TYPE_CHECKING:
    from hactl.cli.asking import Terminal
    from hactl.control.runs import Runs
    from hactl.model.inventory import Inventory
    from hactl.model.parameters import Value
    from hactl.model.plan import Plan, Request

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Acting:
    """The options that every acting command has."""

    plan_only: bool
    yes: bool
    confirm: str | None
    overrides: tuple[str, ...]
    reason: str
    fmt: str
    detach: bool

    @classmethod
    def taken(cls, options: dict[str, object]) -> Acting:
        """Taken out of a command's keyword arguments, as `acting` has put them in."""
        names = ("plan_only", "yes", "confirm", "overrides", "reason", "fmt", "detach")
        return cls(**{name: options.pop(name) for name in names})  # type: ignore[arg-type] # click checked them


def acting(command: F) -> F:
    """Give a command the options of `Acting`, under the same names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and touch nothing."),
    click.option("-y", "--yes", is_flag=True, help="Carry the plan out without asking."),
    click.option("--confirm", metavar="WORD", help="What an irreversible plan wants typed; --yes alone is not enough."),
    click.option(
        "--override", "overrides", multiple=True, metavar="GUARD", help="Set this guard aside; wants --reason."
    ),
    click.option("--reason", default="", metavar="TEXT", help="Why; kept in the journal and shown to others."),
    events,
    click.option("--detach", is_flag=True, help="Start the run, print its id, do not wait for it."),
)


def act(
    ctx: click.Context,
    cli: Cli,
    how: Acting,
    playbook: str,
    parameters: Mapping[str, Value],
    *,
    limit: str | None = None,
    inventory: Inventory | None = None,
) -> ExitCode:
    """Plan, show, ask, start, follow."""
    from hactl.cli.asking import Terminal

    _require_sense(how, terminal=Terminal.present())
    inventory = inventory or cli.load()
    terminal = Terminal()
    runs = open_runs(inventory, terminal)
    plan = _planned(runs, _request(playbook, parameters, limit, how), terminal)
    _show(plan, how)
    if plan.refusals:
        return _refused(plan, how)
    if how.plan_only or not plan.steps:
        return ExitCode.OK
    if not _confirmed(plan, how):
        click.echo("Nothing was touched.", err=True)
        return ExitCode.NEGATIVE
    return _carried_out(ctx, runs, plan, how)


def open_runs(inventory: Inventory, terminal: Terminal | None = None) -> Runs:
    """The door to runs of the cluster; `terminal` is asked for passphrases, where somebody sits there."""
    from hactl.control.runs import Runs

    return Runs(inventory, ask=terminal.ask if terminal is not None and terminal.present() else None)


def _require_sense(how: Acting, *, terminal: bool) -> None:
    """What can be said before anybody is asked anything. Raises InputError."""
    if how.overrides and not how.reason.strip():
        raise InputError(
            "An override needs a reason.",
            remedy="Add --reason TEXT: it is kept in the journal, with who set which guard aside.",
        )
    if not (how.plan_only or how.yes or terminal):
        raise InputError(
            "There is no terminal to ask on.", remedy="--yes carries the plan out without asking, --plan only shows it."
        )


def _request(playbook: str, parameters: Mapping[str, Value], limit: str | None, how: Acting) -> Request:
    import shlex

    from hactl.control.operator import operator
    from hactl.model.plan import Request

    return Request(
        playbook=playbook,
        parameters=parameters,
        limit=limit,
        overrides=frozenset(how.overrides),
        reason=how.reason.strip(),
        who=operator(),
        origin=f"cli: hactl {shlex.join(sys.argv[1:])}",
    )


def _planned(runs: Runs, request: Request, terminal: Terminal) -> Plan:
    """The plan; what the planning is at is shown on a terminal that has to wait for it."""
    import asyncio

    live = sys.stderr.isatty()

    def progress(sentence: str) -> None:
        click.echo(f"\r\x1b[K{sentence}", err=True, nl=False, color=True)

    try:
        return asyncio.run(runs.plan(request, progress if live else None))
    finally:
        terminal.abandon()
        if live:
            click.echo("\r\x1b[K", err=True, nl=False, color=True)


def _show(plan: Plan, how: Acting) -> None:
    """The plan where it is read: a document only when it is all that was asked for."""
    if how.plan_only and how.fmt != "text":
        from hactl.cli.output import emit
        from hactl.view.plan_document import plan_document

        emit(plan_document(plan) if how.fmt == "json" else [plan_document(plan)], how.fmt)
        return
    from hactl.cli.telling import tell
    from hactl.view.plan import plan_lines

    tell(plan_lines(plan), err=how.fmt != "text")


def _refused(plan: Plan, how: Acting) -> ExitCode:
    """Every refusal at once: on stderr too, unless it stands right above. A lock that is held has its own exit code."""
    from hactl.cli.errors import told
    from hactl.view.plan import refusal

    count = len(plan.refusals)
    read = how.fmt == "text" and sys.stdout.isatty()
    locked = any(verdict.guard == "lock" for verdict in plan.refusals)
    error = GuardError(
        f"Refused for {f'{count} reasons' if count > 1 else 'a reason'}; nothing was touched.",
        () if read else tuple(map(refusal, plan.refusals)),
        remedy="See `hactl lock show`; try again when it is free." if locked else "An override wants --reason TEXT.",
    )
    click.echo(told(error), err=True)
    return ExitCode.BUSY if locked else exit_code(error)


def _confirmed(plan: Plan, how: Acting) -> bool:
    """Whether the operator wants exactly this plan. Raises InputError where the word is missing and nobody is there."""
    import shlex

    from hactl.cli.asking import Terminal
    from hactl.view.plan import short_digest

    wanted = plan.confirm or (plan.cluster if plan.irreversible else "")
    if wanted and how.confirm is not None:
        if how.confirm != wanted:
            raise InputError(f'This plan wants "{wanted}" as its confirmation.', remedy="Nothing was touched.")
        return True
    if wanted:
        if not Terminal.present():
            raise InputError(
                "This plan cannot be taken back, so --yes is not enough.",
                remedy=f"Add --confirm {shlex.quote(wanted)}.",
            )
        question = f'This cannot be taken back. Type "{wanted}" to carry out plan {short_digest(plan)}'
        return str(click.prompt(question, default="", show_default=False, err=True)).strip() == wanted
    return how.yes or click.confirm(f"Carry out plan {short_digest(plan)}?", default=False, err=True)


def _carried_out(ctx: click.Context, runs: Runs, plan: Plan, how: Acting) -> ExitCode:
    from hactl.model.run import begun

    run = runs.start(plan)
    if how.detach:
        click.echo(run if how.fmt == "text" else f'{{"run": "{run}"}}')
        return ExitCode.OK
    from hactl.cli.following import follow

    click.echo(f"run {run}", err=True)
    return follow(ctx, runs, begun(run, plan), how.fmt)

"""`hactl runs resume | undo | cancel | pause | go-on`: what can be asked of a run, whoever started it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.params import events
from hactl.cli.text import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from hactl.control.runs import Runs
    from hactl.model.events import WishKind
    from hactl.model.run import RunState

_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
_DETACH = click.option("--detach", is_flag=True, help="Do not wait for its end.")


@click.command(epilog=examples("hactl runs resume last", "hactl runs resume 20261121-143005-k3f --yes"))
@click.argument("run")
@_YES
@_DETACH
@events
@pass_cli
@click.pass_context
def resume(ctx: click.Context, cli: Cli, /, *, run: str, yes: bool, detach: bool, fmt: str) -> ExitCode:
    """Go on with RUN after its runner was killed, or after it was stopped.

    Nothing is assumed: every step is looked at, what is done already is left, guards are asked again.
    """
    return _again(ctx, cli, run, "Resume", lambda door, name: door.resume(name), yes=yes, detach=detach, fmt=fmt)


@click.command(epilog=examples("hactl runs undo last", "hactl runs undo 20261121-143005-k3f --yes"))
@click.argument("run")
@_YES
@_DETACH
@events
@pass_cli
@click.pass_context
def undo(ctx: click.Context, cli: Cli, /, *, run: str, yes: bool, detach: bool, fmt: str) -> ExitCode:
    """Put back what RUN did, last step first.

    A run that is going on stops at the next safe point and is then undone.
    """
    return _again(ctx, cli, run, "Undo", lambda door, name: door.undo(name), yes=yes, detach=detach, fmt=fmt)


@click.command(epilog=examples("hactl runs cancel last", "hactl runs cancel last --now"))
@click.argument("run")
@click.option("--now", is_flag=True, help="Abort in the middle of a step; what it was at has to be looked at.")
@pass_cli
def cancel(cli: Cli, /, *, run: str, now: bool) -> ExitCode:
    """Stop RUN at its next safe point, where nothing is half done."""
    from hactl.model.events import WishKind

    kind, said = (WishKind.ABORT, "to abort") if now else (WishKind.STOP, "to stop at the next safe point")
    return _wish(cli, run, kind, said)


@click.command(epilog=examples("hactl runs pause last"))
@click.argument("run")
@pass_cli
def pause(cli: Cli, /, *, run: str) -> ExitCode:
    """Let RUN wait at its next safe point until `hactl runs go-on`."""
    from hactl.model.events import WishKind

    return _wish(cli, run, WishKind.PAUSE, "to wait at the next safe point")


@click.command("go-on", epilog=examples("hactl runs go-on last"))
@click.argument("run")
@pass_cli
def go_on(cli: Cli, /, *, run: str) -> ExitCode:
    """Let a paused RUN go on."""
    from hactl.model.events import WishKind

    return _wish(cli, run, WishKind.GO_ON, "to go on")


def _wish(cli: Cli, run: str, kind: WishKind, said: str) -> ExitCode:
    """Raises RunNotFoundError when nobody works on the run, who could be asked."""
    from hactl.cli.acting import open_runs

    door = open_runs(cli.load())
    run = door.resolve(run)
    _require_going_on(door, door.state(run))
    door.wish(run, kind)
    click.echo(f"{run} was asked {said}; hactl runs attach {run} follows it.", err=True)
    return ExitCode.OK


def _again(
    ctx: click.Context,
    cli: Cli,
    run: str,
    word: str,
    begin: Callable[[Runs, str], None],
    *,
    yes: bool,
    detach: bool,
    fmt: str,
) -> ExitCode:
    from hactl.cli.acting import open_runs
    from hactl.cli.asking import Terminal
    from hactl.cli.following import follow
    from hactl.model.errors import InputError

    door = open_runs(cli.load(), Terminal())
    run = door.resolve(run)
    state = door.state(run)
    if not yes:
        if not Terminal.present():
            raise InputError("There is no terminal to ask on.", remedy=f"--yes does it without asking: {word.lower()}.")
        _tell(state, alive=door.alive(run))
        if not click.confirm(f"{word} run {run}?", default=False, err=True):
            click.echo("Nothing was touched.", err=True)
            return ExitCode.NEGATIVE
    begin(door, run)
    if detach:
        click.echo(run)
        return ExitCode.OK
    return follow(ctx, door, state, fmt)


def _tell(state: RunState, *, alive: bool) -> None:
    """What was done so far, for the question below it."""
    import time

    from hactl.cli import draw
    from hactl.cli.telling import tell
    from hactl.view.matrix import step_rows
    from hactl.view.run import head_lines

    tell(head_lines(state, time.time()), err=True)
    for line in draw.table(step_rows(state, time.time(), alive=alive), draw.width()):
        click.echo(line, err=True)


def _require_going_on(door: Runs, state: RunState) -> None:
    from hactl.model.errors import RunNotFoundError
    from hactl.view.run import outcome_word

    if state.outcome is not None:
        raise RunNotFoundError(f"Run {state.run} has ended: {outcome_word(state, alive=False)}.")
    if not door.alive(state.run):
        raise RunNotFoundError(
            f"Nobody works on run {state.run}: its runner is gone.",
            remedy=f"hactl runs resume {state.run} goes on, hactl runs undo {state.run} takes it back.",
        )

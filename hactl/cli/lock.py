"""`hactl lock`: who holds the cluster's lock, and taking it away from somebody who is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import story
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control.runs import Runs
    from hactl.model.lock import LockPicture


@click.group(cls=Group, epilog=examples("hactl lock show", "hactl lock break --id 5f3a9c"))
def lock() -> None:
    """The cluster's lock: one run at a time changes the cluster, whoever starts it from wherever."""


@lock.command(epilog=examples("hactl lock show", "hactl lock show -o json | jq .holder.who"))
@story
@pass_cli
def show(cli: Cli, /, *, fmt: str) -> ExitCode:
    """Tell who holds the lock: who, for what, since when, from where, and how each node sees it."""
    import time

    picture = _picture(_runs(cli))
    if fmt == "json":
        from hactl.cli.output import emit
        from hactl.view.run_document import lock_document

        emit(lock_document(picture), fmt)
        return ExitCode.OK
    from hactl.cli import draw
    from hactl.cli.telling import tell
    from hactl.view.lock import lock_lines, lock_rows

    now = time.time()
    tell(lock_lines(picture, now))
    for line in ("", *draw.table(lock_rows(picture, now), draw.width(), indent=0)):
        click.echo(line)
    return ExitCode.OK


@lock.command("break", epilog=examples("hactl lock break --id 5f3a9c", "hactl lock break --id 5f3a9c --yes"))
@click.option("--id", "lock_id", required=True, metavar="ID", help="Of the lock, as `hactl lock show` prints it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_cli
def break_(cli: Cli, /, *, lock_id: str, yes: bool) -> ExitCode:
    """Take the lock away from its holder.

    Only for a holder that is gone for good, on a machine that will not come back: one that still works is shut out,
    its run stops in the middle. A holder that was killed has freed the lock by that.
    """
    import asyncio
    import time

    from hactl.cli.telling import tell
    from hactl.view.lock import broken_lines, lock_lines

    runs = _runs(cli)
    if not yes:
        tell(lock_lines(_picture(runs), time.time()), err=True)
        _ask(lock_id)
    tell(broken_lines(asyncio.run(runs.break_lock(lock_id))))
    return ExitCode.OK


def _ask(lock_id: str) -> None:
    """Raises click.Abort when the answer is no, InputError when nobody can be asked."""
    from hactl.cli.asking import Terminal
    from hactl.model.errors import InputError

    if not Terminal.present():
        raise InputError("There is no terminal to ask on.", remedy="--yes breaks the lock without asking.")
    click.confirm(f"Break lock {lock_id}? Whoever holds it is shut out", default=False, abort=True, err=True)


def _runs(cli: Cli) -> Runs:
    from hactl.cli.acting import open_runs
    from hactl.cli.asking import Terminal

    return open_runs(cli.load(), Terminal())


def _picture(runs: Runs) -> LockPicture:
    import asyncio

    return asyncio.run(runs.lock())

"""`hactl audit`: whether the journal of runs is what was written."""

from __future__ import annotations

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.text import examples


@click.group(cls=Group, epilog=examples("hactl audit verify"))
def audit() -> None:
    """The journal of runs: every act, before and after, in a chain of hashes."""


@audit.command(epilog=examples("hactl audit verify && echo the journal is whole"))
@pass_cli
def verify(cli: Cli, /) -> ExitCode:
    """Recompute the journal's chain of hashes: whether an entry was changed, removed or put in.

    Exit 1 when something is not as it was written; every such place is named.
    """
    from hactl.cli.acting import open_runs

    problems = open_runs(cli.load()).audit()
    for problem in problems:
        click.echo(problem)
    if not problems:
        click.echo("The journal is as it was written.")
    return ExitCode.NEGATIVE if problems else ExitCode.OK

"""`hactl runs`: what was done, what is going on, what was left unfinished; and following, showing and reporting it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import events, shown_as, story
from hactl.cli.runs_wishes import cancel, go_on, pause, resume, undo
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.events import Recorded
    from hactl.model.run import RunState
    from hactl.view.lines import Line
    from hactl.view.tables import Table


@click.group(
    cls=Group,
    epilog=examples(
        "hactl runs list                what was done, newest first",
        "hactl runs show last           how the newest run went, step by step",
        "hactl runs attach last         follow a run that is going on",
        "hactl runs resume 20261121     go on with one that was interrupted",
        "hactl runs report last --out upgrade.html",
    ),
)
def runs() -> None:
    """Runs: carried out plans, in the journal, each event before and after it.

    A RUN is named by its id, by a beginning or end of it that no other has, or by `last`.
    """


@runs.command("list", epilog=examples("hactl runs list", "hactl runs list -o json | jq -r '.runs[].run'"))
@click.option(
    "-n", "--count", metavar="N", type=click.IntRange(1), default=20, show_default=True, help="So many at most."
)
@click.option("--playbook", metavar="NAME", help="Only of this playbook.")
@story
@pass_cli
def list_(cli: Cli, /, *, count: int, playbook: str | None, fmt: str) -> ExitCode:
    """List the cluster's runs, newest first."""
    from hactl.cli.acting import open_runs

    found = open_runs(cli.load()).runs(playbook=playbook, limit=count)
    if fmt == "json":
        from hactl.cli.output import emit
        from hactl.view.run_document import summary_document

        emit({"schema": "hactl.runs/1", "runs": [summary_document(each) for each in found]}, fmt)
        return ExitCode.OK
    if not found:
        click.echo("No run is in the journal.", err=True)
        return ExitCode.OK
    from hactl.cli import draw
    from hactl.view.runs import run_rows

    for line in draw.table(run_rows(found, time.time()), draw.width(), indent=0):
        click.echo(line)
    return ExitCode.OK


@runs.command(epilog=examples("hactl runs show last", "hactl runs show last -v", "hactl runs show 20261121 -o json"))
@click.argument("run")
@click.option("-v", "--verbose", is_flag=True, help="With every command, its exit status and its output.")
@story
@pass_cli
def show(cli: Cli, /, *, run: str, verbose: bool, fmt: str) -> ExitCode:
    """Show how RUN went: outcome, steps and nodes with times, guards, what clients noticed."""
    from hactl.cli.acting import open_runs

    door = open_runs(cli.load())
    run = door.resolve(run)
    state, story = door.state(run), door.story(run)
    if fmt == "json":
        from hactl.cli.output import emit
        from hactl.view.run_document import run_document

        emit(run_document(run, state.plan, story), fmt)
        return ExitCode.OK
    from hactl.cli.telling import tell
    from hactl.view.run import head_lines, proof_lines

    alive = state.outcome is None and door.alive(run)
    tell(head_lines(state, time.time()))
    click.echo()
    for line in _matrix(state, alive=alive):
        click.echo(line)
    click.echo()
    tell(proof_lines(state, alive=alive))
    if verbose:
        click.echo()
        tell(_commands(state, story))
    return ExitCode.OK


@runs.command(epilog=examples("hactl runs attach last", "hactl runs attach last -o jsonl"))
@click.argument("run")
@events
@pass_cli
@click.pass_context
def attach(ctx: click.Context, cli: Cli, /, *, run: str, fmt: str) -> ExitCode:
    """Follow RUN from its beginning to its end. Ctrl-C only ends the watching.

    The exit code is that of the run.
    """
    from hactl.cli.acting import open_runs
    from hactl.cli.following import follow
    from hactl.model.run import begun

    door = open_runs(cli.load())
    run = door.resolve(run)
    return follow(ctx, door, begun(run, door.state(run).plan), fmt, mine=False)


@runs.command(
    epilog=examples(
        "hactl runs report last                      writes RUN.html here",
        "hactl runs report last --out upgrade.html",
        "hactl runs report last -o json | jq .requests",
    )
)
@click.argument("run")
@shown_as("html", "json", help="A page that needs nothing else, or a document.")
@click.option("--out", metavar="FILE", help="Where to; - is stdout. [default: RUN.html on a terminal, else stdout]")
@pass_cli
def report(cli: Cli, /, *, run: str, fmt: str, out: str | None) -> ExitCode:
    """Write the whole story of RUN as one file that needs nothing else.

    Outcome, who and why, plan, guards and overrides, a timeline of every node, availability of each pool, what the
    prober saw, every command with its output.
    """
    from hactl.cli.acting import open_runs

    door = open_runs(cli.load())
    run = door.resolve(run)
    plan, story = door.state(run).plan, door.story(run)
    from hactl.cli.output import write

    if fmt == "json":
        from hactl.cli.output import rendered
        from hactl.view.run_document import run_document

        text = rendered(run_document(run, plan, story), "json") + "\n"
    else:
        from hactl.view.report import report_page

        text = report_page(run, plan, story)
    write(text, out or (f"{run}.html" if sys.stdout.isatty() and fmt == "html" else "-"))
    return ExitCode.OK


for _command in (resume, undo, cancel, pause, go_on):
    runs.add_command(_command)


def _matrix(state: RunState, *, alive: bool) -> Iterator[str]:
    """Steps by nodes; as many tables below each other as the width makes necessary."""
    from hactl.cli import draw
    from hactl.view.matrix import step_rows

    for number, part in enumerate(_parts(step_rows(state, time.time(), alive=alive), draw.width())):
        if number:
            yield ""
        yield from draw.table(part, draw.width(), indent=0)


def _parts(table: Table, columns: int) -> Iterator[Table]:
    from hactl.view.tables import Row, Table, text_width

    gap = 2
    widths = [
        max(len(column.title), *(text_width(row.cells[index].text) for row in table.rows))
        for index, column in enumerate(table.columns)
    ]
    kept: list[int] = []
    for index in [*range(1, len(widths)), None]:
        full = index is None or sum(widths[i] + gap for i in (0, *kept, index)) - gap > columns
        if kept and full:
            chosen = (0, *kept)
            rows = (Row(row.key, tuple(row.cells[i] for i in chosen), row.level) for row in table.rows)
            yield Table(tuple(table.columns[i] for i in chosen), tuple(rows))
            kept = []
        if index is not None:
            kept.append(index)


def _commands(state: RunState, story: list[Recorded]) -> Iterator[Line]:
    """What was not known at times, then every command."""
    from hactl.view.lines import Line
    from hactl.view.run import command_lines, doubt_lines

    if doubts := list(doubt_lines(state.plan, story)):
        yield from (*doubts, Line())
    yield from command_lines(story)

"""`hactl status`: the cluster's health as text or as a document, once or continuously."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.params import Seconds, documents
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory
    from hactl.model.picture import Picture
    from hactl.model.plan import RunRef


@click.command(
    epilog=examples(
        "hactl status                             everything, once",
        "hactl status --limit role:db             only what concerns the databases",
        "hactl status --watch 5                   again and again, every 5 seconds",
        "hactl status -o json | jq .cluster       for programs",
        "hactl status --watch -o jsonl >> health.jsonl",
        "hactl status --exit-code >/dev/null || echo look at the cluster",
    )
)
@click.option("-l", "--limit", metavar="EXPR", help="Only these nodes: names, globs, role:, site:, label:, !TERM.")
@documents
@click.option(
    "-w",
    "--watch",
    type=Seconds(0.2, 3600),
    is_flag=False,
    flag_value=2.0,
    default=None,
    metavar="[SECONDS]",
    help="Go on, sampling and showing every 2 seconds or SECONDS; repaints a terminal, appends elsewhere.",
)
@click.option(
    "--timeout",
    type=Seconds(0, 600, min_open=True),
    metavar="SECONDS",
    help="Show what is known by then. [default: as long as each node's own deadlines allow]",
)
@click.option("--exit-code", "reflect", is_flag=True, help="Exit 1 when the cluster is not ok (without --watch).")
@pass_cli
@click.pass_context
def status(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    limit: str | None,
    fmt: str,
    watch: float | None,
    timeout: float | None,
    reflect: bool,
) -> ExitCode:
    """Show the cluster's health: services, addresses, nodes, findings.

    Every node is asked at the same time; a node that does not answer is shown as such and delays nothing beyond its
    connect timeout. What could not be found out is `unknown` or `?`, and what is old shows its age.

    Data goes to stdout, everything else to stderr. Exit 0 when the health could be shown, whatever it is; see
    --exit-code.
    """
    if watch is not None and (timeout is not None or reflect):
        raise click.UsageError("--watch does not end by itself, so --timeout and --exit-code mean nothing with it.")
    inventory = cli.load()
    if limit is not None:
        from hactl.model.limit import parse_limit

        parse_limit(limit, inventory)  # a wrong one is found before anything heavy is loaded
    if watch is not None:
        _watch(ctx, inventory, limit, fmt, watch)
        return ExitCode.OK
    from hactl.cli import known, live
    from hactl.cli.render import render
    from hactl.model.findings import Level

    marked = known.marker(inventory.name)

    def show(picture: Picture) -> None:
        from hactl.view.stranded import any_drained, with_ways_back

        picture = marked(picture)
        # What is read from the journal comes after the picture, unless the picture needs it.
        runs = _unfinished(inventory.name) if any_drained(picture) else None
        click.echo(render(with_ways_back(picture, runs) if runs else picture, fmt))
        if fmt == "table":
            _tell_runs(_unfinished(inventory.name) if runs is None else runs)

    picture = live.snapshot(inventory, limit=limit, timeout=timeout, show=show)
    return ExitCode.NEGATIVE if reflect and picture.assessment.cluster.level is not Level.OK else ExitCode.OK


def _unfinished(cluster: str) -> tuple[RunRef, ...]:
    """Runs that go on or were left unfinished. A journal that cannot be read hides nothing of the cluster."""
    from hactl.control.unfinished import unfinished
    from hactl.model.errors import JournalError

    try:
        return unfinished(cluster)
    except JournalError as error:
        click.echo(f"hactl: {error}", err=True)
        return ()


def _tell_runs(runs: tuple[RunRef, ...]) -> None:
    if not runs:
        return
    import time

    from hactl.cli.telling import tell
    from hactl.view.lines import Line
    from hactl.view.runs import unfinished_lines

    tell((Line(), *unfinished_lines(runs, time.time())))


def _watch(ctx: click.Context, inventory: Inventory, limit: str | None, fmt: str, seconds: float) -> None:
    from hactl.cli import known, live, watching

    colour, marked = sys.stdout.isatty() if ctx.color is None else ctx.color, known.marker(inventory.name)
    live.with_control(
        inventory,
        lambda control: watching.watch(control, fmt, seconds, colour=colour, marked=marked),
        limit=limit,
        interval=seconds,
    )

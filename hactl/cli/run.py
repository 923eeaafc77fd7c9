"""`hactl run`: any playbook, shipped or the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.parameters import Value


@click.command(
    epilog=examples(
        "hactl run drain -l app1 --plan",
        "hactl run rolling-upgrade -p service=shop -p version=1.1.0",
        "hactl run ./rotate-keys.toml -l role:app --yes --detach",
    )
)
@click.argument("playbook")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter of the playbook.")
@click.option("-l", "--limit", metavar="EXPR", help="Only these of its targets: names, globs, role:, site:, !TERM.")
@acting
@pass_cli
@click.pass_context
def run(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    playbook: str,
    pairs: tuple[str, ...],
    limit: str | None,
    **options: object,
) -> ExitCode:
    """Carry out PLAYBOOK: the name of one that ships or of your own, or a file.

    `hactl playbook list` names them, `hactl playbook show` explains the parameters of one.
    """
    parameters = _parameters(pairs)
    inventory = cli.load()
    if limit is not None:
        from hactl.model.limit import parse_limit

        parse_limit(limit, inventory)
    return act(ctx, cli, Acting.taken(options), playbook, parameters, limit=limit, inventory=inventory)


def _parameters(pairs: tuple[str, ...]) -> dict[str, Value]:
    """NAME=VALUE pairs. Raises click.UsageError for what is none, or stands there twice."""
    found: dict[str, Value] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"-p wants NAME=VALUE, not {pair!r}.")
        if name in found:
            raise click.UsageError(f"Parameter {name} is given twice.")
        found[name] = value
    return found

"""`hactl inventory`: is it valid, what does it say, and the same for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.group import Group
from hactl.cli.output import emit, say, table
from hactl.cli.params import documents
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory, Node

LIMIT = click.option(
    "-l", "--limit", metavar="EXPR", help="Only these nodes: names, globs, role:, site:, label:, !TERM."
)


@click.group(
    cls=Group,
    epilog=examples(
        "hactl inventory validate prod.toml",
        "hactl inventory show db1",
        "hactl inventory export --format ssh-config > nodes.ssh",
    ),
)
def inventory() -> None:
    """Validate, list, show, draw and export the inventory."""


@inventory.command(epilog=examples("hactl inventory validate", "hactl inventory validate inventory/*.toml -o json"))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@documents
@pass_cli
@click.pass_context
def validate(ctx: click.Context, cli: Cli, files: tuple[Path, ...], fmt: str) -> None:
    """Tell every problem of every FILE, each with its line and column.

    Without FILE: the inventory that other commands would use. Exit 0 when all are valid, else 2.
    """
    results = [(path, *_verdict(path)) for path in files or (cli.path(),)]
    if fmt == "table":
        for path, found, problems in results:
            for problem in problems:
                say(problem)
            if found is not None:
                click.echo(f"{path}: ok: {_counts(found)}")
    else:
        emit([{"file": str(path), "valid": not bad, "problems": list(bad)} for path, _, bad in results], fmt)
    ctx.exit(2 if any(problems for _, _, problems in results) else 0)


def _verdict(path: Path) -> tuple[Inventory | None, tuple[str, ...]]:
    from hactl.config import load_inventory
    from hactl.model.errors import InventoryError

    try:
        return load_inventory(path), ()
    except InventoryError as error:
        return None, error.problems


def _counts(found: Inventory) -> str:
    parts = (
        ("site", found.sites),
        ("node", found.nodes),
        ("service", found.services),
        ("pool", found.pools),
        ("VIP", found.vips),
    )
    return ", ".join(f"{len(things)} {name}{'' if len(things) == 1 else 's'}" for name, things in parts if things)


@inventory.command("list", epilog=examples("hactl inventory list --limit role:db", "hactl inventory list -o jsonl"))
@LIMIT
@documents
@pass_cli
def list_(cli: Cli, limit: str | None, fmt: str) -> None:
    """List the nodes, in the order of the file."""
    found = cli.load()
    nodes = _limited(found, limit)
    if fmt != "table":
        from hactl.config.codec import to_json

        emit([to_json(node) for node in nodes], fmt)
        return
    headers = ("NODE", "SITE", "ADDRESS", "ROLES", "STANDING", "SERVICES")
    click.echo(table(headers, [_row(found, node) for node in nodes]))


def _limited(found: Inventory, limit: str | None) -> list[Node]:
    if limit is None:
        return list(found.nodes.values())
    from hactl.model.limit import parse_limit

    return [found.nodes[name] for name in parse_limit(limit, found)]


def _row(found: Inventory, node: Node) -> tuple[str, ...]:
    services = ", ".join(service.name for service in found.services_on(node.name))
    return (node.name, node.site, node.address, ", ".join(node.roles) or "-", node.standing.value, services or "-")


@inventory.command(epilog=examples("hactl inventory show db1", "hactl inventory show db1 -o json"))
@click.argument("node")
@documents
@pass_cli
def show(cli: Cli, node: str, fmt: str) -> None:
    """Show what holds for NODE once defaults are filled in, and where each SSH setting comes from."""
    from hactl.config.codec import to_json

    path, found = cli.path(), cli.load()
    chosen = _node(found, node)
    if fmt != "table":
        services = [to_json(service) for service in found.services_on(node)]
        emit({"node": to_json(chosen), "services": services, "pools": [p.name for p in found.pools_of(node)]}, fmt)
        return
    from hactl.config.explain import ssh_sources

    click.echo(table(("KEY", "VALUE", "FROM"), _facts(found, chosen, ssh_sources(path, node))))


def _node(found: Inventory, name: str) -> Node:
    from hactl.model.errors import InputError
    from hactl.model.suggest import did_you_mean, quoted

    if name not in found.nodes:
        raise InputError(f"No node is called {quoted(name)}{did_you_mean(name, found.nodes) or '.'}")
    return found.nodes[name]


def _facts(found: Inventory, node: Node, sources: dict[str, str]) -> list[tuple[str, str, str]]:
    from dataclasses import fields

    rows = [
        ("name", node.name, ""),
        ("address", node.address, ""),
        ("site", node.site, ""),
        ("roles", ", ".join(node.roles) or "-", ""),
        ("standing", node.standing.value, ""),
        *((f"label {key}", value, "") for key, value in node.labels.items()),
        *((f"service {service.name}", _described(service.units), "") for service in found.services_on(node.name)),
        *((f"pool {pool.name}", f"server {pool.servers[node.name]}", "") for pool in found.pools_of(node.name)),
    ]
    for field in fields(node.ssh):
        value = getattr(node.ssh, field.name)
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        if field.name == "algorithms":
            shown = "; ".join(
                f"{f.name}: {', '.join(getattr(value, f.name))}" for f in fields(value) if getattr(value, f.name)
            )
        rows.append(
            (f"ssh {field.name}", "-" if value is None else shown or "none", sources.get(field.name, "default"))
        )
    return rows


def _described(units: tuple[str, ...]) -> str:
    return ", ".join(units) or "no unit"


@inventory.command(epilog=examples("hactl inventory graph", "hactl inventory graph --format dot | dot -Tsvg > map.svg"))
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["text", "dot"]),
    default="text",
    show_default=True,
    help="dot is for Graphviz.",
)
@pass_cli
def graph(cli: Cli, fmt: str) -> None:
    """Draw how sites, nodes, services, pools and addresses hang together."""
    from hactl.view import topology

    found = cli.load()
    click.echo(topology.dot(found) if fmt == "dot" else topology.tree(found))


@inventory.command(
    epilog=examples(
        "hactl inventory export --format ansible > hosts.yml",
        "hactl inventory export --format ssh-config > nodes.ssh; ssh -F nodes.ssh db1",
    )
)
@click.option("--format", "fmt", type=click.Choice(["ansible", "ssh-config", "json"]), required=True, help="For whom.")
@pass_cli
def export(cli: Cli, fmt: str) -> None:
    """Print the inventory for Ansible (YAML), for `ssh -F`, or as plain JSON with every default filled in."""
    from hactl.config import export as exports
    from hactl.lab.connect import pipe

    found = cli.load()
    if fmt == "json":
        emit(exports.json_document(found), "json")
    elif fmt == "ansible":
        emit(exports.ansible(found, pipe()), "yaml")
    else:
        click.echo(exports.ssh_config(found, pipe()), nl=False)


@inventory.command(epilog=examples("hactl inventory schema > inventory/hactl.schema.json"))
def schema() -> None:
    """Print the JSON Schema of inventory files, for editors that complete and check while you type.

    Most read a first line such as: #:schema ./hactl.schema.json
    """
    from hactl.config.json_schema import inventory_schema

    emit(inventory_schema(), "json")

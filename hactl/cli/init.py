"""`hactl init`: a first inventory from a few answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.output import say
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.config.scaffold import Answers

_NEEDS = {"vip": "lb", "app": "app", "port": "app", "health": "app"}  # option -> role that it is about


@click.command(
    epilog=examples(
        "hactl init",
        "hactl init --name shop --vip 10.0.0.10 \\",
        "  --nodes lb1=10.0.0.1:lb,lb2=10.0.0.2:lb,app1=10.0.0.3:app",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What the cluster is called.")
@click.option("--nodes", metavar="LIST", help="NAME=ADDRESS:ROLE[+ROLE][@SITE], by comma; roles: lb, app, db, backup.")
@click.option("--user", metavar="NAME", help="The login user on the nodes. [default: what ~/.ssh/config says]")
@click.option("--site", metavar="NAME", help="The site of nodes without @SITE. [default: main]")
@click.option("--app", metavar="NAME", help="The application's name, where a node has the role app. [default: app]")
@click.option("--port", metavar="PORT", type=click.IntRange(1, 65535), help="The application's port. [default: 8080]")
@click.option("--health", metavar="PATH", help="The path of its health check. [default: /healthz]")
@click.option("--vip", metavar="ADDRESS", help="The address that keepalived moves between the lb nodes.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def init(file: Path | None, *, force: bool, **given: str | int | None) -> None:
    """Write an inventory to FILE (default: inventory/NAME.toml).

    Asks for what no option says when there is a terminal. The result is valid, commented, and marks with CHECK what
    only you can know.
    """
    from hactl.config import parse_inventory
    from hactl.config.scaffold import scaffold, unusual_roles

    answers = _answers(given)
    path = file or Path("inventory", f"{answers.name}.toml")
    text = scaffold(answers)
    for sentence in unusual_roles(answers.nodes):
        say(f"hactl: {sentence}")
    found = parse_inventory(text.encode(), path.absolute(), shown=str(path))
    _write(path, text, force=force)
    click.echo(f"{path}: written, with {len(found.nodes)} nodes and {len(found.services)} services.")
    say(f"Now look for CHECK in it, then: hactl -i {path} doctor")


def _answers(given: dict[str, str | int | None]) -> Answers:
    """The options, completed by questions when somebody is there to answer. Raises click.UsageError, InputError."""
    from hactl.config.scaffold import Answers, parse_nodes

    asks = sys.stdin.isatty() and sys.stderr.isatty()
    missing = [f"--{key}" for key in ("name", "nodes") if given[key] is None]
    if missing and not asks:
        raise click.UsageError(f"There is no terminal to ask on: give {' and '.join(missing)}.")
    asks = asks and bool(missing)  # whoever gave the essentials wants no questions

    def answer(key: str, question: str, default: str) -> str:
        value = given[key]
        if value is not None:
            return str(value)
        return str(click.prompt(question, default=default, err=True)) if asks else default

    name = answer("name", "What is the cluster called", "cluster")
    if asks and given["nodes"] is None:
        say(
            "Nodes as NAME=ADDRESS:ROLE, by comma; roles: lb, app, db, backup. Example: lb1=10.0.0.1:lb,db1=10.0.0.5:db"
        )
    nodes = parse_nodes(answer("nodes", "Nodes", ""))
    roles = {role for node in nodes for role in node.roles}
    for key, role in _NEEDS.items():
        if given[key] is not None and role not in roles:
            raise click.UsageError(f"--{key} is about nodes with the role {role}, and there are none.")
    user = answer("user", "Login user on the nodes (empty: what ~/.ssh/config says)", "")
    vip = answer("vip", "Address that keepalived moves (empty: none)", "") if "lb" in roles else ""
    app, port, health = "app", "8080", "/healthz"
    if "app" in roles:
        app = answer("app", "Name of the application", app)
        port = answer("port", "Its port", port)
        health = answer("health", "Path of its health check", health)
    if not (port.isascii() and port.isdigit()):
        raise click.UsageError(f"{port!r} is not a port.")
    site = str(given["site"] or "main")
    return Answers(name, nodes, user or None, site, app, int(port), health, vip or None)


def _write(path: Path, text: str, *, force: bool) -> None:
    """Writes in one step; without `force` never over anything. Raises InputError when it cannot."""
    from hactl.model.errors import InputError

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if force:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # unlike a rename, this fails when the name is taken
    except FileExistsError as error:
        raise InputError(f"{path} exists.", remedy="Choose another FILE, or replace it with --force.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)

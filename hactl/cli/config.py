"""`hactl config`: the dashboard's settings: where they are, what they come to, whether they are valid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.group import Group
from hactl.cli.output import emit, say, table
from hactl.cli.params import documents
from hactl.cli.root import KNOWN
from hactl.cli.text import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from hactl.config.dashboard import Known


@click.group(cls=Group, epilog=examples("hactl config path", "hactl config keys", "hactl config check"))
def config() -> None:
    """The dashboard's settings: where they are, what they say, whether they are valid, what they may name.

    docs/dashboard.md says what may stand in them. Without the file everything has its default.
    """


@config.command(epilog=examples('$EDITOR "$(hactl config path)"'))
def path() -> None:
    """Print the file's path, whether it exists or not."""
    from hactl.config.dashboard import settings_file

    click.echo(str(settings_file()))


@config.command(epilog=examples("hactl config check", "hactl config check ./dashboard.toml"))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_context
def check(ctx: click.Context, file: Path | None) -> None:
    """Tell every problem of FILE (the user's settings without it), each with its line and column.

    Exit 0 when there is none, else 2.
    """
    from hactl.config.dashboard import load_settings, settings_file
    from hactl.model.errors import InputError, SettingsError

    where = file or settings_file()
    if file is not None and not file.exists():
        raise InputError(f"{file} does not exist.")
    try:
        load_settings(where, _known(ctx))
    except SettingsError as error:
        for problem in error.problems:
            say(problem)
        ctx.exit(2)
    click.echo(f"{where}: ok" if where.exists() else f"{where}: absent, so everything has its default")


@config.command(epilog=examples("hactl config show", "hactl config show -o json"))
@documents
@click.pass_context
def show(ctx: click.Context, fmt: str) -> None:
    """Show what the settings come to, defaults included."""
    from hactl.config.dashboard import load_settings, settings_file

    found = load_settings(settings_file(), _known(ctx))
    if fmt != "table":
        chosen = {name: {"hide": list(one.hide), "show": list(one.show)} for name, one in found.columns.items()}
        looks = {"theme": found.theme, "read_only": found.read_only, "bell": found.bell}
        emit({"file": str(settings_file()), **looks, "keys": dict(found.keys), "columns": chosen}, fmt)
        return
    rows = [
        ("theme", found.theme or "the one that was chosen last"),
        ("read_only", _yes(found.read_only)),
        ("bell", _yes(found.bell)),
        *((f"keys {name}", keys) for name, keys in found.keys.items()),
        *((f"columns {name} hide", ", ".join(one.hide)) for name, one in found.columns.items() if one.hide),
        *((f"columns {name} show", ", ".join(one.show)) for name, one in found.columns.items() if one.show),
    ]
    click.echo(table(("SETTING", "VALUE"), rows))


@config.command(epilog=examples("hactl config keys", "hactl config keys -o json | jq '.[].name'"))
@documents
@click.pass_context
def keys(ctx: click.Context, fmt: str) -> None:
    """List the names of the dashboard's keys, what each is bound to by default, and what it does."""
    helps = _known(ctx).keys
    if fmt != "table":
        emit([{"name": name, "keys": list(one.keys), "does": one.does} for name, one in helps.items()], fmt)
        return
    rows = [(name, " ".join(one.keys), f"{one.does}. {one.about}".rstrip(". ")) for name, one in helps.items()]
    click.echo(table(("NAME", "KEYS", "DOES"), rows))


@config.command(epilog=examples("hactl config columns", "hactl config columns -o json"))
@documents
@click.pass_context
def columns(ctx: click.Context, fmt: str) -> None:
    """List the dashboard's tables whose columns may be chosen."""
    found = _known(ctx).columns
    if fmt != "table":
        emit({name: list(there) for name, there in found.items()}, fmt)
        return
    click.echo(table(("TABLE", "COLUMNS"), [(name, ", ".join(there)) for name, there in found.items()]))


def _known(ctx: click.Context) -> Known:
    """What there is to be named: the dashboard tells, which commands do not know otherwise."""
    ask: Callable[[], Known] = ctx.meta[KNOWN]
    return ask()


def _yes(value: bool) -> str:
    return "true" if value else "false"

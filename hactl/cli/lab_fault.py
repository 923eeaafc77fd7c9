"""`hactl lab fault`: one command for each fault of the table, one for each undo that has a name, `list` and `undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli import output
from hactl.cli.group import Group
from hactl.cli.lab_common import FORMAT, named, opened
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.lab.faults import Fault, Parameter


class FaultGroup(Group):
    """Makes the commands from the table when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from hactl.lab.faults import FAULTS, REVERSES

        return [*super().list_commands(ctx), *FAULTS, *REVERSES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if command := super().get_command(ctx, cmd_name):
            return command
        from hactl.lab.faults import FAULTS, REVERSES

        if fault := FAULTS.get(cmd_name):
            return _injection(fault)
        if fault := REVERSES.get(cmd_name):
            return _reversal(cmd_name, fault)
        return None


@click.group(
    cls=FaultGroup,
    epilog=examples(
        "hactl lab fault list                  what can go wrong, what hactl shows",
        "hactl lab fault freeze db2",
        "hactl lab fault partition site:west",
        "hactl lab fault slow app1 --delay 900",
        "hactl lab fault service-stop role:lb keepalived.service",
        "hactl lab fault undo                  take everything back",
    ),
)
def fault() -> None:
    """Make real things go wrong in the lab, and take them back."""


@fault.command("list", epilog=examples("hactl lab fault list", "hactl lab fault list -o json | jq '.faults[].name'"))
@named
@FORMAT
def list_(name: str, fmt: str) -> None:
    """Explain every fault: what happens, what hactl should then show, how to undo it."""
    from hactl.lab.faults import FAULTS

    if fmt == "json":
        output.emit({"schema": 1, "faults": [_document(each) for each in FAULTS.values()]}, "json")
        return
    for each in FAULTS.values():
        click.secho(each.usage.removeprefix("hactl lab fault "), bold=True)
        click.echo(click.wrap_text(each.does, 78, "  ", "  "))
        for parameter in each.parameters:
            default = f" [{parameter.default}]" if parameter.default else ""
            click.echo(click.wrap_text(f"{parameter.name.upper()}: {parameter.help}{default}", 78, "    ", "      "))
        click.echo(click.wrap_text(f"hactl shows: {each.shows}", 78, "  ", "    "))
        click.echo(f"  undo: {_undo_usage(each)}\n")
    click.echo(f"`hactl lab fault undo` takes back all that are active (lab {name}).")


def _example(each: Fault) -> str:
    """The fault with no more than it must be given."""
    return " ".join("app1" if word == "NODE" else word for word in each.usage.split() if not word.startswith("["))


def _undo_usage(each: Fault) -> str:
    return each.reverse or f"undo {each.name}"


def _document(each: Fault) -> output.Document:
    return {
        "name": each.name,
        "does": each.does,
        "shows": each.shows,
        "undo": _undo_usage(each),
        "lasting": each.lasting,
        "parameters": [{"name": p.name, "help": p.help, "default": p.default} for p in each.parameters],
    }


@fault.command(
    epilog=examples(
        "hactl lab fault undo                everything",
        "hactl lab fault undo freeze         every frozen node",
        "hactl lab fault undo freeze db2     this one",
    )
)
@named
@click.argument("which", required=False)
@click.argument("arguments", nargs=-1)
def undo(name: str, which: str | None, arguments: tuple[str, ...]) -> None:
    """Undo the fault WHICH (all of that name, or the one with these ARGUMENTS); without WHICH undo every one."""
    undone = opened(name).faults.undo(which, *arguments)
    for each in undone:
        output.say(f"undone: {each}")
    if not undone:
        output.say("No such fault is active." if which else "No fault is active.")


def _injection(each: Fault) -> click.Command:
    """The command for one fault: what must be given is an argument, what has a default an argument and an option."""

    def run(name: str, arguments: tuple[str, ...], **options: str | None) -> None:
        given = {key: value for key, value in options.items() if value is not None}
        this = opened(name)
        active = this.faults.inject(each.name, *arguments, **given)
        output.say(f"active: {active}. hactl shows: {each.shows}")
        output.say(f"  undo: {this.command} fault {_undo_usage(each)}")

    command = click.Command(
        each.name,
        callback=run,
        help=f"{each.does}\n\nhactl shows: {each.shows}",
        short_help=each.does,
        epilog=examples(_example(each), f"hactl lab fault {_undo_usage(each)}"),
        params=[
            click.Argument(["arguments"], nargs=-1, metavar=each.usage.partition(each.name)[2].strip()),
            *map(_option, each.parameters),
        ],
        context_settings={"ignore_unknown_options": True},  # a negative number is an argument
    )
    return named(command)


def _option(parameter: Parameter) -> click.Option:
    default = f" [default: {parameter.default}]" if parameter.default else ""
    return click.Option([f"--{parameter.name}"], metavar=parameter.name.upper(), help=f"{parameter.help}{default}")


def _reversal(reverse: str, each: Fault) -> click.Command:
    def run(name: str, arguments: tuple[str, ...]) -> None:
        for undone in opened(name).faults.reverse(reverse, *arguments):
            output.say(f"undone: {undone}")

    command = click.Command(
        reverse,
        callback=run,
        help=f"Undo {each.name}: those with these ARGUMENTS, or all.",
        epilog=examples(f"hactl lab fault {reverse}"),
        params=[click.Argument(["arguments"], nargs=-1)],
    )
    return named(command)

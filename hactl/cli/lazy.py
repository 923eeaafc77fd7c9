"""A command group that imports a command only when it is used: help and completion of names need the table alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

from hactl.cli.group import Group

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True)
class Entry:
    """Where a command lives ("module:attribute") and what one line says about it."""

    target: str
    help: str


class LazyGroup(Group):
    """`sections` maps a heading of the help to its commands by name.

    `adopt` is called once on every command that is loaded, to give it what all commands share.
    """

    def __init__(
        self, *, sections: Mapping[str, Mapping[str, Entry]], adopt: Callable[[click.Command], None], **attrs: object
    ) -> None:
        super().__init__(**attrs)  # type: ignore[arg-type] # click's own keyword arguments, passed on
        self._sections = sections
        self._adopt = adopt
        self._entries = {name: entry for section in sections.values() for name, entry in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self.commands and (entry := self._entries.get(cmd_name)):
            self.commands[cmd_name] = self._loaded(entry)
        return self.commands.get(cmd_name)

    def _loaded(self, entry: Entry) -> click.Command:
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is not a click command")
        self._adopt(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        width = max(map(len, self._entries))
        for title, section in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), entry.help) for name, entry in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        options = click.Command.shell_complete(self, ctx, incomplete)
        names: Sequence[tuple[str, Entry]] = [(n, e) for n, e in self._entries.items() if n.startswith(incomplete)]
        return [CompletionItem(name, help=entry.help) for name, entry in names] + options

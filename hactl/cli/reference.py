"""The reference pages that are made from the code: `python -m hactl.cli.reference [FOLDER]` writes them.

A test holds the pages in docs/reference equal to what this writes, so that none of them can grow old.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from hactl.cli import manual
from hactl.cli.exit_codes import CHECK_MEANINGS, MEANINGS, exit_code
from hactl.cli.root import root
from hactl.model import errors

_MADE = "<!-- Made by `python -m hactl.cli.reference`; a test holds it equal to the code. -->"
WIDTH = 80


def pages() -> dict[str, str]:
    """Every page by its file name."""
    return {
        "cli.md": _cli(),
        "exit-codes.md": _exit_codes(),
        "errors.md": _errors(),
        "hactl.1": manual.page(commands()),
    }


def commands() -> Iterator[tuple[str, click.Context]]:
    """Every command as it is typed ("hactl lab up"), with a context to ask it for help."""
    yield from _below(_context(root, "hactl", None))


def _below(ctx: click.Context) -> Iterator[tuple[str, click.Context]]:
    yield ctx.command_path, ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None and not command.hidden:
                yield from _below(_context(command, name, ctx))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, parent, name, **settings)


def _cli() -> str:
    helps = [f"## {path}\n\n```text\n{ctx.get_help()}\n```" for path, ctx in commands()]
    return _page("Commands", "What `--help` says, for every command.", *helps)


def _exit_codes() -> str:
    head = ("code", "name", "meaning")
    ours = _table(head, [(str(code.value), code.name, text) for code, text in MEANINGS.items()])
    check = _table(head, [(str(code.value), code.name, text) for code, text in CHECK_MEANINGS.items()])
    return _page("Exit codes", _ABOUT_CODES, ours, "## `hactl check`", _ABOUT_CHECK, check)


def _errors() -> str:
    rows = [(f"`{kind.code}`", _summary(kind), _number(kind)) for kind in _tree(errors.HactlError)]
    return _page("Errors", _ABOUT_ERRORS, _table(("code", "what happened", "exit code"), rows))


_ABOUT_CODES = """\
One table for every command; which error leads to which code is in [errors.md](errors.md). `hactl lab exec` and
`hactl lab ssh` give back the exit code of what ran on the node."""
_ABOUT_CHECK = "A monitoring system reads these instead; a failure of hactl itself is 3 as well."
_ABOUT_ERRORS = """\
Every error that hactl reports on purpose. The code is stable: it stands in `status -o json` where a node could not be
asked, and an error that ends a command leads to the exit code beside it ([exit-codes.md](exit-codes.md)). Messages name
the place and what to do about it, and may be reworded."""


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", _MADE, *parts)) + "\n"


def _tree(kind: type[errors.HactlError]) -> Iterator[type[errors.HactlError]]:
    """`kind` and everything below it, parents first."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


def _number(kind: type[errors.HactlError]) -> str:
    """The exit code of such an error, as text; only its class matters, so an instance without a message will do."""
    return str(exit_code(kind.__new__(kind)).value)


def _summary(kind: type[errors.HactlError]) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n", 1)[0].split())


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> None:
    """Write every page into the folder given, docs/reference by default."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

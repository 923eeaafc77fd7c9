"""The manual page hactl(1), made from the commands' own help; `hactl.cli.reference` writes it with the other pages.

Only `man`'s own macros are used, so that groff and mandoc read it alike.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

import click

from hactl import __version__
from hactl.cli.exit_codes import MEANINGS

_ENVIRONMENT = (
    ("HACTL_INVENTORY", "The inventory, where --inventory does not say it."),
    ("HACTL_LAB", "The name of the lab that `hactl lab` means."),
    ("HACTL_LAB_BACKEND", "What its nodes are made of: namespaces, or vagrant."),
    ("HACTL_LOG", "A file to log to, as --log-file."),
    ("NO_COLOR", "Set to anything: no colours. What they tell is told in words as well."),
    ("XDG_CONFIG_HOME, XDG_STATE_HOME", "Where settings, and the journal of runs, are kept instead of below ~."),
)
_FILES = (
    ("./inventory/*.toml", "The inventory, where there is exactly one."),
    ("~/.config/hactl/inventory.toml", "The user's own inventory."),
    ("~/.config/hactl/dashboard.toml", "The dashboard's settings: keys, columns, theme."),
    ("~/.config/hactl/playbooks/", "The user's own playbooks."),
    ("~/.local/state/hactl/journal.db", "Every run: what was planned, done and seen, in a chain of hashes."),
)


def page(commands: Iterable[tuple[str, click.Context]]) -> str:
    """The whole page. `commands`: each as it is typed, the program itself first, with a context to ask for its help."""
    (_, root), *rest = commands
    lines = [
        f'.TH HACTL 1 "" "hactl {__version__}" "hactl manual"',
        ".SH NAME",
        "hactl \\- watch a small high\\-availability cluster over SSH, and act on it with guards",
        ".SH SYNOPSIS",
        *_synopsis("hactl", root),
        ".SH DESCRIPTION",
        *_prose(root.command.help or ""),
        ".SH OPTIONS",
        *_options(root),
        ".SH COMMANDS",
        *(line for path, ctx in rest for line in _command(path, ctx)),
        ".SH EXIT STATUS",
        *_terms((str(code.value), text) for code, text in MEANINGS.items()),
        ".SH ENVIRONMENT",
        *_terms(_ENVIRONMENT),
        ".SH FILES",
        *_terms(_FILES),
        ".SH EXAMPLES",
        *_prose(root.command.epilog or ""),
    ]
    return "\n".join(lines) + "\n"


def _command(path: str, ctx: click.Context) -> Iterator[str]:
    """A group is told by its commands; only what can be done by itself has a synopsis."""
    yield f".SS {_text(path)}"
    if not isinstance(ctx.command, click.Group) or ctx.command.invoke_without_command:
        yield from _synopsis(path, ctx)
        yield ".PP"
    yield from _prose(ctx.command.help or "")
    yield from _options(ctx)
    yield from _prose(ctx.command.epilog or "")


def _synopsis(path: str, ctx: click.Context) -> Iterator[str]:
    yield f".B {_text(path)}"
    yield _text(" ".join(ctx.command.collect_usage_pieces(ctx)))


def _options(ctx: click.Context) -> Iterator[str]:
    """Those of the command's own: --help is everywhere, and said once."""
    own = [param for param in ctx.command.get_params(ctx) if "--help" not in param.opts or ctx.parent is None]
    records = (param.get_help_record(ctx) for param in own)
    yield from _terms(record for record in records if record is not None and record[1])


def _terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in pairs:
        yield from (".TP", f".B {_text(term)}", _text(text))


def _prose(text: str) -> Iterator[str]:
    """Paragraphs filled; those that click must not wrap as they are, a first line such as "Examples:" before them."""
    for paragraph in filter(None, re.split(r"\n\s*\n", inspect.cleandoc(text))):
        first, *rest = paragraph.split("\n")
        if first.strip() != "\b":
            yield from (".PP", _text(" ".join(paragraph.split())))
            continue
        yield ".PP"
        if rest[0].endswith(":"):
            yield _text(rest.pop(0))
        yield from (".RS 4", ".nf", *(_text(inspect.cleandoc(line)) for line in rest), ".fi", ".RE")


def _text(text: str) -> str:
    """A line as roff prints it and nothing else: no escape, no request, no hyphen that a search would not find."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped

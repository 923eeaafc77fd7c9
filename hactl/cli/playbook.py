"""`hactl playbook`: which playbooks there are, what they do, whether one's own are sound, and a first one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.group import Group
from hactl.cli.output import emit, say, table
from hactl.cli.params import documents
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.config.playbooks import Listed
    from hactl.model.playbook import Playbook
    from hactl.model.verb import Verbs


@click.group(
    cls=Group,
    epilog=examples(
        "hactl playbook list",
        "hactl playbook show rolling-upgrade",
        "hactl playbook new rotate-keys",
        "hactl playbook validate ~/.config/hactl/playbooks/*.toml",
    ),
)
def playbook() -> None:
    """List, explain, validate and begin playbooks: what `hactl run` carries out."""


def _verbs() -> Verbs:
    from hactl.drivers.verbs.catalogue import VERBS

    return VERBS


@playbook.command("list", epilog=examples("hactl playbook list", "hactl playbook list -o jsonl | jq -r .name"))
@documents
def list_(fmt: str) -> None:
    """List every playbook that can be named: those that ship, and your own.

    Where both have the same name, your own is the one that is run.
    """
    from hactl.config.playbooks import playbooks

    found = playbooks(_verbs(), os.environ)
    if fmt != "table":
        emit([_entry(listed) for listed in found], fmt)
        return
    click.echo(table(("PLAYBOOK", "TITLE", "FROM", "PARAMETERS"), [_row(listed) for listed in found]))
    for listed in found:
        for problem in listed.problems:
            say(problem)


def _row(listed: Listed) -> tuple[str, ...]:
    if listed.playbook is None:
        count = len(listed.problems)
        return (listed.place.name, f"not valid: {count} problem{'' if count == 1 else 's'}", _origin(listed), "-")
    parameters = listed.playbook.parameters.values()
    names = ", ".join(f"{one.name}{'*' if one.required else ''}" for one in parameters)
    return (listed.place.name, listed.playbook.title, _origin(listed), names or "-")


def _origin(listed: Listed) -> str:
    if listed.place.shipped:
        return "hactl"
    return "you, instead of hactl's" if listed.place.shadows else "you"


def _entry(listed: Listed) -> dict[str, str | bool | list[str] | None]:
    return {
        "name": listed.place.name,
        "title": None if listed.playbook is None else listed.playbook.title,
        "file": str(listed.place.path),
        "shipped": listed.place.shipped,
        "shadows": listed.place.shadows,
        "parameters": [] if listed.playbook is None else list(listed.playbook.parameters),
        "problems": list(listed.problems),
    }


@playbook.command(
    epilog=examples(
        "hactl playbook show drain",
        "hactl playbook show ./mine.toml",
        "hactl playbook show drain -o json | jq .parameters",
    )
)
@click.argument("playbook")
@documents
def show(playbook: str, fmt: str) -> None:
    """Explain PLAYBOOK, a name or a file: its parameters, its targets and its steps."""
    from hactl.config.playbooks import load_playbook
    from hactl.view.playbook import playbook_document

    found = load_playbook(playbook, _verbs(), env=os.environ)
    if fmt != "table":
        emit(playbook_document(found), fmt)
        return
    click.echo("\n\n".join(_parts(found)))


def _parts(found: Playbook) -> list[str]:
    from hactl.view import playbook as view

    parts = [f"{found.name}: {found.title}\n{found.source}"]
    if found.description:
        parts.append(found.description)
    if found.parameters:
        parts.append(table(view.PARAMETER_HEADERS, view.parameter_rows(found)))
    parts.append("\n".join(("TARGETS", *(f"  {line}" for line in view.target_sentences(found.targets)))))
    parts.append(table(view.STEP_HEADERS, view.step_rows(found)))
    if off := [name for name, on in found.guards.items() if not on]:
        parts.append("\n".join(("GUARDS THAT DO NOT APPLY", *(f"  {name}" for name in off))))
    if found.notes:
        parts.append("\n".join(("NOTES", *(f"  {note}" for note in found.notes))))
    if found.confirm:
        parts.append(f"To confirm, type {found.confirm}.")
    return parts


@playbook.command(
    epilog=examples("hactl playbook validate mine.toml", "hactl playbook validate playbooks/*.toml -o json")
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@documents
@click.pass_context
def validate(ctx: click.Context, files: tuple[str, ...], fmt: str) -> None:
    """Tell every problem of every FILE, each with its line and column.

    A playbook's name will do too. Exit 0 when all are valid, else 2.
    """
    results = [(file, *_verdict(file)) for file in files]
    if fmt == "table":
        for file, found, problems in results:
            for problem in problems:
                say(problem)
            if found is not None:
                click.echo(f"{file}: ok: {_counts(found)}")
    else:
        emit([{"file": file, "valid": not bad, "problems": list(bad)} for file, _, bad in results], fmt)
    ctx.exit(2 if any(problems for _, _, problems in results) else 0)


def _verdict(file: str) -> tuple[Playbook | None, tuple[str, ...]]:
    from hactl.config.playbooks import find_playbook, load_playbook
    from hactl.model.errors import PlaybookError

    named = file if "/" in file or file.endswith(".toml") else ""
    try:
        return load_playbook(named or str(find_playbook(file).path), _verbs(), env=os.environ), ()
    except PlaybookError as error:
        return None, error.problems


def _counts(found: Playbook) -> str:
    parts = ((len(found.parameters), "parameter"), (len(found.steps), "step"))
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts)


@playbook.command(epilog=examples("hactl playbook new rotate-keys", "hactl playbook new our-upgrade --from restart"))
@click.argument("name")
@click.option("--from", "origin", metavar="PLAYBOOK", help="Begin with one that ships, under the new name.")
def new(name: str, origin: str | None) -> None:
    """Write a playbook called NAME into your own folder, valid and commented, for you to change.

    Never over one that is there already.
    """
    from hactl.config.playbook_scaffold import renamed, skeleton
    from hactl.config.playbooks import parse_playbook, shipped_playbook, user_folder

    text = skeleton(name) if origin is None else renamed(shipped_playbook(origin), name, origin)
    path = user_folder(os.environ) / f"{name}.toml"
    parse_playbook(text.encode(), path, _verbs())
    _write(path, text)
    click.echo(f"{path}: written.")
    say(f"Now change it, then: hactl playbook validate {path}")


def _write(path: Path, text: str) -> None:
    """In one step, and never over anything. Raises InputError when it cannot."""
    from hactl.model.errors import InputError

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        os.link(temporary, path)  # unlike a rename, this fails when the name is taken
    except FileExistsError as error:
        raise InputError(f"{path} exists.", remedy="Choose another name, or change that file.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


@playbook.command(epilog=examples("hactl playbook schema > playbook.schema.json"))
def schema() -> None:
    """Print the JSON Schema of playbooks, for editors that complete and check while you type.

    Most read a first line such as: #:schema ./playbook.schema.json
    """
    from hactl.config.playbook_reference import playbook_schema

    emit(playbook_schema(), "json")

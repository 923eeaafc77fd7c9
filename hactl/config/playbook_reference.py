"""The reference of playbooks, made from `playbook_schema`: a JSON Schema for editors, and a page for people.

`python -m hactl.config.playbook_reference [FOLDER]` writes both into docs/reference; a test holds them equal to this.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic.fields import FieldInfo

from hactl.config import playbook_schema as tables
from hactl.config.codec import Json
from hactl.config.entry import Entry
from hactl.config.json_schema import plain_schema
from hactl.model.conditions import CONDITIONS, ConditionFact
from hactl.model.guard import GUARDS
from hactl.model.parameters import ParameterKind
from hactl.model.sources import SOURCES

_MADE = "<!-- Made by `python -m hactl.config.playbook_reference`; a test holds it equal to the code. -->"
_TABLES: dict[str, type[Entry]] = {
    "[playbook]": tables.HeadEntry,
    "[parameters.NAME]": tables.ParameterEntry,
    "[targets]": tables.TargetsEntry,
    "[budget]": tables.BudgetEntry,
    "[[steps]]": tables.StepEntry,
}
_REQUIRED = "required"

_ABOUT = """\
Every table and key of a playbook; [playbooks.md](../playbooks.md) says how one is written. `hactl playbook validate`
tells every problem at once, with line and column; [playbook.schema.json](playbook.schema.json) is the same for editors
(`hactl playbook schema` prints it).

`schema = 1` comes first: the version of this format."""
_ABOUT_VALUES = """\
A value that is exactly `"$name"` stands for the whole value of the parameter `name`, and must be of a type that fits.
`"$node"` is the name of the node that a step is for, `"$cluster"` that of the cluster, `"$run"` that of the run.
`"$name.package"` is the package that the inventory names for the service in the parameter `name`. `"$$name"` is the
text `$name`. Nothing is ever filled in inside of a longer text, and no shell reads any of it: a program gets each word
as it is."""
_ABOUT_SOURCES = """\
`from = "SOURCE of $name"` takes what the operator does not say from the picture that the plan is made from; `name` is a
parameter above it. The plan then has the real name in it, and holds for that one only. Behind a source for a node
`in $place` or `outside $place` may follow, where `place` is a parameter of type `site`: none but a node on that side
will do. Where there is none and no `default`, or where nobody can say which one, nothing is planned and the reason is
said."""
_ABOUT_GUARDS = """\
Before anything is touched, and again before every step, each of these has to be satisfied. `[guards]` names those that
do not apply to a playbook, as `NAME = false`; the operator sets a refusal aside with `--override NAME --reason TEXT`.
The lock is never set aside."""
_ABOUT_FACTS = """\
`when = "FACT"`, or `"!FACT"` where it must not hold; with a value `{ FACT = "VALUE" }`, or `{ "!FACT" = "VALUE" }`.
What nobody knows does not hold, neither way: the step is not done."""


def playbook_schema() -> Json:
    """JSON Schema, draft 2020-12: keys, types and simple rules. Verbs and references only hactl checks."""
    return plain_schema(tables.PlaybookFile, "hactl playbook")


def playbook_page() -> str:
    """docs/reference/playbook.md."""
    keys = (f"## `{header}`\n\n{_summary(model)}\n\n{_keys(model)}" for header, model in _TABLES.items())
    types = _table(("type", "what may stand there"), [(f"`{kind}`", _type(kind)) for kind in ParameterKind])
    sources = _table(
        ("source", "for parameters of type", "what it is"),
        [(f"`{one.written}`", one.kind.value, one.meaning) for one in SOURCES.values()],
    )
    guards = _table(("guard", "what it wants"), [(f"`{name}`", meaning) for name, meaning in GUARDS.items()])
    facts = _table(("fact", "value", "holds when"), [row for fact in CONDITIONS.values() for row in _fact(fact)])
    parts = (
        "# Playbooks: the format",
        _MADE,
        _ABOUT,
        *keys,
        f"## Values and references\n\n{_ABOUT_VALUES}",
        f"## Types\n\n{types}",
        f"## Sources for `from`\n\n{_ABOUT_SOURCES}\n\n{sources}",
        f"## `[guards]`\n\n{_ABOUT_GUARDS}\n\n{guards}",
        f"## Facts for `when`\n\n{_ABOUT_FACTS}\n\n{facts}",
    )
    return "\n\n".join(parts) + "\n"


def pages() -> dict[str, str]:
    """Both files by their names."""
    schema = json.dumps(playbook_schema(), indent=2, ensure_ascii=False) + "\n"
    return {"playbook.md": playbook_page(), "playbook.schema.json": schema}


def _summary(model: type[Entry]) -> str:
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def _keys(model: type[Entry]) -> str:
    rows = [(f"`{info.alias or key}`", _default(info), _flat(info.description)) for key, info in _fields(model)]
    return _table(("key", "default", "meaning"), rows)


def _fields(model: type[Entry]) -> Iterator[tuple[str, FieldInfo]]:
    yield from model.model_fields.items()


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return _REQUIRED
    if info.default is None or info.default in ("", [], {}):
        return "none"
    return f"`{json.dumps(info.default)}`"


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


_TYPES = {
    ParameterKind.STRING: "one line of text",
    ParameterKind.TEXT: "text of one or more lines",
    ParameterKind.INTEGER: "a whole number",
    ParameterKind.NUMBER: "a number",
    ParameterKind.BOOLEAN: "`true` or `false`",
    ParameterKind.DURATION: 'seconds, or `"90s"`, `"15m"`, `"2h"`, `"1d"`',
    ParameterKind.AMOUNT: 'a count or a share: `2`, `"2"`, `"25%"`',
    ParameterKind.WORDS: 'an argument list: `["systemctl", "status"]`; on a command line in one word',
    ParameterKind.NODE: "a node of the inventory",
    ParameterKind.SERVICE: "a service of the inventory",
    ParameterKind.POOL: "a pool of the inventory",
    ParameterKind.VIP: "a VIP of the inventory",
    ParameterKind.SITE: "a site of the inventory",
    ParameterKind.LIMIT: 'a limit expression, such as `"role:app,!app3"`',
    ParameterKind.PACKAGE: "the name of a Debian package",
    ParameterKind.VERSION: "a version of one; empty for the newest on offer",
    ParameterKind.UNIT: "a systemd unit's full name",
    ParameterKind.PATH: "an absolute path on a node",
    ParameterKind.FILE: "a file on the operator's machine",
}


def _type(kind: ParameterKind) -> str:
    return _TYPES[kind]


def _fact(fact: ConditionFact) -> Iterator[tuple[str, str, str]]:
    if fact.argument is None or fact.without:
        yield f"`{fact.name}`", "", fact.without or fact.meaning
    if fact.argument is not None:
        yield f"`{fact.name}`", fact.argument.value, fact.meaning


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> None:
    """Write both files into the folder given, docs/reference by default."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

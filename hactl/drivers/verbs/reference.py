"""The reference page of all verbs: `python -m hactl.drivers.verbs.reference [FOLDER]` writes verbs.md there.

It is made from the verbs' own types; a test holds the page in docs/reference equal to what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.parameters import Parameter, ParameterKind, Value, parameters_of
from hactl.model.units import duration
from hactl.model.verb import AnyVerb, Effect

_HEAD = """\
# Verbs

<!-- Made by `python -m hactl.drivers.verbs.reference`; a test holds it equal to the code. -->

What a step of a playbook can do. A step names its verb and gives it arguments in `with`:

```toml
[[steps]]
name = "drain"
verb = "balancer.drain"
with = { timeout = "90s", on_timeout = "abort" }
```

A duration is a number of seconds, or "90s", "15m", "2h". A deadline holds where the step names none, and covers the
read-back: the verb is done when its effect has been seen."""

_EFFECTS = {
    Effect.TAKES_OUT: "takes the node out of its pools",
    Effect.BRINGS_BACK: "brings the node back into its pools",
    Effect.INTERRUPTS: "interrupts the node's services",
    Effect.MOVES_VIP: "moves a VIP",
}


def page() -> str:
    """The whole page, verbs by name."""
    return "\n\n".join((_HEAD, *(_section(VERBS[name]) for name in sorted(VERBS)))) + "\n"


def _section(verb: AnyVerb) -> str:
    parameters = parameters_of(verb.arguments)
    table = _table(parameters) if parameters else "No arguments."
    return "\n\n".join((f"## {verb.name}", verb.summary, f"{'; '.join(_traits(verb))}.", table))


def _traits(verb: AnyVerb) -> Iterator[str]:
    yield "For each node" if verb.per_node else "For a node or once"
    if not verb.mutates:
        yield "changes nothing"
    elif verb.effect is not Effect.NONE:
        yield _EFFECTS[verb.effect]
    if verb.always:
        yield "is done whenever its turn comes"
    yield "can be undone" if verb.has_undo else "cannot be undone" if verb.mutates else "needs no undo"
    if verb.irreversible:
        yield "**irreversible**: a plan with it wants its confirmation typed"
    yield "may be retried" if verb.idempotent else "is never retried"
    yield f"deadline {duration(verb.deadline)}"


def _table(parameters: tuple[Parameter, ...]) -> str:
    rows = [("argument", "kind", "default", "meaning"), ("---", "---", "---", "---")]
    rows += [(f"`{one.name}`", one.kind.value, _default(one), _meaning(one)) for one in parameters]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _default(one: Parameter) -> str:
    return "**required**" if one.default is None else _shown(one.default, one.kind)


def _shown(value: Value, kind: ParameterKind) -> str:
    if kind is ParameterKind.DURATION and isinstance(value, (int, float)):
        return f'`"{_typed(value)}"`'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{word}"' for word in value) + "]`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value:g}`"


def _typed(seconds: float) -> str:
    """A duration as a playbook has it."""
    if seconds and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    return f"{seconds / 60:g}m" if seconds and seconds % 60 == 0 else f"{seconds:g}s"


def _meaning(one: Parameter) -> str:
    choices = f"; one of {', '.join(f'`{choice}`' for choice in one.choices)}" if one.choices else ""
    least = f"; at least {one.minimum:g}" if one.minimum else ""
    return f"{one.help}{choices}{least}"


def main() -> None:
    """Write the page into the folder given, docs/reference by default."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    (folder / "verbs.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

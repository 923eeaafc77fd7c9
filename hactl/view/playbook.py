"""A playbook for people and for programs: its parameters, targets and steps in words and rows, and as a document."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from hactl.model import units
from hactl.model.parameters import Parameter, ParameterKind, Value
from hactl.model.playbook import Condition, OnFailure, Order, Playbook, Raw, Ref, Scope, Step, Targets
from hactl.view.document import Json

SCHEMA = "hactl.playbook/1"

PARAMETER_HEADERS = ("PARAMETER", "TYPE", "DEFAULT", "MEANING")
STEP_HEADERS = ("STEP", "VERB", "DONE", "WITH", "IF IT FAILS")

_NOTHING = '""'
_FAILURES: Mapping[OnFailure, str] = {
    OnFailure.UNDO: "undo the node, stop",
    OnFailure.STOP: "stop",
    OnFailure.CONTINUE: "go on",
}
_ORDERS: Mapping[Order, str] = {
    Order.INVENTORY: "in the order of the inventory",
    Order.REVERSE: "in the reverse order of the inventory",
    Order.HOLDER_LAST: "whoever holds a VIP last",
}


def written(raw: Raw) -> str:
    """A value as one would write it: a reference with its `$`, words as in a shell, truth as true or false."""
    match raw:
        case Ref(name=name):
            return f"${name}"
        case tuple():
            return " ".join(f"${word.name}" if isinstance(word, Ref) else shlex.quote(word) for word in raw)
        case bool():
            return str(raw).lower()
        case float():
            return f"{raw:g}"
    return str(raw)


def parameter_rows(playbook: Playbook) -> list[tuple[str, ...]]:
    """Under PARAMETER_HEADERS."""
    return [
        (parameter.name, parameter.kind.value, _default(parameter), _meaning(parameter))
        for parameter in playbook.parameters.values()
    ]


def _default(parameter: Parameter) -> str:
    if parameter.taken is not None:
        return str(parameter.taken)
    if parameter.default is None:
        return "required"
    if parameter.kind is ParameterKind.DURATION and isinstance(parameter.default, int | float):
        return units.duration(parameter.default)
    return written(parameter.default) or _NOTHING


def _meaning(parameter: Parameter) -> str:
    return parameter.help + (f" One of {', '.join(parameter.choices)}." if parameter.choices else "")


def step_rows(playbook: Playbook) -> list[tuple[str, ...]]:
    """Under STEP_HEADERS."""
    return [
        (step.name, step.verb, _done(step), _with(step), _FAILURES[step.on_failure] + ("" if step.undo else ", kept"))
        for step in playbook.steps
    ]


def _done(step: Step) -> str:
    scope = {Scope.RUN: "once", Scope.BATCH: "once a batch", Scope.NODE: "on each node"}[step.scope]
    where = f" on {written(step.on)}" if step.on is not None else ""
    given = f", given ${step.given}" if step.given else ""
    return scope + where + given + (f", when {condition_words(step.when)}" if step.when is not None else "")


def condition_words(condition: Condition) -> str:
    argument = "" if condition.argument is None else f" {written(condition.argument)}"
    return f"{'not ' if condition.negated else ''}{condition.fact}{argument}"


def _with(step: Step) -> str:
    return ", ".join(f"{name} = {written(value) or _NOTHING}" for name, value in step.arguments.items()) or "-"


def target_sentences(targets: Targets | None) -> list[str]:
    """Which nodes, in which order, how many at once."""
    if targets is None:
        return ["No nodes of its own: every step is done once."]
    whose = f"the nodes of {written(targets.service)}" if targets.service is not None else "all nodes"
    site = f" in {written(targets.site)}" if targets.site is not None else ""
    limit = "" if targets.limit == "all" else f" of {written(targets.limit)}"
    lines = [f"{whose}{site}{limit}, {_ORDERS[targets.order]}, {written(targets.batch)} at once"]
    if targets.canary != 0:
        lines.append(f"{written(targets.canary)} first, one by one")
    if targets.pause != 0:
        lines.append(f"between batches: {written(targets.pause)}")
    if targets.named:
        lines.append("you have to say which (--limit)")
    if targets.reserved:
        lines.append(f"those with {' or '.join(targets.reserved)} only where they are named")
    if targets.needed:
        lines.append(f"left alone where {' and '.join(targets.needed)} {_are(targets.needed)} done already")
    return lines


def _are(items: tuple[str, ...]) -> str:
    return "is" if len(items) == 1 else "are"


def playbook_document(playbook: Playbook) -> dict[str, Json]:
    """What `hactl playbook show -o json` prints. Durations are seconds; references stand as they are written."""
    targets = playbook.targets
    return {
        "schema": SCHEMA,
        "name": playbook.name,
        "title": playbook.title,
        "description": playbook.description,
        "source": playbook.source,
        "shipped": playbook.shipped,
        "parameters": [_parameter(parameter) for parameter in playbook.parameters.values()],
        "targets": None if targets is None else _targets(targets),
        "steps": [_step(step) for step in playbook.steps],
        "guards_off": [name for name, on in playbook.guards.items() if not on],
        "budget": {
            "failed_nodes": playbook.budget.failed_nodes,
            "failed_requests": playbook.budget.failed_requests,
        },
        "notes": list(playbook.notes),
        "confirm": playbook.confirm,
    }


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "type": parameter.kind.value,
        "help": parameter.help,
        "required": parameter.required,
        "default": None if parameter.default is None else _plain(parameter.default),
        "from": None if parameter.taken is None else str(parameter.taken),
        "choices": list(parameter.choices),
        "minimum": parameter.minimum,
    }


def _targets(targets: Targets) -> Json:
    return {
        "limit": _plain(targets.limit),
        "site": None if targets.site is None else _plain(targets.site),
        "service": None if targets.service is None else _plain(targets.service),
        "order": targets.order.value,
        "batch": _plain(targets.batch),
        "canary": _plain(targets.canary),
        "pause_seconds": _plain(targets.pause),
        "named": targets.named,
        "reserved": [kind.value for kind in targets.reserved],
        "needed": list(targets.needed),
    }


def _step(step: Step) -> Json:
    return {
        "name": step.name,
        "verb": step.verb,
        "with": {name: _plain(value) for name, value in step.arguments.items()},
        "scope": step.scope.value,
        "on": None if step.on is None else _plain(step.on),
        "given": step.given or None,
        "when": None if step.when is None else condition_words(step.when),
        "deadline_seconds": None if step.deadline is None else _plain(step.deadline),
        "retries": step.retries,
        "on_failure": step.on_failure.value,
        "undo": step.undo,
        "note": step.note,
    }


def _plain(raw: Raw | Value) -> Json:
    """A value as JSON; a reference as it is written, `"$name"`, and a text that looks like one as `"$$name"`."""
    match raw:
        case Ref(name=name):
            return f"${name}"
        case tuple():
            return [_plain(word) for word in raw]
        case str() if raw.startswith("$"):
            return f"${raw}"
    return raw

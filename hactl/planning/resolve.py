"""From what a playbook says to values: `$name` becomes the parameter's value, `$node` the step's node, whole.

`$run` stays as it is: a run has no name before it is started. The runner puts it in with `with_run`.
"""

from __future__ import annotations

from collections.abc import Mapping

from hactl.model.errors import InputError
from hactl.model.inventory import HttpService, Inventory
from hactl.model.parameters import Parameter, ParameterKind, Value
from hactl.model.playbook import Raw, Ref
from hactl.model.suggest import quoted
from hactl.model.values import said, typed

RUN = "$run"


def names(parameters: Mapping[str, Value], inventory: Inventory, node: str | None = None) -> Mapping[str, Value]:
    """What `$name` stands for, for a step on `node`. Parameters do not hide `$node`, `$cluster` and `$run`."""
    fixed: dict[str, Value] = {"cluster": inventory.name, "run": RUN}
    if node is not None:
        fixed["node"] = node
    return {**parameters, **_packages(parameters, inventory), **fixed}


def _packages(parameters: Mapping[str, Value], inventory: Inventory) -> Mapping[str, Value]:
    """`$name.package` for each parameter that names a service which says its package."""
    services = {name: inventory.services.get(value) for name, value in parameters.items() if isinstance(value, str)}
    return {
        f"{name}.package": service.package
        for name, service in services.items()
        if isinstance(service, HttpService) and service.package is not None
    }


def resolved(raw: Raw, known: Mapping[str, Value]) -> Value:
    """`raw` with its references replaced. An argument list in an argument list is spread out. Raises InputError."""
    if isinstance(raw, Ref):
        return _value(raw, known)
    if not isinstance(raw, tuple):
        return raw
    words: list[str] = []
    for part in raw:
        value = _value(part, known) if isinstance(part, Ref) else part
        words.extend(value if isinstance(value, tuple) else (_word(value),))
    return tuple(words)


def arguments(
    wanted: tuple[Parameter, ...], raw: Mapping[str, Raw], known: Mapping[str, Value], step: str
) -> Mapping[str, Value]:
    """A verb's arguments, each in the form it is held in, defaults filled in. Raises InputError."""
    values: dict[str, Value] = {}
    for parameter in wanted:
        if parameter.name not in raw:
            if parameter.default is not None:
                values[parameter.name] = parameter.default
            continue
        value = resolved(raw[parameter.name], known)
        try:
            values[parameter.name] = value if value == RUN else typed(parameter, value)
        except ValueError as error:
            raise InputError(ended(f"Step {quoted(step)}: {said(parameter.name, str(error))}")) from None
    return values


def ended(sentence: str) -> str:
    """With a full stop, unless it ends with a question."""
    return sentence if sentence.endswith("?") else f"{sentence}."


def setting(what: str, kind: ParameterKind, raw: Raw, known: Mapping[str, Value]) -> Value:
    """One of the playbook's own settings, which may be a parameter's value. Raises InputError."""
    try:
        return typed(Parameter(what, kind, ""), resolved(raw, known))
    except ValueError as error:
        raise InputError(ended(said(what, str(error)))) from None


def number(what: str, kind: ParameterKind, raw: Raw, known: Mapping[str, Value]) -> float:
    """The same, of one that is a count or seconds, at least 0."""
    value = setting(what, kind, raw, known)
    if not isinstance(value, int | float) or value < 0:
        raise InputError(f"{what} must be at least 0.")
    return value


def with_run(values: Mapping[str, Value], run: str) -> Mapping[str, Value]:
    """The arguments of a planned step, once the run has its name."""
    return {name: _named(value, run) for name, value in values.items()}


def _named(value: Value, run: str) -> Value:
    if isinstance(value, tuple):
        return tuple(run if word == RUN else word for word in value)
    return run if value == RUN else value


def _value(ref: Ref, known: Mapping[str, Value]) -> Value:
    parameter, _, wanted = ref.name.partition(".")
    if wanted == "package" and ref.name not in known and parameter in known:
        raise InputError(f"The service {quoted(str(known[parameter]))} has no `package` in the inventory.")
    if ref.name not in known:
        raise InputError(f"{quoted('$' + ref.name)} stands for nothing here.")
    return known[ref.name]


def _word(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
    return str(value)

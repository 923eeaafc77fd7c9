"""What a fault is: data that names, explains and parametrises something that can be done to a lab and undone again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from hactl.lab.machine import Machine
from hactl.lab.node import Node
from hactl.lab.spec import LabSpec
from hactl.model.errors import LabError

Values = Mapping[str, str]
"""A fault's arguments by parameter name, as text; every parameter has one."""

NODE = "node"
"""The parameter that says where: a node, `role:NAME` or `site:NAME`; for databases also `primary` or `standby`."""


Kind_co = TypeVar("Kind_co", bound=Node, covariant=True)
Kind_contra = TypeVar("Kind_contra", bound=Node, contravariant=True)


@dataclass(frozen=True, slots=True)
class Ground(Generic[Kind_co]):
    """What faults act on: machines of one kind."""

    spec: LabSpec
    machines: tuple[Kind_co, ...]

    def chosen(self, selector: str) -> tuple[Kind_co, ...]:
        """The machines that `selector` names. Raises LabError when it names none."""
        names = {node.name for node in self.spec.select(selector)}
        if not names:
            raise LabError(f"{selector} selects no node of the lab {self.spec.name}.")
        return tuple(machine for machine in self.machines if machine.node.name in names)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`default` None: it must be given. A number lies between `low` and `high`; other values are free text."""

    name: str
    help: str
    default: str | None = None
    number: tuple[float, float] | None = None

    def checked(self, value: str) -> str:
        """Returns `value`. Raises LabError when it is not a number within bounds and should be."""
        if self.number is None:
            return value
        low, high = self.number
        try:
            fits = low <= float(value) <= high
        except ValueError:
            fits = False
        if not fits:
            raise LabError(f"{self.name} is {value!r}, not a number from {low:g} to {high:g}.")
        return value


class Act(Protocol[Kind_contra]):
    """How a fault is done to machines of a kind and undone. Doing it again replaces it; undoing what is not there does
    nothing.
    """

    def inject(self, ground: Ground[Kind_contra], values: Values) -> None: ...

    def undo(self, ground: Ground[Kind_contra], values: Values) -> None: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """`act`: how it is done in namespaces. `does`: what happens in the lab. `shows`: what hactl then tells.
    `reverse`: a name for its undo ("thaw").

    `lasting`: it survives a stop of the lab, because it is on a disk. `reach`: it keeps nodes from being reached, so it
    is undone before others are.
    """

    name: str
    does: str
    shows: str
    act: Act[Machine]
    parameters: tuple[Parameter, ...] = ()
    reverse: str = ""
    lasting: bool = False
    reach: bool = False

    def values(self, arguments: Sequence[str], options: Mapping[str, str]) -> dict[str, str]:
        """Arguments by parameter name: positional in order, then by name, then defaults. Raises LabError."""
        if len(arguments) > len(self.parameters):
            raise LabError(f"{self.name} takes at most {len(self.parameters)} arguments.", remedy=self.usage)
        given = dict(zip((parameter.name for parameter in self.parameters), arguments, strict=False)) | dict(options)
        values = {}
        for parameter in self.parameters:
            value = given.pop(parameter.name, parameter.default)
            if value is None:
                raise LabError(f"{self.name} needs {parameter.name.upper()}: {parameter.help}.", remedy=self.usage)
            values[parameter.name] = parameter.checked(value)
        if given:
            raise LabError(f"{self.name} has no argument {', '.join(given)}.", remedy=self.usage)
        return values

    @property
    def usage(self) -> str:
        words = [p.name.upper() if p.default is None else f"[{p.name.upper()}]" for p in self.parameters]
        return " ".join(("hactl lab fault", self.name, *words))


class Means(Protocol):
    """How one kind of lab does faults."""

    def require(self, fault: Fault, values: Values) -> None:
        """Raises InputError where it cannot do this one there."""
        ...

    def inject(self, fault: Fault, values: Values) -> None: ...

    def undo(self, fault: Fault, values: Values) -> None: ...

    def frozen(self) -> frozenset[str]:
        """The nodes that are frozen, whoever did it."""
        ...

    def sweep(self) -> None:
        """Takes back what acts on the network and is in no book."""
        ...


@dataclass(frozen=True, slots=True)
class Active:
    """A fault that was injected and not undone. `since`: seconds since the epoch."""

    fault: str
    values: Values
    since: float

    @property
    def key(self) -> str:
        """Which one it is: the same fault in the same place is one, however strong."""
        place = "-".join(
            value for name, value in self.values.items() if name in (NODE, "other", "unit", "path") and value
        )
        return "".join(c if c.isalnum() or c in "-_" else "_" for c in f"{self.fault}-{place}".rstrip("-"))

    def __str__(self) -> str:
        return " ".join((self.fault, *(value for value in self.values.values() if value)))

"""Values in a playbook: each is what its key holds, or a reference that stands for a whole value of a kind that fits.

`"$name"` is a reference, `"$name.package"` one to what the inventory says of a service, `"$$name"` the text `$name`. A
parameter's name inside a longer text is a mistake, because nothing would be filled in there; only texts of several
lines (scripts) may hold what they like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.model.parameters import Parameter, ParameterKind
from hactl.model.playbook import Raw, Ref
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.values import said, typed

_PACKAGE = ".package"
_REFERENCE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_-]*(?:\.[a-z]+)?)")
_INSIDE = re.compile(r"(?<!\$)\$\{?([a-z][a-z0-9_]*)")
_ESCAPED = re.compile(r"\$\$(?=[A-Za-z_])")

BUILT_IN: Mapping[str, Parameter] = MappingProxyType(
    {
        "node": Parameter("node", ParameterKind.NODE, "the step's node"),
        "cluster": Parameter("cluster", ParameterKind.STRING, "the cluster's name"),
        "run": Parameter("run", ParameterKind.STRING, "the run's name"),
    }
)

_LINES = frozenset(
    kind
    for kind in ParameterKind
    if kind
    not in {
        ParameterKind.TEXT,
        ParameterKind.INTEGER,
        ParameterKind.NUMBER,
        ParameterKind.BOOLEAN,
        ParameterKind.DURATION,
        ParameterKind.WORDS,
    }
)
_FITS: Mapping[ParameterKind, frozenset[ParameterKind]] = MappingProxyType(
    {
        ParameterKind.STRING: _LINES,
        ParameterKind.TEXT: _LINES,
        ParameterKind.NUMBER: frozenset({ParameterKind.INTEGER, ParameterKind.DURATION}),
        ParameterKind.DURATION: frozenset({ParameterKind.INTEGER, ParameterKind.NUMBER}),
        ParameterKind.AMOUNT: frozenset({ParameterKind.INTEGER}),
        ParameterKind.LIMIT: frozenset({ParameterKind.NODE}),
    }
)
"""What else may stand where a kind is wanted, beside that kind itself."""


@dataclass(frozen=True, slots=True)
class Values:
    """Reads values against what is wanted; what is wrong goes to `problems`, and None comes back.

    `names` holds every parameter that is written, sound or not; `parameters` the sound ones. `given`: one that is not
    empty here.
    """

    parameters: Mapping[str, Parameter]
    names: frozenset[str]
    problems: list[Problem]
    given: str = ""

    def where(self, given: str) -> Values:
        """The same, where this parameter is not empty."""
        return replace(self, given=given)

    def read(self, wanted: Parameter, raw: object, path: KeyPath, *, node: bool) -> Raw | None:
        """`raw` as an argument. `node`: `$node` stands for something here."""
        if isinstance(raw, str) and (found := _REFERENCE.fullmatch(raw)):
            return self._reference(wanted, found[1], path, node=node)
        if wanted.kind is ParameterKind.WORDS and isinstance(raw, list):
            return self._words(wanted, raw, path, node=node)
        if isinstance(raw, str):
            raw = self._literal(wanted, raw, path)
        try:
            return typed(wanted, raw)
        except ValueError as error:
            self._wrong(path, said(wanted.name, str(error)))
            return None

    def _words(self, wanted: Parameter, raw: list[object], path: KeyPath, *, node: bool) -> Raw | None:
        words: list[str | Ref] = []
        for index, item in enumerate(raw):
            here = (*path, index)
            if not isinstance(item, str):
                self._wrong(here, f"{wanted.name}[{index}] must be a string, which is one word of the list")
            elif found := _REFERENCE.fullmatch(item):
                if self._named(found[1], here, node=node):
                    words.append(Ref(found[1]))
            else:
                words.append(self._literal(wanted, item, here))
        return tuple(words)

    def _literal(self, wanted: Parameter, text: str, path: KeyPath) -> str:
        """`text` without its escapes; a reference that nobody would fill in is told."""
        if wanted.kind is ParameterKind.TEXT:
            return text[1:] if _REFERENCE.fullmatch(text[1:]) and text.startswith("$$") else text
        for name in dict.fromkeys(_INSIDE.findall(text)):
            if name in self.names or name in BUILT_IN:
                message = f"{quoted('$' + name)} stands inside a longer text, where nothing is filled in"
                self._wrong(path, f'{message}; make it a value of its own, or write "$${name}" for the text')
        return _ESCAPED.sub("$", text)

    def _reference(self, wanted: Parameter, name: str, path: KeyPath, *, node: bool) -> Ref | None:
        if not self._named(name, path, node=node):
            return None
        given = self._given(name)
        if given is not None and (reason := misfit(given, wanted)):
            self._wrong(path, f"{wanted.name} cannot be {quoted('$' + name)}: {reason}")
        return Ref(name)

    def _given(self, name: str) -> Parameter | None:
        """What `$name` stands for; None for what has problems of its own."""
        if name.endswith(_PACKAGE):
            return Parameter(name, ParameterKind.PACKAGE, "")
        if name in BUILT_IN or name not in self.parameters:
            return BUILT_IN.get(name)
        found = self.parameters[name]
        if name in self._sure():
            return replace(found, default=None) if found.default == "" else found
        return replace(found, default="") if self._hollow(name) else found

    def _sure(self) -> frozenset[str]:
        """What is not empty because `given` is not: itself, and whatever it was asked of."""
        sure, name = set[str](), self.given
        while name in self.parameters:
            sure.add(name)
            taken = self.parameters[name].taken
            name = taken.parameter if taken is not None else ""
        return frozenset(sure)

    def _hollow(self, name: str) -> bool:
        """Whether it is empty where what it is asked of is."""
        found = self.parameters.get(name)
        if found is None or name in self._sure():
            return False
        if found.default is not None:
            return found.default == ""
        return found.taken is not None and self._hollow(found.taken.parameter)

    def _named(self, name: str, path: KeyPath, *, node: bool) -> bool:
        """Whether `$name` stands for something here."""
        if name == "node" and not node:
            self._wrong(path, '"$node" stands for nothing here: the step is not done for each node')
            return False
        if name in self.names or name in BUILT_IN:
            return True
        owner = name.removesuffix(_PACKAGE)
        if owner != name and owner in self.names:
            if owner in self.parameters and self.parameters[owner].kind is not ParameterKind.SERVICE:
                self._wrong(path, f"{quoted('$' + name)} needs {owner} to be of type service")
                return False
            return True
        known = sorted((self.names | BUILT_IN.keys()) - (set() if node else {"node"}))
        hint = did_you_mean(name, known) or f'; write "$${name}" for the text itself'
        self._wrong(path, f"no parameter is called {quoted(name)}{hint}")
        return False

    def _wrong(self, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(path, message))


def misfit(given: Parameter, wanted: Parameter) -> str:
    """Why a value of `given` may not be what is `wanted`; "" when all its values are."""
    if given.kind is not wanted.kind and given.kind not in _FITS.get(wanted.kind, frozenset()):
        return f"it is of type {given.kind}, and {wanted.kind} is wanted"
    if given.default == "" != wanted.default and wanted.kind not in {
        ParameterKind.STRING,
        ParameterKind.TEXT,
        ParameterKind.VERSION,
    }:
        return "it may be empty"
    if wanted.choices and not (given.choices and {*given.choices, given.default} <= {*wanted.choices, None}):
        return f"its choices must be among {', '.join(wanted.choices)}"
    if wanted.minimum is not None and (given.minimum is None or given.minimum < wanted.minimum):
        return f"it needs minimum = {wanted.minimum:g}"
    return ""

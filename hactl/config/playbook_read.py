"""A playbook's sense: verbs, arguments, references, conditions; and what comes out of it, the model's Playbook.

Checking and building are one pass here, because a value is only known to be right once it has been read by its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from hactl.config.draft import Found
from hactl.config.playbook_draft import PlaybookDraft, read_playbook_draft
from hactl.config.playbook_schema import ParameterEntry, TargetsEntry
from hactl.config.playbook_steps import Steps
from hactl.config.playbook_values import BUILT_IN, Values
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem, headed, told
from hactl.config.source import SourceError, read_toml
from hactl.model.errors import PlaybookError
from hactl.model.inventory import ServiceKind
from hactl.model.parameters import Parameter, ParameterKind, Taken
from hactl.model.playbook import Budget, Order, Playbook, Raw, Step, Targets
from hactl.model.sources import SOURCES, read_source
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.values import said, typed
from hactl.model.verb import Verbs

_TEXTS = frozenset(ParameterKind) - {
    ParameterKind.INTEGER,
    ParameterKind.NUMBER,
    ParameterKind.BOOLEAN,
    ParameterKind.DURATION,
    ParameterKind.WORDS,
}
_NUMBERS = frozenset({ParameterKind.INTEGER, ParameterKind.NUMBER, ParameterKind.DURATION})

_LIMIT = Parameter("limit", ParameterKind.LIMIT, "")
_SITE = Parameter("site", ParameterKind.SITE, "", default="")
_SERVICE = Parameter("service", ParameterKind.SERVICE, "", default="")
_BATCH = Parameter("batch", ParameterKind.AMOUNT, "")
_CANARY = Parameter("canary", ParameterKind.INTEGER, "", minimum=0)
_PAUSE = Parameter("pause", ParameterKind.DURATION, "")


def read_playbook(
    data: bytes, path: Path, verbs: Verbs, shown: str, *, called: str | None = None, shipped: bool = False
) -> Playbook:
    """The playbook that `data` says. `called`: the name that its file gives it. Raises PlaybookError."""
    try:
        text, document = read_toml(data, "playbook")
    except SourceError as error:
        raise failure((error.told(shown),), shown) from error
    draft, problems = read_playbook_draft(document)
    playbook = _Reader(draft, verbs, problems, called).playbook(str(path), shipped=shipped)
    if problems or playbook is None:
        raise failure(told(problems, text, shown), shown)
    return playbook


def failure(lines: tuple[str, ...], shown: str) -> PlaybookError:
    """The error that carries `lines`."""
    return PlaybookError(headed(lines, shown), lines)


class _Reader:
    def __init__(self, draft: PlaybookDraft, verbs: Verbs, problems: list[Problem], called: str | None) -> None:
        self.draft = draft
        self.verbs = verbs
        self.problems = problems
        self.called = called

    def playbook(self, source: str, *, shipped: bool) -> Playbook | None:
        """The playbook; None, or something of no use, when there are problems."""
        draft = self.draft
        parameters = dict(self._parameters())
        values = Values(parameters, frozenset(draft.parameter_names), self.problems)
        targets = self._targets(values)
        steps = Steps(draft, values, self.verbs, self.problems).read()
        self._head(parameters, steps)
        if draft.head is None:
            return None
        head = draft.head.entry
        return Playbook(
            name=head.name,
            title=head.title,
            description=head.description.strip(),
            parameters=parameters,
            targets=targets,
            steps=steps,
            guards=dict(draft.guards),
            budget=Budget(**draft.budget.model_dump()),
            notes=tuple(head.notes),
            confirm=head.confirm or "",
            source=source,
            shipped=shipped,
        )

    def _wrong(self, path: KeyPath, message: str, *, at_key: bool = False) -> None:
        self.problems.append(Problem(path, message, at_key=at_key))

    def _head(self, parameters: Mapping[str, Parameter], steps: tuple[Step, ...]) -> None:
        if self.draft.head is None:
            return
        path, head = self.draft.head.path, self.draft.head.entry
        if self.called is not None and head.name != self.called:
            self._wrong((*path, "name"), f"name is {quoted(head.name)}, but the file is called {self.called}.toml")
        final = [step.name for step in steps if step.verb in self.verbs and self.verbs[step.verb].irreversible]
        if head.confirm is None:
            if final:
                message = (
                    f'missing key: confirm, because {quoted(final[0])} cannot be taken back; write confirm = "$cluster"'
                )
                self._wrong(path, message)
        elif head.confirm.startswith("$"):
            name, known = head.confirm[1:], {*parameters, *BUILT_IN} - {"node", "run"}
            if name not in known and name not in self.draft.parameter_names:
                self._wrong((*path, "confirm"), f"no parameter is called {quoted(name)}{did_you_mean(name, known)}")

    def _parameters(self) -> Iterator[tuple[str, Parameter]]:
        for name, found in self.draft.parameters.items():
            if name in BUILT_IN:
                message = f'"${name}" already stands for {BUILT_IN[name].help}; choose another name'
                self._wrong(found.path, message, at_key=True)
            elif parameter := self._parameter(name, found):
                yield name, parameter

    def _parameter(self, name: str, found: Found[ParameterEntry]) -> Parameter | None:
        entry, path, kind = found.entry, found.path, ParameterKind(found.entry.type)
        if entry.minimum is not None and kind not in _NUMBERS:
            self._wrong((*path, "minimum"), f"a minimum is for numbers, and {name} is of type {kind}")
        # An empty default means "not given", and is one of no choices.
        bare = Parameter(name, kind, entry.help, "" if entry.default == "" else None, minimum=entry.minimum)
        choices = self._choices(bare, entry, path)
        taken = None if entry.from_ is None else self._taken(name, kind, entry.from_, path)
        wanted = Parameter(name, kind, entry.help, bare.default, choices, entry.minimum, taken)
        if entry.default is None:
            return wanted
        try:
            default = typed(wanted, entry.default)
        except ValueError as error:
            self._wrong((*path, "default"), said("default", str(error)))
            return None
        return replace(wanted, default=default)

    def _taken(self, name: str, kind: ParameterKind, written: str, path: KeyPath) -> Taken | None:
        """The source, held against the kinds that it joins. What it is asked of stands above: it is filled first."""
        here, taken = (*path, "from"), read_source(written)
        source = SOURCES.get(taken.source) if taken is not None else None
        if taken is None or source is None:
            known = [one.written for one in SOURCES.values()]
            hint = did_you_mean(written, known) or f"; sources: {', '.join(known)}"
            self._wrong(here, f"{quoted(written)} is nothing that can be taken from the picture{hint}")
            return None
        if source.kind is not kind:
            self._wrong(here, f"{quoted(source.name)} is a {source.kind}, and {name} is of type {kind}")
        if (source.of is None) != (taken.parameter == ""):
            self._wrong(here, f'this source is written "{source.written}"')
            return None
        above = tuple(takewhile(lambda one: one != name, self.draft.parameters))
        asked = [(source.name, taken.parameter, source.of)] if source.of is not None else []
        if taken.place is not None:
            if not source.placed:
                self._wrong(here, f"{quoted(source.name)} is a {source.kind}, and stands in no place")
                return None
            asked.append((f"{taken.place.side}", taken.place.parameter, ParameterKind.SITE))
        for what, of, wanted in asked:
            if of not in above:
                self._wrong(here, f"no parameter above is called {quoted(of)}")
                return None
            if self.draft.parameters[of].entry.type != wanted:
                self._wrong(here, f"{quoted(what)} is asked of a {wanted}, and {of} is none")
                return None
        return taken

    def _choices(self, bare: Parameter, entry: ParameterEntry, path: KeyPath) -> tuple[str, ...]:
        if entry.choices and bare.kind not in _TEXTS:
            self._wrong((*path, "choices"), f"choices are for words, and {bare.name} is of type {bare.kind}")
            return ()
        for index, choice in enumerate(entry.choices):
            try:
                typed(bare, choice)
            except ValueError as error:
                self._wrong((*path, "choices", index), said(f"choices[{index}]", str(error)))
            if choice in entry.choices[:index]:
                self._wrong((*path, "choices", index), f"{quoted(choice)} stands here twice")
        return tuple(dict.fromkeys(entry.choices))

    def _targets(self, values: Values) -> Targets | None:
        if self.draft.targets is None:
            return None
        path, entry = self.draft.targets.path, self.draft.targets.entry

        def read(wanted: Parameter, raw: object, default: Raw) -> Raw:
            found = values.read(wanted, raw, (*path, wanted.name), node=False)
            return default if found is None else found

        return Targets(
            limit=read(_LIMIT, entry.limit, "all"),
            site=None if entry.site is None else read(_SITE, entry.site, ""),
            service=None if entry.service is None else read(_SERVICE, entry.service, ""),
            order=Order(entry.order),
            batch=read(_BATCH, entry.batch, "1"),
            canary=read(_CANARY, entry.canary, 0),
            pause=read(_PAUSE, entry.pause, 0.0),
            named=entry.named,
            reserved=tuple(ServiceKind(kind) for kind in entry.reserved),
            needed=self._needed(entry, path),
        )

    def _needed(self, entry: TargetsEntry, path: KeyPath) -> tuple[str, ...]:
        by_name = {found.entry.name: found.entry for found in self.draft.steps}
        for index, name in enumerate(entry.needed):
            here = (*path, "needed", index)
            if name not in self.draft.step_names:
                hint = did_you_mean(name, self.draft.step_names)
                self._wrong(here, f"no step is called {quoted(name)}{hint}")
            elif name in by_name and by_name[name].scope in {"run", "batch"}:
                self._wrong(here, f"{quoted(name)} is not done for each node, so no target needs it")
        return tuple(entry.needed)

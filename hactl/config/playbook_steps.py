"""The steps of a playbook: each against its verb."""

from __future__ import annotations

from hactl.config.draft import Found
from hactl.config.playbook_draft import PlaybookDraft
from hactl.config.playbook_schema import StepEntry
from hactl.config.playbook_values import Values
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.wording import shown
from hactl.model.conditions import CONDITIONS, ConditionFact
from hactl.model.parameters import Parameter, ParameterKind, parameters_of
from hactl.model.playbook import Condition, OnFailure, Raw, Scope, Step
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.verb import AnyVerb, Verbs

_ON = Parameter("on", ParameterKind.LIMIT, "")
_DEADLINE = Parameter("deadline", ParameterKind.DURATION, "")


class Steps:
    """Reads the sound steps of `draft`; what is wrong with them goes to `problems`."""

    def __init__(self, draft: PlaybookDraft, values: Values, verbs: Verbs, problems: list[Problem]) -> None:
        self.draft = draft
        self.values = values
        self.verbs = verbs
        self.problems = problems

    def read(self) -> tuple[Step, ...]:
        seen: dict[str, KeyPath] = {}
        for found in self.draft.steps:
            name = found.entry.name
            if name in seen:
                also = (*seen[name], "name")
                message = f"another step is called {quoted(name)}"
                self.problems.append(Problem((*found.path, "name"), message, also=also))
            seen.setdefault(name, found.path)
        steps = tuple(self._step(found) for found in self.draft.steps)
        self._order(steps)
        return steps

    def _order(self, steps: tuple[Step, ...]) -> None:
        """Steps once per run stand before or after those of the batches, never between them."""
        inner = [index for index, step in enumerate(steps) if step.scope is not Scope.RUN]
        for index in range(inner[0], inner[-1]) if inner else ():
            if steps[index].scope is Scope.RUN:
                found = self.draft.steps[index]
                message = f"{quoted(steps[index].name)} is done once per run, but stands between steps of the batches"
                self._wrong(found.path, message)

    def _wrong(self, path: KeyPath, message: str, *, at_key: bool = False) -> None:
        self.problems.append(Problem(path, message, at_key=at_key))

    def _step(self, found: Found[StepEntry]) -> Step:
        path, entry = found.path, found.entry
        scope, given = self._scope(entry), self._given(entry, path)
        if scope is not Scope.RUN and not self.draft.has_targets:
            self._wrong((*path, "scope"), f'scope = "{scope}" needs [targets], and this playbook has none')
        verb = self.verbs.get(entry.verb)
        if verb is None:
            hint = did_you_mean(entry.verb, self.verbs) or "; docs/reference/verbs.md lists them"
            self._wrong((*path, "verb"), f"no verb is called {quoted(entry.verb)}{hint}")
        else:
            self._fit(entry, path, scope, verb)
        values = self.values.where(given)
        return Step(
            name=entry.name,
            verb=entry.verb,
            arguments={} if verb is None else self._arguments(values, entry, path, scope, verb),
            scope=scope,
            on=self._on(values, entry, path, scope),
            given=given,
            when=self._when(entry.when, (*path, "when"), scope, alone=entry.on is None),
            deadline=self._deadline(entry, path),
            retries=entry.retries,
            on_failure=OnFailure(entry.on_failure),
            undo=entry.undo,
            note=entry.note or "",
        )

    def _scope(self, entry: StepEntry) -> Scope:
        if entry.scope is not None:
            return Scope(entry.scope)
        return Scope.NODE if self.draft.has_targets and entry.on is None else Scope.RUN

    def _given(self, entry: StepEntry, path: KeyPath) -> str:
        """The name of the parameter."""
        match entry.given:
            case None:
                return ""
            case str(text) if text.startswith("$") and text[1:] in self.values.names:
                return text[1:]
            case str(text):
                hint = did_you_mean(text, [f"${name}" for name in self.values.names])
                self._wrong((*path, "given"), f"{quoted(text)} is no parameter{hint}")
            case other:
                self._wrong((*path, "given"), f'given must be a parameter such as "$primary", not {shown(other)}')
        return ""

    def _fit(self, entry: StepEntry, path: KeyPath, scope: Scope, verb: AnyVerb) -> None:
        """Whether the verb can be done so often, tried again and taken back as the step says."""
        if verb.per_node and scope is not Scope.NODE and entry.on is None:
            self._wrong(path, f"{verb.name} is done to a node: say which with `on`, or do it for each node")
        if entry.retries and not verb.idempotent:
            self._wrong((*path, "retries"), f"{verb.name} must not be done twice, so it cannot be tried again")
        if "undo" in entry.model_fields_set and entry.undo and not verb.has_undo:
            self._wrong((*path, "undo"), f"{verb.name} cannot be undone")

    def _on(self, values: Values, entry: StepEntry, path: KeyPath, scope: Scope) -> Raw | None:
        if entry.on is None:
            return None
        if scope is Scope.NODE:
            message = (
                '`on` chooses nodes for a step once per run or batch; with scope = "node" the targets are the nodes'
            )
            self._wrong((*path, "on"), message)
        return values.read(_ON, entry.on, (*path, "on"), node=False)

    def _deadline(self, entry: StepEntry, path: KeyPath) -> Raw | None:
        if entry.deadline is None:
            return None
        found = self.values.read(_DEADLINE, entry.deadline, (*path, "deadline"), node=False)
        if found == 0.0:
            self._wrong((*path, "deadline"), "deadline must be above 0")
        return found

    def _arguments(
        self, values: Values, entry: StepEntry, path: KeyPath, scope: Scope, verb: AnyVerb
    ) -> dict[str, Raw]:
        wanted = {parameter.name: parameter for parameter in parameters_of(verb.arguments)}
        node = scope is Scope.NODE or entry.on is not None
        read: dict[str, Raw] = {}
        meant: set[str] = set()
        for name, raw in entry.with_.items():
            here = (*path, "with", name)
            if name not in wanted:
                hint = did_you_mean(name, wanted)
                meant |= {other for other in wanted if hint.endswith(f'"{other}"?')}
                takes = f"; it takes {', '.join(wanted)}" if wanted else "; it takes none"
                self._wrong(here, f"{verb.name} has no argument {quoted(name)}{hint or takes}", at_key=True)
            elif (value := values.read(wanted[name], raw, here, node=node)) is not None:
                read[name] = value
        for parameter in wanted.values():
            if parameter.required and parameter.name not in entry.with_ and parameter.name not in meant:
                where = (*path, "with") if entry.with_ else path
                self._wrong(where, f"{verb.name} needs the argument {parameter.name}: {parameter.help}")
        return read

    def _when(self, raw: object, path: KeyPath, scope: Scope, *, alone: bool) -> Condition | None:
        """The condition of `when = "fact"`, `"!fact"`, `{ fact = argument }` or `{ "!fact" = argument }`."""
        if raw is None:
            return None
        if scope is not Scope.NODE and alone:
            self._wrong(path, "`when` asks about a node, and this step is for none")
        match raw:
            case str():
                return self._condition(raw, None, path, path)
            case dict() if len(raw) == 1:
                ((name, argument),) = raw.items()
                return self._condition(str(name), argument, path, (*path, str(name)))
            case dict():
                self._wrong(path, "when must hold exactly one fact")
            case _:
                self._wrong(path, f"when must be a fact, or a table of one fact, not {shown(raw)}")
        return None

    def _condition(self, text: str, argument: object, path: KeyPath, place: KeyPath) -> Condition | None:
        name, negated = text.removeprefix("!"), text.startswith("!")
        fact = CONDITIONS.get(name)
        if fact is None:
            hint = did_you_mean(name, CONDITIONS) or f"; known are {', '.join(CONDITIONS)}"
            self._wrong(place, f"no fact is called {quoted(name)}{hint}", at_key=argument is not None)
            return None
        if argument is None:
            if fact.required:
                self._wrong(path, f"{name} needs {_a(fact)}: when = {{ {name} = ... }}")
            return Condition(name, None, negated)
        if fact.argument is None:
            self._wrong(place, f'{name} takes nothing: when = "{name}"', at_key=True)
            return None
        wanted = Parameter(name, fact.argument, fact.meaning)
        return Condition(name, self.values.read(wanted, argument, place, node=True), negated)


def _a(fact: ConditionFact) -> str:
    return "a value" if fact.argument is ParameterKind.STRING else f"a {fact.argument}"

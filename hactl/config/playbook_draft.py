"""The shape check of a playbook: every table against `playbook_schema`, each on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hactl.config.draft import Found, checked
from hactl.config.playbook_schema import (
    SCHEMA,
    BudgetEntry,
    HeadEntry,
    ParameterEntry,
    PlaybookFile,
    StepEntry,
    TargetsEntry,
)
from hactl.config.problems import Problem
from hactl.config.source import RawTable
from hactl.config.wording import shown
from hactl.model.guard import GUARDS
from hactl.model.suggest import did_you_mean, quoted

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")  # no dot: "$service.package" is about the parameter `service`
_KNOWN = [info.alias or key for key, info in PlaybookFile.model_fields.items()]


@dataclass(slots=True)
class PlaybookDraft:
    """The sound tables of a document. `raw` knows the unsound ones too, so that a name is not called unknown."""

    raw: RawTable
    head: Found[HeadEntry] | None = None
    parameters: dict[str, Found[ParameterEntry]] = field(default_factory=dict)
    targets: Found[TargetsEntry] | None = None
    budget: BudgetEntry = field(default_factory=BudgetEntry)
    guards: dict[str, bool] = field(default_factory=dict)
    steps: list[Found[StepEntry]] = field(default_factory=list)

    @property
    def has_targets(self) -> bool:
        return "targets" in self.raw

    @property
    def parameter_names(self) -> tuple[str, ...]:
        given = self.raw.get("parameters")
        return tuple(given) if isinstance(given, dict) else ()

    @property
    def step_names(self) -> tuple[str, ...]:
        given = self.raw.get("steps")
        tables = [table for table in given if isinstance(table, dict)] if isinstance(given, list) else []
        return tuple(str(table["name"]) for table in tables if isinstance(table.get("name"), str))


def read_playbook_draft(document: RawTable) -> tuple[PlaybookDraft, list[Problem]]:
    """The sound part of `document` and everything about its shape that is wrong."""
    problems = [*_required(document), *_top_level(document)]
    draft = PlaybookDraft(document)
    if isinstance(head := document.get("playbook"), dict):
        draft.head = checked(HeadEntry, head, ("playbook",), problems)
    if isinstance(targets := document.get("targets"), dict):
        draft.targets = checked(TargetsEntry, targets, ("targets",), problems)
    if isinstance(budget := document.get("budget"), dict) and (
        found := checked(BudgetEntry, budget, ("budget",), problems)
    ):
        draft.budget = found.entry
    for name, table in _named_tables(document, problems):
        if entry := checked(ParameterEntry, table, ("parameters", name), problems):
            draft.parameters[name] = entry
    steps = document.get("steps")
    for index, table in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(table, dict) and (step := checked(StepEntry, table, ("steps", index), problems)):
            draft.steps.append(step)
    problems += _guards(document, draft)
    return draft, problems


def _top_level(document: RawTable) -> Iterator[Problem]:
    for key, value in document.items():
        if key not in _KNOWN:
            yield Problem((key,), f"unknown key {quoted(key)}{did_you_mean(key, _KNOWN)}", at_key=True)
        elif key == "steps":
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                yield Problem((key,), "steps is written as tables: [[steps]]", at_key=True)
        elif key != "schema" and not isinstance(value, dict):
            header = "[parameters.NAME]" if key == "parameters" else f"[{key}]"
            yield Problem((key,), f"{key} is written as a table: {header}", at_key=True)


def _required(document: RawTable) -> Iterator[Problem]:
    schema = document.get("schema")
    if schema is None:
        yield Problem((), f"missing key: schema = {SCHEMA}")
    elif type(schema) is not int or schema != SCHEMA:
        yield Problem(("schema",), f"this hactl reads schema = {SCHEMA}, not {shown(schema)}")
    if "playbook" not in document:
        yield Problem((), "missing table: [playbook]")
    if "steps" not in document:
        yield Problem((), "missing table: [[steps]]")
    elif document["steps"] == []:
        yield Problem(("steps",), "needs at least one [[steps]]")


def _named_tables(document: RawTable, problems: list[Problem]) -> Iterator[tuple[str, Mapping[str, object]]]:
    given = document.get("parameters")
    for name, table in given.items() if isinstance(given, dict) else ():
        path = ("parameters", name)
        if not isinstance(table, dict):
            problems.append(Problem(path, f"a parameter is written as a table: [parameters.{name}]", at_key=True))
            continue
        if not _NAME.fullmatch(name):
            message = f"{quoted(name)} is not a parameter's name: a to z first, then also 0 to 9 _ - (at most 63)"
            problems.append(Problem(path, message, at_key=True))
        yield name, table


def _guards(document: RawTable, draft: PlaybookDraft) -> Iterator[Problem]:
    given = document.get("guards")
    for name, value in given.items() if isinstance(given, dict) else ():
        path = ("guards", name)
        if name not in GUARDS:
            yield Problem(path, f"no guard is called {quoted(name)}{did_you_mean(name, GUARDS)}", at_key=True)
        elif not isinstance(value, bool):
            yield Problem(path, f"{name} must be false (it does not apply here) or true, not {shown(value)}")
        elif name == "lock" and not value:
            yield Problem(path, "the cluster's lock is never set aside")
        else:
            draft.guards[name] = value

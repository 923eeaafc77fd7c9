"""The exercises of the training lab: where they are, and from a file to a Scenario, every problem at once.

What faults there are is the lab's to know: who reads gives their names, each with how many arguments it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from hactl.config.draft import checked
from hactl.config.files import UnreadableError, read_file
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem, headed, told
from hactl.config.scenario_schema import ActEntry, GoalEntry, ScenarioFile
from hactl.config.share import share_path
from hactl.config.source import SourceError, read_toml
from hactl.config.wording import shown
from hactl.model.errors import ScenarioError
from hactl.model.scenario import (
    MEASURES,
    PLACES,
    Act,
    ActKind,
    Condition,
    ConditionKind,
    Goal,
    Grade,
    Hint,
    Par,
    Scenario,
    held,
)
from hactl.model.suggest import did_you_mean, quoted

FaultArguments: TypeAlias = Mapping[str, tuple[int, int]]
"""For each fault: how many arguments it must have, and may have."""

_ENDING = ".toml"
_LIMITS = (60.0, 7200.0)  # seconds
_ORDER = tuple(Grade)


def scenario_names() -> tuple[str, ...]:
    """Of every exercise that ships, by name."""
    return tuple(path.stem for path in _files())


def scenarios(faults: FaultArguments) -> tuple[Scenario, ...]:
    """Every exercise that ships, the easy ones first. Raises ScenarioError."""
    found = [parse_scenario(_read(path), path, faults) for path in _files()]
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.grade), one.limit, one.name)))


def load_scenario(name: str, faults: FaultArguments) -> Scenario:
    """The exercise of that name. Raises ScenarioError."""
    for path in _files():
        if path.stem == name:
            return parse_scenario(_read(path), path, faults)
    line = f"No exercise is called {quoted(name)}{did_you_mean(name, scenario_names()) or '.'}"
    raise ScenarioError(line, (line,), remedy="`hactl lab scenario list` shows them.")


def parse_scenario(data: bytes, path: Path, faults: FaultArguments) -> Scenario:
    """The exercise that `data` says, called as `path` is. Raises ScenarioError with every problem."""
    try:
        text, document = read_toml(data, "exercise")
    except SourceError as error:
        raise _failure((error.told(str(path)),), path) from error
    problems: list[Problem] = []
    found = checked(ScenarioFile, document, (), problems)
    if found is not None and found.whole:
        problems += _senseless(found.entry, path, faults)
    if problems or found is None:
        raise _failure(told(problems, text, str(path)), path)
    return _built(found.entry, path)


def _failure(lines: tuple[str, ...], path: Path) -> ScenarioError:
    return ScenarioError(headed(lines, str(path)), lines)


def _files() -> list[Path]:
    return sorted(share_path("vagrant", "scenarios").glob(f"*{_ENDING}"))


def _read(path: Path) -> bytes:
    try:
        return read_file(path, "exercise")
    except UnreadableError as error:
        line = f"{path}: {error.reason}"
        raise ScenarioError(f"{line}.", (line,)) from error


# --- its sense ----------------------------------------------------------------------------------------------------


def _senseless(file: ScenarioFile, path: Path, faults: FaultArguments) -> Iterator[Problem]:
    head = file.scenario
    if head.name != path.stem:
        yield Problem(("scenario", "name"), f"name is {quoted(head.name)}, but the file is called {path.name}")
    low, high = _LIMITS
    if not low <= head.limit <= high:
        yield Problem(("scenario", "limit"), f"limit must be {low:g} s to {high:g} s, not {shown(head.limit)}")
    yield from _braces(("scenario", "story"), head.story, PLACES)
    yield from _braces(("scenario", "debrief"), head.debrief, {**PLACES, **MEASURES})
    for key, acts in (("prepare", file.prepare), ("acts", file.acts), ("cleanup", file.cleanup)):
        for index, act in enumerate(acts):
            yield from _act((key, index), act, faults)
    for index, goal in enumerate(file.goals):
        yield from _goal(("goals", index), goal)
    for index, hint in enumerate(file.hints):
        yield from _braces(("hints", index, "text"), hint.text, PLACES)


def _act(path: KeyPath, act: ActEntry, faults: FaultArguments) -> Iterator[Problem]:
    given = [key for key in ("fault", "undo", "operator") if getattr(act, key) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "none of them"
        yield Problem(path, f"an act is exactly one of fault, undo and operator, not {said}")
        return
    if (act.who is None) != (act.operator is None):
        yield Problem(path, "who and operator belong together: a colleague and the command")
    if act.with_ and act.operator is not None:
        yield Problem((*path, "with"), "with is for a fault's arguments; operator has its words itself")
    name = act.fault if act.fault is not None else act.undo
    if name is not None and name not in faults:
        yield Problem((*path, given[0]), f"no fault is called {quoted(name)}{did_you_mean(name, faults)}")
    elif name is not None:
        least, most = faults[name] if act.fault is not None else (0, faults[name][1])
        if not least <= len(act.with_) <= most:
            count = f"{least} to {most} arguments" if least != most else f"{most} argument{'s' * (most != 1)}"
            yield Problem((*path, given[0]), f"{name} takes {count}, not {len(act.with_)}")
    for word in (*act.with_, *(act.operator or ())):
        yield from _braces(path, word, PLACES)


def _goal(path: KeyPath, goal: GoalEntry) -> Iterator[Problem]:
    for key in ("healthy", "rows_kept"):
        if getattr(goal, key) is False:
            yield Problem((*path, key), f"{key} is true, or left away")
    if not _conditions(goal):
        yield Problem(path, "a goal needs at least one condition beside its title")
    texts: Sequence[tuple[str, str | None]] = (("title", goal.title), ("vip", goal.vip), ("primary", goal.primary))
    for key, text in texts:
        yield from _braces((*path, key), text or "", PLACES)
    for key in ("drained", "serving", "streaming"):
        for word in getattr(goal, key) or ():
            yield from _braces((*path, key), word, PLACES)


def _braces(path: KeyPath, text: str, known: Mapping[str, str]) -> Iterator[Problem]:
    for word in held(text):
        if word not in known:
            hint = did_you_mean(word, known) or f"; known are {', '.join(known)}"
            yield Problem(path, f"{quoted('{' + word + '}')} stands for nothing{hint}")


# --- the model ----------------------------------------------------------------------------------------------------


def _built(file: ScenarioFile, path: Path) -> Scenario:
    head = file.scenario
    return Scenario(
        name=head.name,
        title=head.title,
        grade=Grade(head.level),
        story=head.story.strip(),
        prepare=tuple(map(_made, file.prepare)),
        acts=tuple(map(_made, file.acts)),
        goals=tuple(Goal(goal.title, tuple(_conditions(goal))) for goal in file.goals),
        hints=tuple(Hint(hint.text.strip(), hint.cost) for hint in file.hints),
        par=Par(**file.par.model_dump()),
        limit=head.limit,
        debrief=head.debrief.strip(),
        cleanup=tuple(map(_made, file.cleanup)),
        surprise=head.surprise,
        source=str(path),
    )


def _made(act: ActEntry) -> Act:
    if act.operator is not None:
        return Act(ActKind.OPERATOR, tuple(act.operator), act.after, act.who or "")
    kind, name = (ActKind.FAULT, act.fault) if act.fault is not None else (ActKind.UNDO, act.undo)
    return Act(kind, (name or "", *act.with_), act.after)


def _conditions(goal: GoalEntry) -> list[Condition]:
    """In the order of the enumeration, whatever that of the file."""
    version = goal.version
    words: Mapping[ConditionKind, Sequence[str] | None] = {
        ConditionKind.HEALTHY: () if goal.healthy else None,
        ConditionKind.DRAINED: goal.drained,
        ConditionKind.SERVING: goal.serving,
        ConditionKind.VIP: None if goal.vip is None else (goal.vip,),
        ConditionKind.PRIMARY: None if goal.primary is None else (goal.primary,),
        ConditionKind.STREAMING: goal.streaming,
        ConditionKind.VERSION: None if version is None else (version.service, version.is_),
        ConditionKind.WITHOUT: goal.without,
        ConditionKind.ROWS: () if goal.rows_kept else None,
        ConditionKind.BACKUP: None if goal.backup is None else (goal.backup,),
    }
    return [Condition(kind, tuple(said)) for kind, said in words.items() if said is not None]

"""A playbook to be read on a page: what it does, what it asks for, which nodes, which steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hactl.model.parameters import Parameter
from hactl.model.playbook import Playbook
from hactl.view.lines import Line
from hactl.view.playbook import parameter_rows, step_rows, target_sentences


def playbook_lines(book: Playbook) -> Iterator[Line]:
    """The whole playbook; its own file says the same in its own words."""
    yield Line(book.title, strong=True)
    yield Line(f"{book.name}, {'ships with hactl' if book.shipped else 'your own'}: {book.source}", faint=True)
    if book.description:
        yield Line()
        yield from (Line(" ".join(part.split()), hang=0) for part in book.description.split("\n\n"))
    yield from _part("parameters", [line for row in parameter_rows(book) for line in _parameter(row)])
    yield from _part("targets", [Line(sentence, indent=2) for sentence in target_sentences(book.targets)])
    yield from _part("steps", [line for at, row in enumerate(step_rows(book), 1) for line in _step(at, row)])
    off = [name for name, on in book.guards.items() if not on]
    yield from _part("guards that do not apply", [Line(name, indent=2) for name in off])
    yield from _part("notes", [Line(note, indent=2) for note in book.notes])
    if book.confirm:
        yield from _part("to confirm", [Line(f"type {book.confirm}", indent=2)])


def parameter_about(book: Playbook, parameter: Parameter) -> str:
    """Its kind and what it is without being given: "duration, 1 m"."""
    row = next(row for row in parameter_rows(book) if row[0] == parameter.name)
    return f"{row[1]}, {row[2]}"


def _part(title: str, lines: Sequence[Line]) -> Iterator[Line]:
    if lines:
        yield Line()
        yield Line(title, strong=True)
        yield from lines


def _parameter(row: Sequence[str]) -> Iterator[Line]:
    name, kind, default, meaning = row
    yield Line(f"{name} ({kind}, {default})", indent=2)
    yield Line(meaning, indent=6, hang=0, faint=True)


def _step(number: int, row: Sequence[str]) -> Iterator[Line]:
    name, verb, done, arguments, failure = row
    yield Line(f"{number:>2}  {name}: {verb} {done}; if it fails: {failure}", indent=1, hang=4)
    if arguments != "-":
        yield Line(f"with {arguments}", indent=5, hang=2, faint=True)

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.reference import page
from hactl.model.parameters import parameters_of
from hactl.model.verb import AnyVerb, Effect, Verb

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "verbs.md"


def test_the_page_is_as_the_code_makes_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m hactl.drivers.verbs.reference"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_and_argument_is_on_it(name: str) -> None:
    section = page().split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert VERBS[name].summary in section
    assert all(f"`{one.name}`" in section for one in parameters_of(VERBS[name].arguments))


@pytest.mark.parametrize("name", VERBS)
def test_what_a_verb_says_of_itself_holds_together(name: str) -> None:
    verb: AnyVerb = VERBS[name]
    assert verb.name == name
    assert verb.has_undo == (type(verb).undo is not Verb.undo)
    assert verb.mutates or (verb.effect is Effect.NONE and not verb.has_undo and not verb.irreversible)
    assert verb.summary.endswith(".")
    assert verb.deadline > 0

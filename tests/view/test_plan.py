"""A plan in words and as a document: what is said, and that nothing is left out."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from hactl.model.findings import Level
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import Plan, WeakestMoment
from hactl.model.playbook import Budget, OnFailure
from hactl.view import lines
from hactl.view.plan import plan_lines, refusal
from hactl.view.plan_document import SCHEMA, PlanDocument, plan_document
from hactl.view.status_schema import document_schema
from tests.view import stories

VALIDATOR = jsonschema.Draft202012Validator(document_schema(PlanDocument, SCHEMA, "a plan"))


def said(plan: Plan, **options: bool) -> str:
    return "\n".join(f"{line.mark:<9}{line.text}" if line.mark else line.text for line in plan_lines(plan, **options))


def test_every_step_node_and_first_command_is_told_in_order() -> None:
    text = said(stories.plan())
    steps = [line for line in text.splitlines() if ": balancer." in line or ": package." in line or ": check." in line]
    assert [line.split()[:3] for line in steps] == [
        [str(step.index + 1), step.name, f"{step.node}:"] for step in stories.plan().steps
    ]
    for step in stories.plan().steps:
        for command in step.first:
            assert command.text in text
    assert "lb1 admin socket> set server" in text
    assert text.index("batch 1: app1") < text.index("batch 2: app2") < text.index("batch 3: app3")


def test_without_commands_only_they_are_missing() -> None:
    full, short = said(stories.plan()), said(stories.plan(), commands=False)
    assert set(short.splitlines()) < set(full.splitlines())
    assert "set server" not in short


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (stories.plan(), "weakest moment: shop: 2 of 3 available, minimum 2, during batch 1 (app1)"),
        (stories.plan(), "plan 3f2a9c: 12 steps, about 1 m 20 s (3 earlier runs)"),
        (stories.plan(), "app9 is left alone: is at 1.1.0 already"),
        (stories.plan(), "targets: app1, app2, app3, in 3 batches, 2 s between them"),
        (stories.plan(), "reason: release 1.1.0"),
        (stories.plan(), "so does any failed request"),
        (stories.plan(budget=Budget(failed_requests=5)), "so does more than 5 failed requests"),
        (stories.plan(nodes=()), "plan 3f2a9c: nothing has to be done"),
        (stories.plan(nodes=("app1",)), "plan 3f2a9c: 4 steps"),
        (stories.plan(notes=("mind the gap",)), "note: mind the gap"),
        (stories.plan(batches=(("app1", "app2"), ("app3",))), "batch 1: app1, app2, side by side"),
    ],
)
def test_what_decides_is_said(plan: Plan, sentence: str) -> None:
    assert sentence in said(plan)


def test_all_refusals_are_told_at_once_first_and_with_their_way_out() -> None:
    told = [line for line in plan_lines(stories.refused()) if line.mark or line.text.startswith(">")]
    assert [(line.mark, line.text) for line in told] == [
        ("refused", "minimum-available: shop would keep 1 of 3, minimum 2"),
        ("", "> --override minimum-available --reason WHY sets it aside"),
        ("refused", "targets: db9 is in no pool"),
        ("", "> cannot be overridden"),
        ("waived", "maintenance-window: it is Thursday"),
        ("ok", "unknown-data"),
    ]
    assert told[0].level is Level.CRIT
    assert [refusal(verdict) for verdict in stories.refused().refusals] == [
        "minimum-available: shop would keep 1 of 3, minimum 2 (--override minimum-available)",
        "targets: db9 is in no pool (cannot be overridden)",
    ]


def test_a_moment_below_the_minimum_is_critical() -> None:
    plan = stories.plan(weakest=(WeakestMoment("shop", "pool", 1, 3, 2, ""),))
    (weakest,) = (line for line in plan_lines(plan) if line.text.startswith("weakest"))
    assert weakest.level is Level.CRIT
    assert weakest.text.endswith("minimum 2")


def test_a_step_that_fails_in_another_way_than_the_rest_says_so() -> None:
    plan = stories.plan()
    odd = replace(plan.steps[3], on_failure=OnFailure.CONTINUE)
    text = said(replace(plan, steps=(*plan.steps[:3], odd, *plan.steps[4:])))
    assert "4  undrain app1: balancer.undrain, about 6 s, may fail" in text
    assert "A failure undoes what was done on that node" in text


def test_why_a_step_is_not_needed_is_told_until_something_is_done_before_it() -> None:
    plan = stories.plan()
    first, second, third, *rest = plan.steps
    skipped = (replace(first, skip="is out"), second, replace(third, skip="is well"), *rest)
    text = said(replace(plan, steps=skipped))
    assert "drain app1: balancer.drain, about 4 s; probably not needed: is out" in text
    assert "is well" not in text, "it says nothing about the time after the upgrade"


def test_hostile_text_cannot_leave_its_line() -> None:
    verdict = GuardVerdict("critical-finding", Ruling.REFUSE, stories.HOSTILE)
    step = replace(stories.plan().steps[0], skip=stories.HOSTILE, note=stories.HOSTILE)
    plan = stories.plan(verdicts=(verdict,), steps=(step,), notes=(stories.HOSTILE,), untouched={"a": stories.HOSTILE})
    for line in plan_lines(plan):
        assert isinstance(line, lines.Line)
        assert line.text.isprintable()


@pytest.mark.parametrize(
    "plan", [stories.plan(), stories.refused(), stories.plan(nodes=())], ids=["may", "not", "none"]
)
def test_the_document_is_one_of_the_schema(plan: Plan) -> None:
    found = plan_document(plan)
    VALIDATOR.validate(found)
    assert json.loads(json.dumps(found)) == found
    assert found["digest"] == plan.digest
    assert found["allowed"] is not bool(plan.refusals)
    assert [step["number"] for step in found["steps"]] == [step.index + 1 for step in plan.steps]


def test_the_document_holds_what_the_words_say() -> None:
    found = plan_document(stories.refused())
    blocking = [guard["guard"] for guard in found["guards"] if guard["blocks"]]
    assert blocking == ["minimum-available", "targets"]
    assert [guard["guard"] for guard in found["guards"] if guard["overridden"]] == ["maintenance-window"]
    assert found["weakest"][0]["available"] == 2
    assert found["steps"][0]["first"][0] == {
        "node": "lb1",
        "text": "set server be_shop/app1 state drain",
        "socket": True,
    }
    assert found["made_at"] == "2025-10-09T09:10:00.000Z"

"""What stands below a followed run: it fits the terminal, however much goes on at once."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from hactl.cli.screen import below
from hactl.model.events import Outcome
from hactl.model.run import RunState, StepPhase, folded
from hactl.view.tables import text_width
from tests.view import stories


def going_on(nodes: int) -> RunState:
    """All nodes of a large batch at their first step, with long and hostile words."""
    plan = stories.plan(nodes=[f"app{number}" for number in range(nodes)])
    state = folded(stories.RUN, plan, stories.story("killed", plan)[1])
    firsts = tuple(range(0, len(plan.steps), len(stories.NAMES)))
    steps = tuple(
        replace(step, phase=StepPhase.RUNNING, sentence=stories.HOSTILE * 9, began_at=stories.WALL)
        if index in firsts
        else step
        for index, step in enumerate(state.steps)
    )
    return replace(state, steps=steps, current=firsts)


@pytest.mark.parametrize(("nodes", "rows"), [(1, 24), (18, 24), (40, 24), (40, 6), (3, 3)])
def test_it_fits(nodes: int, rows: int) -> None:
    lines = [click.unstyle(line) for line in below(going_on(nodes), 79, rows, stories.WALL + 5)]
    assert len(lines) <= max(rows - 1, 4)
    assert all(text_width(line) <= 79 and line.isprintable() for line in lines)
    shown = sum(line.startswith("> ") for line in lines)
    told = next((int(line.split()[2]) for line in lines if line.startswith("... and")), 0)
    assert shown + told == nodes
    assert any(" steps, 5 s, available: shop 3/3" in line for line in lines)
    assert lines[-1] == "200 requests, 0 failed, slowest 38 ms, longest gap 0.1 s"


def test_a_run_that_is_over_has_nothing_below() -> None:
    assert below(replace(going_on(2), outcome=Outcome.DONE), 79, 24, stories.WALL) == []

"""Steps that are there only where one of the playbook's parameters is not empty."""

from __future__ import annotations

from dataclasses import replace

from hactl.model.playbook import Playbook
from hactl.planning.parameters import Told
from hactl.planning.rules.remark import listed


def given(playbook: Playbook, told: Told) -> tuple[Playbook, tuple[str, ...]]:
    """The playbook without the steps whose parameter is empty, and a sentence for each such parameter that says why."""
    empty = dict.fromkeys(step.given for step in playbook.steps if step.given and told.values.get(step.given) == "")
    if not empty:
        return playbook, ()
    left = tuple(step for step in playbook.steps if step.given not in empty)
    return replace(playbook, steps=left), tuple(_sentence(playbook, told, name) for name in empty)


def _sentence(playbook: Playbook, told: Told, name: str) -> str:
    out = [step.name for step in playbook.steps if step.given == name]
    why = told.empty.get(name, f"{name} is empty")
    return f"Left out {'is' if len(out) == 1 else 'are'} {listed(out)}: {why}."

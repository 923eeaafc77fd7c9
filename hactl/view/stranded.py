"""Members that a run has left drained: the way back that this operator's journal knows of is better than an undrain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hactl.model.assess.notes import note_of
from hactl.model.findings import Finding, ScopeKind
from hactl.model.picture import Picture
from hactl.model.plan import RunRef

_ABOUT_DRAINS = ("drained:", "disagree:")


def any_drained(picture: Picture) -> bool:
    return any(pool.drained for pool in picture.assessment.pools.values())


def with_ways_back(picture: Picture, runs: Sequence[RunRef]) -> Picture:
    """The same, where findings about drained members name the run that has drained them, if it is one of these."""
    findings = tuple(_led(picture, finding, runs) for finding in picture.assessment.findings)
    return replace(picture, assessment=replace(picture.assessment, findings=findings))


def _led(picture: Picture, finding: Finding, runs: Sequence[RunRef]) -> Finding:
    if not finding.key.startswith(_ABOUT_DRAINS) or finding.node is None or finding.scope.kind is not ScopeKind.POOL:
        return finding
    if finding.node not in picture.assessment.pools[finding.scope.name].drained:
        return finding
    pool = picture.state.inventory.pools[finding.scope.name]
    note = note_of(picture.state, pool, finding.node, picture.now)
    # Where a note names a run it is that one and no other; else whichever has left something on the node.
    its = [one for one in runs if finding.node in one.nodes and (note is None or note.run in {"", one.run})]
    return replace(finding, hint=_way_back(its[0])) if its else finding


def _way_back(run: RunRef) -> str:
    if run.alive:
        return f"Run {run.run} of {run.who} is at it: hactl runs attach {run.run}"
    return (
        f"Run {run.run} of {run.who} was not finished: hactl runs resume {run.run} goes on, "
        f"hactl runs undo {run.run} takes it back"
    )

"""A drained member that a run has left behind: its finding names the way back."""

from __future__ import annotations

import pytest

from hactl.model.plan import RunRef
from hactl.view.stranded import any_drained, with_ways_back
from tests.model.builders import DRAINED, Cluster, note

RUN = "20251009-085740-k3f"  # the one that the builder's note names
KILLED = RunRef(RUN, "rolling-upgrade", "anna@laptop", 0.0, alive=False, nodes=("app1",))
ALIVE = RunRef(RUN, "drain", "anna@laptop", 0.0, alive=True, nodes=("app1",))
OTHER = RunRef("20251009-090000-abc", "drain", "bert@desk", 0.0, alive=False, nodes=("app1",))
ELSEWHERE = RunRef("20251009-090001-abc", "drain", "bert@desk", 0.0, alive=False, nodes=("app2",))
RESUME = (
    f"Run {RUN} of anna@laptop was not finished: hactl runs resume {RUN} goes on, hactl runs undo {RUN} takes it back"
)
UNDRAIN = "When its work is done: hactl undrain app1."


def stranded(*, noted: bool, lb: str = "*") -> Cluster:
    cluster = Cluster().server(lb, "be_shop", "shop-a", **DRAINED)
    return cluster.say("app1", "note", note()) if noted else cluster


@pytest.mark.parametrize(
    ("noted", "runs", "hint"),
    [
        (True, (KILLED,), RESUME),
        (True, (OTHER, KILLED), RESUME),  # the note tells which
        (True, (OTHER,), UNDRAIN),  # somebody else's note: her run is none of this journal's
        (True, (), UNDRAIN),
        (True, (ALIVE,), f"Run {RUN} of anna@laptop is at it: hactl runs attach {RUN}"),
        (False, (KILLED,), RESUME),  # the node is gone, and its note with it
        (False, (ELSEWHERE,), f"{UNDRAIN} hactl runs list may tell who took it out and why."),
    ],
)
@pytest.mark.parametrize("lb", ["*", "lb2"])
def test_the_hint_is_the_way_back(noted: object, runs: tuple[RunRef, ...], hint: str, lb: str) -> None:
    picture = stranded(noted=bool(noted), lb=lb).picture()
    findings = with_ways_back(picture, runs).assessment.findings
    (found,) = (one for one in findings if one.key.startswith(("drained:", "disagree:")))
    assert found.hint == hint
    assert [one.key for one in findings] == [one.key for one in picture.assessment.findings]


def test_a_member_that_nobody_drained_is_left_alone() -> None:
    picture = Cluster().server("lb2", "be_shop", "shop-a", status="DOWN").picture()
    assert with_ways_back(picture, (KILLED,)) == picture
    assert not any_drained(picture)
    assert any_drained(stranded(noted=False).picture())

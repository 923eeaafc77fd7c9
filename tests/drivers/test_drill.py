"""What the node of the drills says: history, leftovers, room."""

from __future__ import annotations

import json

import pytest

from hactl.drivers import drill
from hactl.drivers.drill import Marker, read_marker
from hactl.drivers.probe import Asked
from hactl.model.command import Completed
from hactl.model.drill_lines import written
from hactl.model.drills import DrillFacts, DrillRecord, Verdict
from hactl.model.errors import ParseError
from hactl.model.inventory import PgbackrestService
from tests.drivers.verbs.node_scene import RUN, lab

HERE, LOCK = "/var/lib/pgdrill", "/run/lock/hactl-lab"


def service() -> PgbackrestService:
    found = lab().services["backup"]
    assert isinstance(found, PgbackrestService)
    return found


def parsed(said: str, *, exit_: int = 0, stderr: str = "") -> DrillFacts:
    return drill.parse(service(), "lab", Completed(exit_, said, stderr, 0.1), Asked(10.0, 12.0))


def record(run: str, *, of: str = "backup") -> DrillRecord:
    return DrillRecord(
        run, "lab", of, 1, "20261121-020000F", "full", "latest", "backup1", "anna", 1.0, verdict=Verdict.PASS
    )


ROOM = f"{HERE}\n     Avail\n123456\n"


def scratch(run: str, *, cluster: str = "lab", of: str = "backup", size: str = "4096\t.\n") -> str:
    return f"{HERE}/{run}/.hactl-drill\n{Marker(run, cluster, of, 5.0).text}{size}"


def test_room_history_and_when() -> None:
    other = record("20261120-000000-abc", of="offsite")
    said = f"{ROOM}{HERE}/history.jsonl\n\n{written(record(RUN))}\nnone\n{written(other)}"
    facts = parsed(said)
    assert [one.run for one in facts.records] == [RUN]
    assert (facts.unreadable, facts.free, facts.now, facts.leftovers) == (1, 123456, 11.0, ())


def test_whoever_holds_the_lock_works_in_his_scratch_space_and_nobody_in_the_rest() -> None:
    other = "20261120-000000-abc"
    holder = f"{LOCK}/holder\n4711 {json.dumps({'run': RUN, 'who': 'anna'})}\n"
    facts = parsed(ROOM + holder + scratch(RUN) + scratch(other, size=""))
    assert [(one.run, one.size, one.since, one.alive) for one in facts.leftovers] == [
        (RUN, 4096, 5.0, True),
        (other, None, 5.0, False),
    ]


@pytest.mark.parametrize(
    "said",
    [
        scratch(RUN, cluster="other"),
        scratch(RUN, of="offsite"),
        scratch(RUN).replace(f"{HERE}/{RUN}/", f"{HERE}/20260101-000000-xyz/"),
        f"{HERE}/{RUN}/.hactl-drill\nsomebody else's\n4096\t.\n",
        f"{HERE}/{RUN}/.hactl-drill\n4096\t.\n",
    ],
    ids=["another cluster's", "another service's", "in another's place", "no note", "an empty note"],
)
def test_what_is_not_ours_is_no_leftover(said: str) -> None:
    assert parsed(ROOM + said).leftovers == ()


def test_an_empty_one_with_a_runs_name_was_made_and_never_marked() -> None:
    facts = parsed(f"{ROOM}{HERE}/{RUN}\n{HERE}/notes\n")
    assert [(one.run, one.size, one.alive, one.marked) for one in facts.leftovers] == [(RUN, 0, False, False)]
    assert parsed(f"{ROOM}{HERE}/20269999-999999-abc\n").leftovers[0].since == 0.0


def test_without_the_directory_nothing_is_known_and_why() -> None:
    with pytest.raises(ParseError, match="No such file or directory"):
        parsed("", exit_=1, stderr="find: '/var/lib/pgdrill': No such file or directory\n")
    assert parsed(ROOM, exit_=1, stderr="find: '/run/lock/other': Permission denied\n").free == 123456


def test_a_line_that_was_cut_where_reading_began_is_none() -> None:
    lines = "x" * drill.KEPT + f"\n{written(record(RUN))}"
    facts = parsed(f"{ROOM}{HERE}/history.jsonl\n{lines}")
    assert (len(facts.records), facts.unreadable) == (1, 0)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"run":"../..","cluster":"lab","service":"backup","since":1}', "{" * 9999]
)
def test_a_note_that_is_none(text: str) -> None:
    assert read_marker(text) is None


def test_a_note_says_what_it_said() -> None:
    marker = Marker(RUN, "lab", "backup", 5.0)
    assert read_marker(marker.text) == marker

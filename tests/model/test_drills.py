"""What a drill proves, and that its record survives the way to the node's file and back, whoever else wrote there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hactl.model.codec import plain
from hactl.model.drill_lines import MOST, read_record, read_records, written
from hactl.model.drills import Check, CheckOutcome, DrillFacts, DrillRecord, Verdict, judged

OK, FAIL, SKIPPED = (Check(one.value, one) for one in CheckOutcome)

RECORD = DrillRecord(
    run="20261122-030001-k3f",
    cluster="lab",
    service="backups",
    repository=1,
    label="20261121-010203F_20261122-010203I",
    kind="incr",
    target="latest",
    node="backup1",
    who="anna@laptop",
    started=1_795_000_000.5,
    phases={"prepare": 0.5, "restore": 61.25, "start": 4.0, "check": 12.0, "teardown": 1.0},
    rto=65.25,
    rpo=2.5,
    rpo_bytes=4096,
    size=2 << 30,
    checks=(Check("consistent", CheckOutcome.OK, "reached in 4 s"), Check("orders", CheckOutcome.OK, "120331 > 0")),
    verdict=Verdict.PASS,
    target_rto=300.0,
    reached=1_795_000_000.0,
    query="SELECT 1",
    answer="1\n2",
)


@pytest.mark.parametrize(
    ("checks", "rto", "target_rto", "rpo", "target_rpo", "verdict"),
    [
        pytest.param([OK], 60.0, None, None, None, Verdict.PASS, id="no targets, so nothing is missed"),
        pytest.param([OK, OK], 60.0, 60.0, 5.0, 5.0, Verdict.PASS, id="just within both targets"),
        pytest.param([OK], 60.1, 60.0, None, None, Verdict.PARTIAL, id="too slow"),
        pytest.param([OK], 60.0, None, 5.1, 5.0, Verdict.PARTIAL, id="lost too much"),
        pytest.param([OK], 60.0, None, None, 5.0, Verdict.PARTIAL, id="a target that nothing was measured against"),
        pytest.param([OK, SKIPPED], 60.0, None, None, None, Verdict.PARTIAL, id="a check was skipped"),
        pytest.param([], 60.0, None, None, None, Verdict.PARTIAL, id="nothing was checked"),
        pytest.param([OK, SKIPPED, FAIL], 60.0, 90.0, 1.0, 5.0, Verdict.FAIL, id="a check failed"),
        pytest.param([OK], None, None, None, None, Verdict.FAIL, id="the copy never answered"),
    ],
)
def test_verdict(
    checks: list[Check],
    rto: float | None,
    target_rto: float | None,
    rpo: float | None,
    target_rpo: float | None,
    verdict: Verdict,
) -> None:
    assert judged(checks, rto, target_rto, rpo, target_rpo) is verdict


def test_there_and_back() -> None:
    line = written(RECORD)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert read_records(line).records == (RECORD,)


def test_what_a_drill_that_came_to_nothing_leaves_can_be_read() -> None:
    bare = DrillRecord("20261122-030001-k3f", "lab", "backups", 1, "", "", "latest", "backup1", "anna", 1_795e6)
    assert read_record(written(bare)) == bare
    assert (bare.verdict, bare.good, bare.seconds) == (Verdict.FAIL, False, 0.0)


def test_records_of_other_versions() -> None:
    document = json.loads(written(RECORD))
    del document["reached"], document["query"], document["answer"]
    document["of_tomorrow"] = {"some": "thing"}
    assert read_record(json.dumps(document)) == replace(RECORD, reached=None, query="", answer="")


def test_bad_lines_are_counted_and_hide_nothing() -> None:
    good = written(RECORD)
    other = written(replace(RECORD, run="20261115-030001-abc", started=RECORD.started - 604_800))
    history = read_records(f"{good[:40]}\n\n{good}nonsense\n{other}{good[:-9]}")
    assert [one.run for one in history.records] == ["20261115-030001-abc", RECORD.run]  # oldest first
    assert history.unreadable == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Plan"},
        {"run": "../../etc"},
        {"run": "20261122-030001-k3f\n"},
        {"cluster": "a b"},
        {"label": "x/y"},
        {"repository": 0},
        {"repository": "1"},
        {"started": -1.0},
        {"started": 1e300},
        {"rto": "fast"},
        {"rto": -2.0},
        {"rpo_bytes": 1.5},
        {"size": -1},
        {"verdict": "fine"},
        {"phases": {"restore": -1}},
        {"phases": {"coffee": 5}},
        {"phases": {"restore": True}},
        {"checks": [{"name": "a", "outcome": "maybe"}]},
        {"checks": [{"name": "a", "outcome": "ok"}] * 101},
        {"checks": "none"},
    ],
    ids=str,
)
def test_what_cannot_be_is_no_record(changes: dict[str, object]) -> None:
    document = json.loads(written(RECORD))
    with pytest.raises(ValueError, match=r"\w"):
        read_record(json.dumps({**document, **changes}))


@pytest.mark.parametrize("line", ["[]", "1", "null", "NaN", "{}", "[" * 100_000, '{"type": "DrillRecord", "rto": NaN}'])
def test_what_is_no_object_of_ours_is_no_record(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_record(line)


def test_a_record_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(ValueError, match="duration"):
        written(replace(RECORD, rto=-1.0))
    with pytest.raises(ValueError, match=r"\w"):
        written(replace(RECORD, rto=float("nan")))


def test_hostile_texts_are_made_safe() -> None:
    bad = "\x1b]0;owned\x07\n\u202e" + "x" * 5000
    record = read_record(
        json.dumps(plain(replace(RECORD, who=bad, target=bad, answer=bad, checks=(Check(bad, CheckOutcome.OK, bad),))))
    )
    texts = (record.who, record.target, record.checks[0].name, record.checks[0].sentence, record.answer)
    assert not any("\x1b" in text or "\u202e" in text for text in texts)
    assert max(map(len, texts)) <= 2000
    assert not any("\n" in text for text in texts[:-1])


def test_a_run_that_stands_twice_counts_once() -> None:
    again = replace(RECORD, verdict=Verdict.PARTIAL)
    assert read_records(written(RECORD) + written(again)).records == (again,)


def test_only_the_newest_are_kept() -> None:
    lines = (written(replace(RECORD, run=f"20261122-{n:06}-abc", started=float(n))) for n in range(MOST + 5))
    records = read_records("".join(lines)).records
    assert (len(records), records[0].started, records[-1].started) == (MOST, 5.0, MOST + 4.0)


def test_each_service_has_its_own_history() -> None:
    others = (
        replace(RECORD, run="20261122-030001-abc", service="offsite"),
        replace(RECORD, run="20261122-030001-xyz", cluster="shop"),
    )
    history = read_records("".join(map(written, (RECORD, *others))) + "?\n").of("lab", "backups")
    assert (history.records, history.unreadable) == ((RECORD,), 1)


def test_the_last_good_one() -> None:
    failed = replace(RECORD, run="20261123-030001-abc", started=RECORD.started + 86_400, verdict=Verdict.FAIL)
    facts = DrillFacts((RECORD, failed), 0, (), None, RECORD.started + 90_000)
    assert (facts.last, facts.last_good, facts.age(RECORD)) == (failed, RECORD, 90_000.0)
    assert DrillFacts((failed,), 0, (), None, 0.0).last_good is None


def test_what_was_missed() -> None:
    late = replace(RECORD, target_rto=60.0, target_rpo=2.5)
    assert (late.late, late.stale) == (True, False)
    assert not replace(late, rto=None).late  # it never answered: that is told otherwise


def test_how_far_it_was_to_go() -> None:
    aims = [replace(RECORD, target=target).aim for target in ("latest", RECORD.label, "2026-11-21 14:30:05+00")]
    assert aims == ["latest", "set", "time"]

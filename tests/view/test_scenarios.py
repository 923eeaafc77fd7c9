"""Exercises as lines and documents: the beginning, what is missing, the report; a secret stays one."""

import json
from dataclasses import replace

import pytest

from hactl.model.scenario_goals import Judgement
from hactl.model.scenario_score import scored
from hactl.model.scenario_story import Mark, Traffic
from hactl.view.scenarios import begun_lines, check_lines, history_row, listed_row, report_lines
from hactl.view.scenarios_document import check_document, report_document, scenario_document
from tests.model.scenarios import played, scenario, won

TRAFFIC = Traffic(sent=1000, failed=30, confirmed=400, gap=4.5, first=1.0, last=2.0, errors={"status 503": 30})
JUDGED = (Judgement(holds=True, sentence="this is so"), Judgement(holds=False, sentence="that is not"))


def text(lines):
    return "\n".join(f"{line.mark} {line.text}" for line in lines)


def test_the_beginning_tells_story_and_goals():
    said = text(begun_lines(played()))
    assert "It happens on db1." in said
    assert "1. drained" in said
    assert "2 hints" in said


def test_what_is_missing_is_told_apart():
    said = text(check_lines(played(), 1, JUDGED))
    assert "Goal 1 of 2: drained" in said
    assert "yes this is so" in said
    assert "not yet that is not" in said
    assert "It is over: the goal was reached." in text(check_lines(won(), 2, ()))


def test_a_report_has_points_times_and_the_debrief():
    standing = won(hints=1)
    score = scored(standing, TRAFFIC)
    said = text(report_lines(standing, TRAFFIC, score, "id"))
    assert f"{score.points} of 100 points, grade {score.grade}" in said
    assert "30 status 503" in said
    assert "first act" in said
    assert "It was db1; 30 of 1000 failed, 0 of 400 lost, 20 s, 1 m 30 s, {odd}." in said
    assert "20.0 s  first act        run" in said


def test_a_report_tells_of_notes_that_cannot_be_read():
    standing = replace(won(), unreadable=2)
    assert "2 notes are missing here: the exercise's diary cannot be read there" in text(
        report_lines(standing, TRAFFIC, None, "id")
    )
    assert report_document("id", standing, TRAFFIC, None)["unreadable_notes"] == 2
    assert "cannot be read" not in text(report_lines(won(), TRAFFIC, None, "id"))


def test_what_goes_on_has_neither_points_nor_debrief():
    said = text(report_lines(played(), TRAFFIC, None, "id"))
    assert "it goes on" in said
    assert "not counted yet" in said
    assert "points" not in said
    assert "It was" not in said


GIVES_AWAY = ("made-up", "Something made up", "It happens on", "drained", "service-stop")


@pytest.mark.parametrize("over", [False, True])
def test_a_secret_is_told_at_its_end(over):
    ended = ((9.0, Mark.ENDED, "stopped", 0),) if over else ()
    standing = played((1.0, Mark.ACT, "fault service-stop db1", 1), *ended, secret=True)
    score = scored(standing, TRAFFIC) if over else None
    said = text(report_lines(standing, TRAFFIC, score, "id")) + json.dumps(
        report_document("id", standing, TRAFFIC, score)
    )
    assert ("service-stop" in said) is over
    assert ("made-up" in said) is over
    beginning = text(begun_lines(played(secret=True))) + text(check_lines(played(secret=True), 1, JUDGED))
    assert not any(word in beginning for word in GIVES_AWAY)


def test_rows():
    assert listed_row(scenario(), None) == ("made-up", "routine", "10 m", "-", "Something made up")
    assert listed_row(scenario(), scored(won(), TRAFFIC))[3].endswith(("A", "B", "C"))
    assert history_row("id", played(), TRAFFIC, None) == ("id", "made-up", "goes on", "-", "30", "?", "0")


def test_documents_are_json():
    standing = won()
    score = scored(standing, TRAFFIC)
    report = json.loads(json.dumps(report_document("id", standing, TRAFFIC, score)))
    assert report["score"]["points"] == score.points
    assert report["ending"] == "reached"
    assert report["requests"]["failed"] == 30
    assert next(note["mark"] for note in report["notes"]) == "begun"
    check = json.loads(json.dumps(check_document(played(), 1, JUDGED, holds=False)))
    assert [one["holds"] for one in check["conditions"]] == [True, False]
    assert scenario_document(scenario())["limit_seconds"] == 600.0

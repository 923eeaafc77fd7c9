"""Where exercises are written down: notes, torn ones, who watches, which one goes on."""

import os
import subprocess
import sys

import pytest

from hactl.control.training_diary import Diary, Shelf
from hactl.lab import crowd
from hactl.model.errors import StateError
from hactl.model.scenario_story import Ending, Mark
from tests.model.scenarios import BEGAN, session


@pytest.fixture
def diary(tmp_path) -> Diary:
    made = Shelf("lab", tmp_path).new(BEGAN)
    made.begin(session())
    return made


def test_notes_are_there_when_they_are_read_again(diary):
    diary.note(Mark.BEGUN, at=BEGAN)
    diary.note(Mark.HINT, "look", 1)
    again = Diary(diary.folder).standing()
    assert (again.began, again.hints, again.session) == (BEGAN, 1, session())


TORN = {"by a power cut": b'{"at": 17, "mar', "whole": b'{"at": 17}\n', "no text": b"\xff\xfe\n"}


@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
def test_a_note_that_cannot_be_read_is_counted_and_hides_no_other(diary, torn):
    diary.note(Mark.BEGUN)
    with (diary.folder / "notes.jsonl").open("ab") as file:
        file.write(torn)
    diary.note(Mark.GOAL, "g", 1)
    standing = diary.standing()
    assert (len(standing.notes), standing.reached, standing.unreadable) == (2, 1, 1)


def test_a_session_that_cannot_be_read_is_told(diary):
    (diary.folder / "session.json").write_text("{")
    with pytest.raises(StateError, match=r"session\.json cannot be read"):
        diary.session()


def test_one_at_a_time_works_on_it_until_it_dies(diary):
    hold = (
        "import sys, time; from pathlib import Path; from hactl.control.training_diary import Diary\n"
        "with Diary(Path(sys.argv[1])).held() as mine:\n    print(mine, flush=True)\n    time.sleep(60)"
    )
    assert diary.watcher() is None
    with subprocess.Popen([sys.executable, "-c", hold, diary.folder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert diary.watcher() == other.pid
        with diary.held() as mine:
            assert not mine
        other.kill()
    assert diary.watcher() is None
    with diary.held() as mine:
        assert mine
        assert diary.watcher() == os.getpid()


def test_the_newest_goes_on_until_it_is_over(tmp_path, diary):
    shelf = Shelf("lab", tmp_path)
    shelf.new(BEGAN + 5).folder.mkdir()  # one that never began
    going = shelf.open()
    assert going is not None
    assert going.folder == diary.folder
    diary.note(Mark.ENDED, Ending.STOPPED.value)
    assert shelf.open() is None
    assert [one.folder for one in shelf.diaries()] == [diary.folder]
    assert shelf.new(BEGAN).folder != diary.folder


def test_what_became_of_requests_is_added_up(tmp_path):
    lines = [
        '{"at": 10.0, "sent": 10, "failed": 0, "gap": 0.1, "error": ""}',
        '{"at": 11.0, "sent": 8, "failed": 5, "gap": 1.5, "error": "no answer"}',
        '{"at": 12.0, "sent": 9, "failed": 2, "gap": 0.5, "error": "status 503"}',
        '{"at": 13.0, "sen',
    ]
    (tmp_path / "traffic").write_text("\n".join(lines))
    (tmp_path / "orders").write_text("a-0\na-2\na-")
    found = crowd.traffic(tmp_path)
    assert (found.sent, found.failed, found.gap, found.first, found.last) == (27, 7, 1.5, 11.0, 12.0)
    assert found.errors == {"no answer": 5, "status 503": 2}
    assert crowd.confirmed(tmp_path) == ["a-0", "a-2"]
    assert found.confirmed == 2
    assert crowd.traffic(tmp_path / "nowhere").sent == 0

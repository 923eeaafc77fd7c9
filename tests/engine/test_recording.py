"""Recordings: what was recorded is what is replayed, from any moment on, whatever became of the file's end."""

from __future__ import annotations

import gzip
import resource
import stat
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from hactl.engine.recorder import Recorder
from hactl.engine.recording_file import RecordingFile
from hactl.model.errors import HactlError, InputError, RecordingError
from hactl.model.findings import Level
from hactl.model.inventory import Fencing, Inventory
from hactl.model.recording import Header, MarkKind, inventory_for_recording
from hactl.model.state import LinkPhase
from tests.engine.taping import BACK, LOST, RUN_AT, RUN_OVER, WALL, ZERO, documents, record, write
from tests.model.builders import lab


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lab.jsonl.gz"


@pytest.mark.parametrize("block", [7.0, 30.0, 1000.0])
def test_replayed_pictures_are_the_recorded_ones_in_any_order(path: Path, block: float) -> None:
    recorded = record(path, block=block)
    with RecordingFile(path) as file:
        assert list(file.index.frames) == [0.0, *(picture.now for picture in recorded)]
        forth = [file.picture(number) for number in range(1, len(recorded) + 1)]
        assert forth == recorded
        for number in (100, 3, 64, 65, 64, 30, 31, 1):
            assert file.picture(number) == recorded[number - 1]
        assert file.picture(0).state.nodes["app1"].link.phase is LinkPhase.IDLE


def test_ages_are_told_in_the_recordings_own_time(path: Path) -> None:
    record(path)
    with RecordingFile(path) as file:
        picture = file.picture(file.frame_at(60.0))
        assert picture.now == 59.75
        assert picture.state.wall(picture.now) == WALL + 59.75
        lost = next(finding for finding in picture.assessment.findings if finding.node == "app2")
        assert lost.level is Level.CRIT
        assert 41.0 <= lost.since <= 42.0


def test_moments_worth_going_to(path: Path) -> None:
    record(path)
    with RecordingFile(path) as file:
        marks = file.index.marks
    news = [mark for mark in marks if mark.kind is MarkKind.NEWS]
    assert [mark.at for mark in news if "app2" in mark.sentence] == [LOST + 0.75]
    assert [mark.at for mark in marks if mark.kind is MarkKind.BEGAN] == [RUN_AT + 0.75]
    assert [mark.at for mark in marks if mark.kind is MarkKind.ENDED] == [RUN_OVER + 0.75]
    levels = [(mark.at, mark.level) for mark in marks if mark.kind is MarkKind.LEVEL]
    assert (LOST + 0.75, Level.CRIT) in levels
    assert levels[-1][0] >= BACK
    assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)


def test_what_is_known_of_runs_is_known_from_its_frame_on(path: Path) -> None:
    record(path)
    with RecordingFile(path) as file:
        assert file.index.runs[0][0] == RUN_AT + 0.75
        assert len(file.index.runs) == 2 + 10 + 2


def test_it_is_small_and_only_its_owners(path: Path) -> None:
    record(path, seconds=300)
    assert path.stat().st_size < 100_000  # as whole samples without compression: 6 MB
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


FENCED = ("/usr/bin/power", "--password=hunter2")


def fenced() -> Inventory:
    return replace(lab(), fencing=Fencing((*FENCED, "{node}"), (*FENCED, "off", "{node}")))


def test_it_holds_nothing_of_how_nodes_are_reached(path: Path) -> None:
    with Recorder(path, fenced(), now=ZERO, wall=WALL, interval=2.0):
        pass
    text = gzip.decompress(path.read_bytes()).decode()
    for node in lab().nodes.values():
        for secret in (*FENCED, *node.ssh.identity, *node.ssh.known_hosts, node.ssh.socket, node.ssh.proxy_jump):
            assert not secret or secret not in text
    with RecordingFile(path) as file:
        assert file.index.header == Header(file.index.header.hactl, WALL, 2.0, inventory_for_recording(lab()), note="")


def test_the_file_is_readable_while_it_is_written_and_after_a_kill(path: Path) -> None:
    recorder = Recorder(path, lab(), now=ZERO, wall=WALL, interval=2.0)
    for second in range(1, 41):
        recorder.frame(ZERO + second)
    with RecordingFile(path) as file:  # nobody has closed it
        assert file.length >= 38.0
        assert "cut off" in file.index.cut
    recorder.close()
    recorder.close()
    with RecordingFile(path) as file:
        assert file.length == 40.0
        assert file.index.cut == ""


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
def test_a_cut_off_end_costs_the_end_and_nothing_else(path: Path, share: float) -> None:
    recorded = record(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with RecordingFile(path) as file:
        frames = len(file.index.frames)
        assert "cut off" in file.index.cut
        assert [file.picture(number) for number in range(1, frames)] == recorded[: frames - 1]
    assert frames > len(recorded) * share * 0.5


def test_zeros_that_a_power_cut_left_are_a_cut_off_end(path: Path) -> None:
    recorded = record(path)
    path.write_bytes(path.read_bytes()[:-500] + bytes(8192))
    with RecordingFile(path) as file:
        assert "cut off" in file.index.cut
        assert file.picture(50) == recorded[49]


def test_damage_in_the_middle_is_told_with_its_line(path: Path) -> None:
    record(path, block=10.0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=r"lab\.jsonl\.gz:\d+: "):
        RecordingFile(path)


def test_any_moment_is_there_in_well_under_a_second_however_long_it_is(path: Path) -> None:
    record(path, seconds=300)  # what it takes depends on the length of a block alone
    with RecordingFile(path) as file:
        worst = 0.0
        for at in (299.0, 181.0, 29.0, 270.0, 200.0):
            begun = time.perf_counter()
            file.picture(file.frame_at(at))
            worst = max(worst, time.perf_counter() - begun)
        assert worst < 1.0
        assert len(file._open) <= 2


def test_an_existing_file_is_left_alone(path: Path) -> None:
    path.write_text("something of value")
    with pytest.raises(InputError, match="exists"):
        record(path, seconds=1)
    assert path.read_text() == "something of value"


def test_a_disk_without_room_is_told_and_what_was_written_stays(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))
    try:
        with pytest.raises(HactlError, match="cannot be written: File too large"):
            record(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with RecordingFile(path) as file:
        assert file.length > 1.0


# --- files that somebody else wrote ---------------------------------------------------------------------------------


@pytest.fixture
def lines(path: Path) -> list[dict[str, object]]:
    record(path, seconds=30, block=1000.0)
    found = documents(path)
    path.unlink()
    return found


packed = partial(gzip.compress, mtime=0)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", ":1: it is empty."),
        (b"hello, world\n", ":1: the file is damaged"),
        (b"\x1f\x8b", ":1: it is no recording."),
        (packed(b"\n"), ":1: "),
        (packed(b"[]\n"), ":1: it is no object."),
        (packed(b"{}\n"), ":1: it is no recording."),
        (packed(b'{"recording": 99}\n'), ":1: it is of format 99, this hactl reads 1: upgrade hactl."),
        (packed(b'{"recording": 1}\n'), ":1: this header lacks 'hactl'."),
        (packed(b"[" * 100_000 + b"\n"), ":1: it is nested too deep."),
        (packed(b'{"recording": NaN}\n'), ":1: NaN is no number."),
        (packed(b'{"recording": 1' + b"0" * 5000 + b"}\n"), ":1: "),
        (packed(b"x" * (9 << 20)), ":1: there is too much of it to be read."),
    ],
)
def test_what_is_no_recording_is_told(path: Path, data: bytes, says: str) -> None:
    path.write_bytes(data)
    with pytest.raises(RecordingError) as caught:
        RecordingFile(path)
    assert caught.value.message.startswith(f"{path}{says}")


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        RecordingFile(path)


def changed(lines: list[dict[str, object]], where: str, **changes: object) -> tuple[int, list[dict[str, object]]]:
    """The lines with the first one that begins with the key `where` changed, and its number."""
    number = next(index for index, line in enumerate(lines) if next(iter(line)) == where)
    return number + 1, [*lines[:number], lines[number] | changes, *lines[number + 1 :]]


HEADER_TROUBLE = [
    ({"began": 1e300}, "is no number that can be"),
    ({"began": "yesterday"}, "is no number"),
    ({"inventory": {}}, "its inventory is none"),
    ({"inventory": {"services": {}}}, "no Inventory"),
]


@pytest.mark.parametrize(("changes", "says"), HEADER_TROUBLE)
def test_a_header_that_makes_no_sense(path: Path, lines: list, changes: dict[str, object], says: str) -> None:
    _, wrong = changed(lines, "recording", **changes)
    with pytest.raises(RecordingError, match=rf":1: .*{says}"):
        RecordingFile(write(path, *wrong))


INVENTORY_TROUBLE = [
    (("nodes", "app1", "site"), "atlantis", 'names no site "atlantis"'),
    (("nodes", "app1", "roles"), [], "has no role"),
    (("nodes", "app1", "name"), "app9", "stands under the name"),
    (("name",), "\x1b]0;gone\x07", "no name that an inventory can hold"),
    (("services", "shop", "nodes"), ["nobody"], 'names no node "nobody"'),
    (("pools", "shop", "balancer"), "shop", "is no balancer"),
    (("vips", "public", "service"), "nothing", 'names no service "nothing"'),
]


@pytest.mark.parametrize(("where", "value", "says"), INVENTORY_TROUBLE)
def test_an_inventory_that_makes_no_sense(
    path: Path, lines: list, where: tuple[str, ...], value: object, says: str
) -> None:
    thing = lines[0]["inventory"]
    for key in where[:-1]:
        thing = thing[key]
    assert where[-1] in thing
    thing[where[-1]] = value
    with pytest.raises(RecordingError, match=rf":1: .*{says}"):
        RecordingFile(write(path, *lines))


LINE_TROUBLE = [
    ("frame", {"frame": -1}, "is no time of a recording"),
    ("frame", {"frame": 1e12}, "is no time of a recording"),
    ("frame", {"level": "dreadful"}, "lacks 'DREADFUL'"),
    ("run", {"number": 0}, "counts from 1"),
    ("run", {"event": {"type": "StepDone", "step": -1, "sentence": "", "seconds": 1}}, "counts from 0"),
    ("plan", {"is": {}}, "no Plan"),
]


@pytest.mark.parametrize(("where", "changes", "says"), LINE_TROUBLE)
def test_a_line_that_makes_no_sense_is_told_when_the_file_is_opened(
    path: Path, lines: list, where: str, changes: dict[str, object], says: str
) -> None:
    number, wrong = changed(lines, where, **changes)
    with pytest.raises(RecordingError, match=rf":{number}: .*{says}"):
        RecordingFile(write(path, *wrong))


def test_time_does_not_go_back(path: Path, lines: list) -> None:
    with pytest.raises(RecordingError, match=rf":{len(lines) + 1}: time goes back here"):
        RecordingFile(write(path, *lines, {"frame": 3.0}))


SAMPLE_TROUBLE = [
    ("sample", {"sample": "nobody"}, 'names no node "nobody"'),
    ("sample", {"facts": {"type": "Nonsense"}}, 'nobody knows facts called "Nonsense"'),
    ("sample", {"facts": {"type": "HostFacts"}}, "HostFacts"),
    ("sample", {"facts": [1, 2]}, "is no object"),
    ("sample", {"at": "now"}, "is no number"),
    ("link", {"to": {"type": "Link", "phase": "sideways"}}, "sideways"),
    ("checkpoint", {"nodes": {"nobody": {}}}, 'names no node "nobody"'),
    ("checkpoint", {"assessment": {}}, "Assessment"),
]


@pytest.mark.parametrize(("where", "changes", "says"), SAMPLE_TROUBLE)
def test_a_sample_that_makes_no_sense_is_told_when_it_is_shown(
    path: Path, lines: list, where: str, changes: dict[str, object], says: str
) -> None:
    number, wrong = changed(lines, where, **changes)
    with RecordingFile(write(path, *wrong)) as file, pytest.raises(RecordingError, match=rf":{number}: .*{says}"):
        file.picture(5)


def test_a_kind_of_line_that_nobody_knows_is_told(path: Path, lines: list) -> None:
    surprised = write(path, *lines[:2], {"surprise": 1}, *lines[2:])
    with RecordingFile(surprised) as file, pytest.raises(RecordingError, match=':3: nobody knows what "surprise" is'):
        file.picture(1)


def test_an_event_of_a_newer_hactl_is_told_in_words(path: Path, lines: list) -> None:
    _, newer = changed(lines, "run", event={"type": "Teleported", "step": 1})
    with RecordingFile(write(path, *newer)) as file:
        event = next(entry.event for _, entry in file.index.runs if hasattr(entry, "event"))
    assert "Teleported (written by another version" in event.sentence


def test_nothing_that_is_read_can_move_a_cursor(path: Path, lines: list) -> None:
    reason = "\x1b]52;c;aGk=\x07\x1b[2J\u202egone\nand more"
    number, evil = changed(lines, "link", to={"type": "Link", "phase": "down", "since": 1.0, "reason": reason})
    assert number
    evil[0]["note"] = "\x1b[2Jnote"
    with RecordingFile(write(path, *evil)) as file:
        text = str(file.picture(2)) + file.index.header.note
    assert "gone" in text
    assert not any(char in text for char in "\x1b\x07\u202e")
    assert "note" in file.index.header.note

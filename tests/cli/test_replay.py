"""`hactl replay` and `hactl record` as typed, and `./dev try` where no lab can be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zlib
from pathlib import Path

import pytest
from jsonschema import validate

from hactl.config.share import share_path
from hactl.engine.recording_file import RecordingFile
from hactl.model.recording_time import clock, second_of
from hactl.view.status_schema import status_schema
from tests.cli.driving import ROOT, hactl, modules
from tests.engine.taping import LOST, record


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "lab.jsonl.gz"
    record(path, note="a drain")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


# --- moments ---

LENGTH, BEGAN = 7200.0, 1_760_000_000.5  # 2025-10-09 08:53:20.5 UTC
MOMENTS = [
    ("begin", 0.0),
    ("end", 7200.0),
    ("+90", 90.0),
    ("+90s", 90.0),
    ("+1.5m", 90.0),
    ("+1:30", 90.0),
    ("+1:00:01", 3601.0),
    ("-30s", 7170.0),
    (" 09:00 ", 399.5),
    ("09:00:05", 404.5),
    ("08:53:20", 0.0),  # the second in which it began
    ("2025-10-09T09:00:05Z", 404.5),
    ("2025-10-09 11:00:05+02:00", 404.5),
]


@pytest.mark.parametrize(("text", "second"), MOMENTS)
def test_moments(text: str, second: float) -> None:
    assert second_of(text, BEGAN, LENGTH) == second


@pytest.mark.parametrize(
    "text", ["", "+", "+-3", "soon", "25:00", "08:53", "11:00", "+3h", "-3h", "2024-01-01", "+1e999", "\x1b[2J"]
)
def test_what_is_no_moment_of_it_is_told(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - each says another thing
        second_of(text, BEGAN, LENGTH)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (7.9, "0:07"), (200, "3:20"), (3900, "1:05:00")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


# --- hactl replay ---


def test_text_is_the_status_of_then_under_a_label(tape: Path, home: Path) -> None:
    done = hactl("replay", str(tape), "-o", "text", "--at", f"+{LOST + 4:g}s", home=home)
    assert (done.returncode, done.stderr) == (0, "")
    first, _, second, *_ = done.stdout.splitlines()
    assert first == "RECORDING of lab, 2025-10-09 08:54:04 UTC, 0:44 of 1:40: a drain"
    assert second.startswith("✖ lab: crit")
    assert "no route to 192.168.56.22" in done.stdout


def test_json_is_the_status_document_with_what_it_is_from(tape: Path, home: Path) -> None:
    done = hactl("replay", str(tape), "-o", "json", "--at", "08:54:04", home=home)
    document = json.loads(done.stdout)
    validate(document, status_schema())
    assert document["at"].startswith("2025-10-09T08:54:03")
    assert document["recording"]["second"] == 43.75
    assert document["recording"]["note"] == "a drain"
    assert document["cluster"]["status"]["level"] == "crit"


def test_several_moments_are_as_many_lines_and_the_end_is_the_default(tape: Path, home: Path) -> None:
    done = hactl("replay", str(tape), "-o", "jsonl", "--at", "+10s", "--at", "end", home=home)
    seconds = [json.loads(line)["recording"]["second"] for line in done.stdout.splitlines()]
    assert seconds == [9.75, 100.75]
    last = hactl("replay", str(tape), "-o", "jsonl", home=home)
    assert json.loads(last.stdout)["recording"]["second"] == 100.75


def test_a_cut_off_file_is_shown_and_said(tape: Path, home: Path) -> None:
    cut = home / "cut.gz"
    cut.write_bytes(tape.read_bytes()[:-3000])
    done = hactl("replay", str(cut), "-o", "text", home=home)
    assert done.returncode == 0
    assert "Its end is missing: it was cut off after line" in done.stderr


USAGE = [
    ([], "Name one recording, or --demo"),
    (["x.gz", "--demo"], "Name one recording, or --demo"),
    (["TAPE"], "The dashboard needs a terminal; -o text prints the status of a moment."),
    (["TAPE", "--at", "+1s", "--at", "+2s"], "several --at are for -o"),
    (["TAPE", "-o", "text", "--at", "+9m"], "is not in the recording, which goes from 2025-10-09 08:53:20 UTC"),
    (["TAPE", "-o", "text", "--at", "soon"], "is no moment of a recording"),
    (["nowhere.gz", "-o", "text"], "nowhere.gz: No such file or directory."),
    (["INVENTORY", "-o", "text"], "lab.toml:1: the file is damaged"),
]


@pytest.mark.parametrize(("words", "says"), USAGE)
def test_what_cannot_be_replayed_is_told(tape: Path, home: Path, words: list[str], says: str) -> None:
    names = {"TAPE": str(tape), "INVENTORY": str(ROOT / "inventory" / "lab.toml")}
    done = hactl("replay", *(names.get(word, word) for word in words), home=home)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_hostile_file_neither_crashes_nor_reaches_the_terminal(tape: Path, home: Path) -> None:
    unpacked = zlib.decompressobj(31).decompress(tape.read_bytes())
    evil = home / "evil.gz"
    pack = zlib.compressobj(wbits=31)
    evil.write_bytes(pack.compress(unpacked.replace(b"Debian GNU", b"\\u001b]0;owned\\u0007\\u202e")) + pack.flush())
    done = hactl("replay", str(evil), "-o", "text", "--at", "+20s", home=home)
    assert done.returncode == 0
    assert "owned" in done.stdout
    assert not any(char in done.stdout for char in "\x1b\x07\u202e")


def test_printing_loads_neither_the_dashboard_nor_a_way_to_nodes(tape: Path, home: Path) -> None:
    loaded = modules("replay", str(tape), "-o", "json", home=home)
    assert not {name for name in loaded if name.split(".")[0] in {"textual", "asyncssh", "paramiko"}}


# --- hactl record ---


def test_recording_a_cluster_that_nobody_can_reach(home: Path) -> None:
    inventory = home / "one.toml"
    inventory.write_text(
        'schema = 1\n[cluster]\nname = "one"\n[ssh]\nconfig = []\nconnect_timeout = 1\n[[sites]]\nname = "here"\n'
        '[[nodes]]\nname = "n1"\naddress = "127.0.0.1"\nsite = "here"\nroles = ["app"]\nssh = { port = 9 }\n'
    )
    done = hactl("-i", str(inventory), "record", "one.gz", "--for", "8s", "--note", "nobody", home=home)
    assert done.returncode == 0, done.stderr
    assert "of one recorded" in done.stderr
    with RecordingFile(home / "one.gz") as file:
        assert file.index.cut == ""
        assert 7.5 <= file.length <= 20.0  # a busy machine is late
        assert file.index.header.note == "nobody"
        assert file.picture(len(file.index.frames) - 1).state.nodes["n1"].link.code == "unreachable"
    again = hactl("-i", str(inventory), "record", "one.gz", "--for", "3s", home=home)
    assert again.returncode == 2
    assert "one.gz exists." in again.stderr


@pytest.mark.parametrize("word", ["0", "-3s", "soon", "nan", "1e9h"])
def test_how_long_has_to_be_a_time(home: Path, word: str) -> None:
    done = hactl("record", "x.gz", "--for", word, home=home)
    assert done.returncode == 2
    assert not (home / "x.gz").exists()


# --- what ships ---


def test_the_shipped_recording_is_whole_and_shows_what_it_should(home: Path) -> None:
    path = share_path("recordings", "lab.jsonl.gz")
    assert path.stat().st_size < 500_000
    with RecordingFile(path) as file:
        assert file.index.cut == ""
        books = {getattr(entry, "plan", None) and entry.plan.playbook for _, entry in file.index.runs}
        assert {"drain", "undrain", "rolling-upgrade", "failover", "rejoin"} <= books
        for block in file.index.blocks:
            file.picture(block.frame)
        file.picture(len(file.index.frames) - 1)
    done = hactl("replay", "--demo", "-o", "text", "--at", "begin", home=home)
    assert done.returncode == 0
    assert done.stdout.startswith("RECORDING of lab, ")


def test_try_shows_the_recording_where_no_lab_can_be_had(tmp_path: Path) -> None:
    """As somebody who is not root and may not become it: the real check of the real machine fails."""
    python = shutil.which("python3", path="/usr/bin:/bin")
    if os.geteuid() == 0 and (python is None or shutil.which("setpriv") is None or not _same_version(python)):
        pytest.skip("needs setpriv and the system's own Python, of this version, to be somebody else than root")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    if subprocess.run([*nobody, "test", "-r", ROOT / "dev"], check=False).returncode:
        pytest.skip(f"{ROOT} may be read by root alone")
    venv, packages = tmp_path / "venv", sysconfig.get_path("purelib")
    (venv / "bin").mkdir(parents=True)
    for name, words in (("python", ""), ("hactl", "-m hactl ")):
        program = venv / "bin" / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}:{packages}" exec "{python or sys.executable}" {words}"$@"\n')
        program.chmod(0o755)
    count = "cat requirements.lock pyproject.toml | cksum | tr ' ' -"
    stamp = subprocess.run(["sh", "-c", count], cwd=ROOT, capture_output=True, check=True).stdout.strip()
    (venv / ".stamp-requirements.lock").write_bytes(stamp)
    for folder in (tmp_path, *tmp_path.parents):
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)
    done = subprocess.run(
        [*nobody, "sh", "dev", "try"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "HACTL_VENV": str(venv), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "What follows is a RECORDING" in done.stderr
    assert done.stdout.count("RECORDING of ") >= 3


def _same_version(python: str) -> bool:
    """Whether packages that were installed for this interpreter work with that one."""
    program = "import sys; print(sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() == str(tuple(sys.version_info[:2]))

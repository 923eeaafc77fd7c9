"""The note about a drain: written and read by the same rules, by every shell, and harmless whatever lies there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.drivers import drain_note
from hactl.drivers.probe import Asked, TickProbe
from hactl.drivers.verbs import balancer_note
from hactl.model.command import Completed
from hactl.model.facts import DrainNote, NoteFacts
from hactl.model.text import safe, safe_text
from hactl.model.verb import RunCommand
from tests.drivers.verbs.balancers import Lab

SHELLS = [("dash",), ("bash", "--posix"), ("busybox", "ash")]
SAID = {
    "when": "2026-11-21T13:28:54Z",
    "node": "app1",
    "pools": ["shop"],
    "who": "anna@laptop",
    "why": "new disk",
    "run": "20261121-132851-zr2",
}
NOTE = DrainNote("app1", ("shop",), "anna@laptop", "new disk", 1795267734.0, "20261121-132851-zr2")


def read(said: str, exit_code: int = 0) -> NoteFacts:
    """What one note of these words comes to."""
    said = f"=== 0\n{said}\n" if said else ""
    return drain_note.parse(Completed(exit_code, safe(said), "", 0.1), Asked(0, 0))


def test_a_note_is_what_was_written() -> None:
    assert read(json.dumps(SAID)) == NoteFacts((NOTE,))
    bare = {name: SAID[name] for name in ("when", "node", "pools", "who")}
    assert read(json.dumps(bare)) == NoteFacts((replace(NOTE, why="", run=""),))


def test_no_note_is_no_note() -> None:
    assert read("") == NoteFacts()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("not JSON", "did not answer with JSON"),
        ("[]", "is not a JSON object"),
        (json.dumps(SAID)[:60], "did not answer with JSON"),
        (json.dumps({**SAID, "who": ""}), "names nobody"),
        (json.dumps({**SAID, "who": 7}), "who is not text"),
        (json.dumps({**SAID, "when": "yesterday"}), '"yesterday" is no moment'),
        (json.dumps({**SAID, "when": "2026-11-21T13:28:54"}), "is no moment"),
        (json.dumps({**SAID, "when": 1e400}), "when is not text"),
        (json.dumps({**SAID, "pools": "shop"}), "pools is not a list"),
        (json.dumps({**SAID, "pools": [None]}), "pools is not text"),
        (json.dumps({name: SAID[name] for name in SAID if name != "node"}), "node is not text"),
    ],
)
def test_a_note_of_another_shape_is_ignored_with_the_reason(said: str, why: str) -> None:
    facts = read(said)
    assert facts.notes == ()
    assert why in facts.ignored


def test_a_note_that_may_not_be_read_is_ignored_with_the_reason() -> None:
    assert read("", 1).ignored == "The note about the drain could not be read (exit 1)."
    assert "exit 124" in read(json.dumps(SAID), 124).ignored


def test_hostile_words_are_made_harmless_and_short() -> None:
    evil = "\x1b]0;owned\x07\u202e\nhactl undrain db1 [@click=app.quit]" + "x" * 5000
    (note,) = read(json.dumps({**SAID, "who": evil, "why": evil, "run": evil})).notes
    for text in (note.who, note.why, note.run):
        assert safe(text) == text
        assert "\n" not in text
        assert len(text) <= 160


@given(said=st.text(max_size=200) | st.builds(json.dumps, st.dictionaries(st.sampled_from(list(SAID)), st.text())))
def test_anything_is_a_note_or_a_reason(said: str) -> None:
    facts = read(said)
    assert bool(facts.notes) is not bool(facts.ignored) or "=== " in said or not said
    assert safe(facts.ignored) == facts.ignored
    assert len(facts.ignored) < 300


@pytest.fixture(params=SHELLS, ids=lambda argv: argv[0])
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    argv: tuple[str, ...] = request.param
    if shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} on this machine")
    return argv


def ask(shell: tuple[str, ...], path: Path) -> NoteFacts:
    """The body as the loop runs it, with the note at another place."""
    probe = drain_note.probe("demo", ("shop",))
    said = "/run/lock/hactl-demo/drained.shop.json"
    assert said in probe.body
    script = replace(probe, body=probe.body.replace(said, str(path))).alone
    done = subprocess.run([*shell, "-c", script], capture_output=True, timeout=10, check=False)
    facts = probe.parse(Completed(done.returncode, safe_text(done.stdout), "", 0.1), Asked(0, 0))
    assert isinstance(facts, NoteFacts)
    return facts


def test_what_lies_there_is_read(shell: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "drained.json"
    assert ask(shell, path) == NoteFacts()
    path.write_text(json.dumps(SAID) + "\n")
    assert ask(shell, path) == NoteFacts((NOTE,))


def test_a_note_for_each_pool_and_one_that_is_spoiled(shell: tuple[str, ...], tmp_path: Path) -> None:
    probe = drain_note.probe("demo", ("shop", "api", "third"))
    for pool, said in (("shop", json.dumps(SAID)), ("api", "{}"), ("third", json.dumps({**SAID, "pools": ["third"]}))):
        (tmp_path / f"drained.{pool}.json").write_text(said)
    script = replace(probe, body=probe.body.replace("/run/lock/hactl-demo", str(tmp_path))).alone
    done = subprocess.run([*shell, "-c", script], capture_output=True, timeout=10, check=False)
    facts = probe.parse(Completed(done.returncode, safe_text(done.stdout), "", 0.1), Asked(0, 0))
    assert facts == NoteFacts((NOTE, replace(NOTE, pools=("third",))), "The note about the drain: who is not text.")


def test_what_is_written_is_read(shell: tuple[str, ...], tmp_path: Path) -> None:
    """Odd words, several pools, and a second writer over the first: by the real scripts."""
    why = """it's "down" $(id) `id` \\n %s"""
    world = Lab()
    scene = replace(world.scene(), reason=why)
    for who in ("first", "second"):
        written = next(balancer_note.written(replace(scene, who=who), ("shop", "api")))
        assert isinstance(written, RunCommand)
        _, flag, script, *words = written.command.argv
        words[1] = str(tmp_path / "locks")
        subprocess.run([*shell, flag, script, *words], check=True, timeout=10)
    probe = drain_note.probe("demo", ("shop", "api"))
    script = replace(probe, body=probe.body.replace("/run/lock/hactl-demo", str(tmp_path / "locks"))).alone
    done = subprocess.run([*shell, "-c", script], capture_output=True, timeout=10, check=False)
    facts = probe.parse(Completed(done.returncode, safe_text(done.stdout), "", 0.1), Asked(0, 0))
    assert isinstance(facts, NoteFacts)
    assert [(one.pools, one.who, one.why) for one in facts.notes] == [
        (("shop",), "second", why),
        (("api",), "second", why),
    ]


def test_neither_a_link_nor_a_pipe_nor_a_folder_nor_a_flood_is_followed(shell: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(json.dumps(SAID))
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    begun = time.monotonic()
    assert [ask(shell, tmp_path / name) for name in ("link", "pipe", ".")] == [NoteFacts()] * 3
    assert time.monotonic() - begun < 1
    (tmp_path / "flood").write_bytes(b'{"who": "' + b"a" * 5_000_000)
    facts = ask(shell, tmp_path / "flood")
    assert facts.notes == ()
    assert len(facts.ignored) < 300


def test_where_there_is_no_note_nothing_is_forked(shell: tuple[str, ...]) -> None:
    looked = drain_note.probe("no-such-cluster", ("a", "b")).body
    body = f"i=0; while [ $i -lt 200 ]; do i=$((i + 1))\n{looked}\ndone; times"
    done = subprocess.run([*shell, "-c", body], capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout.split()[-2:] == ["0m0.000s"] * 2 or done.stdout.split()[-2:] == ["0m0.000000s"] * 2


def test_a_clusters_odd_name_reaches_no_shell() -> None:
    probe = drain_note.probe("x; touch /tmp/owned", ("$(id)", "shop"))
    assert isinstance(probe, TickProbe)
    folder = "/run/lock/hactl-cluster"
    assert f"in {folder}/drained.pool.json {folder}/drained.shop.json; do" in probe.body

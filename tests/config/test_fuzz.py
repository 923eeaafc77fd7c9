"""Whatever stands in the file, the answer is an inventory or an InventoryError with places; never anything else."""

from __future__ import annotations

import re
from pathlib import Path

import tomli
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hactl.config import parse_inventory
from hactl.config.share import share_path
from hactl.model.errors import InventoryError
from hactl.model.text import one_line

LAB = share_path("inventory", "lab.toml").read_bytes()
WORDS = [
    b'"', b"'", b"[", b"]", b"[[", b"{", b"}", b"=", b".", b",", b"\n", b"#", b"\xff", b"\x00", b"\xe2\x80\xae",
    b"1e999", b"nodes", b"[[nodes]]\n", b"db1", b"-1", b"nan", b"true", b"1979-05-27", b"{cluster}", b'""', b"[]",
    b"{}", b"none", b'name = "db1"\n', b'role = "db"\n', b"\\u0000", b"~root/x", b"9" * 30,
]  # fmt: skip
LINE = re.compile(r"FILE:[1-9]\d*:[1-9]\d*: \S.*")


def answer(data: bytes) -> bool:
    """Whether `data` is valid; fails the test on any exception but InventoryError, and on an odd problem."""
    try:
        parse_inventory(data, Path("/nowhere/x.toml"), shown="FILE")
    except InventoryError as error:
        problems = error.problems
    else:
        return True
    assert problems
    assert len(set(problems)) == len(problems)
    places = [tuple(map(int, problem.split(":")[1:3])) for problem in problems]
    assert places == sorted(places)
    for problem, (line, column) in zip(problems, places, strict=True):
        assert LINE.fullmatch(problem), problem
        assert one_line(problem, len(problem)) == problem
        assert line <= data.count(b"\n") + 1
        assert column <= len(data) + 1
    return False


def test_the_lab_is_valid() -> None:
    assert answer(LAB)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    answer(data)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    answer(text.encode("utf-8", "replace"))


EDITS = st.lists(
    st.tuples(st.integers(0, len(LAB)), st.integers(0, 40), st.sampled_from(WORDS) | st.binary(max_size=4)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS)
def test_any_damage_to_a_good_file(edits: list[tuple[int, int, bytes]]) -> None:
    data = LAB
    for at, removed, inserted in edits:
        data = data[:at] + inserted + data[at + removed :]
    answer(data)


LINES = LAB.splitlines(keepends=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1)), min_size=1, max_size=5))
def test_any_lines_moved_or_doubled(moves: list[tuple[int, int]]) -> None:
    lines = list(LINES)
    for source, target in moves:
        lines.insert(target, lines[source])
    answer(b"".join(lines))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.floats() | st.sampled_from(["", "db1", "db", "east", "~"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "port", "warn", "x"]), inner),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    """One value of the lab's, anywhere, becomes anything that TOML can say, or goes (None)."""
    document = tomli.loads(LAB.decode())
    holder, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.integers(0, 3)):
        holder = holder[key]
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    value = data.draw(VALUES)
    if value is None:
        del holder[key]
    else:
        holder[key] = _without_none(value)
    try:
        text = tomlkit.dumps(document)
        tomli.loads(text)
    except (tomli.TOMLDecodeError, UnicodeEncodeError, ValueError):  # tomlkit cannot write it: not our question
        return
    answer(text.encode())


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value if item is not None]
    return value

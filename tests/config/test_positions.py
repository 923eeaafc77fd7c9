"""The position finder against tomli: whatever paths tomli parses are found, and each place holds what the path says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from hactl.config.positions import KeyPath, find_positions
from hactl.config.share import share_path

CASES = Path(__file__).parents[1] / "cases" / "inventory"
FILES = [
    share_path("inventory", "lab.toml"),
    *sorted(share_path("inventory", "examples").glob("*.toml")),
    *sorted((CASES / "good").glob("*.toml")),
]


def paths(value: object, here: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    if here:
        yield here, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*here, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*here, index))


def assert_found(text: str) -> None:
    """Every path of tomli's has a key and a value of its own; keys spell themselves; scalars parse to themselves."""
    found = find_positions(text)
    wanted = dict(paths(tomli.loads(text)))
    assert set(found.values) == set(wanted)
    assert set(found.keys) == set(wanted)
    assert found.repeats == []
    for path, value in wanted.items():
        if isinstance(path[-1], str):
            assert _key_at(found.text, found.keys[path]) == path[-1] or _is_header(found.text, found.keys[path])
        if not isinstance(value, dict | list):
            assert _value_at(found.text, found.values[path], value)


def _key_at(text: str, offset: int) -> str:
    line = text[offset:].split("\n", 1)[0]
    bare = re.match(r"[A-Za-z0-9_-]+", line)
    if bare:
        return bare[0]
    end = next(
        index for index in range(2, len(line) + 1) if line[index - 1] == line[0] and _parses(f"{line[:index]} = 1")
    )
    return next(iter(tomli.loads(f"{line[:end]} = 1")))


def _is_header(text: str, offset: int) -> bool:
    return text.startswith("[[", offset)


def _parses(text: str) -> bool:
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError:
        return False
    return True


def _value_at(text: str, offset: int, value: object) -> bool:
    """Some piece of text from `offset` on is TOML for `value`."""
    rest = text[offset : offset + 4000]
    ends = (match.start() for match in re.finditer(r"[,\]}#\n \"']|$", rest))
    return any(_is(rest[: end + extra], value) for end in ends for extra in (0, 1))


def _is(text: str, value: object) -> bool:
    try:
        return repr(tomli.loads(f"x = {text}\n")["x"]) == repr(value)
    except (tomli.TOMLDecodeError, ValueError):
        return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_finds_what_tomli_finds_in_real_inventories(path: Path) -> None:
    assert_found(path.read_text("utf-8"))


CORNERS = [
    "",
    "a = 1",
    "a.b.c = 1\na.b.d = 2\n[x.y]\nz = 1\n[x]\nw = 2",
    "[[a]]\n[[a.b]]\nc = 1\n[[a.b]]\n[[a]]\n[a.d]\ne = 2\n[[a.b]]\nc = 3",
    "[a.b]\n[[a.c]]\nd.e = 1\n[a.c.f]\ng = 1\n[[a.c]]\nd = 2",
    'x = """\n["]\n[[not.a.header]]\nkey = "value"\n""\\"""""" # "\ny = 1',
    "x = '''\n[a]\n''''' \ny = '''''' \nz = ''",
    'x = "a\\"] = [ # no comment" # a comment\n"quoted \\u00e9.key" = 1\n\'lit"eral\' . "b" = 2',
    "x = [[1, 2], [{a = 1, b = [ ]}, {}], [\n  'a,]', # ]\n  \"b}\",\n]]\ny = { a.b = 1, 'c' = { d = [1] } }",
    "d = 1979-05-27 07:32:00Z\ne = 07:32:00 # t\nf = [1979-05-27 07:32:00, 1e3, -inf, 0x_1]".replace("0x_1", "0xF1"),
    "1234 = 1\n-a- = 2\n[1.2]\n3 = 4",
    '"" = 1\n[" "]\n"\\n" = 2',
    "a = 1\r\n[b]\r\nc = [\r\n 1,\r\n 2]\r\n",
    "  [ a . b ]  \n  c  =  1  \n [[  d  ]]\n\te\t=\t2",
    'ä = 1\n"日本" = "語" # wide\nb = 2'.replace("ä", '"ä"'),
]


@pytest.mark.parametrize("text", CORNERS)
def test_it_finds_what_tomli_finds_in_the_corners_of_toml(text: str) -> None:
    assert_found(text)


KEYS = st.one_of(
    st.text("abz019_-", min_size=1, max_size=4),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.datetimes(min_value=dt.datetime(1000, 1, 1)),  # noqa: DTZ001 - TOML's local date-time
    st.dates(min_value=dt.date(1000, 1, 1)),
)
WRITTEN = ["1", "[1, [2,]]", "{ x.y = 1 }", '"""q""\\n"""']
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_it_finds_what_tomli_finds_in_any_document(document: dict[str, object]) -> None:
    text = tomlkit.dumps(document)
    assert_found(text)


@given(st.data())
def test_it_finds_what_tomli_finds_however_a_file_is_written(data: st.DataObject) -> None:
    """Documents in a hand's way of writing: headers, dotted keys, comments and odd blanks."""
    blank = st.sampled_from(["", " ", "\t", "  "])
    comment = st.sampled_from(["", " # note", "#[x]", ' # "'])
    lines: list[str] = []
    for number in range(data.draw(st.integers(0, 6))):
        parts = data.draw(st.lists(st.sampled_from(["a", "b", '"c d"', "'e.f'"]), min_size=1, max_size=3))
        name = data.draw(blank).join([*(part + data.draw(blank) + "." for part in parts), f"k{number}"])
        kind = data.draw(st.sampled_from(["pair", "table", "array"]))
        body = f"{name} = {data.draw(st.sampled_from(WRITTEN))}"
        if kind != "pair":
            body = f"[{name}]" if kind == "table" else f"[[{name}]]"
        lines.append(data.draw(blank) + body + data.draw(comment))
    text = data.draw(st.sampled_from(["\n", "\r\n", "\n\n"])).join(lines)
    if _parses(text):
        assert_found(text)


@given(st.text(max_size=200))
def test_it_never_fails_on_any_text(text: str) -> None:
    found = find_positions(text)
    for path in [(), ("nodes",), ("nodes", 3, "ssh", "port"), *found.keys]:
        assert found.key(path) >= (1, 1)
        assert found.value(path) >= (1, 1)


def test_a_path_without_a_place_borrows_the_nearest_one_around_it() -> None:
    found = find_positions("a = 1\n[[nodes]]\nname = 'x'\n  ssh = { port = 'no' }\n")
    assert found.value(("nodes", 0, "ssh", "port")) == (4, 18)
    assert found.key(("nodes", 0, "ssh", "port")) == (4, 11)
    assert found.value(("nodes", 0, "ssh", "user")) == (4, 9)
    assert found.value(("nodes", 0, "roles", 7)) == (2, 1)
    assert found.value(("elsewhere",)) == (1, 1)


def test_repeated_keys_are_noticed_with_both_places() -> None:
    found = find_positions("[a]\nb = 1\nc = 2\nb = 3\n")
    assert found.repeats == [(("a", "b"), 16)]
    assert found.key(("a", "b")) == (2, 1)


def test_hostile_nesting_ends(recwarn: pytest.WarningsRecorder) -> None:
    find_positions("a = " + "[" * 100_000)
    find_positions("a = " + "{b=" * 100_000)
    find_positions('a = "' + "\\" * 1_000_001)

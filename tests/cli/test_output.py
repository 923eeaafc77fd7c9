from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hactl.cli.output import rendered, table
from hactl.view.tables import text_width

ROWS = [["db1", "primary, takes writes", "ok"], ["backup1", "-", "unknown"]]


def test_a_table_is_as_wide_as_its_content() -> None:
    assert table(("NODE", "ROLE", "LEVEL"), ROWS, width=80).splitlines() == [
        "NODE     ROLE                   LEVEL",
        "db1      primary, takes writes  ok",
        "backup1  -                      unknown",
    ]


def test_a_narrow_table_cuts_its_widest_column_visibly() -> None:
    lines = table(("NODE", "ROLE", "LEVEL"), ROWS, width=30).splitlines()
    assert lines[1] == "db1      primary, ta…  ok"
    assert max(map(len, lines)) <= 30


def test_a_pipe_gets_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert "x" * 300 in table(("A",), [["x" * 300]])


WORDS = st.text("ab 日本é\u0301x", max_size=30)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=5), st.integers(22, 120))
def test_a_table_never_leaves_its_width(rows, width: int) -> None:
    lines = table(("A", "B", "C"), rows, width=width).split("\n")
    assert len(lines) == len(rows) + 1
    assert all(text_width(line) <= width for line in lines)


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
)  # fmt: skip


@given(DOCUMENTS)
def test_documents_survive_their_format(document) -> None:
    assert json.loads(rendered(document, "json")) == document
    lines = rendered(document, "jsonl").split("\n") if not isinstance(document, list) else None
    if lines is not None:
        assert len(lines) == 1


@given(st.dictionaries(st.text("abc", max_size=3), st.text("ab:#- '\"\n", max_size=8)))
def test_yaml_is_read_back_as_it_was(document) -> None:
    assert yaml.safe_load(rendered(document, "yaml")) == document


def test_a_list_is_one_line_per_item() -> None:
    assert rendered([{"a": 1}, {"a": "ü\n"}], "jsonl") == '{"a":1}\n{"a":"ü\\n"}'


def test_an_unknown_format_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="no such format"):
        rendered({}, "xml")

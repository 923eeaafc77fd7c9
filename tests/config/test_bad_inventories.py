"""Every mistake class has a case: bad/NAME.toml, and in NAME.expected every problem that must be told, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.config import load_inventory, parse_inventory
from hactl.model.errors import InventoryError

CASES = Path(__file__).parents[1] / "cases" / "inventory"
BAD = sorted((CASES / "bad").glob("*.toml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_problem_is_told_with_its_place(path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        parse_inventory(path.read_bytes(), path, shown="FILE")
    assert all(problem.startswith("FILE:") for problem in caught.value.problems)
    told = [problem.removeprefix("FILE:") for problem in caught.value.problems]
    assert told == path.with_suffix(".expected").read_text("utf-8").splitlines()


def test_no_case_is_without_its_expectation_and_none_is_empty() -> None:
    assert len(BAD) >= 25
    assert {path.stem for path in BAD} == {path.stem for path in (CASES / "bad").glob("*.expected")}
    assert all(path.read_text("utf-8").strip() for path in (CASES / "bad").glob("*.expected"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_message_can_touch_a_terminal(path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load_inventory(path)
    assert str(caught.value).replace("\n", "").isprintable()


def test_a_place_points_at_the_word_that_is_wrong() -> None:
    path = CASES / "bad" / "unknown-keys.toml"
    with pytest.raises(InventoryError) as caught:
        load_inventory(path)
    lines = path.read_text("utf-8").splitlines()
    for problem in caught.value.problems:
        _, line, column, message = problem.removeprefix(str(path)).split(":", 3)
        word = message.split('"')[1]
        assert lines[int(line) - 1][int(column) - 1 :].startswith(word)


def test_unreadable_files_are_problems_too(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "huge.toml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    expected = {
        "folder": "is a directory",
        "absent.toml": "does not exist",
        "huge.toml": "is larger than 4 MiB",
        "loop.toml": "cannot be read",
        "a\0b": "is not a file name",
    }
    for name, words in expected.items():
        with pytest.raises(InventoryError) as caught:
            load_inventory(tmp_path / name)
        assert len(caught.value.problems) == 1
        assert words in caught.value.problems[0]


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    text = (CASES / "good" / "terse.toml").read_bytes()
    path.write_bytes(text + b"#" * (4 * 1024 * 1024 - len(text)))
    assert load_inventory(path).name == "terse"

"""Files that were restored against live ones: what may differ, what must not, and names of every kind."""

from __future__ import annotations

import pytest

from hactl.drivers.verbs.files_compare import Compared, File, compare, read_files

TAKEN = 1000.0
A, B = "a" * 64, "b" * 64
COPY = File(3, "640", 2000.0, A)  # its entry is as old as the restore


@pytest.mark.parametrize(
    ("live", "counted"),
    [
        (File(3, "640", 900.0, A), "same"),
        (File(3, "640", 1100.0, A), "same"),  # renamed or linked since: nothing is different
        (File(3, "640", 900.0, B), "differ"),
        (File(4, "640", 900.0, B), "differ"),
        (File(3, "600", 900.0, A), "differ"),
        (File(3, "640", 1000.0, B), "differ"),
        (File(3, "640", 1000.1, B), "changed"),
        (File(3, "600", 1100.0, A), "changed"),
        (File(3, "640", 900.0, ""), "changed"),  # gone before it was read
    ],
)
def test_only_a_file_that_nobody_touched_since_must_be_what_was_restored(live: File, counted: str) -> None:
    found = compare({"/f": COPY}, {"/f": live}, TAKEN)
    assert (found.files, found.size) == (1, 3)
    assert {
        "same": found.same,
        "changed": found.changed,
        "differ": len(found.differ),
        "missing": len(found.missing),
        "gone": found.gone,
        "added": found.added,
    } == dict.fromkeys(("same", "changed", "differ", "missing", "gone", "added"), 0) | {counted: 1}


def test_what_is_not_in_the_snapshot_and_should_be_is_missing() -> None:
    live = {"/old": File(1, "644", 999.0, A), "/new": File(1, "644", 1001.0, A)}
    found = compare({"/gone": COPY}, live, TAKEN)
    assert (found.missing, found.added, found.gone) == (("/old",), 1, 1)
    assert found.wrong == ("1 were not in the snapshot: /old",)
    assert found.since == "1 gone, 1 added"


def test_a_few_names_are_told_and_all_are_counted() -> None:
    differ = ("/a", "/b\nc", "/d", "/e")
    found = Compared(9, 9, 5, differ, (), 0, 0, 0)
    assert found.wrong == ("4 differ from what was restored: /a, /b␊c, /d, ...",)


def test_names_of_every_kind_are_read_from_both_answers() -> None:
    """stat writes a name as it is; sha256sum escapes what would break its line, and says so by a backslash in front."""
    listed = "3:640:1000.500000000:/s/files/up/plain\n7:644:1.0:/s/files/up/two\nlines\\x\n1:644:2.0:/s/files/up/a␍b\n"
    summed = f"{A}  /s/files/up/plain\n\\{B}  /s/files/up/two\\nlines\\\\x\n\\{A}  /s/files/up/a\\rb\n"
    assert read_files(listed, summed, "/s/files") == {
        "/up/plain": File(3, "640", 1000.5, A),
        "/up/two\nlines\\x": File(7, "644", 1.0, B),
        "/up/a␍b": File(1, "644", 2.0, A),
    }


def test_a_file_that_was_gone_before_it_was_read_has_no_sum() -> None:
    assert read_files("3:640:1.0:/f\n", "") == {"/f": File(3, "640", 1.0, "")}
    assert read_files("", "") == {}


@pytest.mark.parametrize("listed", ["find: what?\n", "3:640:1.0:/elsewhere/f\n"])
def test_what_is_no_file_is_not_taken_for_one(listed: str) -> None:
    with pytest.raises(ValueError, match="this is no file"):
        read_files(listed, "", "/s/files")

"""The handbook is whole: a page for every playbook that ships, all built alike, with guards that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hactl.model.guard import GUARDS
from tests.cli.driving import ROOT

FOLDER = ROOT / "docs" / "handbook"
INDEX = FOLDER / "README.md"
PAGES = sorted(set(FOLDER.glob("*.md")) - {INDEX})
HEADINGS = ["Before", "Do it", "What may refuse", "When it stops", "Afterwards, and the way back"]
OTHER_REFUSALS = ("every guard of its playbook", "a wrong use (exit 2)")


def indexed() -> dict[str, set[str]]:
    """The playbooks that the index names for each page."""
    rows = re.findall(r"^\| \[.*?\]\((.*?)\) \| .*? \| (.*?) ?\|$", INDEX.read_text("utf-8"), re.MULTILINE)
    return {page: set(re.findall(r"`(.*?)`", names)) for page, names in rows}


def test_every_playbook_has_a_page_and_every_page_is_in_the_index() -> None:
    assert sorted(indexed()) == [page.name for page in PAGES]
    named = [name for names in indexed().values() for name in names]
    assert sorted(named) == sorted(path.stem for path in (ROOT / "playbooks").glob("*.toml"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_built_as_all_are(page: Path) -> None:
    text = page.read_text("utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert max(map(len, text.splitlines())) <= 180


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_guards_are_called_as_they_are(page: Path) -> None:
    table = page.read_text("utf-8").partition("## What may refuse\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].strip("| ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        if row not in OTHER_REFUSALS:
            names = re.findall(r"`(.*?)`", row)
            assert names, row
            assert set(names) <= set(GUARDS)

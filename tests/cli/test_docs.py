"""What the documentation tells people to type can be typed, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from hactl.cli import reference
from tests.cli.driving import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "vagrant" / "README.md"]
COMMANDS = dict(reference.commands())


def typed(page: Path) -> list[str]:
    """The lines of its shell examples that begin with hactl, each up to a pipe, a redirection or another command."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [re.split(r" (?:[|&>]|\d>)", line)[0] for line in lines if re.match(r"hactl( |$)", line)]


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if typed(page)], ids=_named)
def test_commands_are_real(page: Path) -> None:
    for line in typed(page):
        words = shlex.split(line, comments=True)
        known = words.pop(0)
        if words[:1] == ["-i"]:
            words = words[2:]
        while words and f"{known} {words[0]}" in COMMANDS:
            known += f" {words.pop(0)}"
        ctx = COMMANDS[known]
        ctx.command.make_parser(ctx).parse_args(words)  # raises a UsageError


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)", page.read_text("utf-8")):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, anchor


def test_the_picture_of_the_architecture_has_every_room() -> None:
    drawn = re.findall(r'class="name".*?>(.*?)<', (ROOT / "docs" / "architecture.svg").read_text("utf-8"))
    rooms = {path.parent.name for path in (ROOT / "hactl").glob("*/__init__.py")}
    assert set(drawn) == rooms | {"the cluster"}

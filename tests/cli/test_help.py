"""Every command's help, whatever commands there are: examples, 80 columns, one way of writing."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from hactl.cli import reference
from hactl.cli.root import root

PAGES = dict(reference.commands())


@pytest.mark.parametrize("path", PAGES)
def test_help_reads_well(path: str) -> None:
    ctx = PAGES[path]
    text = ctx.get_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "Examples:" in text, "say how it is used: epilog=examples(...)"
    assert ctx.command.help
    assert re.search(r"[.:]$", ctx.command.help.split("\n\n")[0].strip()), "the first paragraph is a sentence"
    assert not re.search(r"\.\.\.$", text.partition("Commands:")[2], re.MULTILINE), "no sentence is cut"
    assert not re.search(r"--\S+ (TEXT |INTEGER|FLOAT)", text.replace("--reason TEXT", "").replace("--note TEXT", ""))


@pytest.mark.parametrize("path", PAGES)
def test_every_option_is_explained(path: str) -> None:
    for param in PAGES[path].command.params:
        if isinstance(param, click.Option) and not param.hidden:
            assert param.help, f"{path} {param.opts[-1]}"


@pytest.mark.parametrize("path", PAGES)
def test_examples_are_commands_that_exist(path: str) -> None:
    """Each example that begins with hactl parses: its command and its options are real."""
    lines = PAGES[path].get_help().partition("Examples:")[2].splitlines()
    for line in filter(None, map(str.strip, lines)):
        if line.startswith("hactl "):
            words = re.split(r"\s{2,}| [|>] ", line)[0].split()[1:]
            while words and words[0].startswith("-"):
                words = words[2:]  # a global option and its value
            known = "hactl"
            while words and f"{known} {words[0]}" in PAGES:
                known += f" {words.pop(0)}"
            options = {name for param in PAGES[known].command.params for name in param.opts + param.secondary_opts}
            used = {w.partition("=")[0] for w in words[: words.index("--") if "--" in words else None] if w[0] == "-"}
            assert used <= options | {"-h", "--help", "-i"}, line


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["staus"], 'There is no command "staus"; did you mean "status"?'),
        (["runs", "lsit"], 'There is no command "lsit"; did you mean "list"?'),
        (["lab", "fault", "frezee", "db1"], 'There is no command "frezee"; did you mean "freeze"?'),
        (["vip", "nonsense"], 'There is no command "nonsense".'),
    ],
)
def test_a_mistyped_command_is_answered_with_the_right_one(typed: list[str], said: str) -> None:
    done = CliRunner().invoke(root, typed)
    assert done.exit_code == 2
    assert said in done.output

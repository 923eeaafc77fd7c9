"""The reference pages are the code's own words."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from hactl.cli import reference
from hactl.cli.exit_codes import CHECK_MEANINGS, MEANINGS, CheckCode, ExitCode, exit_code
from hactl.model import errors
from tests.cli.driving import ROOT


@pytest.mark.parametrize("name", list(reference.pages()))
def test_a_page_is_what_the_code_says_now(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], "run `python -m hactl.cli.reference`"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_page_is_clean_and_shows_every_command() -> None:
    page = ROOT / "docs" / "reference" / "hactl.1"
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=200n", page], capture_output=True, text=True, check=True
    )
    assert shown.stderr == ""
    lines = {line.strip() for line in shown.stdout.splitlines()}
    assert {path for path, _ in reference.commands()} - {"hactl"} <= lines
    assert any(line.startswith("hactl drain app1 --plan ") for line in lines), "hyphens can be searched for"


def test_every_exit_code_is_explained_once() -> None:
    assert set(MEANINGS) == set(ExitCode)
    assert set(CHECK_MEANINGS) == set(CheckCode)
    assert len(set(MEANINGS.values())) == len(ExitCode)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("x"), 2),
        (errors.InventoryError("x"), 2),
        (errors.LimitError("x"), 2),
        (errors.LabError("x"), 3),
        (errors.ParseError("x"), 3),
        (errors.UnreachableError("n", "x"), 4),
        (errors.ConnectTimeoutError("n", "x"), 4),
        (errors.ConnectionLostError("n", "x"), 4),
        (errors.CommandTimeoutError("n", "x"), 4),
        (errors.HostKeyUnknownError("n", "x"), 5),
        (errors.HostKeyChangedError("n", "x"), 5),
        (errors.KeyEncryptedError("n", "x"), 5),
        (errors.BecomeDeniedError("n", "x"), 5),
        (errors.SocketUnavailableError("n", "x"), 5),
        (errors.UnsupportedError("n", "x"), 6),
        (errors.LabUnsupportedError("x"), 6),
    ],
)
def test_an_error_leads_to_one_exit_code(error: errors.HactlError, code: int) -> None:
    assert exit_code(error) == code


def test_every_error_has_a_code_of_its_own_and_says_what_it_means() -> None:
    kinds = list(reference._tree(errors.HactlError))
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)

"""`hactl serve`, asked for something that cannot be: what is wrong, what to do, and a usage error's exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.driving import LAB, ROOT, hactl


def _token(home: Path, text: str, mode: int = 0o600) -> str:
    path = home / "token"
    path.write_text(text, encoding="latin-1")
    path.chmod(mode)
    return str(path)


GOOD = "t" * 32
WRONG: dict[str, tuple[Callable[[Path], list[str]], tuple[str, ...]]] = {
    "half of TLS": (lambda _: ["--cert", "c.pem"], ("TLS needs both --cert and --key.",)),
    "the other half": (lambda _: ["--key", "k.pem"], ("TLS needs both --cert and --key.",)),
    "no such port": (lambda _: ["--port", "70000"], ("--port", "0<=x<=65535")),
    "nobody may come": (lambda _: ["--sessions", "0"], ("--sessions", "1<=x<=64")),
    "no span": (lambda _: ["--idle", "soon"], ("--idle",)),
    "too much": (lambda _: ["here"], ("unexpected extra argument",)),
    "no token file": (lambda _: ["--token-file", "none"], ("token file none cannot be read", "No such file")),
    "others can read the token": (
        lambda home: ["--token-file", _token(home, GOOD, 0o644)],
        ("Others can read the token", "chmod 600"),
    ),
    "a short token": (lambda home: ["--token-file", _token(home, "secret")], ("too easy to guess", "openssl rand")),
    "an odd token": (lambda home: ["--token-file", _token(home, "\xe9" * 32)], ("not ASCII",)),
    "no such address": (lambda _: ["--host", "no.such.host.invalid"], ("no.such.host.invalid", "to listen on")),
    "open to everybody": (
        lambda _: ["--host", "0.0.0.0"],
        ("can be reached from other machines", "--token-file", "ssh -L"),
    ),
    "no TLS files": (lambda _: ["--cert", "c.pem", "--key", "k.pem"], ("c.pem", "cannot be used", "PEM")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_and_nothing_listens(name: str, tmp_path: Path) -> None:
    options, said = WRONG[name]
    done = hactl("-i", str(LAB), "serve", "--port", "0", *options(tmp_path), home=tmp_path)
    assert done.returncode == 2, done.stderr
    assert all(text in " ".join(done.stderr.split()) for text in said), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_without_the_extra_it_says_which(tmp_path: Path) -> None:
    (tmp_path / "textual_serve.py").write_text("raise ModuleNotFoundError('gone', name='textual_serve')\n")
    done = hactl("-i", str(LAB), "serve", home=tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == 2, done.stderr
    assert "the module textual_serve is not installed" in done.stderr
    assert "pip install 'hactl[web]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_inventory_that_is_none_is_told_before_anything_listens(tmp_path: Path) -> None:
    done = hactl("-i", "none.toml", "serve", home=tmp_path)
    assert done.returncode == 2
    assert "none.toml" in done.stderr
    assert done.stdout == ""

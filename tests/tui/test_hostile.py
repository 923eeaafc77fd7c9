"""A node that sends escape sequences, C1 controls, bidirectional overrides and markup: none of it reaches the terminal.

The node is a real SSH server whose `df` tells of mounts with hostile names; the dashboard runs in a real pty, and
every byte that it writes there is searched.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import sshd
from tests.tui.terminal import Terminal

pytestmark = [
    pytest.mark.sshd,
    pytest.mark.skipif(sshd.SSHD is None, reason="no OpenSSH server here: install openssh-server"),
]

# What no terminal may get from a node.
HOSTILE = {
    "set the title": b"\x1b]0;owned\x07",
    "write the clipboard": b"\x1b]52;c;b3duZWQ=\x07",
    "clear the screen": b"\x1b[2Jowned",
    "an 8-bit control sequence": b"\xc2\x9b2Jowned",
    "turn the text around": "\u202eowned".encode(),
    "hide a word": "\u200bowned".encode(),
    "not UTF-8": b"\xff\xfeowned",
    "markup": b"[@click=app.exit]owned[/]",
}


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Path]:
    key = sshd.keygen(tmp_path / "key")
    with sshd.account() as who, tempfile.TemporaryDirectory(dir=who.home) as place:
        tools = Path(place)
        tools.chmod(0o755)
        rows = (
            b"/dev/vd%d ext4 1000 10 1000 990 10 99%% /bad-%b\n" % (number, text.replace(b" ", b""))
            for number, text in enumerate(HOSTILE.values())
        )
        (tools / "said").write_bytes(
            b"Filesystem Type Inodes IUsed 1K-blocks Used Avail Use% Mounted on\n" + b"".join(rows)
        )
        df = tools / "df"
        df.write_text(f"#!/bin/sh\ncat {tools}/said\n")
        df.chmod(0o755)
        (tools / "words").write_bytes(b"\n".join(HOSTILE.values()) + b"\n")
        shout = tools / "shout"
        shout.write_text(f"#!/bin/sh\ncat {tools}/words\ncat {tools}/words >&2\nexit 3\n")
        shout.chmod(0o755)
        options = f"SetEnv SHLVL=2 PATH={tools}:{os.environ['PATH']}\n"
        server = sshd.Sshd(tmp_path / "server", who, key, options)
        server.configuration.write_text(
            server.configuration.read_text().replace("SetEnv SHLVL=2\n", "", 1)  # the first SetEnv wins
        )
        with server.running():
            path = tmp_path / "hostile.toml"
            path.write_text(
                f'schema = 1\n[cluster]\nname = "hostile"\n[ssh]\nuser = "{who.name}"\nport = {server.port}\n'
                f'identity = "{key}"\nknown_hosts = "{server.known_hosts}"\nconfig = []\n'
                '[[sites]]\nname = "here"\n'
                '[[nodes]]\nname = "liar"\nsite = "here"\naddress = "127.0.0.1"\nroles = ["app"]\n'
            )
            yield path


def test_no_control_byte_of_a_node_reaches_the_terminal(inventory: Path) -> None:
    with Terminal.hactl("-i", str(inventory), size=(200, 50)) as terminal:
        terminal.wait_for("99 % full", "owned")
        terminal.type("2")
        terminal.wait_for("liar", "U Undrain")
        terminal.type("\r")
        terminal.wait_for("node liar", "owned")
        terminal.type("q")
        assert terminal.wait() == 0
        harmless(terminal.output)


def test_what_a_command_of_a_run_says_is_text(inventory: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path)}
    with Terminal.hactl("-i", str(inventory), size=(120, 50), env=env) as terminal:
        terminal.wait_for("99 % full")
        terminal.type("7")
        terminal.wait_for("run-command")
        terminal.type("/")
        terminal.wait_for("rows with this text")
        terminal.type("run-command\r")
        terminal.wait_until_gone("rolling-upgrade")
        terminal.type("\r")
        terminal.wait_for("The program and its arguments")
        terminal.type("shout")
        terminal.type("\x1b[A" + "liar")  # the line above: the limit
        terminal.type("\x07")
        terminal.wait_for("command liar: command", "y carries it out")
        terminal.type("y")
        terminal.wait_for("✖ failed", "[@click=app.exit]owned[/]", "owned")
        terminal.type("q")
        assert terminal.wait() == 0
        harmless(terminal.output)


def harmless(output: bytes) -> None:
    """Nothing of what the node said works on the terminal."""
    for what, text in HOSTILE.items():
        if what != "markup":  # markup is harmless as text, and must be shown as text
            assert text not in output, what
    # Textual's one BEL ends its choice of a pointer's shape; it never sets titles, the clipboard, or C1 controls.
    rest = re.sub(rb"\x1b\]22;[a-z-]*\x07", b"", output)
    for sequence in (b"\x1b]", b"\xc2\x9b", "\u202e".encode(), "\u200b".encode(), b"\x07"):
        assert sequence not in rest, sequence

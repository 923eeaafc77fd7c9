"""What loading a transport costs and touches, seen in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hactl.transport.endpoint import jump_endpoint_parts

MAKE = """
import sys
from hactl.model.inventory import Inventory, Node, Site, SshSettings, Thresholds, TransportKind
from hactl.transport.factory import TransportFactory
node = Node("n", "127.0.0.1", "s", (), SshSettings(transport=TransportKind("{kind}")))
TransportFactory(Inventory("x", {{"s": Site("s")}}, {{"n": node}}, {{}}, {{}}, {{}}, Thresholds())).make(node)
print(*sorted(sys.modules.keys() & {{"asyncssh", "paramiko", "psutil", "textual", "pydantic"}}))
"""


def python(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(("kind", "loaded"), [("local", ""), ("asyncssh", "asyncssh"), ("paramiko", "paramiko")])
def test_a_library_is_loaded_where_it_is_used(kind: str, loaded: str) -> None:
    assert python(MAKE.format(kind=kind)) == loaded


def test_asyncssh_comes_without_a_compiler_and_leaves_no_trace() -> None:
    script = """
import ctypes.util, subprocess, sys
before, started = ctypes.util.find_library, []
sys.addaudithook(lambda event, args: started.append(args) if event in ("subprocess.Popen", "os.posix_spawn") else None)
from hactl.transport.asyncssh_lib import asyncssh
assert not started, started
assert ctypes.util.find_library is before
assert "cryptography.x509" not in sys.modules
import asyncssh.crypto, cryptography.x509
assert not hasattr(asyncssh.crypto, "X509Name")
print(asyncssh.generate_private_key("ssh-ed25519").get_algorithm())
"""
    assert python(script) == "ssh-ed25519"


@pytest.mark.parametrize(
    ("hop", "parts"),
    [
        ("host", (None, "host", None)),
        ("me@host", ("me", "host", None)),
        ("me@host:22", ("me", "host", 22)),
        ("me@corp@host:2222", ("me@corp", "host", 2222)),
        ("[2001:db8::1]:22", (None, "2001:db8::1", 22)),
        ("2001:db8::1", (None, "2001:db8::1", None)),
    ],
)
def test_jump_hosts(hop: str, parts: tuple[str | None, str, int | None]) -> None:
    assert jump_endpoint_parts(hop) == parts


@pytest.mark.parametrize("hop", ["", "me@", "host:port"])
def test_what_is_no_jump_host(hop: str) -> None:
    with pytest.raises(ValueError, match=r"names no host|invalid literal"):
        jump_endpoint_parts(hop)

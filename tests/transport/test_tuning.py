"""Options that are prepared once are what asyncssh would have prepared for each connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hactl.transport.asyncssh_connect import _FIXED
from hactl.transport.asyncssh_lib import asyncssh

GIVEN: dict[str, Any] = {
    "host": "10.0.0.1",
    "port": 22,
    "tunnel": None,
    "username": "ops",
    "proxy_command": None,
    "known_hosts": lambda *_: (),
    "client_factory": asyncssh.SSHClient,
    "server_host_key_algs": ["ssh-ed25519", "rsa-sha2-512"],
    "keepalive_interval": 2.0,
    **_FIXED,
}


def constructed(**changed: object) -> dict[str, object]:
    """The attributes of options, after another node's were constructed with GIVEN."""

    async def construct() -> dict[str, object]:
        await asyncssh.SSHClientConnectionOptions.construct(None, **GIVEN)
        return told(await asyncssh.SSHClientConnectionOptions.construct(None, **{**GIVEN, **changed}))

    return asyncio.run(construct())


def told(options: asyncssh.SSHClientConnectionOptions) -> dict[str, object]:
    """Without what has no equality: an empty configuration."""
    return {name: value for name, value in vars(options).items() if name != "config"}


@pytest.mark.parametrize(
    "changed",
    [
        {
            "host": "10.0.0.2",
            "known_hosts": lambda *_: ((), ()),
            "client_factory": type("Other", (asyncssh.SSHClient,), {}),
        },
        {"port": 2222},
        {"username": "admin"},
        {"keepalive_interval": 10.0},
        {"server_host_key_algs": ["ssh-ed25519"]},
        {"kex_algs": ["curve25519-sha256"], "encryption_algs": ["aes256-gcm@openssh.com"]},
        {"proxy_command": ("nc", "jump", "22")},
        {"host": "10.0.0.2", "preferred_auth": ["password"]},
    ],
)
def test_options_prepared_once_are_those_prepared_alone(changed: dict[str, Any]) -> None:
    assert constructed(**changed) == told(asyncssh.SSHClientConnectionOptions(None, **{**GIVEN, **changed}))

"""What a timer on this machine would have to run: which hactl this is, whose it is, and what it has been told."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from hactl.model.errors import InputError
from hactl.model.inventory import Inventory, TransportKind
from hactl.view.drill_units import Timed, calendar

_TOLD = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
"""Variables that decide where hactl's own files are: the timer's runs are to be in the same journal."""


def timed(inventory: Inventory, service: str, on_calendar: str, user: str | None) -> Timed:
    """Raises InputError, click.UsageError."""
    try:
        when = calendar(on_calendar)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    whose = _account(user)
    mine = whose.pw_uid == os.getuid()
    return Timed(
        cluster=inventory.name,
        service=service,
        command=(*_hactl(), "-i", inventory.path, "drill", "run", "--service", service, "--yes"),
        user=whose.pw_name,
        home=whose.pw_dir,
        on_calendar=when,
        sudo=any(node.ssh.transport is TransportKind.LOCAL for node in inventory.nodes.values()),
        environment=_told(os.environ) if mine else {},
    )


def _account(name: str | None) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.getuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        raise InputError(f"There is no account {name or os.getuid()} on this machine.") from None


def _hactl() -> tuple[str, ...]:
    """The command that is running now, by its full path."""
    own = Path(sys.argv[0])
    if own.name == "hactl" and os.access(own, os.X_OK):
        return (str(own.absolute()),)
    return (sys.executable, "-m", "hactl")


def _told(env: Mapping[str, str]) -> dict[str, str]:
    return {name: env[name] for name in _TOLD if env.get(name)}

"""A drill on a timer: the units that systemd starts it by, on the machine that hactl is on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WEEKLY = "Sun 03:00"
_CALENDAR = re.compile(r"[A-Za-z0-9*:,./~+_-][A-Za-z0-9*:,./~+_ -]{0,99}")

# It talks to nodes and writes its journal; it has no business anywhere else on this machine.
_HARDENING = """\
ProtectSystem=strict
ReadWritePaths={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
"""
_NO_SUDO = """\
NoNewPrivileges=yes
RestrictSUIDSGID=yes
CapabilityBoundingSet=
"""


@dataclass(frozen=True, slots=True)
class Timed:
    """`command`: the words that make the drill. `sudo`: nodes of the inventory are this machine itself, on which hactl
    uses sudo. `environment`: what the user's own hactl is told besides.
    """

    cluster: str
    service: str
    command: Sequence[str]
    user: str
    home: str
    on_calendar: str = WEEKLY
    sudo: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"hactl-drill-{self.cluster}-{self.service}"


def calendar(text: str) -> str:
    """What may stand behind OnCalendar=; systemd says whether it is a time. Raises ValueError."""
    if not _CALENDAR.fullmatch(text):
        raise ValueError(f'"{text}" is no time that systemd could take, such as "{WEEKLY}" or "monthly"')
    return text


def timer_units(timed: Timed) -> Mapping[str, str]:
    """File name to text: the service and its timer."""
    return {f"{timed.name}.service": _service(timed), f"{timed.name}.timer": _timer(timed)}


def _service(timed: Timed) -> str:
    told = "".join(f"Environment={quoted(f'{name}={value}')}\n" for name, value in timed.environment.items())
    hardening = _HARDENING.format(home=quoted(timed.home)) + ("" if timed.sudo else _NO_SUDO)
    return f"""\
[Unit]
Description=Restore drill of {timed.service} in cluster {timed.cluster}
Documentation=man:hactl(1)
Wants=network-online.target
After=network-online.target
# Exit status 3: the drill has failed. To be told of it, name a unit here that sends mail or the like:
#OnFailure=NAME@%n.service

[Service]
Type=oneshot
# No agent is at hand: the keys that the inventory names must open without a passphrase.
User={timed.user}
{told}ExecStart={" ".join(map(argument, timed.command))}
# The drill goes on in a process of its own when the one that waits for it is stopped, and clears away what it made.
KillMode=process
{hardening}"""


def _timer(timed: Timed) -> str:
    return f"""\
[Unit]
Description=When the restore drill of {timed.service} in cluster {timed.cluster} is made

[Timer]
OnCalendar={timed.on_calendar}
# One that was due while this machine was off is made when it is back.
Persistent=true

[Install]
WantedBy=timers.target
"""


def quoted(word: str) -> str:
    """A word as a unit file has it: nothing in it is a specifier, a blank between two, or the end of a line."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("%", "%%")
    return plain if re.fullmatch(r"[A-Za-z0-9_./:=@%,+-]+", plain) else f'"{plain}"'


def argument(word: str) -> str:
    """A word of a command line, in which systemd would put variables."""
    return quoted(word).replace("$", "$$")

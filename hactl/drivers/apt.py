"""Packages, upgrades and whether the node wants a reboot: asked rarely, in a session of their own, at low priority."""

from __future__ import annotations

import re
from functools import partial

from hactl.drivers.probe import Asked, Cadence, ExecProbe
from hactl.drivers.reading import explained
from hactl.model.command import Completed, command
from hactl.model.errors import ParseError
from hactl.model.facts import PackageFacts
from hactl.model.inventory import HaproxyService, HttpService, KeepalivedService, Service

_TIMEOUT = 60.0

# A dry run of the upgrade reads the lists that the node has; it fetches nothing and needs no rights. A line with @
# begins a section. /vmlinuz is the newest installed kernel wherever Debian manages kernels.
_SCRIPT = r"""
export LC_ALL=C
echo @kernel; uname -r; readlink /vmlinuz || readlink /boot/vmlinuz
echo @reboot; [ ! -e /run/reboot-required ] || echo yes
echo @os; cat /etc/os-release
echo @installed
[ $# -eq 0 ] || dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' -- "$@" 2>/dev/null
[ $? -lt 126 ] || echo @nodpkg
if ls /var/lib/apt/lists 2>/dev/null | grep -q Packages &&
  plan=$(timeout -k 1 45 nice -n 19 apt-get -s -qq upgrade </dev/null 2>/dev/null)
then
  echo @pending; printf '%s\n' "$plan" | grep '^Inst '
fi
echo @end
"""
_UPGRADE = re.compile(r"Inst (?P<name>\S+) \[[^]]*\] \((?P<version>\S+) (?P<origin>.*)\)")
_SECURITY = re.compile(r"-security\b", re.IGNORECASE)


def package_of(service: Service) -> str | None:
    """The Debian package that a service's upgrade is about."""
    if isinstance(service, HttpService):
        return service.package
    if isinstance(service, HaproxyService):
        return "haproxy"
    return "keepalived" if isinstance(service, KeepalivedService) else None


def packages(names: tuple[str, ...]) -> ExecProbe:
    """Installed versions of `names`, and what the node says of upgrades and reboots."""
    asked = command("sh", "-c", _SCRIPT, "sh", *names, timeout=_TIMEOUT)
    return ExecProbe("packages", Cadence.RARE, _TIMEOUT, asked, partial(parse, names))


def parse(names: tuple[str, ...], done: Completed, asked: Asked) -> PackageFacts:  # noqa: ARG001 - shape of a parse
    """Upgrades are counted as the node's own package lists have them; a node without lists cannot tell (None)."""
    told = _sections(done.stdout)
    if "end" not in told:
        raise ParseError(explained(done, "Asking for packages") if not done.ok else "The list of packages was cut off.")
    if names and "nodpkg" in told:
        raise ParseError("The node has no dpkg, so installed versions are not known.")
    kernel, *newest = told.get("kernel") or [""]
    pending = [match for match in map(_UPGRADE.match, told["pending"]) if match] if "pending" in told else None
    return PackageFacts(
        installed=dict(_installed(told.get("installed", []))),
        pending=None if pending is None else len(pending),
        pending_security=None if pending is None else sum(bool(_SECURITY.search(match["origin"])) for match in pending),
        offered={match["name"]: match["version"] for match in pending or () if match["name"] in names},
        reboot_required=told.get("reboot") == ["yes"] or _other_kernel(kernel, newest),
        os_name=_os_name(told.get("os", [])),
        kernel=kernel,
    )


def _sections(text: str) -> dict[str, list[str]]:
    """Lines by the `@name` line above them."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.split("\n"):
        if line.startswith("@"):
            current = sections.setdefault(line[1:], [])
        elif line:
            current.append(line)
    return sections


def _installed(lines: list[str]) -> list[tuple[str, str]]:
    """Packages whose files are there: not those of which only configuration is left."""
    rows = [line.split() for line in lines]
    return [(row[0], row[2]) for row in rows if len(row) == 3 and row[1] not in {"not-installed", "config-files"}]


def _other_kernel(running: str, newest: list[str]) -> bool:
    """Is a newer kernel installed than the one that runs?"""
    name = newest[0].rpartition("/")[2] if newest else ""
    return name.startswith("vmlinuz-") and name != f"vmlinuz-{running}"


def _os_name(lines: list[str]) -> str:
    told = dict(line.partition("=")[::2] for line in lines)
    return (told.get("PRETTY_NAME") or told.get("ID") or "").strip("\"'")

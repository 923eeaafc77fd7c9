"""The machine itself: processor, memory, disks, clock, units, packages."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model import rates
from hactl.model.assess.base import NodeCase, listed
from hactl.model.facts import ClockFacts, DiskFacts, Filesystem, HostFacts, PackageFacts, UnitFacts
from hactl.model.findings import Finding, Level
from hactl.model.observed import Observed
from hactl.model.units import number, size

_SHOWN = 3  # names that a sentence lists before it counts the rest


def judge(case: NodeCase) -> Iterator[Finding]:
    match case.read("host", HostFacts):
        case Observed(value=host):
            yield from _numbers(case, host)
    match case.read("disk", DiskFacts):
        case Observed(value=disk):
            for filesystem in disk.filesystems:
                yield from _filesystem(case, filesystem)
    match case.read("clock", ClockFacts):
        case Observed(value=clock):
            yield from _clock(case, clock)
    match case.read("units", UnitFacts):
        case Observed(value=units):
            yield from _failed_units(case, units)
    match case.read("packages", PackageFacts):
        case Observed(value=packages):
            yield from _packages(case, packages)


def _numbers(case: NodeCase, host: HostFacts) -> Iterator[Finding]:
    name = case.node.name
    load = host.load5 / host.cores
    yield from case.measured(
        "load_per_core",
        f"load:{name}",
        load,
        "load",
        after=f" per core, {number(host.load5)} on {host.cores} over 5 minutes",
    )
    # A short burst is no finding: the processor counts as busy once tasks also queue for it.
    cpu = rates.cpu_percent(case.state)
    if cpu is not None and host.load1 >= host.cores:
        yield from case.measured("cpu_percent", f"cpu:{name}", cpu, "cpu", after=f", load {number(host.load1)}")
    free = f", {size(host.memory_available)} of {size(host.memory_total)} available"
    yield from case.measured(
        "memory_percent", f"memory:{name}", rates.memory_percent(host), "memory", after=f" used{free}"
    )
    if host.swap_total:
        yield from case.measured("swap_percent", f"swap:{name}", rates.swap_percent(host), "swap", after=" used")
    yield from case.measured("uptime_seconds", f"uptime:{name}", host.uptime, "restarted", after=" ago")


def _filesystem(case: NodeCase, one: Filesystem) -> Iterator[Finding]:
    name, mount = case.node.name, one.mount
    yield from case.measured(
        "disk_percent",
        f"disk:{name}:{mount}",
        one.used_percent,
        f"disk {mount}",
        after=f" full, {size(one.available)} left",
        hint=f"Find what is large: du -xhd1 {mount}",
    )
    yield from case.measured(
        "inode_percent",
        f"inodes:{name}:{mount}",
        one.inodes_used_percent,
        f"disk {mount} inodes",
        after=" used",
        hint="Many small files: look for spools, sessions and caches that nobody cleans.",
    )


def _clock(case: NodeCase, clock: ClockFacts) -> Iterator[Finding]:
    """What the skew is at least: half the round trip could be ours. A long round trip is a finding itself."""
    certain = max(0.0, abs(clock.skew) - clock.error)
    yield from case.measured(
        "clock_skew_seconds",
        f"clock:{case.node.name}",
        certain,
        f"clock {'ahead' if clock.skew > 0 else 'behind'} by at least",
        hint="Look at time synchronisation there: timedatectl, chronyc tracking",
    )
    yield from case.measured(
        "round_trip_ms",
        f"round-trip:{case.node.name}",
        2000 * clock.error,
        "slow to answer:",
        hint="A slow or lossy link, or a node that is too busy: ping it, and look at its load.",
    )


def _failed_units(case: NodeCase, units: UnitFacts) -> Iterator[Finding]:
    """Those that carry a service have findings of their own."""
    ours = {unit for service in case.services for unit in service.units}
    failed = [unit for unit in units.failed if unit not in ours]
    if not failed:
        return
    names = [*failed[:_SHOWN], f"{len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else failed
    yield from case.measured(
        "failed_units",
        f"failed-units:{case.node.name}",
        len(failed),
        "failed units:",
        after=f", {listed(names)}",
        hint=f"systemctl status {failed[0]}",
    )


def _packages(case: NodeCase, packages: PackageFacts) -> Iterator[Finding]:
    name = case.node.name
    if packages.reboot_required:
        yield case.finding(
            f"reboot:{name}", Level.WARN, "needs a reboot to run what has been installed", hint="Drain it first."
        )
    upgrades = (
        ("pending_upgrades", packages.pending, ""),
        ("pending_security_upgrades", packages.pending_security, "security "),
    )
    for metric, count, kind in upgrades:
        if count is not None:
            yield from case.measured(metric, f"{metric.replace('_', '-')}:{name}", count, f"pending {kind}upgrades:")

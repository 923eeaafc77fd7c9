"""What is known about one node in words, in groups, for a page of its own; `node_tables` has what is rows there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hactl.model import rates
from hactl.model.assess.notes import by_whom, note_of
from hactl.model.facts import ClockFacts, DiskFacts, HostFacts, NoteFacts, PackageFacts, UnitFacts, VersionFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import Service
from hactl.model.observed import Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, NodeState
from hactl.view import node_services, units
from hactl.view.cluster import Fact


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    facts: tuple[Fact, ...]


def node_facts(picture: Picture, node: str) -> tuple[Section, ...]:
    """The node's findings, its link, the machine, and each of its services. Names of nodes as in the inventory."""
    about = tuple(finding for finding in picture.assessment.findings if finding.node == node)
    page = _Page(picture, picture.state.nodes[node], about, picture.now)
    sections = [
        Section("findings", tuple(page.findings())),
        Section("link", tuple(page.link())),
        Section("balancing", tuple(page.balancing())),
        Section("machine", tuple(page.machine())),
        Section("disks", tuple(page.disks())),
        Section("system", tuple(page.system())),
        *(
            Section(f"{service.name} ({service.kind})", tuple(page.probes(service)))
            for service in picture.state.inventory.services_on(node)
        ),
    ]
    return tuple(section for section in sections if section.facts)


@dataclass(frozen=True, slots=True)
class _Page:
    picture: Picture
    state: NodeState
    about: tuple[Finding, ...]
    now: float

    def findings(self) -> Iterator[Fact]:
        for finding in self.about:
            yield Fact(finding.service or "node", finding.sentence, finding.level)
            if finding.hint:
                yield Fact("", finding.hint)

    def link(self) -> Iterator[Fact]:
        node, link = self.picture.state.inventory.nodes[self.state.name], self.state.link
        since = units.duration(max(0.0, self.now - link.since))
        level = {LinkPhase.UP: None, LinkPhase.DOWN: Level.CRIT}.get(link.phase, Level.UNKNOWN)
        yield Fact("state", f"{link.phase} for {since}", level)
        yield Fact("address", link.address or node.address)
        yield Fact("site", node.site)
        yield Fact("roles", ", ".join(node.roles))
        if link.software:
            yield Fact("server", link.software)
        if link.reason:
            yield Fact("reason", link.reason, level)
        if link.attempts:
            yield Fact("attempts", str(link.attempts))

    def balancing(self) -> Iterator[Fact]:
        """The pools that it is out of, and who took it out; the note of a node that is in all of them is not told."""
        pools = self.picture.state.inventory.pools_of(self.state.name)
        out = [one for one in pools if self.state.name in self.picture.assessment.pools[one.name].drained]
        for pool in out:
            note = note_of(self.picture.state, pool, self.state.name, self.now)
            if note is None:
                yield Fact(pool.name, "taken out, by whom is not known", Level.WARN)
                continue
            run = f" (run {note.run})" if note.run else ""
            whom = by_whom(note, self.picture.state.wall(self.now))
            yield Fact(pool.name, f"taken out {whom}{run}", Level.WARN)
        answer = self.state.read("note", NoteFacts, self.now)
        if out and isinstance(answer, Observed) and answer.value.ignored:
            yield Fact("note", f"? {answer.value.ignored}", Level.UNKNOWN)

    def machine(self) -> Iterator[Fact]:
        host = self.state.read("host", HostFacts, self.now)
        if isinstance(host, Unknown):
            yield self.unknown("host", "host", host)
            return
        facts = host.value
        cpu = rates.cpu_percent(self.state)
        yield self.metric("cpu", "cpu_percent", "?" if cpu is None else f"{units.percent(cpu)} of {facts.cores} cores")
        yield self.metric("load", "load_per_core", f"{facts.load1:.2f} {facts.load5:.2f} {facts.load15:.2f}")
        available = f"{units.size(facts.memory_available)} of {units.size(facts.memory_total)} available"
        yield self.metric("memory", "memory_percent", f"{units.percent(rates.memory_percent(facts))}, {available}")
        if facts.swap_total:
            used = units.percent(rates.swap_percent(facts))
            yield self.metric("swap", "swap_percent", f"{used} of {units.size(facts.swap_total)}")
        traffic = rates.traffic(self.state)
        if traffic is not None:
            yield Fact("network", f"in {units.rate(traffic.received)}, out {units.rate(traffic.sent)}")
        yield self.metric("uptime", "uptime_seconds", units.duration(facts.uptime))
        if facts.addresses:
            yield Fact("addresses", " ".join(facts.addresses))
        yield Fact("asked", f"{units.age(host.age(self.now))} ago")

    def disks(self) -> Iterator[Fact]:
        answer = self.state.read("disk", DiskFacts, self.now)
        if isinstance(answer, Unknown):
            yield self.unknown("disk", "disk", answer)
            return
        for one in answer.value.filesystems:
            inodes = f", inodes {units.percent(one.inodes_used_percent)}" if one.inodes_used_percent else ""
            left = f"{units.size(one.available)} of {units.size(one.size)} left{inodes}"
            key = f"disk:{self.state.name}:{one.mount}"
            yield Fact(one.mount, f"{units.percent(one.used_percent)} used, {left}", self.level(key))

    def system(self) -> Iterator[Fact]:
        clock = self.state.read("clock", ClockFacts, self.now)
        if isinstance(clock, Unknown):
            yield self.unknown("clock", "clock", clock)
        else:
            synced = {True: ", synchronised", False: ", not synchronised", None: ""}[clock.value.synchronized]
            ahead = f"{clock.value.skew:+.3f} s ± {clock.value.error:.3f} s{synced}"
            yield self.metric("clock", "clock_skew_seconds", ahead)
        units_answer = self.state.read("units", UnitFacts, self.now)
        if isinstance(units_answer, Unknown):
            yield self.unknown("failed units", "units", units_answer)
        else:
            yield self.metric("failed units", "failed_units", " ".join(units_answer.value.failed) or "none")
        packages = self.state.read("packages", PackageFacts, self.now)
        if isinstance(packages, Unknown):
            yield self.unknown("packages", "packages", packages)
            return
        facts = packages.value
        yield Fact("os", facts.os_name)
        yield Fact("kernel", facts.kernel)
        pending = "?" if facts.pending is None else str(facts.pending)
        security = "" if facts.pending_security is None else f", {facts.pending_security} of them security"
        yield self.metric("upgrades", "pending_upgrades", f"{pending} pending{security}")
        yield Fact(
            "reboot", "needed" if facts.reboot_required else "not needed", Level.WARN if facts.reboot_required else None
        )
        for package, version in facts.installed.items():
            newer = facts.offered.get(package)
            yield Fact(package, f"{version}, {newer} offered" if newer else version)

    def probes(self, service: Service) -> Iterator[Fact]:
        """The version that it tells, and what its own probe says, as far as either was ever asked."""
        version = self.state.read(f"version:{service.name}", VersionFacts, self.now)
        if not isinstance(version, Unknown):
            yield Fact("version", version.value.version)
        key = f"{service.kind}:{service.name}"
        if key not in self.state.readings:
            return
        answer = node_services.read(self.state, key, self.now)
        if isinstance(answer, Unknown):
            yield self.unknown("answer", key, answer)
        else:
            yield from node_services.facts(answer.value)

    def metric(self, label: str, metric: str, value: str) -> Fact:
        """A measured value with the level of the finding about it, if there is one."""
        levels = [one.level for one in self.about if one.metric == metric]
        return Fact(label, value, max(levels, default=None))

    def level(self, key: str) -> Level | None:
        return next((one.level for one in self.about if one.key == key), None)

    def unknown(self, label: str, key: str, why: Unknown) -> Fact:
        """A question mark with the reason, and how old the last answer is, which is not shown as though it were now."""
        reading = self.state.readings.get(key)
        seen = reading.last if reading else None
        age = f", last answer {units.age(seen.age(self.now))} ago" if seen else ""
        return Fact(label, f"? {why.reason.rstrip('.')}{age}", Level.UNKNOWN)

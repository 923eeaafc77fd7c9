"""Who really has an address that keepalived moves: the addresses of all candidates, never what one of them believes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from hactl.model.assess.base import ClusterCase, listed
from hactl.model.assess.rollup import verdict
from hactl.model.assess.spans import span, together
from hactl.model.facts import Facts, HostFacts
from hactl.model.findings import Finding, Level, Scope, ScopeKind, Verdict, VipVerdict
from hactl.model.inventory import Vip

_BOTH = "Split brain: look at VRRP between the balancers (firewall, a frozen keepalived) and stop keepalived on one."
_NONE = "Look at keepalived and its checks on every balancer: systemctl status keepalived"


def judge(case: ClusterCase, vip: Vip, before: Verdict | None) -> tuple[VipVerdict, list[Finding]]:
    """Exactly one holder is right. What could not be asked is said, not guessed."""
    candidates = case.inventory.services[vip.service].nodes
    known = {name: seen.value for name, seen in case.known(candidates, "host", HostFacts).items()}
    known = {name: host for name, host in known.items() if host.addresses}  # none at all: they were not asked for
    unknown = tuple(name for name in candidates if name not in known)
    holders = _holders(case, vip, known)
    level, sentence, hint = _judged(case, vip, tuple(known), holders, unknown)
    shown = verdict(level, sentence, before, case.now)
    findings = []
    if level is not Level.OK:
        scope = Scope(ScopeKind.VIP, vip.name)
        findings = [case.finding(f"vip:{vip.name}", level, scope, sentence, hint=hint, service=vip.service)]
    return VipVerdict(vip.name, vip.address, shown, holders, unknown), findings


def holds(address: str) -> Callable[[Facts], bool]:
    """Does a host have the address? Spellings of one IPv6 address are the same address."""
    wanted = {address, _canonical(address)}
    return lambda facts: isinstance(facts, HostFacts) and not wanted.isdisjoint(facts.addresses)


def _canonical(address: str) -> str:
    try:
        return ip_address(address).compressed
    except ValueError:
        return address


def _holders(case: ClusterCase, vip: Vip, known: Mapping[str, HostFacts]) -> tuple[str, ...]:
    """Those that have it now. Of two answers that were never true together the newer one counts."""
    has = holds(vip.address)
    having = {name: span(case.state.nodes[name].readings["host"], has) for name, host in known.items() if has(host)}
    if not having:
        return ()
    newest = max(having.values(), key=lambda one: (one.start, one.end))
    return tuple(name for name, one in having.items() if one is newest or together((one, newest)))


def _judged(
    case: ClusterCase, vip: Vip, known: tuple[str, ...], holders: tuple[str, ...], unknown: tuple[str, ...]
) -> tuple[Level, str, str]:
    """Level, sentence and hint."""
    doubt = f"; {listed(unknown)} could not be asked" if unknown else ""
    if len(holders) > 1:
        return Level.CRIT, f"{vip.address} is on {listed(holders)} at once", _BOTH
    if holders:
        return (Level.UNKNOWN if unknown else Level.OK), f"{vip.address} is on {holders[0]}{doubt}", ""
    if not known:
        return Level.UNKNOWN, f"nobody could be asked who has {vip.address}", ""
    if unknown:
        return Level.UNKNOWN, f"{vip.address} is not on {listed(known)}{doubt}", ""
    has = holds(vip.address)
    absences = (span(case.state.nodes[name].readings["host"], lambda facts: not has(facts)) for name in known)
    if together(absences):
        return Level.CRIT, f"nobody has {vip.address}", _NONE
    return Level.UNKNOWN, f"{vip.address} is moving", ""

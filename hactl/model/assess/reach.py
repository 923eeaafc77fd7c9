"""Can the node be asked at all? One root cause a node: while it cannot, nothing else is said about it alone."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess.base import NodeCase
from hactl.model.findings import Finding, Level
from hactl.model.state import LinkPhase
from hactl.model.units import moment

# The peer is there but was not let in, or would not let us in: code -> (level, sentence, hint).
_REFUSALS: dict[str, tuple[Level, str, str]] = {
    "host-key-changed": (
        Level.CRIT,
        "its host key has changed, nothing was sent",
        "Compare the fingerprints on the node's console; if the change is right: hactl trust {node}",
    ),
    "host-key-unknown": (Level.UNKNOWN, "its host key is not known, nothing was sent", "hactl trust {node}"),
    "host-key": (Level.UNKNOWN, "its host key was not accepted, nothing was sent", "hactl trust {node}"),
    "authentication": (
        Level.UNKNOWN,
        "login refused",
        "Put the public key into authorized_keys of the login user, or name the right user and identity.",
    ),
    "key-encrypted": (Level.UNKNOWN, "login key is encrypted and no agent holds it", "ssh-add the key first."),
}
_OFF = "If the machine is down, start it; else look at the network and sshd: hactl doctor --limit {node}"


def judge(case: NodeCase) -> Iterator[Finding]:
    """At most one finding."""
    link, name = case.state.link, case.node.name
    key = f"link:{name}"
    match link.phase:
        case LinkPhase.UP:
            return
        case LinkPhase.IDLE:
            yield case.finding(key, Level.UNKNOWN, "not asked yet", began=link.since)
        case LinkPhase.CONNECTING:
            yield case.finding(key, Level.UNKNOWN, "connecting", began=link.since)
        case LinkPhase.DOWN:
            yield _down(case, key)


def _down(case: NodeCase, key: str) -> Finding:
    link, name = case.state.link, case.node.name
    reason = link.reason.removeprefix(f"{name}: ").rstrip(".")
    if link.code in _REFUSALS:
        level, sentence, hint = _REFUSALS[link.code]
        about = f"{sentence}: {reason}" if reason else sentence
        return case.finding(key, level, about, began=link.since, hint=link.remedy or hint.format(node=name))
    since = moment(case.epoch + link.since, case.epoch + case.now)
    sentence = f"unreachable since {since}" + (f": {reason}" if reason else "")
    return case.finding(key, Level.CRIT, sentence, began=link.since, hint=_OFF.format(node=name))

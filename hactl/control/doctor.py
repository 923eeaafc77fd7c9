"""What keeps hactl from seeing a node, and what to do about it: every step from the network to the last question.

The steps build on each other; where one fails, what stands behind it is skipped and said to be. Everything only reads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from hactl.control.control import Control
from hactl.drivers import host
from hactl.drivers.probe import Asked
from hactl.drivers.requirements import CommandQuestion, Judged, Requirement, requirements_for
from hactl.model.assess.hysteresis import level_of
from hactl.model.command import command
from hactl.model.errors import (
    AuthenticationError,
    HactlError,
    HostKeyError,
    ParseError,
    TransportError,
    UnreachableError,
)
from hactl.model.facts import ClockFacts
from hactl.model.findings import Level
from hactl.model.inventory import HaproxyService, Node, TransportKind
from hactl.model.metrics import threshold
from hactl.model.picture import Picture
from hactl.model.text import one_line
from hactl.model.units import duration
from hactl.transport.protocol import Peer

# Nodes that are examined at the same time, and seconds that one question may take.
_AT_ONCE = 16
_PATIENCE = 15.0


class Outcome(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at on a node. `remedy` is what to do about it, or ""."""

    node: str
    about: str  # reach, host key, login, tool, socket, database, sudo, clock, question
    outcome: Outcome
    sentence: str
    remedy: str = ""


async def examine(control: Control, progress: Callable[[int, int], None] | None = None) -> tuple[Check, ...]:
    """Every check of every node that `control` asks, in inventory order."""
    nodes = tuple(control.inventory.nodes.values())
    room = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def one(node: Node) -> list[Check]:
        nonlocal done
        async with room:
            found = [check async for check in _node(control, node)]
        done += 1
        if progress is not None:
            progress(done, len(nodes))
        return found

    results = await asyncio.gather(*map(one, nodes))
    picture = await control.snapshot(rare=control.inventory.nodes)
    return tuple(check for found in results for check in [*found, *_questions(picture, found)])


async def _node(control: Control, node: Node) -> AsyncIterator[Check]:
    begun = time.monotonic()
    try:
        peer = await control.peer(node.name)
    except TransportError as error:
        for check in _refused(node, error):
            yield check
        return
    connected = time.monotonic() - begun
    for check in await _arrived(control, node, peer, connected):
        yield check
    for requirement in requirements_for(control.inventory, node):
        yield await _requirement(control, node, requirement)
    for service in control.inventory.services_on(node.name):
        if isinstance(service, HaproxyService):
            yield await _admin_socket(control, node, service.admin_socket)
    yield await _clock(control, node)


def _refused(node: Node, error: TransportError) -> tuple[Check, ...]:
    """How far the connection got, and that nothing behind that was looked at."""
    failed = _check(node, "reach", Outcome.FAIL, _reason(error), error.remedy)
    skipped = _check(node, "the rest", Outcome.SKIP, "not looked at, because hactl cannot log in")
    if isinstance(error, UnreachableError):
        return failed, skipped
    reached = _check(node, "reach", Outcome.OK, f"{node.address} answers")
    if isinstance(error, HostKeyError):
        return reached, _check(node, "host key", Outcome.FAIL, _reason(error), error.remedy), skipped
    if isinstance(error, AuthenticationError):
        return reached, _check(node, "login", Outcome.FAIL, _reason(error), error.remedy), skipped
    return failed, skipped


async def _arrived(control: Control, node: Node, peer: Peer, connected: float) -> tuple[Check, ...]:
    """Reach, host key and login, all of which have worked."""
    local = node.ssh.transport is TransportKind.LOCAL
    trusted = f"{peer.host_key_type} {peer.host_key_fingerprint}, trusted" if not local else "none: this machine"
    begun = time.monotonic()
    try:
        who = (await control.run_on(node.name, command("id", "-un"))).stdout.strip()
        login = _check(node, "login", Outcome.OK, f"as {one_line(who, 40)}{'' if local else _with_what(node)}")
    except TransportError as error:
        login = _check(node, "login", Outcome.FAIL, f"no command can be run: {_reason(error)}", error.remedy)
    answers = time.monotonic() - begun
    software = f", {peer.software}" if peer.software else ""
    reach = f"connected to {peer.address} in {duration(connected)}, answers in {duration(answers)}{software}"
    return _check(node, "reach", Outcome.OK, reach), _check(node, "host key", Outcome.OK, trusted), login


def _with_what(node: Node) -> str:
    return f", with {' or '.join(node.ssh.identity)}" if node.ssh.identity else ", with the agent's or the usual keys"


async def _requirement(control: Control, node: Node, wanted: Requirement) -> Check:
    question = wanted.question
    about = wanted.kind.value
    try:
        async with asyncio.timeout(_PATIENCE):
            if isinstance(question, CommandQuestion):
                judged = question.judge(await control.run_on(node.name, question.command))
            else:
                judged = question.judge(await control.ask_database(node.name, question))
    except HactlError as error:
        return _check(node, about, Outcome.FAIL, f"{_reason(error)} ({wanted.why})", error.remedy or wanted.remedy)
    except TimeoutError:
        return _check(node, about, Outcome.WARN, f"no answer within {_PATIENCE:g} s ({wanted.why})", wanted.remedy)
    return _judged(node, about, judged, wanted)


def _judged(node: Node, about: str, judged: Judged, wanted: Requirement) -> Check:
    outcome = _OUTCOMES[judged.level]
    if outcome is Outcome.OK:
        return _check(node, about, outcome, judged.sentence)
    return _check(node, about, outcome, f"{judged.sentence} ({wanted.why})", judged.remedy or wanted.remedy)


_OUTCOMES = {
    Level.OK: Outcome.OK,
    Level.WARN: Outcome.WARN,
    Level.UNKNOWN: Outcome.WARN,  # the question could not be answered: worth a look, not proof of a fault
    Level.CRIT: Outcome.FAIL,
}


async def _admin_socket(control: Control, node: Node, path: str) -> Check:
    """Permissions are one thing; sshd may also forbid to forward to a socket."""
    try:
        async with asyncio.timeout(_PATIENCE):
            (answer,) = await control.ask_socket(node.name, path, "show info")
    except HactlError as error:
        return _check(node, "socket", Outcome.FAIL, _reason(error), error.remedy)
    except TimeoutError:
        remedy = "See whether haproxy is frozen: systemctl status haproxy"
        return _check(node, "socket", Outcome.FAIL, f"{path} says nothing for {_PATIENCE:g} s", remedy)
    told = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
    if "Version" not in told:
        return _check(node, "socket", Outcome.FAIL, f'{path} answers "{one_line(answer, 60)}", which is not HAProxy')
    return _check(node, "socket", Outcome.OK, f"{path} answers through SSH: HAProxy {one_line(told['Version'], 40)}")


async def _clock(control: Control, node: Node) -> Check:
    probe = host.clock(thorough=True)
    sent = time.time()
    try:
        done = await control.run_on(node.name, command("sh", "-c", probe.alone, timeout=probe.deadline))
        facts = probe.parse(done, Asked(sent, time.time()))
    except (TransportError, ParseError) as error:
        return _check(node, "clock", Outcome.WARN, _reason(error), error.remedy)
    assert isinstance(facts, ClockFacts)  # noqa: S101 - what the clock's probe parses to
    return await _judged_clock(control, node, facts)


async def _judged_clock(control: Control, node: Node, facts: ClockFacts) -> Check:
    certain = max(0.0, abs(facts.skew) - facts.error)
    level = level_of(certain, threshold(control.inventory.thresholds, "clock_skew_seconds", node))
    side = "ahead" if facts.skew > 0 else "behind"
    sentence = f"{duration(abs(facts.skew))} {side}, give or take {duration(facts.error)}"
    remedy = "Look at time synchronisation there: timedatectl, chronyc tracking"
    if level is not Level.OK:
        return _check(node, "clock", _OUTCOMES[level], sentence, remedy)
    if facts.synchronized is False:
        container = await _container(control, node)
        if not container:
            return _check(node, "clock", Outcome.WARN, f"{sentence}, but nothing synchronises it", remedy)
        sentence += f", kept by the host of this {container} container"
    return _check(node, "clock", Outcome.OK, sentence)


async def _container(control: Control, node: Node) -> str:
    """The kind of container that the node is, whose clock is its host's; "" for a machine."""
    try:
        done = await control.run_on(node.name, command("systemd-detect-virt", "--container"))
    except TransportError:
        return ""
    return one_line(done.stdout, 40) if done.ok else ""


def _questions(picture: Picture, found: list[Check]) -> list[Check]:
    """What watching would meet: every probe asked once. Remedies that stand above already are not repeated."""
    if any(check.outcome is Outcome.SKIP for check in found):
        return []
    name = found[0].node
    node, readings = picture.state.inventory.nodes[name], picture.state.nodes[name].readings
    said = {check.remedy for check in found}
    failed = [
        _check(
            node,
            "question",
            Outcome.FAIL,
            f"{key}: {reading.failure.reason}",
            "" if reading.failure.remedy in said else reading.failure.remedy,
        )
        for key, reading in readings.items()
        if reading.failure is not None
    ]
    return failed or [_check(node, "question", Outcome.OK, f"all {len(readings)} are answered")]


def _reason(error: HactlError) -> str:
    node = getattr(error, "node", "")
    return one_line(error.message.removeprefix(f"{node}: "), 400).rstrip(".")


def _check(node: Node, about: str, outcome: Outcome, sentence: str, remedy: str = "") -> Check:
    return Check(node.name, about, outcome, sentence, remedy)

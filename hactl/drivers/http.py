"""Services that speak HTTP, asked on their own node; and the version that a service tells of itself."""

from __future__ import annotations

import json
import re
import shlex
from functools import partial

from hactl.drivers.probe import Asked, Cadence, FetchProbe, HttpAnswer, TickProbe
from hactl.drivers.reading import explained
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import HttpFacts, VersionFacts
from hactl.model.inventory import HttpService, Node
from hactl.model.text import one_line

_BODY_LIMIT = 200  # characters of an answer that are kept to be shown
_VERSION = re.compile(r"\S{1,64}")  # one word: what is longer is a page, not a version
_NO_ANSWER = "no HTTP answer"


def health(service: HttpService, node: Node) -> FetchProbe:
    """Is the service on `node` well, by its own health path?"""
    return FetchProbe(
        f"http:{service.name}",
        Cadence.FAST,
        4.0,
        service.port,
        service.health,
        service.host or node.address,
        partial(parse_health, service.expect_status),
    )


def parse_health(expected: int, answer: HttpAnswer, asked: Asked) -> HttpFacts:  # noqa: ARG001 - shape of a parse
    """No answer at all is a fact too (`status` 0): a service that is down is what we came to see."""
    first = next((line for line in answer.body.split("\n") if line.strip()), "")
    return HttpFacts(
        status=answer.status,
        latency_ms=answer.latency_ms,
        body=one_line(first, _BODY_LIMIT),
        error=one_line(answer.error or (_NO_ANSWER if answer.status == 0 else "")),
        healthy=answer.status == expected and not answer.error,
    )


def version(service: HttpService, node: Node) -> FetchProbe | TickProbe | None:
    """Which version runs, by the service's version path or command; None where the inventory names neither."""
    key = f"version:{service.name}"
    if service.version_path is not None:
        host = service.host or node.address
        return FetchProbe(key, Cadence.SLOW, 10.0, service.port, service.version_path, host, parse_version)
    if service.version_command:
        # The exit status comes last, so that a program which prints without end loses it and is refused.
        argv = shlex.join(service.version_command)
        body = f'hactl_out=$({{ timeout -k 1 3 {argv} 2>&1; printf "\\nexit %s" "$?"; }} | head -c 4096)\n'
        return TickProbe(key, Cadence.SLOW, 10.0, body, parse_version_command)
    return None


def parse_version(answer: HttpAnswer, asked: Asked) -> VersionFacts:  # noqa: ARG001 - shape of a parse
    if answer.status != 200 or answer.error:
        said = one_line(answer.error or f"status {answer.status}")
        raise ParseError(f"The version path did not answer with a version: {said}.")
    return VersionFacts(_version_in(answer.body))


def parse_version_command(done: Completed, asked: Asked) -> VersionFacts:  # noqa: ARG001 - shape of a parse
    text, _, code = done.stdout.rpartition("\nexit ")
    if code != "0":
        status = int(code) if re.fullmatch(r"\d{1,3}", code) else 0
        raise ParseError(explained(Completed(status or done.exit, text, "", done.seconds), "The version command"))
    return VersionFacts(_version_in(text))


def _version_in(text: str) -> str:
    """`1.2.0`, `shop 1.2.0`, or JSON with a "version": the one word that names the version."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = text
    if isinstance(told, dict):
        told = told.get("version")
    if not isinstance(told, str):
        told = text if not isinstance(told, dict | None) else ""
    words = one_line(told.strip().partition("\n")[0], 100).split()
    numbered = [word for word in words if any(letter.isdigit() for letter in word)]
    best = (numbered or words or [""])[0]
    if _VERSION.fullmatch(best):
        return best
    raise ParseError(f'The answer names no version: "{one_line(text, 80)}".')

"""How a standby is told whom to follow: connection strings as libpq reads them, taken from a server that has one.

They may hold a password: they go from server to server through SQL's standard input and are never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.postgresql_commands import Source
from hactl.drivers.verbs.postgresql_slots import slot_of
from hactl.model.inventory import Node, PostgresqlService
from hactl.model.verb import Doing, Scene, VerbError

_WORD = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))", re.DOTALL)
_PLAIN = re.compile(r"[^\s'\\]+")
_OWN = ("host", "hostaddr", "port", "application_name")  # of one server alone


def parsed(text: str) -> dict[str, str]:
    """The keywords of a connection string. Raises ValueError."""
    found, at = {}, 0
    while text[at:].strip():
        word = _WORD.match(text, at)
        if word is None or word.end() == at:
            raise ValueError("no connection string")
        value = word[2] if word[2] is not None else word[3]
        found[word[1]] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        at = word.end()
    return found


def written(words: Mapping[str, str]) -> str:
    def quoted(value: str) -> str:
        if _PLAIN.fullmatch(value):
            return value
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    return " ".join(f"{key}={quoted(value)}" for key, value in words.items())


def template(service: PostgresqlService, *nodes: str) -> Doing[Mapping[str, str]]:
    """What all standbys are told but for whom they follow and who they are, from the first of the nodes that was ever
    a standby. Raises VerbError where none was.
    """
    for name in dict.fromkeys((*nodes, *service.nodes)):
        told = yield from _asked(service, name)
        if told:
            return {key: value for key, value in told.items() if key not in _OWN}
    raise VerbError(
        f"no server of {service.name} says how standbys connect: primary_conninfo is empty everywhere",
        remedy="Set primary_conninfo on one of them (ALTER SYSTEM), with the user that replicates.",
    )


def _asked(service: PostgresqlService, node: str) -> Doing[Mapping[str, str]]:
    found = yield from server.maybe_query(service, node, "SELECT current_setting('primary_conninfo')")
    try:
        return parsed(found)
    except ValueError:
        return {}


def following(words: Mapping[str, str], service: PostgresqlService, primary: Node, node: str) -> str:
    """The connection string by which `node` follows `primary`."""
    own = {"host": primary.address, "port": str(service.port), "application_name": node}
    return written({**words, **own})


def tell_whom(scene: Scene, service: PostgresqlService, primary: str, node: str) -> Doing[None]:
    """Have a server that is up follow the primary; one that is a primary itself does so once it is made a standby."""
    words = yield from template(service, primary, node)
    conninfo = following(words, service, scene.inventory.nodes[primary], node)
    yield from server.order(service, node, _TOLD.format(server.literal(conninfo), server.literal(slot_of(node))))


def source(words: Mapping[str, str], service: PostgresqlService, primary: Node) -> Source:
    """Without a password: postgres on the node has it in its .pgpass. Raises VerbError for a user that has no name."""
    user = words.get("user", "")
    if not re.fullmatch("[0-9A-Za-z_-]+", user):
        raise VerbError("primary_conninfo names no user that could be named in a command")
    return Source(primary.address, service.port, user, service.database)


_TOLD = """
ALTER SYSTEM SET primary_conninfo = {};
ALTER SYSTEM SET primary_slot_name = {};
SELECT pg_reload_conf();
"""

"""Replication slots by which a server keeps for its followers what they have not received: made, and cleared away."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hactl.drivers.verbs import postgresql_server as server
from hactl.model.inventory import PostgresqlService
from hactl.model.verb import Doing


def slot_of(node: str) -> str:
    """What a node's slot is called: a slot's name holds only these."""
    return re.sub(r"[^a-z0-9_]", "_", node.lower())


def missing_slots(service: PostgresqlService, node: str, followers: Iterable[str]) -> Doing[list[str]]:
    """The followers for whom there is no slot on the node."""
    there = (yield from server.query(service, node, "SELECT slot_name FROM pg_replication_slots")).split()
    return [one for one in followers if slot_of(one) not in there]


def make_slot(service: PostgresqlService, node: str, follower: str) -> Doing[None]:
    """It keeps from now on. Made again, it is as it was."""
    name = server.literal(slot_of(follower))
    there = f"SELECT FROM pg_replication_slots WHERE slot_name = {name}"
    made = f"SELECT pg_create_physical_replication_slot({name}, true) WHERE NOT EXISTS ({there})"
    yield from server.order(service, node, made)


def drop_idle_slots(service: PostgresqlService, node: str, of: Iterable[str]) -> Doing[tuple[str, ...]]:
    """Slots on the node of those who follow another one: they would keep its WAL for ever. Their names."""
    names = ", ".join(server.literal(slot_of(one)) for one in of)
    idle = f"slot_type = 'physical' AND NOT active AND slot_name IN ({names})"
    there = f"FROM pg_replication_slots WHERE {idle}"
    seen = yield from server.query(service, node, f"SELECT slot_name {there}")
    if not seen:
        return ()
    yield from server.order(service, node, f"SELECT pg_drop_replication_slot(slot_name) {there}")
    return tuple(seen.split())

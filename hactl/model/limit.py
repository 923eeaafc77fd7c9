"""The language of `--limit`: which nodes of an inventory are meant.

Terms are separated by commas or blanks and add up:

    db1                a node by name; * ? [ ] match as in a shell
    role:db            nodes with a role
    site:west          nodes of a site
    service:shop       nodes that provide a service
    pool:shop          members of a pool
    label:rack         nodes that have a label
    label:rack=b*      nodes whose label has a value
    all                every node
    !TERM              takes away what TERM names, wherever it stands

An expression of nothing but `!` terms takes away from all nodes. A term that matches nothing is an error, never an
empty answer: a typo must not turn "all but the primary" into "all".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from hactl.model.errors import LimitError
from hactl.model.inventory import Inventory
from hactl.model.suggest import did_you_mean, quoted

_SYNTAX = "Terms are names, globs, role: site: service: pool: label:, and !TERM to leave out."


def parse_limit(text: str, inventory: Inventory) -> tuple[str, ...]:
    """The names of the nodes that `text` means, in inventory order; at least one.

    Raises LimitError that names every term which is wrong.
    """
    added: set[str] = set()
    taken: set[str] = set()
    wrong: list[str] = []
    terms = [term for term in re.split(r"[,\s]+", text) if term]
    if not terms:
        raise LimitError("The limit is empty.", remedy=_SYNTAX)
    for term in terms:
        try:
            (taken if term.startswith("!") else added).update(_meant(term.removeprefix("!"), inventory))
        except LimitError as error:
            wrong.append(error.message)
    if wrong:
        raise LimitError("\n".join(wrong), remedy=_SYNTAX)
    if all(term.startswith("!") for term in terms):
        added = set(inventory.nodes)
    nodes = tuple(name for name in inventory.nodes if name in added - taken)
    if not nodes:
        raise LimitError(f"The limit {quoted(text)} leaves no node.")
    return nodes


def check_syntax(text: str) -> None:
    """Raises LimitError when no inventory could make sense of `text`."""
    terms = [term.removeprefix("!") for term in re.split(r"[,\s]+", text) if term]
    if not terms:
        raise LimitError("The limit is empty.", remedy=_SYNTAX)
    for term in terms:
        kind, colon, name = term.partition(":")
        if colon and kind not in _KINDS:
            raise _no_such_kind(term, kind)
        if not (name if colon else term):
            raise LimitError(f"{quoted(term)} names nothing.", remedy=_SYNTAX)


def _no_such_kind(term: str, kind: str) -> LimitError:
    hint = did_you_mean(f"{kind}:", [f"{known}:" for known in _KINDS])
    return LimitError(f"{quoted(term)}: there is no {quoted(kind + ':')}{hint or '.'}")


def _meant(term: str, inventory: Inventory) -> set[str]:
    """The nodes that one term without its `!` names. Raises LimitError when there are none."""
    kind, colon, name = term.partition(":")
    if not colon:
        return set(inventory.nodes) if term == "all" else _matching(term, {n: (n,) for n in inventory.nodes}, "node")
    if kind not in _KINDS:
        raise _no_such_kind(term, kind)
    return _KINDS[kind](name, inventory)


def _matching(pattern: str, groups: Mapping[str, Iterable[str]], what: str) -> set[str]:
    """The union of the groups whose name `pattern` matches."""
    if pattern in groups:
        return set(groups[pattern])
    found = [name for name in groups if fnmatchcase(name, pattern)]
    if not found:
        hint = did_you_mean(pattern, groups)
        raise LimitError(f"No {what} {'matches' if _is_glob(pattern) else 'is called'} {quoted(pattern)}{hint or '.'}")
    return {node for name in found for node in groups[name]}


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def _by_role(name: str, inventory: Inventory) -> set[str]:
    nodes = inventory.nodes.values()
    return _matching(name, {role: [n.name for n in nodes if role in n.roles] for role in inventory.roles}, "role")


def _by_site(name: str, inventory: Inventory) -> set[str]:
    nodes = inventory.nodes.values()
    groups = {site: [node.name for node in nodes if node.site == site] for site in inventory.sites}
    return _some(_matching(name, groups, "site"), f"site:{name}")


def _by_service(name: str, inventory: Inventory) -> set[str]:
    return _matching(name, {service.name: service.nodes for service in inventory.services.values()}, "service")


def _by_pool(name: str, inventory: Inventory) -> set[str]:
    return _matching(name, {pool.name: tuple(pool.servers) for pool in inventory.pools.values()}, "pool")


def _by_label(text: str, inventory: Inventory) -> set[str]:
    key, equals, value = text.partition("=")
    values: dict[str, list[str]] = {}
    for node in inventory.nodes.values():
        if key in node.labels:
            values.setdefault(node.labels[key] if equals else "", []).append(node.name)
    if not values:
        known = {label for node in inventory.nodes.values() for label in node.labels}
        raise LimitError(f"No node has the label {quoted(key)}{did_you_mean(key, sorted(known)) or '.'}")
    return _matching(value, values, f"value of the label {quoted(key)}")


def _some(nodes: set[str], term: str) -> set[str]:
    if not nodes:
        raise LimitError(f"{quoted(term)} has no nodes.")
    return nodes


_KINDS: Mapping[str, Callable[[str, Inventory], set[str]]] = MappingProxyType(
    {"role": _by_role, "site": _by_site, "service": _by_service, "pool": _by_pool, "label": _by_label}
)

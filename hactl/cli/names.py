"""Completion of what the inventory names (nodes, services, sites, pools, roles, limit expressions), and of playbooks.

Reads the inventory from its warm cache and nothing else; without an inventory, or with a broken one, there is simply
nothing to offer. Attached to parameters by their names, so that a new command has it for free.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import click

from hactl.cli.context import Cli

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hactl.model.inventory import Inventory

Choices: TypeAlias = "Iterable[tuple[str, str]]"  # what may be typed, and a word about it


class NameType(click.ParamType[str]):
    """A string that completes from the inventory."""

    name = "text"

    def __init__(self, offer: Callable[[Inventory, str], Choices]) -> None:
        self._offer = offer

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from hactl.model.errors import HactlError

        try:
            offered = list(self._offer(_cli(ctx).load(), incomplete))
        except (HactlError, OSError):
            return []
        return [CompletionItem(name, help=about or None) for name, about in offered]


class PlaybookType(click.ParamType[str]):
    """A string that completes from the playbooks that there are. Reads only the folders."""

    name = "text"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from hactl.config.playbooks import places
        from hactl.model.errors import HactlError

        try:
            found = places(os.environ)
        except HactlError:
            return []
        offered = [
            CompletionItem(place.name, help="ships with hactl" if place.shipped else "your own")
            for place in found
            if place.name.startswith(incomplete)
        ]
        return offered or [CompletionItem(incomplete, type="file")]


def complete_names(command: click.Command) -> None:
    """Give every plain-text parameter whose name is known here its completion."""
    for param in command.params:
        if type(param.type) is click.types.StringParamType and param.name == "playbook":
            param.type = PlaybookType()
        elif (offer := _OFFERS.get(param.name or "")) and type(param.type) is click.types.StringParamType:
            param.type = NameType(offer)


def _cli(ctx: click.Context) -> Cli:
    """The global options as far as completion has parsed them: callbacks do not run then."""
    root = ctx.find_root()
    return Cli(root.params.get("inventory"))


def _starting(choices: Choices, incomplete: str) -> Choices:
    return [(name, about) for name, about in choices if name.startswith(incomplete)]


def _nodes(inventory: Inventory, incomplete: str) -> Choices:
    nodes = inventory.nodes.values()
    return _starting([(node.name, f"{', '.join(node.roles)} in {node.site}") for node in nodes], incomplete)


def _services(inventory: Inventory, incomplete: str) -> Choices:
    return _starting([(service.name, service.kind.value) for service in inventory.services.values()], incomplete)


def _sites(inventory: Inventory, incomplete: str) -> Choices:
    return _starting([(site.name, site.description) for site in inventory.sites.values()], incomplete)


def _pools(inventory: Inventory, incomplete: str) -> Choices:
    return _starting([(pool.name, f"backend {pool.backend}") for pool in inventory.pools.values()], incomplete)


def _vips(inventory: Inventory, incomplete: str) -> Choices:
    return _starting([(vip.name, vip.address) for vip in inventory.vips.values()], incomplete)


def _roles(inventory: Inventory, incomplete: str) -> Choices:
    return _starting([(role, "") for role in inventory.roles], incomplete)


def _limits(inventory: Inventory, incomplete: str) -> Choices:
    """The last term of the expression; what stands before it is kept."""
    head, term = _split(incomplete)
    return [(head + name, about) for name, about in _starting(_terms(inventory), term)]


def _runs(inventory: Inventory, incomplete: str) -> Choices:
    """The cluster's newest runs, and `last`."""
    from hactl.control.unfinished import newest

    said = [(one.run, f"{one.playbook} {', '.join(one.targets)}".strip()) for one in newest(inventory.name)]
    return _starting([("last", "the newest one"), *said] if said else [], incomplete)


def _playbooks(inventory: Inventory, incomplete: str) -> Choices:
    from hactl.control.runs import Runs

    return _starting([(one.name, one.title) for one in Runs(inventory).playbooks()], incomplete)


def _guards(inventory: Inventory, incomplete: str) -> Choices:  # noqa: ARG001 - an offer's signature
    from hactl.model.guard import GUARDS

    return _starting(GUARDS.items(), incomplete)


def _split(expression: str) -> tuple[str, str]:
    """Everything up to the beginning of the last term's name, and the rest of it."""
    start = max(expression.rfind(sign) for sign in ", ") + 1
    start += expression[start:].startswith("!")
    return expression[:start], expression[start:]


def _terms(inventory: Inventory) -> list[tuple[str, str]]:
    labels = {
        (key, value): None for node in inventory.nodes.values() for key, value in node.labels.items()
    }  # a dict, for its order
    return [
        *_nodes(inventory, ""),
        *((f"role:{role}", "nodes with this role") for role in inventory.roles),
        *((f"site:{site}", "nodes of this site") for site in inventory.sites),
        *((f"service:{service}", "nodes that provide it") for service in inventory.services),
        *((f"pool:{pool}", "members of this pool") for pool in inventory.pools),
        *((f"label:{key}={value}", "nodes with this label") for key, value in labels),
    ]


_OFFERS: Mapping[str, Callable[[Inventory, str], Choices]] = {
    "node": _nodes,
    "nodes": _nodes,
    "service": _services,
    "site": _sites,
    "pool": _pools,
    "vip": _vips,
    "role": _roles,
    "limit": _limits,
    "run": _runs,
    "playbook": _playbooks,
    "overrides": _guards,
}

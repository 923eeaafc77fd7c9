"""How the inventory hangs together, drawn: a text tree for a terminal, and a graph for Graphviz."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from hactl.model.inventory import Inventory, Node, Pool, Routing, Service, Standing


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree and what hangs below it."""

    text: str
    below: tuple[Branch, ...] = ()


def tree(inventory: Inventory) -> str:
    """Sites with their nodes; services with their nodes; pools with their servers; addresses."""
    sections = (
        Branch("sites", tuple(_site(inventory, site) for site in inventory.sites)),
        Branch("services", tuple(_service(service) for service in inventory.services.values())),
        Branch("pools", tuple(_pool(pool) for pool in inventory.pools.values())),
        Branch(
            "addresses", tuple(Branch(f"{v.name}  {v.address}, held by {v.service}") for v in inventory.vips.values())
        ),
    )
    filled = [section for section in sections if section.below]
    return "\n".join([inventory.name, *_lines(filled, "")])


def _lines(branches: Sequence[Branch], indent: str) -> list[str]:
    lines: list[str] = []
    for branch in branches:
        last = branch is branches[-1]
        lines.append(f"{indent}{'└─' if last else '├─'} {branch.text}")
        lines += _lines(branch.below, indent + ("   " if last else "│  "))
    return lines


def _site(inventory: Inventory, name: str) -> Branch:
    site = inventory.sites[name]
    nodes = [node for node in inventory.nodes.values() if node.site == name]
    return Branch(
        f"{name}  {site.description}".rstrip(),
        tuple(Branch(f"{node.name}  {_traits(node, inventory)}") for node in nodes),
    )


def _traits(node: Node, inventory: Inventory) -> str:
    traits = [node.address, ", ".join(node.roles)]
    if node.standing is Standing.SPARE:
        traits.append("spare")
    if node.name == inventory.drill_node:
        traits.append("drills")
    return "  ".join(filter(None, traits))


def _service(service: Service) -> Branch:
    title = f"{service.name}  {service.kind}, at least {service.minimum} of {len(service.nodes)}"
    return Branch(title, (Branch(" ".join(service.nodes)),))


def _pool(pool: Pool) -> Branch:
    rule = (
        "one member is routed to" if pool.routing is Routing.ONE else f"at least {pool.minimum} of {len(pool.servers)}"
    )
    servers = (f"{node} = {server}" if server != node else node for node, server in pool.servers.items())
    return Branch(
        f"{pool.name}  {pool.service} behind {pool.balancer}/{pool.backend}, {rule}", (Branch(", ".join(servers)),)
    )


def dot(inventory: Inventory) -> str:
    """The same for `dot -Tsvg`: nodes boxed by site, addresses to balancers to pools to members."""
    lines = [f"digraph {_id(inventory.name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    for site in inventory.sites:
        lines += [f"  subgraph {_id('cluster_' + site)} {{", f"    label={_id(site)};"]
        lines += [
            f"    {_id('node ' + n.name)} [label={_id(n.name)}];" for n in inventory.nodes.values() if n.site == site
        ]
        lines.append("  }")
    for service in inventory.services.values():
        lines.append(f"  {_id('service ' + service.name)} [label={_id(service.name)}, shape=ellipse];")
        lines += [_edge(f"service {service.name}", f"node {node}") for node in service.nodes]
    for vip in inventory.vips.values():
        lines.append(f"  {_id('vip ' + vip.name)} [label={_id(f'{vip.name} {vip.address}')}, shape=diamond];")
        lines.append(_edge(f"vip {vip.name}", f"service {vip.service}"))
    for pool in inventory.pools.values():
        lines.append(f"  {_id('pool ' + pool.name)} [label={_id(f'{pool.name} ({pool.backend})')}, shape=component];")
        lines.append(_edge(f"service {pool.balancer}", f"pool {pool.name}"))
        lines.append(_edge(f"pool {pool.name}", f"service {pool.service}"))
    return "\n".join([*lines, "}"])


def _edge(start: str, end: str) -> str:
    return f"  {_id(start)} -> {_id(end)};"


def _id(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # DOT quotes strings as JSON does, for all that a name can hold

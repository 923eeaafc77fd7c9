"""What a plan's steps touch beside their nodes: services, pools, balancers, endpoints."""

from __future__ import annotations

from collections.abc import Iterable

from hactl.model.inventory import Endpoint, HttpService, Inventory, Service
from hactl.model.parameters import ParameterKind, parameters_of
from hactl.model.plan import PlannedStep
from hactl.model.verb import Effect, Verbs

PROMOTE = "postgresql.promote"


def nodes_of(steps: Iterable[PlannedStep]) -> tuple[str, ...]:
    """The nodes that something is done on, in order of first appearance."""
    return tuple(dict.fromkeys(step.node for step in steps if step.node is not None))


def pools_of(nodes: Iterable[str], inventory: Inventory) -> tuple[str, ...]:
    """Pools that one of the nodes is a member of, or a balancer of, in inventory order."""
    wanted = frozenset(nodes)
    return tuple(
        pool.name
        for pool in inventory.pools.values()
        if not wanted.isdisjoint((*pool.servers, *inventory.services[pool.balancer].nodes))
    )


def services_of(nodes: Iterable[str], inventory: Inventory) -> tuple[str, ...]:
    """Services on the nodes, and those that users reach through them, in inventory order."""
    wanted = frozenset(nodes)
    pooled = {inventory.pools[name].service for name in pools_of(wanted, inventory)}
    return tuple(
        service.name
        for service in inventory.services.values()
        if service.serves and (service.name in pooled or not wanted.isdisjoint(service.nodes))
    )


def endpoints_of(services: Iterable[str], inventory: Inventory) -> tuple[Endpoint, ...]:
    found = [inventory.services[name] for name in services]
    return tuple(endpoint for service in found if isinstance(service, HttpService) for endpoint in service.public)


def local_files(steps: Iterable[PlannedStep], verbs: Verbs) -> tuple[str, ...]:
    """Files of the operator's machine that the steps read."""
    named = (
        step.arguments.get(parameter.name)
        for step in steps
        for parameter in parameters_of(verbs[step.verb].arguments)
        if parameter.kind is ParameterKind.FILE
    )
    return tuple(dict.fromkeys(path for path in named if isinstance(path, str) and path))


def promoted(step: PlannedStep, service: str) -> str:
    """The node that the step makes the primary of the database; "" where it does no such thing."""
    mine = step.verb == PROMOTE and step.arguments.get("service") == service
    return step.node or "" if mine else ""


def stopped(step: PlannedStep, inventory: Inventory) -> tuple[Service, ...]:
    """The services of the step's node that stop: all while it is restarted, or those that the step names."""
    match step.effect:
        case Effect.INTERRUPTS:
            return concerned(step, inventory)
        case Effect.TAKES_OUT if names_services(step):
            return concerned(step, inventory)
    return ()


def leaves(step: PlannedStep, inventory: Inventory) -> tuple[str, ...]:
    """The pools that a step which takes out or brings back does so in: its node's, or the one that it names."""
    if step.node is None or names_services(step):
        return ()
    only = step.arguments.get("pool", "")
    return tuple(pool.name for pool in inventory.pools_of(step.node) if only in {"", pool.name})


def names_services(step: PlannedStep) -> bool:
    """A step that takes out or brings back does so in pools, unless it is about units: then it stops or starts them."""
    return bool(step.arguments.get("unit") or step.arguments.get("service"))


def concerned(step: PlannedStep, inventory: Inventory) -> tuple[Service, ...]:
    """The services of the step's node that it names by their name, unit or package; all where it names none."""
    if step.node is None:
        return ()
    here = inventory.services_on(step.node)
    for argument in ("service", "unit", "package"):
        named = str(step.arguments.get(argument, ""))
        if named:
            return tuple(service for service in here if _is(service, argument, named)) or _unnamed(argument, here)
    return here


def _is(service: Service, argument: str, named: str) -> bool:
    match argument:
        case "service":
            return service.name == named
        case "unit":
            return named in service.units
    return f"{named}.service" in service.units or (isinstance(service, HttpService) and service.package == named)


def _unnamed(argument: str, here: tuple[Service, ...]) -> tuple[Service, ...]:
    """A unit that carries no service interrupts none; what else a package belongs to is not known, so all of them."""
    return here if argument == "package" else ()

"""Which questions a node is asked: all that its services, and hactl's picture of the machine, need."""

from __future__ import annotations

from hactl.drivers import apt, drain_note, drill, haproxy, host, http, pgbackrest, postgresql, restic, room, systemd
from hactl.drivers.probe import Probe
from hactl.model.drilled import drill_nodes, drill_services
from hactl.model.inventory import (
    HaproxyService,
    HttpService,
    Inventory,
    KeepalivedService,
    Node,
    PgbackrestService,
    PostgresqlService,
    ResticService,
    Service,
)
from hactl.model.rooms import asked_on


def probes_for(inventory: Inventory, node: Node) -> tuple[Probe, ...]:
    """Every probe of `node`, the machine's first; keys are unique."""
    services = inventory.services_on(node.name)
    units = tuple(dict.fromkeys(unit for service in services for unit in service.units))
    packages = tuple(dict.fromkeys(filter(None, map(apt.package_of, services))))
    pools = [pool.name for pool in inventory.pools_of(node.name)]
    machine: tuple[Probe, ...] = (
        host.tick(addresses=any(isinstance(service, KeepalivedService) for service in services)),
        host.disk(),
        host.clock(),
        systemd.units(units),
        *((drain_note.probe(inventory.name, pools),) if pools else ()),
        apt.packages(packages),
    )
    repositories = tuple(
        pgbackrest.info(service)
        for service in inventory.services.values()
        if isinstance(service, PgbackrestService) and service.repository_host == node.name
    )
    rooms = tuple(room.probe(service, paths) for service, paths in asked_on(node.name, inventory).items())
    drills = tuple(
        drill.probe(service, inventory.name)
        for service in drill_services(inventory)
        if node.name in drill_nodes(service)
    )
    return (
        machine + tuple(probe for service in services for probe in _of(service, node)) + repositories + rooms + drills
    )


def _of(service: Service, node: Node) -> tuple[Probe, ...]:
    """What a service itself is asked on one of its nodes."""
    if isinstance(service, HttpService):
        version = http.version(service, node)
        return (http.health(service, node), *([version] if version else []))
    if isinstance(service, HaproxyService):
        return (haproxy.picture(service),)
    if isinstance(service, PostgresqlService):
        return (postgresql.picture(service),)
    if isinstance(service, ResticService):
        return (restic.snapshots(service, node.name),)
    return ()

"""Every verb that there is, by its name."""

from __future__ import annotations

from types import MappingProxyType

from hactl.drivers.verbs import (
    backup,
    balancer_verbs,
    drill,
    files,
    files_drill,
    files_scratch,
    health,
    node_verbs,
    postgresql_verbs,
    vip,
    vip_hold,
    waiting,
)
from hactl.model.verb import AnyVerb, Verbs

_ALL: tuple[AnyVerb, ...] = (
    *balancer_verbs.VERBS,
    *health.VERBS,
    *waiting.VERBS,
    *vip.VERBS,
    *vip_hold.VERBS,
    *node_verbs.VERBS,
    *postgresql_verbs.VERBS,
    *backup.VERBS,
    *drill.VERBS,
    *files.VERBS,
    *files_drill.VERBS,
    *files_scratch.VERBS,
)

VERBS: Verbs = MappingProxyType({verb.name: verb for verb in _ALL})

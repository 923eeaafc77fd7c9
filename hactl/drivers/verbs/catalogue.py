"""Every verb that there is, by its name."""

from __future__ import annotations

from types import MappingProxyType

from hactl.drivers.verbs import balancer, health, node_verbs, vip, waiting
from hactl.model.verb import AnyVerb, Verbs

_ALL: tuple[AnyVerb, ...] = (*balancer.VERBS, *health.VERBS, *waiting.VERBS, *vip.VERBS, *node_verbs.VERBS)

VERBS: Verbs = MappingProxyType({verb.name: verb for verb in _ALL})

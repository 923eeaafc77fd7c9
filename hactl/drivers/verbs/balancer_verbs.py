"""Every verb that acts on balancers."""

from __future__ import annotations

from hactl.drivers.verbs import balancer_back, balancer_hold, balancer_out
from hactl.model.verb import AnyVerb

VERBS: tuple[AnyVerb, ...] = (*balancer_out.VERBS, *balancer_back.VERBS, *balancer_hold.VERBS)

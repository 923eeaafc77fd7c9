"""Every verb that acts on PostgreSQL's replication."""

from __future__ import annotations

from hactl.drivers.verbs import (
    postgresql_archived,
    postgresql_fence,
    postgresql_follow,
    postgresql_promote,
    postgresql_ready,
    postgresql_restore,
    postgresql_rewind,
    postgresql_stop,
)
from hactl.model.verb import AnyVerb

VERBS: tuple[AnyVerb, ...] = (
    *postgresql_ready.VERBS,
    *postgresql_stop.VERBS,
    *postgresql_promote.VERBS,
    *postgresql_follow.VERBS,
    *postgresql_archived.VERBS,
    *postgresql_fence.VERBS,
    *postgresql_rewind.VERBS,
    *postgresql_restore.VERBS,
)

"""The picture at one moment: what every node last said, what is to be said about it, and the moment itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hactl.model.ack import Ack
from hactl.model.findings import Assessment
from hactl.model.state import ClusterState


@dataclass(frozen=True, slots=True)
class Picture:
    """`now` is a second of the state's monotonic clock: ages are `now` minus a fact's time.

    `outside` names what a `--limit` left out and nobody asked: "pool/shop", "vip/public", "node/db1".
    `acks` are the acknowledgements that cover one of its findings, by the finding's key: see `model.acks`.
    """

    state: ClusterState
    assessment: Assessment
    now: float
    outside: tuple[str, ...] = ()
    acks: Mapping[str, Ack] = field(default_factory=dict)

"""The facts that a step's `when` may ask for: a closed set, each with its meaning and what it is asked with.

`config` holds playbooks to it; `planning` answers each of them from a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hactl.model.parameters import ParameterKind


@dataclass(frozen=True, slots=True)
class ConditionFact:
    """A question about the step's node. `argument` None: it takes none; `without`: what is asked without it. `told_by`:
    the key of the sample that tells, where nodes are asked for it so rarely that an act may have made it untrue.
    """

    name: str
    meaning: str
    argument: ParameterKind | None = None
    without: str = ""
    told_by: str = ""

    @property
    def required(self) -> bool:
        """Whether it says nothing without its argument."""
        return self.argument is not None and not self.without


_FACTS = (
    ConditionFact("reboot_required", "the node says that it wants a reboot", told_by="packages"),
    ConditionFact("holds_vip", "the node has the VIP", ParameterKind.VIP, without="the node has a VIP, whichever"),
    ConditionFact(
        "in_pool",
        "the node is a member of the pool, by the inventory",
        ParameterKind.POOL,
        without="the node is a member of some pool",
    ),
    ConditionFact(
        "may_hold_vip",
        "the node may hold the VIP, by the inventory",
        ParameterKind.VIP,
        without="the node may hold some VIP",
    ),
    ConditionFact("service_here", "the service is one of the node's, by the inventory", ParameterKind.SERVICE),
    ConditionFact("has_role", "the node has the role, by the inventory", ParameterKind.STRING),
    ConditionFact(
        "package_pending",
        "a newer version of the package is on offer for the node",
        ParameterKind.PACKAGE,
        without="a newer version of some package is on offer for the node",
        told_by="packages",
    ),
)

CONDITIONS: Mapping[str, ConditionFact] = MappingProxyType({fact.name: fact for fact in _FACTS})

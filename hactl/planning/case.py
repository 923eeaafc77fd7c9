"""What a guard is given: the steps that it judges, the picture, and what is read from it in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from hactl.model.assess.members import Member, members
from hactl.model.facts import Facts, HaproxyFacts
from hactl.model.inventory import Inventory, Pool, Standing
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.plan import Plan, PlannedStep
from hactl.model.verb import Effect
from hactl.planning.touched import nodes_of
from hactl.planning.world import World

F = TypeVar("F", bound=Facts)

TAKING = frozenset({Effect.TAKES_OUT, Effect.INTERRUPTS, Effect.MOVES_VIP})


@dataclass(frozen=True)
class Case:
    """`steps`: those to be judged, all of the plan's or those about to be done. `own`: nodes that this very run has
    taken out or works on; `taken_out`: the steps by which it has the present ones out. `accepted`: nodes that were
    critical when the plan was confirmed. `begun`: the run is going.
    """

    plan: Plan
    world: World
    steps: tuple[PlannedStep, ...]
    own: frozenset[str] = frozenset()
    taken_out: tuple[PlannedStep, ...] = ()
    accepted: frozenset[str] = frozenset()
    begun: bool = False

    @property
    def inventory(self) -> Inventory:
        return self.world.inventory

    @property
    def picture(self) -> Picture:
        return self.world.picture

    def read(self, node: str, key: str, kind: type[F]) -> Maybe[F]:
        return self.picture.state.nodes[node].read(key, kind, self.picture.now)

    def active(self, node: str) -> bool:
        return self.inventory.nodes[node].standing is Standing.ACTIVE

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that these steps change something on."""
        return nodes_of(step for step in self.steps if step.mutates)

    @cached_property
    def taken(self) -> tuple[str, ...]:
        """The nodes that these steps take something away from."""
        return nodes_of(step for step in self.steps if step.effect in TAKING)

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """The pools that the changed nodes are members of."""
        return tuple(pool for pool in self.inventory.pools.values() if not pool.servers.keys().isdisjoint(self.nodes))

    @cached_property
    def _balancers(self) -> Mapping[str, Mapping[str, Maybe[HaproxyFacts]]]:
        services = {pool.balancer for pool in self.inventory.pools.values()}
        return {
            name: {
                node: self.read(node, f"haproxy:{name}", HaproxyFacts) for node in self.inventory.services[name].nodes
            }
            for name in services
        }

    def asked(self, pool: Pool) -> Mapping[str, Observed[HaproxyFacts]]:
        """The balancers of the pool that can be asked, and what they say."""
        answers = self._balancers[pool.balancer]
        return {node: answer for node, answer in answers.items() if isinstance(answer, Observed)}

    def silent(self, pool: Pool) -> Mapping[str, Unknown]:
        """The balancers of the pool that cannot be asked, and why."""
        answers = self._balancers[pool.balancer]
        return {node: answer for node, answer in answers.items() if isinstance(answer, Unknown)}

    def serving(self, pool: Pool, node: str) -> tuple[str, ...]:
        """The balancers that send the node requests."""
        rows = (one.seen for one in members(pool, self.asked(pool)) if one.node == node)
        return tuple(name for seen in rows for name, row in seen.items() if row is not None and row.available)

    def members(self, pool: Pool) -> tuple[Member, ...]:
        """Those that count: no spares, no backup servers."""
        return tuple(one for one in members(pool, self.asked(pool)) if self.active(one.node) and not one.reserve)

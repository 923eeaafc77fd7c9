"""A playbook as the rest of hactl sees it: read, checked, immutable. `config` guarantees that every reference resolves:
verbs exist, their arguments fit, `$parameter` names a parameter of a kind that fits, `on` and limits can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from hactl.model.inventory import ServiceKind
from hactl.model.parameters import Parameter, Value


@dataclass(frozen=True, slots=True)
class Ref:
    """A `"$name"` in the file: the whole value of a parameter, or one of `$node`, `$cluster`, `$run`.

    `$name.package` is the package of the service that a parameter names, by the inventory.
    """

    name: str


Raw: TypeAlias = Value | Ref | tuple[str | Ref, ...]
"""An argument as written: a value, a reference, or an argument list of both."""


class Scope(StrEnum):
    """How often a step is done."""

    RUN = "run"  # once
    BATCH = "batch"  # once for each batch of targets
    NODE = "node"  # for each target


class OnFailure(StrEnum):
    UNDO = "undo"  # undo what was done on this node (or by the run, for a step once per run), then stop
    STOP = "stop"  # leave it as it is and stop
    CONTINUE = "continue"  # note it, count it against the budget, go on with the next node


class Order(StrEnum):
    INVENTORY = "inventory"
    REVERSE = "reverse"
    HOLDER_LAST = "holder-last"  # whoever holds a VIP comes last


@dataclass(frozen=True, slots=True)
class Condition:
    """`when`: the step is done only where the fact has (or has not, with `negated`) the value.

    Facts are those of `model.conditions`: "reboot_required", "holds_vip", "in_pool", "package_pending" ...
    """

    fact: str
    argument: Raw | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    name: str  # unique in the playbook; "drain"
    verb: str
    arguments: Mapping[str, Raw]
    scope: Scope = Scope.NODE
    on: Raw | None = None  # a limit expression: these nodes instead of the targets (once per run or batch)
    given: str = ""  # the step is left out where this parameter is empty
    when: Condition | None = None
    deadline: Raw | None = None  # seconds, read-back included; None: the verb's own
    retries: int = 0  # only where the verb is idempotent
    on_failure: OnFailure = OnFailure.STOP
    undo: bool = True  # False: left as it is when the node is undone
    note: str = ""  # shown to the operator while it is done


@dataclass(frozen=True, slots=True)
class Targets:
    """Which nodes, in which order, how many at once: those of `limit`, and of `site` and `service` where given."""

    limit: Raw = "all"
    site: Raw | None = None
    service: Raw | None = None
    order: Order = Order.INVENTORY
    batch: Raw = "1"  # an amount
    canary: Raw = 0  # so many nodes first, one by one
    pause: Raw = 0.0  # seconds between batches
    named: bool = False  # the operator has to say which (--limit): all of them is never what is meant
    reserved: tuple[ServiceKind, ...] = ()  # nodes with such a service are left alone unless the limit names them
    needed: tuple[str, ...] = ()  # per-node steps: a target on which all of them are done already is left alone


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may go wrong over the whole run before it stops."""

    failed_nodes: int = 0
    failed_requests: int = 0  # of the prober


@dataclass(frozen=True, slots=True)
class Playbook:
    name: str
    title: str
    description: str
    parameters: Mapping[str, Parameter]
    targets: Targets | None  # None: every step is once per run
    steps: tuple[Step, ...]
    guards: Mapping[str, bool] = field(default_factory=dict)  # guard -> False: does not apply to this playbook
    budget: Budget = field(default_factory=Budget)
    notes: tuple[str, ...] = ()  # shown before the confirmation
    confirm: str = ""  # what has to be typed for an irreversible one ("$cluster"); "": yes is enough
    source: str = ""  # the file
    shipped: bool = False

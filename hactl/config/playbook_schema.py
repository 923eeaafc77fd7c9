"""What may stand in a playbook file, table by table: the shape, not yet the sense (`playbook_read`).

The docstrings below keys are for people who write playbooks: docs/reference/playbook.md is made of them, and editors
show them from the JSON Schema. Where a value may also be a reference ("$name"), its key takes Any and `playbook_read`
looks at it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from hactl.config.entry import Entry
from hactl.config.values import Filled, Name
from hactl.model.conditions import CONDITIONS
from hactl.model.guard import GUARDS
from hactl.model.parameters import Side
from hactl.model.sources import SOURCES
from hactl.model.values import lines

SCHEMA = 1

_SCALARS: list[dict[str, Any]] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
_REF = r"\$[a-z][a-z0-9_-]*"
_PLACE = rf"( ({'|'.join(Side)}) {_REF})?"
_VALUE = {"anyOf": [*_SCALARS, {"type": "array", "items": {"type": "string"}}]}
_CONDITION = {
    "anyOf": [
        {"enum": [sign + fact.name for fact in CONDITIONS.values() for sign in ("", "!") if not fact.required]},
        {
            "type": "object",
            "properties": {
                sign + fact.name: {"type": "string", "description": fact.meaning}
                for fact in CONDITIONS.values()
                for sign in ("", "!")
                if fact.argument is not None
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}


def _schema(**shape: Any) -> WithJsonSchema:
    return WithJsonSchema(shape)


Lines: TypeAlias = Annotated[str, AfterValidator(lines)]
Kind: TypeAlias = Literal[
    "string",
    "text",
    "integer",
    "number",
    "boolean",
    "duration",
    "amount",
    "words",
    "node",
    "service",
    "pool",
    "vip",
    "site",
    "limit",
    "package",
    "version",
    "unit",
    "path",
    "file",
]  # a test holds it equal to ParameterKind
Word: TypeAlias = Annotated[Any, _schema(type="string")]
Amount: TypeAlias = Annotated[Any, _schema(anyOf=[{"type": "string"}, {"type": "integer", "minimum": 1}])]
Count: TypeAlias = Annotated[Any, _schema(anyOf=[{"type": "string"}, {"type": "integer", "minimum": 0}])]
Span: TypeAlias = Annotated[Any, _schema(anyOf=[{"type": "string"}, {"type": "number", "minimum": 0}])]
When: TypeAlias = Annotated[Any, _schema(**_CONDITION)]
Arguments: TypeAlias = Annotated[dict[str, Any], _schema(type="object", additionalProperties=_VALUE)]
TakenFrom: TypeAlias = Annotated[
    str,
    _schema(
        type="string",
        anyOf=[
            {"pattern": rf"^{one.name} of {_REF}{_PLACE if one.placed else ''}$", "description": one.meaning}
            if one.of is not None
            else {"const": one.name, "description": one.meaning}
            for one in SOURCES.values()
        ],
    ),
]
AnyValue: TypeAlias = Annotated[Any, _schema(**_VALUE)]


class HeadEntry(Entry):
    """What the playbook is called and what people are told about it."""

    name: Name
    """What `hactl run` calls it; in a folder of playbooks also the file's name, without `.toml`."""
    title: Filled
    """A few words for lists: "Rolling upgrade of an application"."""
    description: Lines = ""
    """What it does, in as many lines as it takes."""
    notes: list[Filled] = Field([])
    """Sentences that the operator reads before the confirmation."""
    confirm: Filled | None = None
    """What the operator types to confirm, instead of yes. `"$cluster"` is the cluster's name, `"$NAME"` a parameter's
    value. Must be there when a step is irreversible."""


class ParameterEntry(Entry):
    """Something that the operator may or must say: `[parameters.NAME]`. Steps refer to it as `"$NAME"`."""

    model_config = ConfigDict(populate_by_name=True)

    type: Kind
    """What may stand there; the types are listed below."""
    help: Filled
    """What it means, in one sentence."""
    default: AnyValue = None
    """What holds when the operator says nothing. Without it, and without `from`, the operator has to say."""
    from_: TakenFrom | None = Field(None, alias="from")
    """Taken from what is seen when the plan is made, when the operator says nothing: `"primary of $service"`, where
    `service` is a parameter above. The sources are listed below; `default` holds where it is known that there is
    none."""
    choices: list[Filled] = Field([])
    """The only values that will do; for types that are held as a string."""
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The smallest value that will do; for numbers and durations (in seconds)."""


class TargetsEntry(Entry):
    """Which nodes, in which order, how many at once. Without this table every step is done once per run."""

    limit: Word = "all"
    """A limit expression, as `--limit` takes it. The operator can narrow it, never widen it."""
    site: Word = None
    """A site: of the nodes above, those that stand there."""
    service: Word = None
    """A service: of the nodes above, those that provide it."""
    order: Literal["inventory", "reverse", "holder-last"] = "inventory"
    """The order: of the inventory, the reverse of it, or whoever holds a VIP last."""
    batch: Amount = "1"
    """How many nodes at once: a count, or a share of the targets such as `"25%"` (at least one)."""
    canary: Count = 0
    """So many nodes first, one by one, before the batches begin."""
    pause: Span = 0.0
    """How long to wait between batches."""
    named: bool = False
    """Whether the operator has to say which nodes (`--limit`), because all of them is never what is meant."""
    reserved: list[Literal["http", "postgresql", "pgbackrest", "restic", "haproxy", "keepalived", "unit"]] = Field([])
    """Kinds of service. A node that provides one is left alone, unless the limit has the node's own name."""
    needed: list[Filled] = Field([])
    """Names of steps. A target on which all of them are done already is left alone altogether."""


class BudgetEntry(Entry):
    """How much may go wrong over the whole run before it stops."""

    failed_nodes: Annotated[int, Field(ge=0)] = 0
    """So many nodes may fail (with `on_failure = "continue"`) and the run still goes on."""
    failed_requests: Annotated[int, Field(ge=0)] = 0
    """So many of the prober's requests to the public endpoints may fail."""


class StepEntry(Entry):
    """One verb, done once per run, per batch or per node: `[[steps]]`, in the order in which they stand."""

    model_config = ConfigDict(populate_by_name=True)

    name: Name
    """What plans and reports call it; unique in the playbook."""
    verb: Filled
    """What is done; docs/reference/verbs.md lists the verbs with their arguments."""
    with_: Arguments = Field({}, alias="with")
    """The verb's arguments."""
    scope: Literal["run", "batch", "node"] | None = None
    """How often it is done. Left away: for each node where the playbook has targets, else once per run."""
    on: Word = None
    """A limit expression: done on these nodes instead of the targets. For steps once per run or batch."""
    given: Word = None
    """A parameter, as `"$NAME"`: where it is empty, the step is left out of the plan, which says why."""
    when: When = None
    """Done only where this holds; the facts are listed below."""
    deadline: Span = None
    """How long it may take until its effect is seen. Left away: what the verb says."""
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    """How often it is tried again; only for verbs that may be done twice."""
    on_failure: Literal["undo", "stop", "continue"] = "stop"
    """When it fails: undo what was done on this node and stop, leave it and stop, or go on with the next node."""
    undo: bool = True
    """Whether it is taken back when its node is undone; false leaves it as it is."""
    note: Filled | None = None
    """Shown to the operator while it is done."""


class PlaybookFile(Entry):
    """A playbook of hactl."""

    schema_: Literal[1] = Field(alias="schema")
    """The version of this format."""
    playbook: HeadEntry
    parameters: dict[Name, ParameterEntry] = Field({})
    """What the operator may or must say, by name."""
    targets: TargetsEntry | None = None
    guards: Annotated[
        dict[str, bool],
        _schema(
            type="object",
            properties={name: {"type": "boolean", "description": meaning} for name, meaning in GUARDS.items()},
            additionalProperties=False,
        ),
    ] = Field({})
    """Guards that do not apply to this playbook, by name: `NAME = false`. All others do."""
    budget: BudgetEntry = BudgetEntry()
    steps: list[StepEntry]

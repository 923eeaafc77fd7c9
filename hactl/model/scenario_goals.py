"""Whether a goal of an exercise holds: asked of the live picture, never of what anybody typed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from hactl.model.assess.members import Member, members
from hactl.model.backups import backup_services, repositories
from hactl.model.facts import HaproxyFacts, VersionFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import HttpService, Inventory, Pool, PostgresqlService, Routing
from hactl.model.observed import Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.replication import Replication, replication
from hactl.model.scenario import Condition, ConditionKind, Goal
from hactl.model.state import LinkPhase

_SOME = 3  # findings that a sentence names
_OF_THE_MACHINE = ("round-trip:", "latency:", "clock:", "load:", "cpu:", "uptime:")
"""Keys of findings that tell how busy the machine under the lab is, and nothing of what an operator has done."""


NOBODY_COUNTED = Unknown("nobody has counted yet", 0.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a goal is judged by. `before`: keys of the findings that were there when the exercise began, at `began`
    (epoch seconds). `lost`: confirmed orders that are not in the database; Unknown while nobody has counted.
    """

    picture: Picture
    began: float
    before: frozenset[str] = field(default_factory=frozenset)
    lost: int | Unknown = NOBODY_COUNTED


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a condition holds, and the sentence that says why."""

    holds: bool
    sentence: str


def judged(goal: Goal, scene: Scene) -> tuple[Judgement, ...]:
    """One for each of the goal's conditions, in their order."""
    return tuple(_ASKED[one.kind](one, scene) for one in goal.conditions)


def reached(goal: Goal, scene: Scene) -> bool:
    return all(one.holds for one in judged(goal, scene))


def counts_rows(goal: Goal, scene: Scene) -> bool:
    """Everything else holds, so that it is worth while to count the orders."""
    others = Goal(goal.title, tuple(one for one in goal.conditions if one.kind is not ConditionKind.ROWS))
    return len(others.conditions) < len(goal.conditions) and reached(others, scene)


def new_findings(scene: Scene) -> tuple[Finding, ...]:
    """What is wrong now and was not when the exercise began."""
    return tuple(
        one
        for one in scene.picture.assessment.findings
        if one.key not in scene.before and not one.key.startswith(_OF_THE_MACHINE)
    )


def settled(picture: Picture) -> bool:
    """Everybody has been asked everything once, or cannot be reached: from now on pictures can be believed."""
    waiting = any(one.key.startswith("waiting:") for one in picture.assessment.findings)
    return not waiting and all(
        node.link.phase in {LinkPhase.UP, LinkPhase.DOWN} for node in picture.state.nodes.values()
    )


# --- the conditions -----------------------------------------------------------------------------------------------


def _healthy(_: Condition, scene: Scene) -> Judgement:
    found = new_findings(scene)
    if not found:
        return Judgement(holds=True, sentence="nothing is wrong that was not so before")
    named = "; ".join(f"{one.node or one.scope.name}: {one.sentence}" for one in found[:_SOME])
    more = f", and {len(found) - _SOME} more" if len(found) > _SOME else ""
    return Judgement(holds=False, sentence=f"{named}{more}")


def _drained(condition: Condition, scene: Scene) -> Judgement:
    return _members(condition.words, scene, _out, "no new requests on any balancer", "still takes new requests")


def _serving(condition: Condition, scene: Scene) -> Judgement:
    return _members(condition.words, scene, _in, "up on every balancer", "is not up")


def _out(member: Member, balancer: str) -> bool:
    return balancer in member.drained_on


def _in(member: Member, balancer: str) -> bool:
    row = member.seen[balancer]
    return row is not None and row.available


def _members(nodes: Iterable[str], scene: Scene, so: Callable[[Member, str], bool], yes: str, no: str) -> Judgement:
    """Each node, on every balancer that there is: one that cannot be asked is no yes."""
    inventory, wrong = scene.picture.state.inventory, list[str]()
    wanted = tuple(nodes)
    for pool in _shared(inventory):
        balancers = inventory.services[pool.balancer].nodes
        asked = _asked(scene, pool)
        silent = [name for name in balancers if name not in asked]
        for member in members(pool, asked):
            if member.node not in wanted:
                continue
            if silent:
                wrong.append(f"{', '.join(silent)} cannot be asked about {member.node}")
            elif bad := [name for name in balancers if not so(member, name)]:
                wrong.append(f"{member.node} {no} on {', '.join(bad)}")
    if wrong:
        return Judgement(holds=False, sentence="; ".join(wrong))
    return Judgement(holds=True, sentence=f"{', '.join(wanted)}: {yes}")


def _shared(inventory: Inventory) -> Iterator[Pool]:
    return (pool for pool in inventory.pools.values() if pool.routing is Routing.ALL)


def _asked(scene: Scene, pool: Pool) -> Mapping[str, Observed[HaproxyFacts]]:
    state, now = scene.picture.state, scene.picture.now
    found = {
        name: state.nodes[name].read(f"haproxy:{pool.balancer}", HaproxyFacts, now)
        for name in state.inventory.services[pool.balancer].nodes
    }
    return {name: one for name, one in found.items() if isinstance(one, Observed)}


def _vip(condition: Condition, scene: Scene) -> Judgement:
    """Held by exactly one; by which one, where a word says so."""
    for name, vip in scene.picture.assessment.vips.items():
        if len(vip.holders) != 1:
            have = ", ".join(vip.holders) or "nobody"
            return Judgement(holds=False, sentence=f"the VIP {name} is on {have}")
        if vip.unknown:
            return Judgement(holds=False, sentence=f"{', '.join(vip.unknown)} cannot be asked for the VIP {name}")
        wrong = not _fits(vip.holders[0], condition.words[0])
        return Judgement(holds=not wrong, sentence=f"the VIP {name} is on {vip.holders[0]}")
    return Judgement(holds=False, sentence="there is no VIP")


def _fits(node: str, word: str) -> bool:
    """`word` is "one" (whoever it is), a node, or "!NODE" for any other."""
    return word == "one" or (node != word[1:] if word.startswith("!") else node == word)


def _primary(condition: Condition, scene: Scene) -> Judgement:
    word = condition.words[0]
    for found in _databases(scene):
        # Of a node that has to be replaced nobody expects an answer.
        if doubtful := [node for node in found.unknown if word != f"!{node}"]:
            return Judgement(holds=False, sentence=f"{', '.join(doubtful)} cannot be asked: it may be a primary too")
        if not found.primary:
            have = ", ".join(found.primaries) or "nobody"
            return Judgement(holds=False, sentence=f"primary is {have}")
        return Judgement(_fits(found.primary, word), f"primary is {found.primary}")
    return Judgement(holds=False, sentence="there is no database")


def _streaming(condition: Condition, scene: Scene) -> Judgement:
    """Standbys that receive from the one primary, and apply what they receive. "all": every other server."""
    for found in _databases(scene):
        if not found.primary:
            return Judgement(holds=False, sentence=f"primary is {', '.join(found.primaries) or 'nobody'}")
        every = tuple(node for node in found.servers if node != found.primary)
        wanted = every if condition.words == ("all",) else condition.words
        standing = {one.node: one for one in found.standbys}
        wrong = []
        for node in wanted:
            one = standing.get(node)
            if one is None:
                wrong.append(f"{node} is no standby that answers")
            elif not one.streaming or one.upstream != found.primary:
                wrong.append(f"{node} does not stream from {found.primary}")
            elif one.paused:
                wrong.append(f"{node} does not apply what it receives")
        if wrong:
            return Judgement(holds=False, sentence="; ".join(wrong))
        return Judgement(holds=True, sentence=f"{', '.join(wanted)} follow {found.primary}")
    return Judgement(holds=False, sentence="there is no database")


def _databases(scene: Scene) -> Iterator[Replication]:
    for service in scene.picture.state.inventory.services.values():
        if isinstance(service, PostgresqlService):
            yield replication(service, scene.picture)


def _version(condition: Condition, scene: Scene) -> Judgement:
    """What runs on each node of the service, by its own word."""
    name, wanted = condition.words
    state = scene.picture.state
    service = state.inventory.services.get(name)
    if not isinstance(service, HttpService):
        return Judgement(holds=False, sentence=f"there is no service {name} that tells its version")
    wrong = []
    for node in service.nodes:
        said = state.nodes[node].read(f"version:{name}", VersionFacts, scene.picture.now)
        if not isinstance(said, Observed):
            wrong.append(f"{node} does not tell its version")
        elif said.value.version != wanted:
            wrong.append(f"{node} runs {said.value.version}")
    if wrong:
        return Judgement(holds=False, sentence="; ".join(wrong))
    return Judgement(holds=True, sentence=f"every node runs {name} {wanted}")


def _without(condition: Condition, scene: Scene) -> Judgement:
    """No finding whose key is like one of the patterns."""
    found = [
        one
        for one in scene.picture.assessment.findings
        if one.level is not Level.OK and any(fnmatchcase(one.key, pattern) for pattern in condition.words)
    ]
    if found:
        named = "; ".join(f"{one.node or one.scope.name}: {one.sentence}" for one in found[:_SOME])
        return Judgement(holds=False, sentence=named)
    return Judgement(holds=True, sentence=f"nothing is said of {', '.join(condition.words)}")


def _rows(_: Condition, scene: Scene) -> Judgement:
    if isinstance(scene.lost, Unknown):
        return Judgement(holds=False, sentence=f"orders: {scene.lost.reason}")
    if scene.lost:
        return Judgement(holds=False, sentence=f"{scene.lost} orders that were confirmed are not there")
    return Judgement(holds=True, sentence="every order that was confirmed is there")


def _backup(condition: Condition, scene: Scene) -> Judgement:
    """A good backup that was begun after the exercise; of the kind "full", or "any"."""
    (kind,) = condition.words
    for service in backup_services(scene.picture.state.inventory):
        for repository in repositories(service, scene.picture):
            if repository.known is None:
                continue
            good = repository.known.fulls if kind == "full" else repository.known.good
            if any(one.started >= scene.began for one in good):
                return Judgement(holds=True, sentence="a good backup was taken since this began")
    word = "full backup" if kind == "full" else "backup"
    return Judgement(holds=False, sentence=f"no good {word} was taken since this began")


_ASKED: Mapping[ConditionKind, Callable[[Condition, Scene], Judgement]] = {
    ConditionKind.HEALTHY: _healthy,
    ConditionKind.DRAINED: _drained,
    ConditionKind.SERVING: _serving,
    ConditionKind.VIP: _vip,
    ConditionKind.PRIMARY: _primary,
    ConditionKind.STREAMING: _streaming,
    ConditionKind.VERSION: _version,
    ConditionKind.WITHOUT: _without,
    ConditionKind.ROWS: _rows,
    ConditionKind.BACKUP: _backup,
}

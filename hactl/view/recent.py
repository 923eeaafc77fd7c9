"""What has changed lately, from picture after picture: findings that came and went, addresses that moved, roles that
changed; and from the journal: runs that began and ended.

What was so already when somebody first looked is no change. Nor is it one that nobody can look for a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from hactl.model.assess import subject
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.findings import Finding, Level
from hactl.model.gone import decided, surely_gone
from hactl.model.inventory import PostgresqlService
from hactl.model.journal import RunSummary
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.state import NodeState
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.cells import level_cell
from hactl.view.outcomes import OUTCOME_LEVELS, OUTCOME_WORDS
from hactl.view.tables import Cell, Column, Row, Table
from hactl.view.whereto import Where, of_finding, of_run

MOST = 200  # happenings that are kept
GRACE = 20.0  # seconds after the first picture, at most, in which nodes are only just heard for the first time
RUNS_OF = 86400.0  # seconds: older runs are no news

_SILENT = ("waiting:",)  # comes with every connection that is made again
_COLUMNS = (
    Column("at", "when", minimum=8),
    Column("level", "level", minimum=7, priority=2),
    Column("about", "about", minimum=10, grow=True),
    Column("says", "what happened", minimum=20, grow=True),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """`at` is epoch seconds; `level` how bad it is now that it has happened. `key` is its own among all of them."""

    key: str
    at: float
    level: Level
    about: str
    sentence: str
    where: Where | None = None


class Recent:
    """Takes every picture, and the newest runs whenever they change. Keeps MOST happenings."""

    def __init__(self) -> None:
        self._kept: deque[Happening] = deque(maxlen=MOST)  # newest first
        self._runs: tuple[Happening, ...] = ()
        self._numbers = count()
        self.version = 0  # another one whenever there is something else to show
        self._began: float | None = None
        self._settled = False  # everybody has been heard once, or has had the time for it
        self._last: Picture | None = None
        self._standing: dict[str, Finding] = {}
        self._holders: dict[str, str] = {}  # vip -> node
        self._roles: dict[tuple[str, str], PostgresqlRole] = {}  # (service, node)
        self._seen: dict[str, NodeState] = {}

    @property
    def happenings(self) -> tuple[Happening, ...]:
        """Newest first."""
        if not self._runs:
            return tuple(self._kept)
        merged = sorted((*self._kept, *self._runs), key=lambda one: -one.at)
        return tuple(merged[:MOST])

    def take(self, picture: Picture) -> None:
        """Time may be turned back, as in a recording: what came after that moment has not happened yet."""
        last, self._last = self._last, picture
        if last is None or picture.now < last.now:
            self._begin(picture)
        if last is not None and picture.assessment is last.assessment:
            return
        news = [*self._of_findings(picture), *self._of_holders(picture), *self._of_roles(picture)]
        if self._settled:
            self._kept.extendleft(news)
            self.version += bool(news)
        else:
            began = self._began if self._began is not None else picture.now
            self._settled = picture.now - began >= GRACE or all(decided(picture, name) for name in picture.state.nodes)

    def take_runs(self, runs: Sequence[RunSummary], now: float) -> None:
        """The newest runs as the journal has them; `now` is epoch seconds."""
        self._runs = tuple(one for run in runs for one in _of_run(run) if now - one.at < RUNS_OF)
        self.version += 1

    # --- inside ---

    def _begin(self, picture: Picture) -> None:
        wall = picture.state.wall(picture.now)
        self._kept = deque((one for one in self._kept if one.at <= wall), maxlen=MOST)
        self._runs = tuple(one for one in self._runs if one.at <= wall)
        self.version += 1
        self._began, self._settled = picture.now, False
        self._standing, self._holders, self._roles, self._seen = {}, {}, {}, {}

    def _happening(self, picture: Picture, level: Level, about: str, says: str, where: Where | None) -> Happening:
        return Happening(f"seen:{next(self._numbers)}", picture.state.wall(picture.now), level, about, says, where)

    def _of_findings(self, picture: Picture) -> Iterator[Happening]:
        now = {one.key: one for one in picture.assessment.findings if not one.key.startswith(_SILENT)}
        for key, finding in now.items():
            before = self._standing.get(key)
            if before is None or before.level is not finding.level:
                yield self._told(picture, finding, _came(finding, before))
        for key, finding in list(self._standing.items()):
            if key in now:
                continue
            if surely_gone(finding, picture):
                del self._standing[key]
                yield self._told(picture, finding, _went(finding, picture.now), Level.OK)
        self._standing |= now

    def _told(self, picture: Picture, finding: Finding, says: str, level: Level | None = None) -> Happening:
        where = of_finding(finding, picture.state.inventory)
        return self._happening(picture, finding.level if level is None else level, subject(finding), says, where)

    def _of_holders(self, picture: Picture) -> Iterator[Happening]:
        for vip in picture.assessment.vips.values():
            if len(vip.holders) != 1:
                continue
            (holder,), before = vip.holders, self._holders.get(vip.name)
            self._holders[vip.name] = holder
            if before not in (None, holder):
                where = Where("balancers", vip.name, holder)
                yield self._happening(
                    picture, vip.verdict.level, f"vip {vip.name}", f"moved from {before} to {holder}", where
                )

    def _of_roles(self, picture: Picture) -> Iterator[Happening]:
        for service in picture.state.inventory.services.values():
            if not isinstance(service, PostgresqlService):
                continue
            for node in service.nodes:
                state = picture.state.nodes[node]
                if self._seen.get(node) is state:
                    continue
                self._seen[node] = state
                role = _role(state, service.name, picture.now)
                before = self._roles.get((service.name, node))
                if role is None or role is before:
                    continue
                self._roles[service.name, node] = role
                if before is not None:
                    where = Where("database", node, node)
                    yield self._happening(picture, Level.OK, node, f"{role.value} now, was {before.value}", where)


def recent_rows(happenings: Sequence[Happening], now: float) -> Table:
    """Newest first. `now` is epoch seconds."""
    return Table(
        _COLUMNS,
        tuple(
            Row(
                one.key,
                (
                    Cell(units.moment(one.at, now).removesuffix(" UTC"), sort=one.at),
                    level_cell(one.level),
                    Cell(one.about),
                    Cell(one.sentence),
                ),
                one.level,
            )
            for one in happenings
        ),
    )


def _role(state: NodeState, service: str, now: float) -> PostgresqlRole | None:
    answer = state.read(f"postgresql:{service}", PostgresqlFacts, now)
    return answer.value.role if isinstance(answer, Observed) else None


def _came(finding: Finding, before: Finding | None) -> str:
    if before is None:
        return finding.sentence
    return f"{'worse' if finding.level > before.level else 'better'}: {finding.sentence}"


def _went(finding: Finding, now: float) -> str:
    lasted = units.duration(round(max(0.0, now - finding.since)))
    if finding.key.startswith("link:"):
        return f"answers again, after {lasted}"
    return f"over after {lasted}: {finding.sentence}"


def _of_run(run: RunSummary) -> Iterator[Happening]:
    """Its begin, and its end once it has one; one that nobody works on any more has none."""
    if run.began_at is None:
        return
    about, where = one_line(f"{run.playbook} {', '.join(run.targets)}".strip(), 40), of_run(run.run)
    yield Happening(f"{run.run}:begin", run.began_at, Level.OK, about, f"the run begins, by {one_line(run.who)}", where)
    if run.outcome is not None and run.ended_at is not None:
        word = OUTCOME_WORDS[run.outcome]
        said = one_line(run.sentence) if run.sentence else ""
        says = f"the run is over, {word}{f': {said}' if said and said != word else ''}"
        yield Happening(f"{run.run}:end", run.ended_at, OUTCOME_LEVELS[run.outcome], about, says, where)

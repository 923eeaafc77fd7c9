"""The report of a run: one HTML page that needs nothing else, safe to open whatever a node has said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hactl.model.events import Outcome, Recorded
from hactl.model.findings import Level
from hactl.model.plan import Plan
from hactl.model.run import ProbeTotals, RunState, StepPhase, folded
from hactl.view import report_charts, units
from hactl.view import report_parts as parts
from hactl.view.events import event_sentence
from hactl.view.outcomes import OUTCOME_LEVELS, OUTCOME_WORDS, PHASE_LEVELS
from hactl.view.plan import value_text, weakest_words
from hactl.view.plan_document import iso
from hactl.view.report_text import shown
from hactl.view.run_document import CommandResult, commands

_LEGEND = ("done", "skipped", "failed", "undone", "unknown")


def report_page(run: str, plan: Plan, story: Sequence[Recorded]) -> str:
    """The whole page."""
    state = folded(run, plan, story)
    body = (*_head(state), *_charts(plan, story), *_tables(state), *_details(plan, story), *_foot(story))
    return parts.page(f"{plan.title or plan.playbook}: run {run}", body)


def _head(state: RunState) -> Iterator[str]:
    plan = state.plan
    yield f"<h1>{shown(plan.title or plan.playbook)}</h1>"
    yield f"<p>{parts.badge(_outcome(state.outcome), _badge(state.outcome))} {shown(state.sentence)}</p>"
    yield f'<div class="tiles">{"".join(_tiles(state))}</div>'
    facts = {
        "run": state.run,
        "cluster": plan.cluster,
        "playbook": plan.playbook,
        "targets": ", ".join(plan.targets),
        "who": f"{state.who or plan.request.who} on {state.host}" if state.host else plan.request.who,
        "reason": plan.request.reason,
        "began": iso(state.began_at) if state.began_at is not None else "",
        "ended": iso(state.ended_at) if state.ended_at is not None else "",
        "attempts": str(state.attempt) if state.attempt > 1 else "",
        "parameters": ", ".join(f"{name} = {value_text(value)}" for name, value in plan.parameters.items()),
        "plan": plan.digest,
    }
    yield parts.facts(facts)


def _tiles(state: RunState) -> Iterator[str]:
    if state.began_at is not None and state.ended_at is not None:
        yield parts.tile(units.duration(state.ended_at - state.began_at), "from begin to end")
    totals = list(state.probes.values())
    if totals:
        failed = sum(total.failed for total in totals)
        yield parts.tile(str(sum(total.sent for total in totals)), "requests of the prober")
        yield parts.tile(str(failed), "of them failed", bad=failed > 0)
        yield parts.tile(units.duration(max(total.slowest for total in totals)), "slowest answer")
        yield parts.tile(units.duration(max(total.gap for total in totals)), "longest gap")
    for proof in state.lowest.values():
        words = f"lowest availability of {proof.pool}, minimum {proof.minimum}"
        if proof.unknown:
            words += f"; for {units.duration(proof.blind)} {proof.unknown} could not be judged"
        lowest = f"{proof.surely}" if proof.surely == proof.at_most else f"{proof.surely} to {proof.at_most}"
        yield parts.tile(f"{lowest} of {proof.total}", words, bad=proof.at_most < proof.minimum)
    if (totals or state.lowest) and state.unwatched >= 1:
        yield parts.tile(units.duration(round(state.unwatched)), "between its attempts, when nobody watched")


def _charts(plan: Plan, story: Sequence[Recorded]) -> Iterator[str]:
    axis = report_charts.axis_of(story)
    if steps := report_charts.timeline(plan, story, axis):
        legend = "".join(f'<span><i class="{kind}"></i>{kind}</span>' for kind in _LEGEND)
        yield f'<h2>Steps of every node</h2>\n<figure>{steps}<p class="legend soft">{legend}</p></figure>'
    pools = list(report_charts.availability(story, axis))
    if pools:
        yield "<h2>Available members</h2>"
        yield from (f"<h3>{shown(pool)}</h3>\n<figure>{chart}</figure>" for pool, chart in pools)
    probes = list(report_charts.prober(story, axis))
    if probes:
        yield "<h2>What clients noticed</h2>"
        yield '<p class="soft">The slowest answer of each moment; red where requests failed.</p>'
        yield from (f"<h3>{shown(endpoint)}</h3>\n<figure>{chart}</figure>" for endpoint, chart in probes)


def _tables(state: RunState) -> Iterator[str]:
    plan = state.plan
    yield "<h2>Guards</h2>"
    yield parts.table(
        ("guard", "ruling", "says"),
        (
            (
                shown(verdict.guard),
                parts.word("set aside" if verdict.overridden else verdict.ruling.value, _ruling(verdict.ruling.value)),
                shown(verdict.sentence),
            )
            for verdict in plan.verdicts
        ),
    )
    for weakest in plan.weakest:
        yield f"<p>Weakest moment as planned: {shown(weakest_words(weakest))}</p>"
    yield "<h2>Steps</h2>"
    yield parts.table(("", "step", "node", "phase", "took", "waited", "says"), _step_rows(state))
    if state.probes:
        yield "<h2>Requests</h2>"
        yield parts.table(
            ("endpoint", "sent", "failed", "slowest", "longest gap"), map(_probe_row, state.probes.values())
        )


def _step_rows(state: RunState) -> Iterator[tuple[str, ...]]:
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        took = units.duration(step.seconds) if step.phase not in {StepPhase.PENDING, StepPhase.RUNNING} else ""
        waited = units.duration(step.waited) if step.waited else ""
        phase = parts.word(step.phase.value, PHASE_LEVELS[step.phase])
        named = (str(planned.index + 1), shown(planned.name), shown(planned.node or ""))
        yield (*named, phase, took, waited, shown(step.sentence))


def _probe_row(total: ProbeTotals) -> tuple[str, ...]:
    failed = parts.word(str(total.failed), Level.CRIT if total.failed else None)
    times = units.duration(total.slowest), units.duration(total.gap)
    return (shown(total.endpoint), str(total.sent), failed, *times)


def _details(plan: Plan, story: Sequence[Recorded]) -> Iterator[str]:
    yield "<h2>Plan</h2>"
    for step in plan.steps:
        first = "\n".join(f"{command.node}> {command.text}" for command in step.first)
        said = f"{step.index + 1} {step.label}: {step.verb}"
        yield f"<details><summary>{shown(said)}</summary><pre>{shown(first)}</pre></details>"
    if plan.basis:
        yield "<details><summary>the state that the plan depends on</summary>"
        yield f"{parts.facts(dict(plan.basis))}</details>"
    yield "<h2>Events</h2>\n<details><summary>everything that was told, in order</summary>"
    told = [(recorded, event_sentence(recorded, plan)) for recorded in story]
    rows = ((_time(recorded), parts.word(found[1], found[0])) for recorded, found in told if found is not None)
    yield f"{parts.table(('UTC', 'what'), rows)}</details>"
    yield "<h2>Commands</h2>"
    yield from map(_command, commands(story))


def _command(command: CommandResult) -> str:
    level = None if command.exit == 0 else Level.UNKNOWN if command.exit is None else Level.WARN
    status = parts.word("outcome unknown" if command.exit is None else f"exit {command.exit}", level)
    took = "" if command.seconds is None else f", {units.duration(command.seconds)}"
    output = "\n".join(text for text in (command.stdout.rstrip(), command.stderr.rstrip()) if text)
    said = f"<pre>{shown(output)}</pre>" if output else '<p class="soft">no output</p>'
    head = f"{command.at[11:19]} step {command.step} {shown(command.node)}: <code>{shown(command.text)}</code>"
    return f"<details><summary>{head} {status}{took}</summary>{said}</details>"


def _foot(story: Sequence[Recorded]) -> Iterator[str]:
    link = f"; hash of the last one: <code>{shown(story[-1].hash)}</code>" if story and story[-1].hash else ""
    yield f"<footer>Made by hactl from {len(story)} events of the journal{link}. Times are UTC.</footer>"


def _badge(outcome: Outcome | None) -> str:
    return OUTCOME_LEVELS[outcome].word if outcome else "going"


def _outcome(outcome: Outcome | None) -> str:
    return OUTCOME_WORDS[outcome] if outcome else "not ended"


def _ruling(ruling: str) -> Level:
    return {"ok": Level.OK, "warn": Level.WARN}.get(ruling, Level.CRIT)


def _time(recorded: Recorded) -> str:
    return iso(recorded.at)[11:19]

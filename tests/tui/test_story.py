"""What the run screen remembers of events."""

from __future__ import annotations

from hactl.model.events import CommandDone, CommandStarted, Event, GuardsChecked, ProbeTick, Recorded, StepProgress
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import Request
from hactl.model.run import begun, folded
from hactl.tui.story import Story
from hactl.tui.widgets.chart import Beat, bars
from hactl.view.lines import Line
from tests.tui.acts import RUN, plan_for


def told(*events: Event, at: float = 1_700_000_000.0, apart: float = 1.0) -> Story:
    story = Story(begun(RUN, plan_for(Request("drain"))))
    for number, event in enumerate(events, 1):
        story.take(Recorded(RUN, number, at + apart * number, event))
    return story


def test_a_wait_that_says_the_same_is_told_once() -> None:
    waits = [StepProgress(0, "7 sessions left")] * 3 + [StepProgress(0, "6 sessions left")]
    assert [line.text[10:] for line in told(*waits).lines] == [
        "1/4 drain app1: 7 sessions left",
        "1/4 drain app1: 6 sessions left",
    ]


def test_endpoints_of_one_second_share_a_beat() -> None:
    ticks = ProbeTick("http://a/", 1.0, 10, 1, 0.2, 0.1), ProbeTick("http://b/", 1.0, 10, 2, 0.4, 0.1)
    assert list(told(*ticks, apart=0.1).beats) == [Beat(0.4, 3, 1_700_000_000)]
    assert len(told(*ticks).beats) == 2


def test_a_command_keeps_the_end_of_what_it_said() -> None:
    said = "\n".join(f"line {number}" for number in range(20))
    story = told(CommandStarted(0, "app1", "apt-get update"), CommandDone(0, "app1", 100, said, "sorry", 2.0))
    texts = [line.text for line in story.command]
    assert texts[:2] == ["app1> apt-get update", "exit 100 after 2 s"]
    assert texts[-2:] == ["line 19", "sorry"]
    assert len(texts) == 8


def test_events_that_the_state_has_already_do_not_count_twice() -> None:
    plan, tick = plan_for(Request("drain")), ProbeTick("http://a/", 1.0, 10, 0, 0.2, 0.1)
    recorded = Recorded(RUN, 1, 1_700_000_000.0, tick)
    story = Story(folded(RUN, plan, [recorded]))
    story.take(recorded)
    assert story.state.probes["http://a/"].sent == 10
    assert len(story.beats) == 1


def test_one_slow_answer_does_not_flatten_the_others() -> None:
    assert drawn([Beat(1.0, 0), Beat(0.25, 0), Beat(0.01, 0), Beat(0.01, 3)], 1) == ["█▄▁!"]


def test_a_higher_chart_tells_more_apart() -> None:
    assert drawn([Beat(1.0, 0), Beat(0.36, 0), Beat(0.01, 0), Beat(0.01, 3)], 2) == ["█▂ !", "██▂!"]


def drawn(beats: list[Beat], rows: int) -> list[str]:
    return ["".join(span.text for span in line) for line in bars(beats, rows)]


def test_what_guards_said_last_is_kept() -> None:
    content = GuardVerdict("minimum-available", Ruling.OK, "shop keeps 2 of 3")
    warns = GuardVerdict("critical-finding", Ruling.WARN, "db3: replication is slow")
    story = told(GuardsChecked((content,)), GuardsChecked((content, warns), 2))
    assert story.guards is not None
    assert story.guards.text == "guards before 3/4 drain app2: critical-finding warns: db3: replication is slow"
    assert told(GuardsChecked((content,))).guards == Line("guards at the beginning: content (minimum-available)")

"""The report of a run: one page that needs nothing else, whatever a node has said, and charts that show what was."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from hactl.view.report import report_page
from hactl.view.report_time import TimeAxis
from tests.view import stories

NAMES = list(stories.STORIES)
_VOID = {"meta", "rect", "line", "polyline", "br", "path"}


class Page(HTMLParser):
    """What a browser would see: elements, attributes, texts; `balanced` when every element ends where it should."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.stack: list[str] = []
        self.balanced = True
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.balanced &= bool(self.stack) and self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        return [a for name, a in self.elements if name == tag and kind in ("", *(a.get("class") or "").split())]


def page(name: str) -> Page:
    return Page(report_page(stories.RUN, *stories.story(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_whole_and_loads_nothing(name: str) -> None:
    text = report_page(stories.RUN, *stories.story(name))
    found = Page(text)
    assert found.balanced
    assert found.stack == []
    assert not {tag for tag, _ in found.elements} & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert not {key for _, attributes in found.elements for key in attributes} & {"src", "href", "style", "onclick"}
    assert "url(" not in text
    assert "@import" not in text
    policy = next(a["content"] for a in found.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_what_a_node_said_is_text_and_nothing_else() -> None:
    found = page("undone")
    assert any("<script>alert(1)</script>" in text for text in found.texts), "shown as it was"
    text = report_page(stories.RUN, *stories.story("undone"))
    assert "<script>" not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_head_and_tiles_tell_the_outcome() -> None:
    told = " ".join(page("done").texts)
    for sentence in (
        "Rolling upgrade of shop to 1.1.0",
        "3 nodes are at 1.1.0",
        "anna@laptop on laptop",
        "release 1.1.0",
        "1 m 10 s",
        "2400",
        "38 ms",
        "2 of 3",
        "service = shop, version = 1.1.0",
        "3f2a9c77d0",
    ):
        assert sentence in told
    assert stories.story("done")[1][-1].hash in told
    assert page("done").of("span", "badge")[0]["class"] == "badge ok"
    assert page("undone").of("span", "badge")[0]["class"] == "badge warn"
    assert page("killed").of("span", "badge")[0]["class"] == "badge going"
    assert len(page("failing").of("div", "bad")) == 2, "failed requests, and too few members"


def test_overrides_stand_among_the_guards() -> None:
    found = Page(report_page(stories.RUN, *stories.story("done", stories.refused())))
    told = " ".join(found.texts)
    assert "maintenance-window set aside" in " ".join(told.split())


@pytest.mark.parametrize(
    ("name", "bars"),
    [
        ("done", {"done": 12}),
        ("undone", {"done": 2, "failed": 1, "undone": 2}),
        ("killed", {"done": 1, "unknown": 1}),
        ("resumed", {"done": 12, "unknown": 1}),
        ("changed", {}),
    ],
)
def test_the_timeline_has_a_bar_for_each_time_a_step_was_worked_on(name: str, bars: dict[str, int]) -> None:
    kinds = [(bar["class"] or "").split()[1] for bar in page(name).of("rect", "bar")]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == bars


def test_bars_of_a_node_stand_in_its_row_one_after_the_other() -> None:
    rows: dict[float, list[tuple[float, float]]] = {}
    for bar in page("done").of("rect", "bar"):
        left, width = float(bar["x"] or 0), float(bar["width"] or 0)
        rows.setdefault(float(bar["y"] or 0), []).append((left, left + width))
    assert [len(bars) for bars in rows.values()] == [4, 4, 4]
    for bars in rows.values():
        assert all(one[1] <= other[0] + 0.2 for one, other in pairwise(bars))
    assert min(bars[0][0] for bars in rows.values()) >= 110
    assert max(bars[-1][1] for bars in rows.values()) <= 948


def test_a_pool_below_its_minimum_is_marked() -> None:
    assert page("done").of("rect", "short") == []
    assert len(page("failing").of("rect", "short")) == 1
    heights = {float(bar["height"] or 0) for bar in page("done").of("rect", "available")}
    assert len(heights) == 2, "3 of 3 and 2 of 3"


def test_failed_requests_are_marked_where_they_were() -> None:
    assert page("done").of("rect", "failures") == []
    (failed,) = page("failing").of("rect", "failures")
    assert float(failed["x"] or 0) > 900, "at the end of the run"


def test_a_long_silence_is_cut_out_of_the_time_axis() -> None:
    _, story = stories.story("resumed")
    axis = TimeAxis((recorded.at for recorded in story), 100, 900)
    assert len(axis.spans) == 2
    assert len(axis.breaks) == 1
    assert page("resumed").of("line", "break")
    ordered = [axis.x(recorded.at) for recorded in story]
    assert ordered == sorted(ordered)
    assert 100 <= ordered[0] < ordered[-1] <= 900


@pytest.mark.parametrize("times", [[], [5.0], [5.0, 5.0], [0.0, 0.001], [0.0, 1e6], list(range(100_000))])
def test_any_times_have_an_axis(times: list[float]) -> None:
    axis = TimeAxis(times, 100, 900)
    assert all(100 <= axis.x(at) <= 900 for at in times)
    marks = list(axis.marks())
    assert all(100 <= x <= 900 for _, x in marks)
    assert all(later - earlier >= 60 for (_, earlier), (_, later) in pairwise(marks))


def test_every_command_stands_there_with_its_output() -> None:
    told = " ".join(page("undone").texts)
    assert told.count("do it") == 3
    assert "said" in told
    assert "exit 1" in told

"""Playbooks are read, and filled in with what the inventory has; what is wrong is said at its field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hactl.model.parameters import Parameter, ParameterKind
from hactl.model.playbook import Playbook, Targets
from hactl.tui.screens.form import Field, FormScreen, form_fields, problem
from hactl.tui.screens.plan import PlanScreen
from hactl.tui.screens.playbook import PlaybookScreen
from hactl.tui.widgets.choice import Choice
from hactl.view.playbook_text import playbook_lines
from tests.tui.acts import Runs
from tests.tui.pictures import INVENTORY
from tests.tui.test_acting import app_with, shows, until

KINDS = ParameterKind
PARAMETERS = (
    Parameter("node", KINDS.NODE, "Where."),
    Parameter("service", KINDS.SERVICE, "Which service.", "shop"),
    Parameter("pool", KINDS.POOL, "Which pool.", ""),
    Parameter("vip", KINDS.VIP, "Which address.", ""),
    Parameter("force", KINDS.BOOLEAN, "Whatever happens.", default=False),
    Parameter("mode", KINDS.STRING, "How.", "abort", choices=("wait", "abort", "shut")),
    Parameter("timeout", KINDS.DURATION, "How long sessions may take.", 60.0, minimum=0),
    Parameter("times", KINDS.INTEGER, "How often.", 5, minimum=1),
    Parameter("batch", KINDS.AMOUNT, "How many at once.", "1"),
)
MOVE = Playbook(
    "move",
    "Move things",
    "From here to there.",
    {parameter.name: parameter for parameter in PARAMETERS},
    Targets(),
    (),
    notes=("Mind the gap.",),
)


class Books(Runs):
    def playbooks(self) -> tuple[Playbook, ...]:
        return (MOVE,)


def field(name: str) -> Field:
    return next(one for one in form_fields(MOVE, INVENTORY) if one.name == name)


@pytest.mark.parametrize(
    ("name", "values", "default"),
    [
        ("node", ("", *INVENTORY.nodes), ""),
        ("service", tuple(INVENTORY.services), "shop"),
        ("pool", ("", *INVENTORY.pools), ""),
        ("vip", ("", *INVENTORY.vips), ""),
        ("force", ("false", "true"), "false"),
        ("mode", ("wait", "abort", "shut"), "abort"),
        ("timeout", None, "60"),
        ("limit", None, ""),
    ],
)
def test_what_can_be_named_is_chosen(name: str, values: tuple[str, ...] | None, default: str) -> None:
    assert (field(name).values, field(name).default) == (values, default)


def test_a_site_is_chosen_and_has_to_be() -> None:
    evacuate = replace(MOVE, parameters={"site": Parameter("site", KINDS.SITE, "Where.")}, targets=None)
    (site,) = form_fields(evacuate, INVENTORY)
    assert (site.values, site.default) == (("", *INVENTORY.sites), "")
    assert problem(evacuate, site, "", INVENTORY) == "It has to be given."
    assert problem(evacuate, site, "west", INVENTORY) == ""


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("timeout", "90s", ""),
        ("timeout", "", ""),
        ("timeout", "soon", '"soon" is not a duration'),
        ("times", "0", "must be at least 1"),
        ("times", "many", "must be a whole number"),
        ("batch", "120%", "is not an amount"),
        ("node", "", "It has to be given."),
        ("node", "app1", ""),
        ("limit", "role:app,!app2", ""),
        ("limit", "app9", "app9"),
    ],
)
def test_problems_are_said_of_their_field(name: str, value: str, says: str) -> None:
    found = problem(MOVE, field(name), value, INVENTORY)
    assert says in found if says else not found


def test_where_nodes_have_to_be_named_the_limit_is_needed() -> None:
    named = Playbook("x", "", "", {}, Targets(named=True), ())
    (limit,) = form_fields(named, INVENTORY)
    assert problem(named, limit, "", INVENTORY) == "It has to be said which nodes are meant."


async def form(pilot: Pilot[None]) -> FormScreen:
    await pilot.press("7")
    await shows(pilot, "Move things")
    await pilot.press("enter")
    await shows(pilot, "From here to there", "Where.")
    screen = pilot.app.screen
    assert isinstance(screen, FormScreen)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_form_is_filled_in_by_keys(size: tuple[int, int]) -> None:
    runs = Books()
    async with app_with(runs).run_test(notifications=True, size=size) as pilot:
        await form(pilot)  # begins at what has to be given
        await pilot.press("d", "right")  # db1, then db2
        await shows(pilot, "db2", "one of lb1")
        await pilot.press("enter", "down", "down", "down", "t")  # force
        await shows(pilot, "Whatever happens.")
        await pilot.press("down", "s", "down", *"90s", "ctrl+g")
        await until(pilot, lambda: runs.asked, "planned")
        assert runs.asked[0].parameters == {"node": "db2", "force": "true", "mode": "shut", "timeout": "90s"}
        assert runs.asked[0].limit is None


async def test_nothing_is_planned_while_a_field_is_wrong() -> None:
    runs = Books()
    async with app_with(runs).run_test(notifications=True, size=(100, 40)) as pilot:
        screen = await form(pilot)
        screen.query_one("#parameter-timeout").focus()
        await pilot.press(*"soon")
        await shows(pilot, '"soon" is not a duration')
        await pilot.press("ctrl+g")
        await shows(pilot, "It has to be given.")
        assert screen.focused is screen.query_one("#parameter-node", Choice)  # the first that is wrong
        assert not runs.asked
        await pilot.press("a", "ctrl+g")
        assert screen.focused is screen.query_one("#parameter-timeout")
        await pilot.press(*["backspace"] * 4, "ctrl+g")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanScreen), "the plan")
        assert runs.asked[0].parameters == {"node": "app1"}


async def test_only_the_line_with_the_focus_has_the_cursor() -> None:
    async with app_with(Books()).run_test(notifications=True, size=(100, 40)) as pilot:
        screen = await form(pilot)
        service = screen.query_one("#parameter-service", Choice)
        service.focus()
        await until(
            pilot, lambda: any(span.style == "cursor" for line in service._lines for span in line), "the cursor"
        )
        await pilot.press("down")
        await until(pilot, lambda: not any(span.style == "cursor" for line in service._lines for span in line), "gone")


async def test_the_limit_goes_with_the_request() -> None:
    runs = Books()
    async with app_with(runs).run_test(notifications=True, size=(100, 40)) as pilot:
        await form(pilot)
        await pilot.press("l", "up", *"app1", "ctrl+g")
        await until(pilot, lambda: runs.asked, "planned")
        assert (runs.asked[0].limit, runs.asked[0].parameters) == ("app1", {"node": "lb1"})


async def test_a_playbook_is_read_in_words_and_as_its_file(tmp_path: Path) -> None:
    source = tmp_path / "move.toml"
    source.write_text('[playbook]\nname = "move" # [bold]\n')

    class Own(Runs):
        def playbooks(self) -> tuple[Playbook, ...]:
            return (Playbook("move", "Move things", "", {}, None, (), source=str(source)),)

    async with app_with(Own()).run_test(notifications=True, size=(100, 40)) as pilot:
        await pilot.press("7")
        await shows(pilot, "Move things")
        await pilot.press("v")
        await shows(pilot, "your own", "every step is done once")
        await pilot.press("t")
        await shows(pilot, 'name = "move" # [bold]')
        await pilot.press("t")
        await shows(pilot, "every step is done once")
        source.unlink()
        await pilot.press("t")
        await shows(pilot, "cannot be read")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen), "the form")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlaybookScreen), "the page again")


def test_a_page_names_everything() -> None:
    text = "\n".join(line.text for line in playbook_lines(MOVE))
    for wanted in (
        "Move things",
        "timeout (duration, 1 m)",
        "node (node, required)",
        "One of wait, abort",
        "Mind the gap.",
    ):
        assert wanted in text

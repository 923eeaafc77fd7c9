"""Exercises of the lab: what ships is sound and whole, every mistake is told with its place."""

import re
from pathlib import Path

import pytest
import tomli

from hactl.config.scenarios import load_scenario, parse_scenario, scenario_names, scenarios
from hactl.config.share import share_path
from hactl.lab.faults import FAULTS
from hactl.model.errors import ScenarioError
from hactl.model.scenario import MEASURES, PLACES, ActKind, Condition, ConditionKind, Grade
from hactl.model.units import duration

ROOT = Path(__file__).parents[2]
BAD = sorted((ROOT / "tests" / "cases" / "scenario" / "bad").glob("*.toml"))
KNOWN = {
    name: (sum(one.default is None for one in fault.parameters), len(fault.parameters))
    for name, fault in FAULTS.items()
}
NAMES = {
    "first-look",
    "drain-and-undrain",
    "good-upgrade",
    "bad-upgrade",
    "balancer-dies",
    "vip-on-nobody",
    "planned-switchover",
    "primary-power-loss",
    "old-primary-returns",
    "site-cut-off",
    "lag-and-slot",
    "archiving-stopped",
    "damaged-backup",
    "dropped-table",
    "two-operators",
}


def test_these_ship():
    assert set(scenario_names()) == NAMES
    found = scenarios(KNOWN)
    assert {one.name for one in found} == NAMES
    levels = [list(Grade).index(one.grade) for one in found]
    assert levels == sorted(levels)
    assert {one.grade for one in found} == set(Grade)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_can_be_won_by_what_it_says(name):
    one = load_scenario(name, KNOWN)
    assert one.hints
    assert sum(hint.cost for hint in one.hints) <= 30
    assert one.par.detect < one.par.repair < one.limit
    assert len(one.story) > 80
    assert len(one.debrief) > 120
    broken = {act.words[0] for act in (*one.prepare, *one.acts) if act.kind is ActKind.FAULT}
    assert broken <= FAULTS.keys()


def test_a_surprise_breaks_something_that_can_be_found():
    chosen = [one for one in scenarios(KNOWN) if one.surprise]
    assert len(chosen) >= 6
    assert all(any(act.kind is ActKind.FAULT for act in one.acts) for one in chosen)


def test_commands_in_hints_exist():
    """Whatever a hint puts between backticks and calls hactl is a command of hactl."""
    from hactl.cli.root import SECTIONS

    commands = {name for section in SECTIONS.values() for name in section}
    for one in scenarios(KNOWN):
        for hint in one.hints:
            for command in re.findall(r"`hactl ([a-z]+)", hint.text):
                assert command in commands, (one.name, command)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_mistake_is_told_with_its_place(path):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(path.read_bytes(), Path("/FILE") / path.name, KNOWN)
    said = [line.removeprefix(f"/FILE/{path.name}:") for line in caught.value.problems]
    assert said == path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "said"), [("schema = ", "not TOML"), ("schema = 1\nschema = 1", 'the key "schema" is set twice')]
)
def test_what_is_no_toml_is_told_with_its_place(text, said):
    with pytest.raises(ScenarioError, match=said):
        parse_scenario(text.encode(), Path("/x.toml"), KNOWN)


def test_a_name_that_nothing_has():
    with pytest.raises(ScenarioError, match='did you mean "first-look"'):
        load_scenario("first-lok", KNOWN)


def test_a_goal_is_read_into_conditions():
    goals = load_scenario("good-upgrade", KNOWN).goals
    assert goals[0].conditions == (
        Condition(ConditionKind.HEALTHY),
        Condition(ConditionKind.SERVING, ("app1", "app2", "app3")),
        Condition(ConditionKind.VERSION, ("shop", "1.1.0")),
        Condition(ConditionKind.ROWS),
    )


def test_the_wheel_has_them():
    document = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = document["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["vagrant/scenarios"] == "hactl/_share/vagrant/scenarios"
    assert share_path("vagrant", "scenarios").is_dir()


def test_the_guide_lists_every_exercise_as_it_is():
    guide = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    rows = [
        f"| `{one.name}` | {one.grade.value} | {duration(one.limit)} | "
        f"{one.title}{' (also as a surprise)' if one.surprise else ''} |"
        for one in scenarios(KNOWN)
    ]
    assert re.findall(r"^\| `[a-z-]+` \| (?:first|routine|incident|disaster) .*$", guide, re.MULTILINE) == rows
    for kind in ConditionKind:
        assert f"| `{kind.value} =" in guide
    for word in (*PLACES, *MEASURES):
        assert f"`{{{word}}}`" in guide

"""An exercise and its playing, as data, to be changed one thing at a time."""

from dataclasses import replace

from hactl.model.scenario import Act, ActKind, Condition, ConditionKind, Goal, Grade, Hint, Par, Scenario
from hactl.model.scenario_story import Ending, Mark, Note, Session, Standing, folded

BEGAN = 1_760_000_000.0


def scenario(**changes: object) -> Scenario:
    made = Scenario(
        name="made-up",
        title="Something made up",
        grade=Grade.ROUTINE,
        story="It happens on {primary}.",
        prepare=(),
        acts=(Act(ActKind.FAULT, ("service-stop", "{primary}")),),
        goals=(
            Goal("drained", (Condition(ConditionKind.DRAINED, ("app1",)),)),
            Goal("well", (Condition(ConditionKind.HEALTHY), Condition(ConditionKind.ROWS))),
        ),
        hints=(Hint("look", 5), Hint("look at {primary}", 10)),
        par=Par(detect=60.0, repair=100.0, failed=10),
        limit=600.0,
        debrief="It was {primary}; {failed} of {sent} failed, {lost} of {rows} lost, {detect}, {repair}, {odd}.",
    )
    return replace(made, **changes)


def session(**changes: object) -> Session:
    told = scenario().told({"primary": "db1"})
    made = Session(
        "20261121-120000",
        told,
        "anna@laptop",
        BEGAN - 10,
        secret=False,
        places={"primary": "db1"},
        before=(),
        life="life",
    )
    return replace(made, **changes)


def played(*notes: tuple[float, Mark, str, int], **changes: object) -> Standing:
    """Notes as (seconds after the beginning, mark, text, number), after the beginning itself."""
    story = [Note(BEGAN, Mark.BEGUN), *(Note(BEGAN + at, mark, text, number) for at, mark, text, number in notes)]
    return folded(session(**changes), story)


def won(repair: float = 90.0, detect: float = 20.0, lost: int = 0, hints: int = 0) -> Standing:
    return played(
        (detect, Mark.DETECTED, "run", 0),
        *((detect + 1, Mark.HINT, "look", number) for number in range(1, hints + 1)),
        (repair - 1, Mark.GOAL, "drained", 1),
        (repair, Mark.GOAL, "well", 2),
        (repair + 3, Mark.COUNTED, "", lost),
        (repair, Mark.ENDED, Ending.REACHED.value, 0),
    )

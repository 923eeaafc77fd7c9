"""`hactl lab scenario`: exercises on the running lab, measured: list, start, hint, check, stop, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli import output
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.lab_common import FORMAT, named, opened
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control.training import Played, Training


@click.group(
    cls=Group,
    epilog=examples(
        "hactl lab scenario list              what there is to play, easy ones first",
        "hactl lab scenario start first-look",
        "hactl lab scenario check             is the goal reached? what is missing?",
        "hactl lab scenario hint              the next hint; it costs points",
        "hactl lab scenario report            how it went, and what it was",
        "hactl lab scenario stop              give up; the lab is put back",
    ),
)
def scenario() -> None:
    """Exercises on the running lab: a story, a goal on the real cluster, hints, a score."""


@scenario.command("list", epilog=examples("hactl lab scenario list", "hactl lab scenario list -o json"))
@named
@FORMAT
def list_(name: str, fmt: str) -> None:
    """List the exercises, the easy ones first, each with the best score so far."""
    from hactl.view.scenarios import listed_row
    from hactl.view.scenarios_document import scenario_document

    training = _training(name)
    found = training.scenarios()
    if fmt == "json":
        output.emit({"schema": 1, "exercises": [scenario_document(one) for one in found]}, "json")
        return
    best = training.best()
    rows = [listed_row(one, best.get(one.name)) for one in found]
    click.echo(output.table(("NAME", "LEVEL", "AT MOST", "BEST", "TITLE"), rows))


@scenario.command(
    epilog=examples(
        "hactl lab scenario start first-look",
        "hactl lab scenario start --random      a game day: find out what it is",
        "hactl lab scenario start --random --seed 7",
    )
)
@named
@click.argument("exercise", required=False, metavar="NAME")
@click.option("--random", "surprise", is_flag=True, help="One that is not told; the report names it.")
@click.option("--seed", type=int, metavar="N", help="With --random: which one, the same for the same N.")
def start(name: str, exercise: str | None, surprise: bool, seed: int | None) -> None:
    """Begin the exercise NAME: users come, the clock runs, something happens.

    The lab has to be up and well. A process of its own watches from then on, whatever becomes of this terminal; it ends
    with the exercise.
    """
    from hactl.cli.telling import tell
    from hactl.view.scenarios import begun_lines

    if (exercise is None) is not surprise:
        raise click.UsageError("Say which exercise, or --random; `hactl lab scenario list` shows them.")
    if seed is not None and not surprise:
        raise click.UsageError("--seed belongs to --random.")
    played = _training(name).start(exercise, seed=seed, told=output.say)
    tell(begun_lines(played.standing))


@scenario.command(epilog=examples("hactl lab scenario hint"))
@named
def hint(name: str) -> None:
    """Give the next hint. Each costs points."""
    from hactl.view.scenarios import hint_line

    number, given = _training(name).hint()
    click.echo(hint_line(number, given).text)


@scenario.command(epilog=examples("hactl lab scenario check", "until hactl lab scenario check; do sleep 5; done"))
@named
@FORMAT
def check(name: str, fmt: str) -> ExitCode:
    """Ask the real cluster whether the goal holds; say what is missing.

    Exit 0 when the last goal holds or the exercise has ended so, 1 when not (yet).
    """
    from hactl.cli.telling import tell
    from hactl.view.scenarios import check_lines
    from hactl.view.scenarios_document import check_document

    found = _training(name).check()
    if fmt == "json":
        output.emit(check_document(found.standing, found.number, found.judgements, holds=found.holds), "json")
    else:
        tell(check_lines(found.standing, found.number, found.judgements, holds=found.holds))
    return ExitCode.OK if found.holds else ExitCode.NEGATIVE


@scenario.command(epilog=examples("hactl lab scenario stop"))
@named
def stop(name: str) -> None:
    """End the exercise: faults are taken back, users go, orders are counted.

    What was done to the cluster by hand stays; `hactl lab reset` starts anew.
    """
    played = _training(name).stop(told=output.say)
    output.say(f"{played.standing.name} is over. `hactl lab scenario report` tells how it went.")


@scenario.command(
    epilog=examples(
        "hactl lab scenario report                 the newest one",
        "hactl lab scenario report --all           everything that was played",
        "hactl lab scenario report -o json | jq .score",
    )
)
@named
@click.argument("played", default="last", metavar="[ID]")
@click.option("--all", "every", is_flag=True, help="A line for each that was played, the newest first.")
@FORMAT
def report(name: str, played: str, every: bool, fmt: str) -> None:
    """Tell how an exercise went: points with reasons, what happened when, what it was.

    The time to detect ends with the first thing that the operator was seen to do: a run of hactl or an acknowledgement,
    a goal, or something that got better more than 30 seconds after the exercise last did something itself.
    """
    from hactl.cli.telling import tell
    from hactl.view.scenarios import report_lines
    from hactl.view.scenarios_document import report_document

    training = _training(name)
    if every:
        _all(training.history(), fmt)
        return
    one = training.report(played)
    if fmt == "json":
        output.emit(report_document(one.id, one.standing, one.traffic, one.score), "json")
        return
    tell(report_lines(one.standing, one.traffic, one.score, one.id))


def _all(history: tuple[Played, ...], fmt: str) -> None:
    from hactl.view.scenarios import history_row
    from hactl.view.scenarios_document import report_document

    if fmt == "json":
        found = [report_document(one.id, one.standing, one.traffic, one.score) for one in history]
        output.emit({"schema": 1, "played": found}, "json")
        return
    rows = [history_row(one.id, one.standing, one.traffic, one.score) for one in history]
    click.echo(output.table(("ID", "EXERCISE", "ENDED", "SCORE", "FAILED", "LOST", "HINTS"), rows))


def _training(name: str) -> Training:
    from hactl.control.training import Training

    return Training(opened(name))

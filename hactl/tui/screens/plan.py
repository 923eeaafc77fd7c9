"""A plan before it is carried out: everything that would be done, what guards say, and the confirmation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from hactl.model.errors import HactlError
from hactl.model.findings import Level
from hactl.model.plan import Plan, Request
from hactl.tui.acting import RunSource, told
from hactl.tui.messages import OpenRun
from hactl.tui.screens.base import BaseScreen, Keys
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.plan import decision_lines, page_lines, short_digest


class PlanScreen(BaseScreen[None]):
    """Makes the plan, shows it, and starts the run when the operator says so. Nothing is touched before that."""

    AUTO_FOCUS = "#plan"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "carry_out", "Carry it out"),
        Binding("o", "override", "Set guards aside", tooltip="With a reason, which is kept in the journal."),
        Binding("r", "plan_again", "Plan again"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, runs: RunSource, request: Request) -> None:
        super().__init__()
        self._runs = runs
        self._request = request
        self._plan: Plan | None = None
        self._starting = False
        self._asked_for = ""  # "confirm" or "override": what the input line is about

    def crumb(self) -> str:
        return f"plan {self._request.playbook}"

    def compose(self) -> ComposeResult:
        yield Prose(id="plan")
        yield Prose(id="decision")
        yield Prose(id="ways")
        yield Input(id="word", classes="hidden")
        yield Keys()

    def on_mount(self) -> None:
        self.action_plan_again()

    def action_plan_again(self) -> None:
        if not self._starting:
            self._make()

    @work(exclusive=True)
    async def _make(self) -> None:
        self._plan = None
        self.refresh_bindings()
        page, decision, ways = (self.query_one(name, Prose) for name in ("#plan", "#decision", "#ways"))
        titled(page, f"plan: {self._request.playbook}")
        for below in (decision, ways):
            below.add_class("hidden")

        def progress(sentence: str) -> None:
            page.show([Line(sentence, faint=True)])

        progress("looking at the cluster ...")
        try:
            plan = await self._runs.plan(self._request, progress)
        except HactlError as error:
            page.show(list(_complaint(error)))
            return
        self._plan = plan
        titled(page, f"plan {short_digest(plan)}: {plan.title or plan.playbook}")
        page.show(list(page_lines(plan)))
        decision.show(list(decision_lines(plan, drawn=True)))
        ways.show([_ways(plan)])
        for below in (decision, ways):
            below.remove_class("hidden")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if (allowed := super().check_action(action, parameters)) is not True:
            return allowed
        plan = self._plan
        if action == "carry_out":
            return plan is not None and bool(plan.steps) and not plan.refusals and not self._starting
        if action == "override":
            # One that cannot be set aside refuses the plan whatever is done about the others.
            return plan is not None and bool(plan.refusals) and all(one.can_override for one in plan.refusals)
        return True

    def action_carry_out(self) -> None:
        plan = self._plan
        if plan is None:
            return
        if plan.irreversible and plan.confirm:
            self._ask("confirm", f'this cannot be undone: type "{plan.confirm}" to carry it out')
        else:
            self._start(plan)

    def action_override(self) -> None:
        self._ask("override", "why are these guards set aside? (kept in the journal)")

    def _ask(self, purpose: str, placeholder: str) -> None:
        line = self.query_one("#word", Input)
        self._asked_for = purpose
        line.value, line.placeholder = "", placeholder
        line.remove_class("hidden")
        line.focus()

    @on(Input.Submitted, "#word")
    def take_word(self, event: Input.Submitted) -> None:
        plan, word = self._plan, event.value.strip()
        if plan is None or not word:
            return
        if self._asked_for == "override":
            aside = {verdict.guard for verdict in plan.refusals if verdict.can_override}
            self._request = replace(self._request, overrides=self._request.overrides | aside, reason=word)
            self._hide()
            self._make()
        elif word == plan.confirm:
            self._hide()
            self._start(plan)
        else:
            self.app.bell()

    def action_leave(self) -> None:
        if not self.query_one("#word", Input).has_class("hidden"):
            self._hide()
        elif not self._starting:
            self.dismiss()

    def _hide(self) -> None:
        self.query_one("#word", Input).add_class("hidden")
        self.query_one("#plan").focus()

    @work(exclusive=True, group="start")
    async def _start(self, plan: Plan) -> None:
        self._starting = True
        self.refresh_bindings()
        try:
            run = await asyncio.to_thread(self._runs.start, plan)
        except HactlError as error:
            self._starting = False
            self.notify(told(error), severity="error", timeout=15, markup=False)
            self.refresh_bindings()
            return
        self.app.post_message(OpenRun(run))  # which closes this page, and the form that it came from


def _complaint(error: HactlError) -> Iterator[Line]:
    """Why there is no plan, in full: a problem a line, then what to do."""
    yield Line("There is no plan.", strong=True)
    for problem in (*error.message.splitlines(), *getattr(error, "problems", ())):
        yield Line(problem, Level.CRIT, indent=2)
    if error.remedy:
        yield Line(f"> {error.remedy}", indent=2)
    yield Line()
    yield Line("r plans again; escape leaves, and nothing was touched.", strong=True)


def _ways(plan: Plan) -> Line:
    """The keys that lead on from here; always in view."""
    if plan.refusals and all(verdict.can_override for verdict in plan.refusals):
        return Line("Refused. o sets these guards aside, with a reason; escape leaves.", Level.CRIT)
    if plan.refusals:
        return Line("Refused; escape leaves, and nothing was touched.", Level.CRIT)
    if plan.steps:
        return Line("y carries it out; escape leaves, and nothing was touched.", strong=True)
    return Line("Escape leaves.", strong=True)

"""A plan before it is carried out: everything that would be done, what guards say, and the confirmation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Input

from hactl.model.errors import HactlError
from hactl.model.findings import Level
from hactl.model.plan import Plan, Request
from hactl.tui.acting import RunSource, told
from hactl.tui.messages import OpenRun
from hactl.tui.widgets.prose import Prose
from hactl.view.lines import Line
from hactl.view.plan import plan_lines, short_digest


class PlanScreen(Screen[None]):
    """Makes the plan, shows it, and starts the run when the operator says so. Nothing is touched before that."""

    AUTO_FOCUS = "#plan"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "carry_out", "Carry out"),
        Binding("o", "override", "Set guards aside"),
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

    def compose(self) -> ComposeResult:
        yield Prose(id="plan")
        yield Input(id="word", classes="hidden")
        yield Footer()

    def on_mount(self) -> None:
        self.action_plan_again()

    def action_plan_again(self) -> None:
        if not self._starting:
            self._make()

    @work(exclusive=True)
    async def _make(self) -> None:
        self._plan = None
        page = self.query_one("#plan", Prose)
        page.border_title = f"plan: {self._request.playbook}"

        def progress(sentence: str) -> None:
            page.show([Line(sentence, faint=True)])

        progress("looking at the cluster ...")
        try:
            plan = await self._runs.plan(self._request, progress)
        except HactlError as error:
            page.show([Line(told(error), Level.CRIT)])
            return
        self._plan = plan
        page.border_title = f"plan {short_digest(plan)}: {plan.title or plan.playbook}"
        page.show(list(_shown(plan)))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        plan = self._plan
        if action == "carry_out":
            return plan is not None and bool(plan.steps) and not plan.refusals and not self._starting
        if action == "override":
            return plan is not None and any(verdict.can_override for verdict in plan.refusals)
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
        self.dismiss()
        self.app.post_message(OpenRun(run))


def _shown(plan: Plan) -> Iterator[Line]:
    yield from plan_lines(plan)
    yield Line()
    if plan.refusals:
        yield Line("Refused. o sets the guards aside that can be, with a reason; escape leaves.", Level.CRIT)
    elif plan.steps:
        yield Line(f"y carries out plan {short_digest(plan)}; escape leaves, and nothing was touched.", strong=True)
    else:
        yield Line("Nothing has to be done; escape leaves.", strong=True)

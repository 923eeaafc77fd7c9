"""Running a command as its `as_user`: tries without a password, asks for one at most once, never tries twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hactl.model.command import Command, Completed
from hactl.model.errors import BecomeDeniedError
from hactl.model.inventory import BecomeMethod
from hactl.transport import become, errors
from hactl.transport.become import Refusal
from hactl.transport.prompter import Prompter

Execute = Callable[[Command, tuple[str, ...], bytes], Awaitable[Completed]]
"""Runs these words with this stdin, bounded by the command's timeout."""


class Sudo:
    """One node's way to other users, for any transport. `execute` runs words as the login user."""

    def __init__(
        self,
        node: str,
        login: str,
        method: BecomeMethod,
        prompter: Prompter,
        execute: Execute,
        *,
        bounded: bool = False,
    ) -> None:
        """`bounded`: every command is bounded on the node itself (become.words)."""
        self._bounded = bounded
        self._node, self._login, self._method = node, login, method
        self._prompter, self._execute = prompter, execute
        self._password_is_right: bool | None = None  # None: not tried on this node

    async def run(self, command: Command) -> Completed:
        """Run as `command.as_user`. Raises BecomeDeniedError, in which case the command did not run."""
        needed = become.needs_sudo(command, self._login, self._method)
        done = await self._execute(command, self._words(command), command.stdin)
        why = become.refusal(done) if needed else None
        if why is Refusal.WANTS_PASSWORD:
            done = await self._run_with_password(command)
            why = become.refusal(done)
        if why is not None:
            raise await self.denied(command, why)
        return done

    async def denied(self, command: Command, why: Refusal) -> BecomeDeniedError:
        """The error with the missing rule, which names the program by its full path on that node."""
        full = replace(command, argv=(await self._full_path(command.argv[0]), *command.argv[1:]))
        hidden = replace(full, argv=tuple("****" if word in command.secrets else word for word in full.argv))
        return errors.become_denied(self._node, why, command.shown(), become.rule(self._login, hidden))

    async def _run_with_password(self, command: Command) -> Completed:
        key = ("sudo", self._login)
        password = None
        if self._password_is_right is not False:
            password = await self._prompter.answer(key, f"sudo password of {self._login} (asked once for all nodes): ")
        if password is None:
            why = Refusal.WANTS_PASSWORD if self._password_is_right is None else Refusal.WRONG_PASSWORD
            raise await self.denied(command, why)
        given = password.encode() + b"\n"
        if self._password_is_right is None:
            # Tried alone first: with the command's stdin behind a wrong one, sudo would read that as further guesses.
            probe = replace(command, secrets=command.secrets | {password}, mutates=False)
            checked = await self._execute(probe, become.password_check(command.as_user or "root"), given)
            self._password_is_right = checked.exit == 0
            if not self._password_is_right:
                raise await self.denied(command, become.refusal(checked) or Refusal.WRONG_PASSWORD)
        return await self._execute(command, self._words(command, password=True), given + command.stdin)

    def _words(self, command: Command, *, password: bool = False) -> tuple[str, ...]:
        return become.words(command, self._login, self._method, password=password, bounded=self._bounded)

    async def _full_path(self, program: str) -> str:
        if program.startswith("/"):
            return program
        # Not `command -v`: that answers with a bare name where the shell has a builtin of that name.
        script = 'IFS=:; for d in $PATH /usr/sbin /sbin; do [ -x "$d/$1" ] && { echo "$d/$1"; exit; }; done'
        asked = Command(("sh", "-c", script, "sh", program), timeout=5)
        found = (await self._execute(asked, asked.argv, b"")).stdout.strip()
        return found if found.startswith("/") else program

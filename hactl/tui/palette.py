"""The command palette: everything that can be gone to, what can be planned for it, and the keys of the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Provider
from textual.markup import escape

from hactl.tui.acting import request
from hactl.tui.goto import destinations
from hactl.tui.messages import ActWanted

if TYPE_CHECKING:
    from hactl.model.playbook import Playbook
    from hactl.tui.app import HactlApp

# Playbooks that are planned for a node at once, as their keys do; the others are filled in first.
_OF_NODES = ("drain", "undrain")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette. Never markup."""

    text: str
    about: str
    do: Callable[[], object]
    first: bool = False  # offered before anything is typed


class Commands(Provider):
    """What the palette finds. Playbooks are read when it is opened."""

    async def startup(self) -> None:
        app = cast("HactlApp", self.app)
        books = await app.books()
        self._entries = [*_keys(self), *_places(app, books), *_plans(app, books)]

    async def discover(self) -> AsyncIterator[DiscoveryHit | Hit]:
        for entry in self._entries:
            if entry.first:
                yield DiscoveryHit(cast("str", Text(entry.text)), entry.do, entry.text, escape(entry.about))

    async def search(self, query: str) -> AsyncIterator[DiscoveryHit | Hit]:
        matcher = self.matcher(query)
        for entry in self._entries:
            if (score := matcher.match(entry.text)) > 0:
                yield Hit(score, matcher.highlight(entry.text), entry.do, entry.text, escape(entry.about))


def _keys(provider: Provider) -> Iterator[Entry]:
    """The keys of the screen that the palette was opened on, each action once."""
    app, told = cast("HactlApp", provider.app), set()
    for node, binding, enabled, tooltip in provider.screen.active_bindings.values():
        if enabled and not binding.system and binding.description and (node, binding.action) not in told:
            told.add((node, binding.action))
            key = app.get_key_display(binding)
            about = f"{key}   {tooltip}".rstrip()
            yield Entry(binding.description, about, partial(app.run_action, binding.action, node), binding.show)


def _places(app: HactlApp, books: tuple[Playbook, ...]) -> Iterator[Entry]:
    for place in destinations(app, app.picture.state.inventory, books):
        yield Entry(place.title, place.about, place.go, place.kind == "theme")


def _plans(app: HactlApp, books: tuple[Playbook, ...]) -> Iterator[Entry]:
    """Each is a plan first; nothing is done from here."""
    if app.read_only:
        return
    titles = {book.name: book.title for book in books}
    for playbook in _OF_NODES:
        for node in app.picture.state.inventory.nodes:
            wanted = ActWanted(request(playbook, {}, limit=node))
            about = titles.get(playbook, "plans it; nothing is touched before you say so")
            yield Entry(f"{playbook} {node}", about, partial(app.post_message, wanted))

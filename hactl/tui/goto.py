"""What can be gone to by its name: places, nodes, services, playbooks, and a few commands. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hactl.model.dashboard import THEMES
from hactl.model.inventory import Inventory, Service, ServiceKind
from hactl.model.suggest import did_you_mean, quoted
from hactl.tui.places import PLACES, places_of

if TYPE_CHECKING:
    from hactl.model.playbook import Playbook

_SHOWN = 4  # names at most when one of several is meant

# The places at which services of a kind are looked at; others are looked at in the overview.
_LOOKED_AT = {
    ServiceKind.HAPROXY: "balancers",
    ServiceKind.KEEPALIVED: "balancers",
    ServiceKind.POSTGRESQL: "database",
    ServiceKind.PGBACKREST: "backups",
    ServiceKind.RESTIC: "backups",
}


class Guide(Protocol):
    """Whoever can lead to all that: the application."""

    @property
    def lab(self) -> str: ...

    def go_place(self, name: str) -> None: ...

    def go_node(self, name: str) -> None: ...

    def go_service(self, place: str, name: str) -> None: ...

    def go_playbook(self, book: Playbook) -> None: ...

    def choose_theme(self, name: str) -> None: ...

    def do(self, action: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Destination:
    """`word` leads there when it is typed; so does `kind` and the word. `about` is one line.

    `first`: offered before anything is typed.
    """

    kind: str
    word: str
    about: str
    go: Callable[[], None]
    first: bool = False

    @property
    def title(self) -> str:
        return f"{self.kind} {self.word}".strip()


def destinations(guide: Guide, inventory: Inventory, books: Sequence[Playbook]) -> Iterator[Destination]:
    """Everything that can be gone to; of two with the same word the first one has it for its own."""
    for place in places_of(guide.lab):
        about = f"the screen {place.title} ({place.key})"
        yield Destination("", place.name, about, _call(guide.go_place, place.name), first=True)
    for node in inventory.nodes.values():
        about = f"{', '.join(node.roles) or 'no role'} in {node.site}"
        yield Destination("node", node.name, about, _call(guide.go_node, node.name))
    for service in inventory.services.values():
        yield Destination("service", service.name, f"{service.kind.value} service", _to_service(guide, service))
    for book in books:
        yield Destination("playbook", book.name, book.title, _to_playbook(guide, book))
    for theme in THEMES:
        yield Destination("theme", theme, "how the dashboard looks", _call(guide.choose_theme, theme))
    yield Destination("", "help", "all keys of the screen", _call(guide.do, "toggle_help"))
    yield Destination("", "screenshot", "what is on the screen, as SVG", _call(guide.do, "save_screen"))
    yield Destination("", "quit", "leave; runs go on", _call(guide.do, "quit"))


def _call(do: Callable[[str], None], word: str) -> Callable[[], None]:
    return lambda: do(word)


def _to_service(guide: Guide, service: Service) -> Callable[[], None]:
    place = _LOOKED_AT.get(service.kind, "")
    known = place if place in {one.name for one in PLACES} else PLACES[0].name
    return lambda: guide.go_service(known, service.name)


def _to_playbook(guide: Guide, book: Playbook) -> Callable[[], None]:
    return lambda: guide.go_playbook(book)


class Directory:
    """Destinations by what is typed."""

    def __init__(self, found: Iterator[Destination]) -> None:
        self._by_word: dict[str, Destination] = {}
        everything = list(found)
        self._first = [one.word for one in everything if one.first]
        for one in everything:
            self._by_word.setdefault(one.word.casefold(), one)
        for one in everything:
            self._by_word.setdefault(one.title.casefold(), one)

    @property
    def words(self) -> Mapping[str, Destination]:
        return self._by_word

    def offers(self, text: str) -> list[str]:
        """What the text may become: words that begin with it, then those that hold it; no destination twice."""
        typed = text.lstrip().casefold()
        if not typed:
            return self._first
        beginning = [word for word in self._by_word if word.startswith(typed)]
        within = [word for word in self._by_word if typed in word and not word.startswith(typed)]
        offered: dict[str, str] = {}
        for word in (*beginning, *within):
            offered.setdefault(self._by_word[word].title, word)
        return list(offered.values())

    def find(self, text: str) -> Destination | str:
        """Where the text leads: a whole name, or the beginning of just one. Else the sentence that says why nowhere."""
        typed = " ".join(text.casefold().split())
        if (exact := self._by_word.get(typed)) is not None:
            return exact
        begun = {one.title: one for word, one in self._by_word.items() if word.startswith(typed)}
        if len(begun) == 1:
            return next(iter(begun.values()))
        if begun:
            names = ", ".join([*list(begun)[:_SHOWN], *["..."] * (len(begun) > _SHOWN)])
            return f"{quoted(typed)} may be {names}"
        return f"Nothing here is called {quoted(text.strip(), 30)}{did_you_mean(typed, self._by_word) or '.'}"

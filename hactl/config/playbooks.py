"""Where playbooks are and what they say: those that ship, and the user's own, which win where names are the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hactl.config.files import UnreadableError, read_file
from hactl.config.folders import config_folder
from hactl.config.share import share_path
from hactl.model.errors import PlaybookError
from hactl.model.playbook import Playbook
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.text import one_line
from hactl.model.verb import Verbs

_FOLDER = "playbooks"
_ENDING = ".toml"


@dataclass(frozen=True, slots=True)
class Place:
    """A playbook's file. `shadows`: a playbook that ships has the same name, and this one is read instead."""

    name: str
    path: Path
    shipped: bool
    shadows: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A playbook in a list. `playbook` None: it has `problems`, and cannot be run."""

    place: Place
    playbook: Playbook | None
    problems: tuple[str, ...] = ()


def user_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own playbooks are; it need not exist."""
    return config_folder(env) / _FOLDER


def places(env: Mapping[str, str] = os.environ) -> tuple[Place, ...]:
    """Every playbook that can be named, by name. Reads only folders."""
    shipped = {name: Place(name, path, shipped=True) for name, path in _files(share_path(_FOLDER))}
    own = {name: Place(name, path, shipped=False, shadows=name in shipped) for name, path in _files(user_folder(env))}
    return tuple(place for _, place in sorted((shipped | own).items()))


def playbooks(verbs: Verbs, env: Mapping[str, str] = os.environ) -> tuple[Listed, ...]:
    """Every playbook that can be named, by name, the broken ones with their problems."""
    return tuple(_listed(place, verbs) for place in places(env))


def load_playbook(name_or_path: str, verbs: Verbs, *, env: Mapping[str, str] = os.environ) -> Playbook:
    """The playbook of that name, or in that file: what holds a "/" or ends in ".toml" is a path.

    Raises PlaybookError with every problem, one line each, `FILE:LINE:COLUMN: MESSAGE`.
    """
    if "/" in name_or_path or name_or_path.endswith(_ENDING):
        path = Path(os.path.expanduser(name_or_path))  # noqa: PTH111 - an unknown ~user is a file that does not exist
        return parse_playbook(_read(path, name_or_path), path.absolute(), verbs, name_or_path)
    return _load(find_playbook(name_or_path, env), verbs)


def find_playbook(name: str, env: Mapping[str, str] = os.environ) -> Place:
    """Where the playbook of that name is. Raises PlaybookError."""
    known = {place.name: place for place in places(env)}
    if name not in known:
        line = f"No playbook is called {quoted(name)}{did_you_mean(name, known)}"
        remedy = "`hactl playbook list` shows them; a file is named with its path, such as ./mine.toml."
        raise PlaybookError(line if line.endswith("?") else f"{line}.", (line,), remedy=remedy)
    return known[name]


def shipped_playbook(name: str) -> str:
    """The text of a playbook that ships. Raises PlaybookError when none is called so."""
    known = dict(_files(share_path(_FOLDER)))
    if name not in known:
        line = f"No playbook that ships is called {quoted(name)}{did_you_mean(name, known) or '.'}"
        raise PlaybookError(line, (line,), remedy=f"They are {', '.join(known)}.")
    return _read(known[name], str(known[name])).decode()


def parse_playbook(data: bytes, path: Path, verbs: Verbs, shown: str | None = None) -> Playbook:
    """The playbook that `data` says, as though it stood in the absolute `path`. Reads no file.

    `shown` is what problems call the file. Raises PlaybookError.
    """
    from hactl.config.playbook_read import read_playbook  # noqa: PLC0415 - pydantic and tomli, only where one is read

    return read_playbook(data, path, verbs, shown if shown is not None else str(path))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The playbooks in a folder, by the files' names. A folder that is not there holds none.

    Raises PlaybookError for one that cannot be looked into: whatever it hides could be a playbook that should win.
    """
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix == _ENDING and not path.name.startswith("."):
                yield path.stem, path.absolute()
    except FileNotFoundError:
        return
    except OSError as error:
        line = f"{one_line(str(folder), 300)}: cannot be read: {error.strerror}"
        raise PlaybookError(f"{line}.", (line,)) from error


def _load(place: Place, verbs: Verbs) -> Playbook:
    from hactl.config.playbook_read import read_playbook  # noqa: PLC0415 - see above

    shown = str(place.path)
    data = _read(place.path, shown)
    return read_playbook(data, place.path, verbs, shown, called=place.name, shipped=place.shipped)


def _listed(place: Place, verbs: Verbs) -> Listed:
    try:
        return Listed(place, _load(place, verbs))
    except PlaybookError as error:
        return Listed(place, None, error.problems)


def _read(path: Path, shown: str) -> bytes:
    try:
        return read_file(path, "playbook")
    except UnreadableError as error:
        line = f"{one_line(shown, 300)}: {error.reason}"
        raise PlaybookError(f"{line}.", (line,)) from error

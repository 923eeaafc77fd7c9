"""Where the files that ship with hactl are: beside the package in a checkout, under `hactl/_share` in a wheel."""

from __future__ import annotations

from pathlib import Path

from hactl.model.errors import HactlError

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOTS = (_PACKAGE / "_share", _PACKAGE.parent)


def share_path(*parts: str) -> Path:
    """The absolute path of a shipped file or folder, e.g. `share_path("inventory", "lab.toml")`.

    Raises HactlError when neither place has it: a broken installation.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise HactlError(
        f"{'/'.join(parts)} is missing from this installation of hactl.",
        remedy="Install hactl again, or run it from a complete checkout.",
    )

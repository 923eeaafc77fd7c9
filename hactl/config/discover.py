"""Which inventory file is meant. Looks only at names and places; reading is `load`'s."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hactl.config.folders import config_folder
from hactl.model.errors import InputError
from hactl.model.suggest import quoted

LAB_ROOT = Path("/run/hactl-lab")  # a running lab keeps its inventory in LAB_ROOT/NAME/inventory.toml


def discover(explicit: str | None, env: Mapping[str, str], cwd: Path, *, lab_root: Path = LAB_ROOT) -> Path:
    """The inventory to read.

    In this order: `explicit` (--inventory), $HACTL_INVENTORY, the only *.toml in `cwd`/inventory, the user's
    hactl/inventory.toml, the inventory of the only running lab. The first two are taken as they are, existing or not,
    because falling through to another cluster would be worse than an error. Raises InputError, which tells everything
    that was tried.
    """
    if explicit is not None:
        return _named(explicit, "--inventory", cwd)
    if given := env.get("HACTL_INVENTORY"):
        return _named(given, "HACTL_INVENTORY", cwd)
    tried = ["--inventory: not given", "HACTL_INVENTORY: not set"]
    for place in (_in_folder(cwd / "inventory"), _in_config(config_folder(env)), _in_lab(lab_root)):
        if isinstance(place, Path):
            return place
        tried.append(place)
    lines = "\n".join(f"  {line}" for line in tried)
    raise InputError(
        f"No inventory was found. Tried:\n{lines}\n",
        remedy="Name one with --inventory FILE, write one with `hactl init`, or start the training cluster with"
        " `hactl lab up`.",
    )


def _named(given: str, source: str, cwd: Path) -> Path:
    if not given.strip() or "\0" in given:
        raise InputError(f"{source} is {quoted(given)}, which names no file.", remedy="Give the path of an inventory.")
    try:
        return cwd / Path(given).expanduser()
    except RuntimeError as error:
        raise InputError(f"{source} is {quoted(given)}, and that home directory is unknown.") from error


def _in_folder(folder: Path) -> Path | str:
    try:
        found = sorted(path for path in folder.glob("*.toml") if path.is_file())
    except OSError as error:
        return f"{folder}/*.toml: {error.strerror}"
    if len(found) == 1:
        return found[0]
    return f"{folder}/*.toml: {_several(found) if found else 'none'}"


def _in_config(folder: Path) -> Path | str:
    path = folder / "inventory.toml"
    try:
        return path if path.is_file() else f"{path}: absent"
    except OSError as error:
        return f"{path}: {error.strerror}"


def _in_lab(root: Path) -> Path | str:
    try:
        found = sorted(root.glob("*/inventory.toml"))
    except OSError as error:
        return f"{root}: {error.strerror}"
    if len(found) == 1:
        return found[0]
    return f"{root}/NAME/inventory.toml: {_several(found) if found else 'no lab is running'}"


def _several(found: list[Path]) -> str:
    names = ", ".join(path.parent.name if path.name == "inventory.toml" else path.name for path in found[:5])
    return f"{len(found)} of them ({names}{', ...' if len(found) > 5 else ''}), so say which"

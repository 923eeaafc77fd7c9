"""Units: the state of those that carry our services, and the names of all that have failed."""

from __future__ import annotations

import shlex
from dataclasses import replace

from hactl.drivers.probe import Asked, Cadence, TickProbe
from hactl.drivers.reading import explained, integer, number
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import UnitFacts, UnitState

_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "MainPID",
    "NRestarts",
    "StateChangeTimestampMonotonic",
    "MemoryCurrent",
)
_MICROSECONDS = 1e6
_NO_SYSTEMD = 69  # our own exit for a node with another init
_NOT_SET = 2**64 - 1  # systemd's "nobody counts that", in older versions


def units(names: tuple[str, ...]) -> TickProbe:
    """The state of `names` (none is fine) and every failed unit."""
    show = f"timeout -k 1 2 systemctl show -p Id,{','.join(_PROPERTIES)} -- {shlex.join(names)} 2>&1"
    body = f"""
hactl_units_none() {{ return {_NO_SYSTEMD}; }} # `(exit N)` would fork
if [ ! -d /run/systemd/system ]; then
  hactl_units_none
else
  read -r hactl_units_up </proc/uptime
  hactl_out=$(
    echo "$hactl_units_up"
    {show if names else ":"}
    hactl_units_exit=$?
    echo failed
    [ $hactl_units_exit -eq 0 ] || exit $hactl_units_exit
    timeout -k 1 2 systemctl list-units --failed --plain --no-legend --no-pager --full 2>&1
  )
fi
"""
    return TickProbe("units", Cadence.MEDIUM, 6.0, body, lambda done, asked: parse_units(names, done, asked))


def parse_units(names: tuple[str, ...], done: Completed, asked: Asked) -> UnitFacts:  # noqa: ARG001 - shape of a parse
    """Blocks of `show` in the order of `names`: the answer's own Id differs where a name is an alias."""
    if done.exit == _NO_SYSTEMD:
        raise ParseError("The node does not run systemd, so its units cannot be judged.")
    if done.exit != 0:
        said = done.stdout.partition("\n")[2].strip().removesuffix("failed")
        raise ParseError(explained(replace(done, stdout=said), "systemctl"))
    told, separator, failed = f"{done.stdout}\n".partition("\nfailed\n")  # the shell cut off the last newlines
    uptime, _, shown = told.partition("\n")
    blocks = [block for block in shown.split("\n\n") if block.strip()]
    if not separator or len(blocks) != len(names):
        raise ParseError(f"systemctl told of {len(blocks)} units where {len(names)} were asked for.")
    up = number(uptime.partition(" ")[0], "the node's uptime")
    return UnitFacts(
        units={name: _unit(name, block, up) for name, block in zip(names, blocks, strict=True)},
        failed=tuple(line.split(maxsplit=1)[0] for line in failed.split("\n") if line.strip()),
    )


def _unit(name: str, block: str, uptime: float) -> UnitState:
    told = dict(line.partition("=")[::2] for line in block.strip().split("\n"))
    if not {"LoadState", "ActiveState", "SubState"} <= told.keys():
        raise ParseError(f"systemctl did not tell the state of {name}.")
    changed = integer(told.get("StateChangeTimestampMonotonic") or "0", f"{name}: StateChangeTimestampMonotonic")
    memory = told.get("MemoryCurrent", "")
    counted = integer(memory, f"{name}: MemoryCurrent") if memory.isdigit() else _NOT_SET
    return UnitState(
        name=name,
        load=told["LoadState"],
        active=told["ActiveState"],
        sub=told["SubState"],
        enabled=told.get("UnitFileState", ""),
        main_pid=integer(told.get("MainPID") or "0", f"{name}: MainPID"),
        restarts=integer(told.get("NRestarts") or "0", f"{name}: NRestarts"),
        since=max(0.0, uptime - changed / _MICROSECONDS) if changed else None,
        memory=None if counted == _NOT_SET else counted,
    )

r"""The shell text that answers TickProbes: one long-lived POSIX loop on a node. Pure text, no I/O.

It first says one empty frame, so that whatever a login shell prints by itself stands before it and is dropped. Then it
reads `SEQUENCE WORD` a line and answers `OUTPUT \n SEQUENCE EXIT` and byte 0x1E. When its stdin closes, whoever closed
it, `read` fails and the loop ends: nothing stays on the node. The fast path forks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from hactl.drivers.probe import TickProbe
from hactl.model.command import Command

# What a body leaves in hactl_out goes out in one write with the end of the answer, and so in one segment (see
# drivers.probe). Bodies get /dev/null as stdin, so that no program in them can swallow the questions that wait behind
# it. Errors of programs are part of an answer only where a body asks for that (2>&1).
_FRAME = r"""exec 2>/dev/null
umask 077
PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
printf '\036'
while IFS=' ' read -r hactl_n hactl_w; do
hactl_out=
case $hactl_w in
{arms}
esac </dev/null
printf '%s\n%s %s\036' "$hactl_out" "$hactl_n" "$?"
done
"""
_ARM = "{word})\n{body}\n;;"


def loop_script(probes: Sequence[TickProbe]) -> str:
    """The loop's text. A probe's word is its index in `probes`."""
    arms = "\n".join(_ARM.format(word=word, body=probe.body) for word, probe in enumerate(probes))
    return _FRAME.replace("{arms}", arms)


def loop_command(probes: Sequence[TickProbe], first: bytes, timeout: float) -> Command:
    """The loop as a command. `first` are the questions that are written with it, to spare a round trip."""
    return Command(("sh", "-c", loop_script(probes)), stdin=first, timeout=timeout)


def question(sequence: int, word: int) -> bytes:
    """One line of the loop's stdin."""
    return b"%d %d\n" % (sequence, word)


def answer(frame: str) -> tuple[int, str, int]:
    """(sequence, output, exit) of a frame. Raises ValueError when it is not one of ours."""
    output, newline, trailer = frame.rpartition("\n")
    sequence, blank, exit_code = trailer.partition(" ")
    if not (newline and blank):
        raise ValueError(f"not an answer of the loop: {frame[:80]!r}")
    return int(sequence), output, int(exit_code)

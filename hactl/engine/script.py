r"""The shell text that answers TickProbes: one long-lived POSIX loop on a node. Pure text, no I/O.

It reads `SEQUENCE WORD` a line and answers `OUTPUT \n SEQUENCE EXIT` and byte 0x1E, in one write and so in one segment.
Before the first answer stands one more 0x1E, so that whatever a login shell prints by itself is a frame of its own, to
be dropped. When stdin closes, whoever closed it, `read` fails and the loop ends: nothing stays on the node. The fast
path forks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hactl.drivers.probe import TickProbe
from hactl.model.command import Command

# Bodies get /dev/null for stdin and stdout, so that no program in them can swallow the questions that wait behind it or
# spoil an answer: an answer is what the body leaves in hactl_out (see drivers.probe).
_FRAME = r"""exec 2>/dev/null
umask 077
PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
hactl_hello='\036'
hactl_answer() {
hactl_out=
case $hactl_w in
{arms}
esac </dev/null >/dev/null
printf "$hactl_hello%s\n%s %s\036" "$hactl_out" "$hactl_n" "$?"
hactl_hello=
}
while [ $# -gt 1 ]; do
hactl_n=$1 hactl_w=$2
shift 2
hactl_answer
done
while IFS=' ' read -r hactl_n hactl_w; do
hactl_answer
done
"""
_ARM = "{word})\n{body}\n;;"


def loop_script(probes: Sequence[TickProbe]) -> str:
    """The loop's text. A probe's word is its index in `probes`."""
    return _script(tuple(probe.body for probe in probes))


@lru_cache(64)
def _script(bodies: tuple[str, ...]) -> str:
    """Many nodes are asked the same."""
    arms = "\n".join(_ARM.format(word=word, body=body) for word, body in enumerate(bodies))
    return _FRAME.replace("{arms}", arms)


def loop_command(probes: Sequence[TickProbe], first: Sequence[tuple[int, int]], timeout: float) -> Command:
    """The loop as a command. `first` are questions, sequence and word, that come with it, to spare a round trip."""
    words = (str(number) for asked in first for number in asked)
    return Command(("sh", "-c", loop_script(probes), "sh", *words), timeout=timeout)


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

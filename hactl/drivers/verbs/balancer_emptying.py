"""Draining as it happens: out of balancing on every balancer, read back, and its sessions counted to zero.

A reload in the middle is noticed by the process that answers, and a drain that it lost is set again. Sessions that an
old process still serves after a reload stand in nobody's statistics: they get some seconds, and what is left is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hactl.drivers.verbs.balancer_servers import DRAIN, Door, Place, Seen, listed, look, order, shut
from hactl.model.command import command
from hactl.model.errors import TransportError
from hactl.model.verb import Doing, VerbError, now, run, tell, wait

WAIT, ABORT, SHUT, GO_ON = "wait", "abort", "shut", "go on"

_POLL, _SOON, _LATER = 0.5, 10.0, 1.0  # seconds between two counts: at first, for how long, and then
_AGAIN = 5  # so often a lost drain is set again: a balancer that loses more of them is not to be relied on
_ZEROS = 2  # counts of zero in a row: a request may be between two servers
_UNCOUNTED = 10.0  # seconds after a reload for the sessions of the process that it replaced
_SHUT_WITHIN = 10.0  # seconds for sessions that were told to end


@dataclass(slots=True)
class Emptying:
    """One drain under way. `without`: balancers that say nothing are left out. `timeout` is for the sessions."""

    places: tuple[Place, ...]
    timeout: float
    on_timeout: str
    without: bool
    reloads: int = 0
    _pids: dict[Door, int] = field(default_factory=dict)
    _again: int = 0
    _first: tuple[float, int] | None = None  # when the count began, and with how many
    _shut_at: float | None = None
    _old: list[str] = field(default_factory=list)  # balancers with a process of before a reload
    _waiting: bool = False  # the timeout is over and was told

    def run(self) -> Doing[str]:
        """Until nobody is left; the sentence says how it went. Raises VerbError; takes nothing back."""
        began = yield from now()
        yield from order(dict.fromkeys(self.places, DRAIN))
        zeros = 0
        while True:
            seen = yield from look(self.places, without=self.without)
            second = yield from now()
            if (yield from self._set_again(seen)):
                zeros = 0
                continue
            uncounted = yield from self._uncounted(seen)
            zeros = zeros + 1 if seen.sessions == 0 and not uncounted else 0
            if zeros >= _ZEROS:
                return self._ended(seen)
            if second - began >= self.timeout and not zeros and not (yield from self._late(seen, second)):
                return f"{_sessions(seen.sessions)} left after {self.timeout:.0f} s"
            yield from self._report(seen.sessions, uncounted, second)
            yield from wait(_POLL if second - began < _SOON else _LATER, "sessions to end")

    def _set_again(self, seen: Seen) -> Doing[bool]:
        """Notices a reload, and sets what it lost."""
        for door, process in seen.processes.items():
            if self._pids.get(door, process.pid) != process.pid:
                self.reloads += 1
                yield from tell(f"{door[0]} was reloaded in the middle of the drain")
            self._pids[door] = process.pid
        lost = [stand.place for stand in seen.stands if not stand.out]
        if not lost:
            return False
        self._again += 1
        where = ", ".join(map(str, lost))
        if self._again > _AGAIN:
            raise VerbError(f"{where} would not stay drained: it was set {_AGAIN} times", remedy=_STATE_FILE)
        yield from tell(f"{where} is not drained (any more): it is set again")
        yield from wait(_POLL, "the balancer to settle")
        yield from order(dict.fromkeys(lost, DRAIN))
        return True

    def _uncounted(self, seen: Seen) -> Doing[str]:
        """Where an old process may still serve sessions that will end soon. Asked when all that are counted are gone.

        An old one lives as long as its longest session; those of it that are short have ended after some seconds.
        """
        if seen.sessions:
            return ""
        self._old = []
        for (balancer, _), process in seen.processes.items():
            if (yield from _old_processes(balancer, process.pid)):
                self._old.append(balancer)
                if process.uptime < _UNCOUNTED:
                    return balancer
        return ""

    def _report(self, sessions: int, uncounted: str, second: float) -> Doing[None]:
        """How many are left, and for how long."""
        if uncounted:
            said = f"{uncounted}: HAProxy's process of before a reload may serve sessions that nobody counts"
            yield from tell(said, sessions=sessions)
            return
        self._first = self._first or (second, sessions)
        left = estimate(self._first, (second, sessions))
        numbers: Mapping[str, float] = {"sessions": sessions} | ({} if left is None else {"eta": left})
        yield from tell(_sessions(sessions) + ("" if left is None else f", about {left:.0f} s"), **numbers)

    def _late(self, seen: Seen, second: float) -> Doing[bool]:
        """The timeout is over: what the policy says. True to go on counting."""
        if not seen.sessions:
            return True  # those that a reload has made nobody count: for some seconds, and never twice for one reload
        left = f"{_sessions(seen.sessions)} left after {self.timeout:.0f} s: {_who(seen)}"
        if self.on_timeout == GO_ON:
            return False
        if self.on_timeout == WAIT:
            if not self._waiting:
                yield from tell(f"{left}. Waiting on, until the step's deadline", sessions=seen.sessions)
            self._waiting = True
            return True
        if self.on_timeout == SHUT and self._shut_at is None:
            yield from tell(f"{left}. They are shut", sessions=seen.sessions)
            yield from shut(stand.place for stand in seen.stands if stand.server.sessions)
            self._shut_at = second
            return True
        if self._shut_at is not None and second - self._shut_at < _SHUT_WITHIN:
            return True
        raise VerbError(left, remedy="Wait longer (--timeout), or end them (--on-timeout shut).")

    def _ended(self, seen: Seen) -> str:
        told = [f"drained on {listed(stand.place.balancer for stand in seen.stands)}, no sessions left"]
        if self._shut_at is not None:
            told.append("those that would not end were shut")
        if self.reloads:
            told.append(f"reloaded meanwhile: {self.reloads}")
        told += [f"an old process on {name} may serve sessions that nobody counts" for name in self._old]
        told += [f"without {name}: {why}" for name, why in seen.silent.items()]
        return "; ".join(told)


_STATE_FILE = "Let reloads keep what was set: `server-state-file` and `load-server-state-from-file global`."


def estimate(first: tuple[float, int], latest: tuple[float, int]) -> float | None:
    """Seconds until zero, if it goes on as it went since the first count; None while it does not go down."""
    (began, many), (second, few) = first, latest
    if few >= many or second <= began:
        return None
    return few * (second - began) / (many - few)


def _sessions(count: int) -> str:
    return f"{count} session" if count == 1 else f"{count} sessions"


def _who(seen: Seen) -> str:
    return ", ".join(f"{one.server.sessions} of {one.place}" for one in seen.stands if one.server.sessions)


# --- processes that a reload left behind ----------------------------------------------------------------------

# Every HAProxy that has the same master as the one that answers; where there is no master nothing can be told apart.
_PROCESSES = r"""
for f in /proc/[0-9]*/status; do
  n= p=
  while read -r k v rest; do
    case $k in Name:) n=$v ;; PPid:) p=$v; break ;; esac
  done <"$f" 2>/dev/null
  [ "$n" = haproxy ] && f=${f#/proc/} && echo "${f%/status} $p"
done
true
"""


def _old_processes(balancer: str, pid: int) -> Doing[int]:
    """How many HAProxy workers a reload left behind; 0 also where that cannot be told."""
    try:
        done = yield from run(command("sh", "-c", _PROCESSES), balancer)
    except TransportError:
        return 0
    return left_behind(done.stdout, pid)


def left_behind(listing: str, pid: int) -> int:
    """`listing` has a process and its parent on each line."""
    pairs = (line.split() for line in listing.splitlines())
    # One that ended while it was looked at has no parent any more.
    parents = {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2}
    master = parents.get(pid, 1)
    return sum(parent == master and one != pid for one, parent in parents.items()) if master in parents else 0

"""What restic keeps of one node's files, as it stands at a moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.facts import ResticFacts, Snapshot
from hactl.model.holdings import RUN_NOTE


def tag_of(run: str) -> str:
    """The tag of a snapshot that says which run of hactl took it."""
    return f"{RUN_NOTE}={run}"


def run_of(snapshot: Snapshot) -> str:
    """The run of hactl that took it; "" for one that somebody else took."""
    return next((tag.partition("=")[2] for tag in snapshot.tags if tag.startswith(f"{RUN_NOTE}=")), "")


@dataclass(frozen=True, slots=True)
class Kept:
    """One node's repository as restic tells it. `at` is the epoch second of now."""

    node: str
    facts: ResticFacts
    at: float

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Oldest first."""
        return self.facts.snapshots

    def age(self, snapshot: Snapshot) -> float:
        """Seconds since it was begun: what came later is not in it."""
        return max(0.0, self.at - snapshot.taken)

    @property
    def status(self) -> tuple[str, str]:
        """A word for what is wrong ("" for nothing), and a sentence."""
        facts = self.facts
        if facts.trouble is not None:
            return facts.trouble.value, facts.message
        if facts.unreadable:
            return "damaged", f"{facts.unreadable} snapshot{'s' * (facts.unreadable != 1)} cannot be read"
        return "", "ok"

    @property
    def stored(self) -> int | None:
        """Bytes that all snapshots together take; None where one of them does not say."""
        sizes = [one.stored for one in self.snapshots if one.stored is not None]
        return sum(sizes) if len(sizes) == len(self.snapshots) else None

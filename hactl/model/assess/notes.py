"""Who took a member out, as the note on its node tells. Only for members that a balancer says are out."""

from __future__ import annotations

from hactl.model.facts import DrainNote, NoteFacts
from hactl.model.inventory import Pool
from hactl.model.observed import Observed
from hactl.model.state import ClusterState
from hactl.model.units import duration


def note_of(state: ClusterState, pool: Pool, node: str, now: float) -> DrainNote | None:
    """The note about this node's drain from this pool. None: nobody left one, or the node cannot be asked now."""
    answer = state.nodes[node].read("note", NoteFacts, now)
    notes = answer.value.notes if isinstance(answer, Observed) else ()
    return next((note for note in notes if note.node == node and pool.name in note.pools), None)


def by_whom(note: DrainNote, wall: float) -> str:
    """For a sentence: "by anna@laptop 12 m ago: new disk". `wall` is epoch seconds."""
    ago = max(0, round(wall - note.when))
    whole = ago if ago < 60 else ago - ago % 60  # a sentence that changes every second is hard to read
    return f"by {note.who} {duration(whole)} ago" + (f": {note.why}" if note.why else "")

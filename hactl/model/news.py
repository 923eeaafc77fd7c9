"""What an operator should be called for: findings that have become critical since the picture before."""

from __future__ import annotations

from hactl.model.findings import Finding, Level
from hactl.model.gone import decided, witnesses
from hactl.model.picture import Picture


def new_crits(before: Picture, after: Picture) -> tuple[Finding, ...]:
    """Critical in `after` and not in `before`, in the order of `after`; none that somebody has acknowledged.

    What was so already when somebody first looked is no news: while those who tell of it had not been heard, nobody
    knew.
    """
    was = {finding.key for finding in before.assessment.findings if finding.level is Level.CRIT}
    return tuple(
        finding
        for finding in after.assessment.findings
        if finding.level is Level.CRIT
        and finding.key not in was
        and finding.key not in after.acks
        and _was_known(before, finding)
    )


def _was_known(picture: Picture, finding: Finding) -> bool:
    return all(decided(picture, name) for name in witnesses(picture.state.inventory, finding))

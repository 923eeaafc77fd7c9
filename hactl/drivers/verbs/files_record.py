"""What a drill with files has shown, as the record that its node's history keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hactl.drivers.drill import began
from hactl.drivers.verbs.files import SHORT
from hactl.drivers.verbs.files_compare import Compared
from hactl.model.drills import FILES, LATEST, Check, CheckOutcome, DrillRecord, judged
from hactl.model.facts import Snapshot
from hactl.model.inventory import ResticService
from hactl.model.units import duration, size
from hactl.model.verb import Scene


@dataclass(frozen=True, slots=True)
class Trial:
    """`phases`: seconds of those that were begun. `compared` is None where it came to nothing: `failed` says why."""

    snapshot: Snapshot
    wanted: str  # LATEST, or what the operator called it
    phases: Mapping[str, float]
    compared: Compared | None
    failed: str = ""

    @property
    def restored(self) -> bool:
        return "check" in self.phases

    @property
    def sentence(self) -> str:
        """All of it, with what is wrong."""
        found, name = self.compared, f"snapshot {self.snapshot.id[:SHORT]}"
        if found is None:
            return self.failed
        head = f"{name}: {found.files} files, {size(found.size)}, restored in {duration(self.phases['restore'])}"
        same = f"{'all' if found.same == found.files else found.same} are what they were"
        since = f"; since then {found.since}" if found.since else ""
        return f"{head}; {'; '.join(found.wrong) or same}{since}"


def recorded(scene: Scene, service: ResticService, trial: Trial) -> DrillRecord:
    """RTO is the restore; RPO how much newer than the snapshot the newest change of a live file is."""
    checks, found = tuple(_checks(trial)), trial.compared
    rto = round(trial.phases["restore"], 3) if trial.restored else None
    rpo = round(found.behind, 3) if found is not None and trial.wanted == LATEST else None
    target_rpo = service.target_rpo if trial.wanted == LATEST else None
    label = trial.snapshot.id[:SHORT]
    return DrillRecord(
        run=scene.run,
        cluster=scene.inventory.name,
        service=service.name,
        repository=1,
        label=label,
        kind=FILES,
        target=LATEST if trial.wanted == LATEST else label,
        node=scene.target.name,
        who=scene.who,
        started=began(scene.run),
        phases={phase: round(seconds, 3) for phase, seconds in trial.phases.items()},
        rto=rto,
        rpo=rpo,
        size=found.size if found is not None else None,
        checks=checks,
        verdict=judged(checks, rto, service.target_rto, rpo, target_rpo),
        target_rto=service.target_rto,
        target_rpo=target_rpo,
        reached=trial.snapshot.taken,
    )


def _checks(trial: Trial) -> Iterator[Check]:
    found = trial.compared
    if found is None:
        yield Check("check" if trial.restored else "restore", CheckOutcome.FAIL, trial.failed)
        return
    since = f"; since then {found.since}" if found.since else ""
    same = f"{found.same} of {found.files} files are what they were{since}"
    for name, wrong, right in (
        ("same", found.differing, same),
        ("complete", found.lacking, "nothing is missing that was there before"),
    ):
        yield Check(name, CheckOutcome.FAIL if wrong else CheckOutcome.OK, wrong or right)

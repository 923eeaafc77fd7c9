"""Every finding, by one change to a healthy cluster: exactly those that are expected, and no other."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from hactl.model.facts import RepositoryStatus
from hactl.model.findings import Level
from hactl.model.inventory import PgbackrestService
from tests.model.assess.cases import CASES, Case
from tests.model.builders import Cluster, lab, made

_NAMES = [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=_NAMES)
def test_findings(case: Case) -> None:
    found = {finding.key: finding for finding in case.cluster().assess().findings}
    assert {key: one.level.word for key, one in found.items()} == {key: level for key, level, _ in case.findings}
    for key, _, part in case.findings:
        assert part in found[key].sentence, found[key].sentence


@pytest.mark.parametrize("case", CASES, ids=_NAMES)
def test_sentences_are_one_safe_line_without_the_name_of_what_they_are_about(case: Case) -> None:
    for finding in case.cluster().assess().findings:
        for text in (finding.sentence, finding.hint):
            assert "\n" not in text
            assert not any(unicodedata.category(letter) in {"Cc", "Cf"} for letter in text)
        assert finding.sentence
        assert finding.level is not Level.OK
        assert not finding.sentence.startswith((finding.scope.name + ":", f"{finding.node}:"))


@pytest.mark.parametrize("case", CASES, ids=_NAMES)
def test_the_cluster_is_as_bad_as_the_worst_finding(case: Case) -> None:
    assessment = case.cluster().assess()
    worst = max((finding.level for finding in assessment.findings), default=Level.OK)
    assert assessment.cluster.level is worst
    assert max(site.level for site in assessment.sites.values()) >= max(
        (finding.level for finding in assessment.findings if finding.node), default=Level.OK
    )


def test_a_fresh_repository_does_not_hide_an_old_one() -> None:
    inventory = lab()
    backup = inventory.services["backup"]
    assert isinstance(backup, PgbackrestService)
    services = {**inventory.services, "backup": replace(backup, repositories=(1, 2))}
    off_site = made("full", 30, repository=2), made("diff", 3, repository=2, error=True)
    status = RepositoryStatus(1, 0, "ok"), RepositoryStatus(2, 0, "ok")
    cluster = Cluster(replace(inventory, services=services)).change(
        "backup1", "pgbackrest:backup", backups=(made("full", 20), made("diff", 2), *off_site), repositories=status
    )
    found = {one.key: (one.level, one.sentence.partition(" (")[0]) for one in cluster.assess().findings}
    assert found == {
        "backup-age:backup1:backup:2:any": (Level.WARN, "repository 2: last backup 1 d 6 h ago"),
        "pgbackrest:backup1:backup:2:errors": (Level.CRIT, "repository 2: the newest backup 2025-diff has errors"),
    }


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(set(_NAMES)) == len(_NAMES)

"""Every finding, by one change to a healthy cluster: exactly those that are expected, and no other."""

from __future__ import annotations

import unicodedata

import pytest

from hactl.model.findings import Level
from tests.model.assess.cases import CASES, Case

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


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(set(_NAMES)) == len(_NAMES)

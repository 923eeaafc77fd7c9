"""What a machine lacks is named, with what to do about it."""

import pytest

from hactl.lab import support
from hactl.model.errors import LabUnsupportedError


def test_missing_programs_are_named_as_packages():
    assert support.missing_programs(lambda program: None if program in ("nft", "ip", "tc") else program) == [
        "iproute2",
        "nftables",
    ]
    assert support.missing_programs(lambda program: program) == []


def test_every_program_is_in_a_listed_package():
    assert set(support.missing_programs(lambda _: None)) <= set(support.host_packages())


@pytest.mark.parametrize(
    ("system", "uid", "said"), [("Darwin", 0, "Linux: this is Darwin"), ("Linux", 1000, "root: run it with sudo")]
)
def test_the_wrong_machine_or_user(monkeypatch, system, uid, said):
    monkeypatch.setattr(support.platform, "system", lambda: system)
    monkeypatch.setattr(support.os, "geteuid", lambda: uid)
    with pytest.raises(LabUnsupportedError) as caught:
        support.require_quickly()
    assert caught.value.missing[0].startswith(said)
    assert "Vagrant" in caught.value.missing[0]


@pytest.mark.lab
def test_probes_leave_nothing():
    from hactl.lab import cgroups
    from hactl.lab.spec import NETNS_DIRECTORY, STATE_ROOT

    assert support.missing() == ()
    assert not list(NETNS_DIRECTORY.glob("hactl-probe-*"))
    assert not list(STATE_ROOT.glob(".probe-*"))
    assert not [group for tree in cgroups.hierarchies().all for group in tree.glob("hactl-lab/probe-*")]

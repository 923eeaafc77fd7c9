from __future__ import annotations

import pytest

from hactl.drivers import keepalived
from hactl.drivers.probe import Asked
from hactl.model.command import Completed
from hactl.model.facts import HostFacts
from hactl.model.inventory import Vip
from tests.drivers.cases import READERS, load


def host(*addresses: str) -> HostFacts:
    lines = ["cpu 1 1 1 1 1 1 1 1", "0 0 0", "1 1", "m 1 1 1 1", "b 1 x", f"4 {' '.join(addresses)}"]
    from hactl.drivers.host import parse_tick

    return parse_tick(Completed(0, "\n".join(lines), "", 0.0), Asked(0, 0))


@pytest.mark.parametrize(
    ("addresses", "holders"),
    [
        ({"lb1": ["192.0.2.11", "192.0.2.10"], "lb2": ["192.0.2.12"]}, ("lb1",)),
        ({"lb1": ["192.0.2.11"], "lb2": ["192.0.2.12"]}, ()),
        ({"lb1": ["192.0.2.10"], "lb2": ["192.0.2.10"]}, ("lb1", "lb2")),
        ({"lb1": ["192.0.2.100", "192.0.2.1"], "lb2": []}, ()),  # not by prefix
    ],
)
def test_holders(addresses: dict[str, list[str]], holders: tuple[str, ...]) -> None:
    vip = Vip("public", "192.0.2.10", "vrrp")
    assert keepalived.holders(vip, {name: host(*each) for name, each in addresses.items()}) == holders


def test_spellings_of_one_ipv6_address() -> None:
    facts = next(READERS[case.driver](case) for case in load() if str(case) == "host/ipv6-vip")
    assert isinstance(facts, HostFacts)
    for spelling in ("2001:db8::100", "2001:0DB8:0:0:0:0:0:0100"):
        assert keepalived.holds(Vip("v6", spelling, "vrrp"), facts)
    assert not keepalived.holds(Vip("v6", "2001:db8::101", "vrrp"), facts)

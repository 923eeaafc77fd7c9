"""`hactl check`: what a monitoring system makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hactl.model.inventory import Threshold
from hactl.view.perfdata import Perf, _range
from tests.cli.conftest import Small
from tests.cli.driving import hactl

# The grammar of the plugin guidelines: 'label'=value[UOM];[warn];[crit];[min];[max]
NUMBER = r"-?\d+(?:\.\d+)?"
RANGE = rf"(?:@?(?:~|{NUMBER})?:?(?:{NUMBER})?)"
PERF = re.compile(
    rf"(?:'[^'=|]+'|[^\s'=|]+)=(?:U|{NUMBER}(?:s|ms|us|%|B|KB|MB|TB|c)?)(?:;{RANGE}?){{0,2}}(?:;{NUMBER}?){{0,2}}"
)


def parsed(text: str) -> tuple[str, list[str], list[str]]:
    """First line without perfdata, the perfdata, the long output."""
    first, *rest = text.splitlines()
    said, _, data = first.partition(" | ")
    # Labels may hold blanks only in quotes.
    return said, re.findall(r"(?:'[^']*'|[^\s'])+", data), rest


@pytest.mark.parametrize(
    ("perf", "text"),
    [
        (Perf("load", 1.5, "", "2", "6", 0), "load=1.5;2;6;0"),
        (Perf("disk /var", 93.25, "%", "80", "90", 0, 100), "'disk /var'=93.25%;80;90;0;100"),
        (Perf("shop_available", 2, warn="3:", crit="2:", minimum=0, maximum=3), "shop_available=2;3:;2:;0;3"),
        (Perf("lag", None, "B", "1", "2"), "lag=U;1;2"),
        (Perf("tiny", 0.00001), "tiny=0"),
        (Perf("large", 3e12, "B"), "large=3000000000000B"),
        (Perf("it's=a|b", 1), "it_s_a_b=1"),
        (Perf("plain", 7), "plain=7"),
    ],
)
def test_perfdata_is_spelled_so(perf: Perf, text: str) -> None:
    assert str(perf) == text
    assert PERF.fullmatch(text)


def test_limits_are_ranges() -> None:
    assert _range(Threshold(80, 90), 80) == "80"
    assert _range(Threshold(600, None, below=True), 600) == "600:"
    assert _range(Threshold(), None) == ""


@pytest.mark.sshd
def test_one_line_says_all_of_a_service(home: Path, small: Small) -> None:
    done = hactl("-i", str(small.inventory), "check", "--service", "web", home=home)
    said, data, _ = parsed(done.stdout)
    assert said == "HACTL OK - service web: 2 of 2 available, minimum 1"
    assert done.returncode == 0
    assert all(PERF.fullmatch(one) for one in data)
    assert "web_available=2;2:;1:;0;2" in data
    assert any(re.match(r"web_one_latency=[\d.]+ms;", one) for one in data)


@pytest.mark.sshd
def test_a_node_comes_with_its_numbers(home: Path, small: Small) -> None:
    done = hactl("check", "--node", "one", "-i", str(small.with_dead), home=home)
    said, data, _ = parsed(done.stdout)
    # Units are unknown where the tests run without systemd; that is for the level, not for the numbers.
    assert re.match(r"HACTL (OK|UNKNOWN) - node one: ", said)
    labels = {one.partition("=")[0] for one in data}
    assert {"one_load_per_core", "one_memory", "one_cpu", "one_disk_/"} <= labels
    assert all(PERF.fullmatch(one) for one in data)


@pytest.mark.sshd
def test_a_dead_node_is_critical_with_a_line_for_each_finding(home: Path, small: Small) -> None:
    done = hactl("-i", str(small.with_dead), "check", home=home)
    said, data, rest = parsed(done.stdout)
    assert (done.returncode, done.stderr) == (2, "")
    assert said.startswith("HACTL CRITICAL - small: ")
    assert any(re.match(r"CRIT node/dead: unreachable since", line) for line in rest)
    assert "|" not in said + "".join(rest)
    assert all(PERF.fullmatch(one) for one in data)


@pytest.mark.sshd
def test_what_cannot_be_found_out_is_unknown(home: Path, small: Small) -> None:
    """A host key that is not stored: nobody may ask, so nobody knows."""
    small.server.known_hosts.write_text("")
    done = hactl("-i", str(small.inventory), "check", "--node", "one", home=home)
    said, data, _ = parsed(done.stdout)
    assert done.returncode == 3
    assert said.startswith("HACTL UNKNOWN - node one: ")
    assert any(one.startswith("one_memory=U") for one in data)


@pytest.mark.sshd
def test_it_keeps_to_its_timeout(home: Path, small: Small) -> None:
    small.server.freeze()
    done = hactl("-i", str(small.inventory), "check", "--timeout", "1", home=home, timeout=15)
    small.server.thaw()
    assert done.returncode in {2, 3}
    assert done.stdout.startswith("HACTL ")

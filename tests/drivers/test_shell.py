"""The shell bodies of tick probes, run for real by every shell of this machine that a node may have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hactl.drivers import apt, host, http, systemd
from hactl.drivers.probe import Asked, TickProbe
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import ClockFacts, DiskFacts, Facts, HostFacts, PackageFacts
from hactl.model.inventory import HttpService
from hactl.model.text import safe_text

SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "ash")}
TICKS: dict[str, Callable[[], TickProbe]] = {
    "host": lambda: host.tick(addresses=False),
    "host+addresses": lambda: host.tick(addresses=True),
    "disk": host.disk,
    "clock": host.clock,
    "units": lambda: systemd.units(("cron.service",)),
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} on this machine")
    return argv


def run(shell: tuple[str, ...], script: str) -> str:
    done = subprocess.run(
        [*shell, "-c", script], input=b"the next question\n", capture_output=True, timeout=30, check=True
    )
    return done.stdout.decode()


def printed(probe: TickProbe) -> str:
    """The body as the loop runs it, and what it left in hactl_out."""
    run = f"hactl_out=\n{{ {probe.body}\n}} </dev/null >/dev/null\nhactl_exit=$?"
    return f'{run}; printf %s "$hactl_out"; (exit $hactl_exit)'


def ask(shell: tuple[str, ...], probe: TickProbe) -> Facts:
    """Ask twice in one shell, as its loop does; the second answer counts."""
    sent = time.time()
    said = run(shell, "export LC_ALL=C\n" + f"{printed(probe)}\nprintf '\\n%s\\036' \"$?\"\n" * 2)
    second, _, code = said.split("\x1e")[1].rpartition("\n")
    return probe.parse(Completed(int(code), safe_text(second.encode()), "", 0.1), Asked(sent, time.time()))


def test_host_agrees_with_psutil(shell: tuple[str, ...]) -> None:
    facts = ask(shell, host.tick(addresses=True))
    assert isinstance(facts, HostFacts)
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    assert facts.cores == psutil.cpu_count()
    assert facts.memory_total == memory.total
    assert facts.memory_available == pytest.approx(memory.available, rel=0.1)
    assert facts.swap_total == swap.total
    assert facts.uptime == pytest.approx(time.time() - psutil.boot_time(), abs=5)
    assert facts.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    times = psutil.cpu_times()
    ticks = os.sysconf("SC_CLK_TCK")
    assert facts.cpu_total == pytest.approx((sum(times) - times.guest - times.guest_nice) * ticks, rel=0.02)
    counters = psutil.net_io_counters(pernic=True)
    assert facts.network.keys() <= counters.keys() - {"lo"}


def test_addresses_agree_with_psutil(shell: tuple[str, ...]) -> None:
    facts = ask(shell, host.tick(addresses=True))
    assert isinstance(facts, HostFacts)
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    every = {
        one.address.partition("%")[0]
        for name, addresses in psutil.net_if_addrs().items()
        if name in up
        for one in addresses
        if one.family.name in {"AF_INET", "AF_INET6"}
    }
    wanted = {address for address in every if not address.startswith(("127.", "fe80:")) and address != "::1"}
    assert set(facts.addresses) == wanted


def in_a_network_of_its_own(script: str) -> str:
    unshare = ["unshare", "--net", "sh", "-c"]
    if os.geteuid() != 0 or subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs root and network namespaces")
    return subprocess.run([*unshare, script], capture_output=True, text=True, check=True).stdout


def test_an_address_is_seen_when_it_comes_and_not_when_it_goes() -> None:
    """A VIP as keepalived adds it, in a network namespace of its own."""
    script = f"""
ip link set lo up && ip addr add 192.0.2.11/24 dev lo
{printed(host.tick(addresses=True))}
ip addr add 192.0.2.10/32 dev lo
ip addr add 2001:db8::10/128 dev lo nodad
{printed(host.tick(addresses=True))}
ip addr del 192.0.2.10/32 dev lo
{printed(host.tick(addresses=True))}
"""
    said = in_a_network_of_its_own(script)
    samples = ["cpu " + text for text in said.split("cpu ")[1:]]
    seen = [host.parse_tick(Completed(0, text, "", 0.0), Asked(0, 0)).addresses for text in samples]
    assert seen == [("192.0.2.11",), ("192.0.2.10", "192.0.2.11", "2001:db8::10"), ("192.0.2.11", "2001:db8::10")]


def test_a_routers_long_table_is_left_to_ip() -> None:
    script = f"""
ip link set lo up && ip addr add 192.0.2.11/24 dev lo
i=0; while [ $i -lt 250 ]; do echo "route add 198.51.100.$i/32 dev lo"; i=$((i + 1)); done | ip -batch -
ip addr add 203.0.113.9/32 dev lo
{printed(host.tick(addresses=True))}
"""
    said = in_a_network_of_its_own(script)
    assert set(host.parse_tick(Completed(0, said, "", 0.0), Asked(0, 0)).addresses) == {"192.0.2.11", "203.0.113.9"}


def test_host_forks_nothing_and_is_cheap(shell: tuple[str, ...]) -> None:
    """At most 2 ms of CPU a sample on the node, and no child at all."""
    samples = 200
    body = f"i=0; while [ $i -lt {samples} ]; do i=$((i + 1))\n{host.tick(addresses=True).body}\ndone >/dev/null; times"
    own, children = run(shell, body).strip().split("\n")
    assert _seconds(children) == 0
    assert _seconds(own) / samples < 0.002


def _seconds(times: str) -> float:
    return sum(int(minutes) * 60 + float(seconds) for minutes, seconds in re.findall(r"(\d+)m([\d.]+)s", times))


@pytest.mark.parametrize(
    ("listed", "cores"), [("0", 1), ("0-3", 4), ("0-3,6", 5), ("1,3-5,8-11", 8), ("", None), ("who knows", None)]
)
def test_cores_are_counted(shell: tuple[str, ...], tmp_path: Path, listed: str, cores: int | None) -> None:
    """From the kernel's list; from /proc/stat where that says nothing."""
    (tmp_path / "online").write_text(f"{listed}\n")
    known, body = "/sys/devices/system/cpu/online", host.tick(addresses=False).body
    assert known in body
    said = run(shell, f'{body.replace(known, str(tmp_path / "online"))}\necho "$hactl_host_cores"')
    assert int(said) == (cores or psutil.cpu_count())


@pytest.mark.parametrize("tick", TICKS)
def test_bodies_keep_to_themselves(shell: tuple[str, ...], tick: str) -> None:
    """No variable without the prefix, positional parameters and stdin untouched, the shell alive."""
    body = TICKS[tick]().body
    look = "set >/tmp/$$.a; echo; echo @@; cat /tmp/$$.a; rm /tmp/$$.a"
    script = f'set -- one two; {{ {body}\n}} </dev/null >/dev/null\n{look}; echo "@@$*"; read -r line; echo "$line"'
    _, after, rest = run(shell, script).rsplit("@@", 2)
    assert rest == "one two\nthe next question\n"
    names = set(re.findall(r"^(\w+)=", after, flags=re.MULTILINE))
    before = set(re.findall(r"^(\w+)=", run(shell, "set -- one two; set"), flags=re.MULTILINE))
    assert {name for name in names - before if not name.startswith("hactl_")} <= {"LC_ALL", "_", "PIPESTATUS"}


def test_disk_agrees_with_psutil(shell: tuple[str, ...]) -> None:
    facts = ask(shell, host.disk())
    assert isinstance(facts, DiskFacts)
    root = next(one for one in facts.filesystems if one.mount == "/")
    usage = psutil.disk_usage("/")
    inodes = os.statvfs("/")
    assert root.size == pytest.approx(usage.total, rel=0.001)
    assert root.available == pytest.approx(usage.free, rel=0.05)
    assert root.used_percent == pytest.approx(usage.percent, abs=2)
    if inodes.f_files:
        assert root.inodes_used_percent == pytest.approx(100 * (1 - inodes.f_ffree / inodes.f_files), abs=2)
    assert not [one.mount for one in facts.filesystems if one.mount.startswith(("/proc", "/sys", "/dev", "/run"))]


def test_clock_of_the_same_machine(shell: tuple[str, ...]) -> None:
    facts = ask(shell, host.clock())
    assert isinstance(facts, ClockFacts)
    assert abs(facts.skew) <= facts.error + 0.01


def test_units_without_systemd(shell: tuple[str, ...]) -> None:
    if Path("/run/systemd/system").is_dir():
        pytest.skip("this machine runs systemd")
    with pytest.raises(ParseError, match="does not run systemd"):
        ask(shell, systemd.units(("cron.service",)))


def test_packages_of_this_machine() -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("not a Debian machine")
    probe = apt.packages(("coreutils", "no-such-package-at-all"))
    done = subprocess.run(probe.command.argv, capture_output=True, check=True, timeout=60)
    facts = probe.parse(Completed(0, safe_text(done.stdout), "", 0.1), Asked(0, 0))
    assert isinstance(facts, PackageFacts)
    query = ["dpkg-query", "-W", "-f", "${Version}", "coreutils"]
    version = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    assert facts.installed == {"coreutils": version}
    assert facts.kernel == os.uname().release
    assert facts.os_name


def version_of(shell: tuple[str, ...], *argv: str) -> object:
    service = HttpService("shop", ("app1",), (), 1, version_command=argv)
    probe = http.version(service, node=None)  # type: ignore[arg-type] # a command needs no address
    assert isinstance(probe, TickProbe)
    return ask(shell, probe)


def test_version_by_command(shell: tuple[str, ...]) -> None:
    assert version_of(shell, "echo", "shop 1.2.3-rc1; touch x") == http.VersionFacts("1.2.3-rc1;")
    with pytest.raises(ParseError, match="exit 127"):
        version_of(shell, "no-such-program-at-all")
    with pytest.raises(ParseError, match="exit 3"):
        version_of(shell, "sh", "-c", "echo 1.2.3; exit 3")
    with pytest.raises(ParseError):
        version_of(shell, "yes", "1.2.3")

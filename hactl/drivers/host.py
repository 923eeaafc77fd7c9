"""The machine itself: cheap numbers every tick, disks and the clock at a slower pace.

The tick is shell that forks nothing: on dash, ash and bash alike it costs the node 0.3 ms of CPU, 0.7 ms where the
addresses are wanted too (asking `ip` instead costs 1.1 ms alone). A shell's `read` takes a pipe or a /proc file byte
by byte, so only the lines that are needed are read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

from hactl.drivers.probe import Asked, Cadence, TickProbe
from hactl.drivers.reading import explained, number
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import ClockFacts, DiskFacts, Filesystem, HostFacts, NetCounters

# --- the tick -------------------------------------------------------------------------------------------------

# Cores and boot id are read once: the loop does not outlive the boot. The kernel's list of cores ("0-3,6") is short,
# while the line after them in /proc/stat may have thousands of characters: that is read only where there is no list.
# Interfaces are those with a device behind them, or all but lo where there is none (in a container).
_TICK = r"""
if [ -z "$hactl_host_boot" ]; then
  hactl_host_cores=0
  hactl_host_a=
  [ ! -r /sys/devices/system/cpu/online ] || read -r hactl_host_a </sys/devices/system/cpu/online
  case $hactl_host_a in *[!0-9,-]*) hactl_host_a= ;; esac
  while [ -n "$hactl_host_a" ]; do
    hactl_host_b=${hactl_host_a%%,*}
    hactl_host_cores=$((hactl_host_cores + 1 + ${hactl_host_b#*-} - ${hactl_host_b%-*}))
    hactl_host_a=${hactl_host_a#"$hactl_host_b"}
    hactl_host_a=${hactl_host_a#,}
  done
  [ $hactl_host_cores -gt 0 ] || while read -r hactl_host_a hactl_host_b; do
    case $hactl_host_a in
      cpu[0-9]*) hactl_host_cores=$((hactl_host_cores + 1)) ;;
      cpu) ;;
      *) break ;;
    esac
  done </proc/stat
  read -r hactl_host_boot </proc/sys/kernel/random/boot_id
  hactl_host_links='/sys/class/net/*/mtu'
  for hactl_host_a in /sys/class/net/*/device; do
    [ ! -e "$hactl_host_a" ] || hactl_host_links='/sys/class/net/*/device'
  done
fi
read -r hactl_host_cpu </proc/stat
read -r hactl_host_load </proc/loadavg
read -r hactl_host_up </proc/uptime
hactl_host_mem=
while read -r hactl_host_a hactl_host_b hactl_host_c; do
  case $hactl_host_a in
    MemTotal: | MemAvailable: | SwapTotal:) hactl_host_mem="$hactl_host_mem $hactl_host_b" ;;
    SwapFree:) hactl_host_mem="$hactl_host_mem $hactl_host_b"; break ;;
  esac
done </proc/meminfo
hactl_host_net=
for hactl_host_a in $hactl_host_links; do
  hactl_host_a=${hactl_host_a%/*}
  case $hactl_host_a in */lo) continue ;; esac
  [ -r "$hactl_host_a/statistics/rx_bytes" ] || continue
  read -r hactl_host_b <"$hactl_host_a/statistics/rx_bytes"
  read -r hactl_host_c <"$hactl_host_a/statistics/tx_bytes"
  read -r hactl_host_d <"$hactl_host_a/statistics/rx_errors"
  read -r hactl_host_e <"$hactl_host_a/statistics/tx_errors"
  hactl_host_net="$hactl_host_net
n ${hactl_host_a##*/} $hactl_host_b $hactl_host_c $hactl_host_d $hactl_host_e"
done
"""

# The kernel's routing trie lists each local IPv4 address as a /32 of type LOCAL, twice where the main and the local
# table are one: the second listing is not read. A router's trie is long: after 300 lines `ip` is the cheaper to ask.
_ADDRESSES = r"""
hactl_host_ip=
hactl_host_e=300
while read -r hactl_host_a hactl_host_b hactl_host_c; do
  case $hactl_host_a in
    '|--') hactl_host_d=$hactl_host_b ;;
    /32) [ "$hactl_host_b $hactl_host_c" != 'host LOCAL' ] || hactl_host_ip="$hactl_host_ip $hactl_host_d" ;;
    Local:) [ -z "$hactl_host_ip" ] || break ;;
  esac
  hactl_host_e=$((hactl_host_e - 1))
  [ $hactl_host_e -gt 0 ] || break
done </proc/net/fib_trie
hactl_host_net="$hactl_host_net
4$hactl_host_ip"
if [ -r /proc/net/if_inet6 ]; then
  hactl_host_ip=
  while read -r hactl_host_a hactl_host_b; do hactl_host_ip="$hactl_host_ip $hactl_host_a"; done </proc/net/if_inet6
  hactl_host_net="$hactl_host_net
6$hactl_host_ip"
fi
[ $hactl_host_e -gt 0 ] && [ $hactl_host_e -lt 300 ] || hactl_host_net="$hactl_host_net
$(timeout 1 ip -o addr show </dev/null)"
"""

_SAY = r"""
hactl_out="$hactl_host_cpu
$hactl_host_load
$hactl_host_up
m$hactl_host_mem
b $hactl_host_cores $hactl_host_boot$hactl_host_net
"
"""


def tick(*, addresses: bool) -> TickProbe:
    """The fast sample of a node; with its IP addresses where it may hold a VIP."""
    body = _TICK + (_ADDRESSES if addresses else "") + _SAY
    return TickProbe("host", Cadence.FAST, 4.0, body, parse_tick)


def parse_tick(done: Completed, asked: Asked) -> HostFacts:  # noqa: ARG001 - every probe's parse has this shape
    """One sample. About 10 us: this is the line that 512 nodes say every two seconds."""
    try:
        cpu, load, up, memory, boot, *rest = done.stdout.strip("\n").split("\n")
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, cpu.split()[1:9])
        load1, load5, load15 = map(float, load.split()[:3])
        total, available, swap_total, swap_free = map(int, memory.split()[1:])
        cores, boot_id = boot.split()[1:]
        uptime = float(up.split(maxsplit=1)[0])
        busy = user + nice + system + irq + softirq + steal
        network, addresses = _rest(rest)
        if int(cores) < 1 or not math.isfinite(load1 + load5 + load15 + uptime + busy + idle + total + swap_total):
            raise ParseError("The node's /proc holds impossible numbers.")
    except (ValueError, IndexError, OverflowError):
        raise ParseError("The node's /proc did not say what a Linux kernel says there.") from None
    return HostFacts(
        cpu_busy=busy,
        cpu_total=busy + idle + iowait,
        cores=int(cores),
        load1=load1,
        load5=load5,
        load15=load15,
        memory_total=total * 1024,
        memory_available=available * 1024,
        swap_total=swap_total * 1024,
        swap_free=swap_free * 1024,
        uptime=uptime,
        network=network,
        addresses=addresses,
        boot_id=boot_id,
    )


def _rest(lines: list[str]) -> tuple[dict[str, NetCounters], tuple[str, ...]]:
    """Interfaces and addresses from tagged lines: `n NAME RX TX ERRORS ERRORS`, `4 ADDRESS...`, `6 HEX...`; or ip's."""
    network: dict[str, NetCounters] = {}
    addresses: list[str] = []
    for line in lines:
        tag, *words = line.split()
        if tag == "n":
            name, received, sent, bad_in, bad_out = words
            network[name] = NetCounters(int(received), int(sent), int(bad_in) + int(bad_out))
        elif tag == "4":
            addresses += words
        elif tag == "6":
            addresses += map(_ipv6, words)
        elif len(words) >= 3 and words[1] in {"inet", "inet6"}:
            addresses.append(words[2].partition("/")[0])
    return network, tuple(dict.fromkeys(filter(_may_be_virtual, addresses)))


def _may_be_virtual(address: str) -> bool:
    """Neither loopback nor link-local: those are on every node and no VIP."""
    return not address.startswith(("127.", "fe80:")) and address != "::1"


@lru_cache(1024)
def _ipv6(digits: str) -> str:
    """An address of /proc/net/if_inet6 in its usual spelling."""
    return IPv6Address(int(digits, 16)).compressed


# --- disks ----------------------------------------------------------------------------------------------------

# GNU df leaves remote file systems alone with -l, so that a dead file server cannot hang it, and tells blocks and
# inodes at once; busybox can do neither and is asked twice. The bound holds all the same: such a wait ends on SIGKILL.
# df exits 1 when it could not read one of many: no failure.
_DISK = r"""
hactl_disk_ended() { return $hactl_disk_exit; } # `(exit N)` would fork
hactl_disk_exit=0
if [ -z "$hactl_disk_plain" ]; then
  hactl_out=$(timeout -k 1 2 df -l -k --output=source,fstype,itotal,iused,size,used,avail,pcent,target)
  hactl_disk_exit=$?
fi
if [ -n "$hactl_out" ] || [ $hactl_disk_exit -ge 124 ]; then
  hactl_out="both
$hactl_out"
else
  hactl_disk_plain=yes
  hactl_out=$(timeout -k 1 2 df -P -T -k)
  hactl_disk_exit=$?
  [ $hactl_disk_exit -ge 124 ] || hactl_out="$hactl_out
inodes
$(timeout -k 1 2 df -P -T -i)"
fi
hactl_disk_ended
"""

_NUMBER = r"(-?\d{1,19}|-)"
# source, type, total, used, available, capacity, mount point; source and mount point may hold spaces.
_DF_LINE = re.compile(rf"(\S.*?)\s+(\S+)\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+(?:\d+%|-)\s+(/.*)")
# The same with the total and the used inodes after the type.
_BOTH_LINE = re.compile(
    rf"(\S.*?)\s+(\S+)\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+(?:\d+%|-)\s+(/.*)"
)

# Working space of the system, images that are always full, and views of other file systems. A tmpfs elsewhere was
# put there to hold something.
_PSEUDO = frozenset({"autofs", "devtmpfs", "efivarfs", "erofs", "iso9660", "nsfs", "ramfs", "squashfs"})
_WORKING_SPACE = re.compile(r"/(?:dev|etc|proc|run|sys|tmp|snap)(?:/|$)")


def disk() -> TickProbe:
    return TickProbe("disk", Cadence.MEDIUM, 6.0, _DISK, parse_disk)


def parse_disk(done: Completed, asked: Asked) -> DiskFacts:  # noqa: ARG001 - every probe's parse has this shape
    """File systems that hold something, by mount point; one that stands in several places is listed at its first."""
    found: dict[str, Filesystem] = {}
    for row in _rows(done.stdout):
        same = row.device if row.device.startswith("/") else row.mount
        if not row.known or same in found or not _holds_something(row.kind, row.mount):
            continue
        free = max(0, int(row.available))
        percent = _percent(int(row.used), free)
        found[same] = Filesystem(
            row.mount, row.device, int(row.total) * 1024, free * 1024, percent, row.inodes_used_percent
        )
    if not found:
        failed = done.exit != 0
        raise ParseError(explained(replace(done, stdout=""), "df") if failed else "df listed nothing that holds data.")
    return DiskFacts(tuple(sorted(found.values(), key=lambda one: one.mount)))


class _Row(NamedTuple):
    """A file system in df's words; "-" where it has none."""

    device: str
    kind: str
    inodes: str
    inodes_used: str
    total: str
    used: str
    available: str
    mount: str

    @property
    def known(self) -> bool:
        sizes = (self.total, self.used, self.available)
        return (
            self.total != "0" and "-" not in sizes and not self.total.startswith("-") and not self.used.startswith("-")
        )

    @property
    def inodes_used_percent(self) -> float:
        if not (self.inodes.isdecimal() and self.inodes_used.isdecimal()):
            return 0.0
        return _percent(int(self.inodes_used), max(0, int(self.inodes) - int(self.inodes_used)))


def _rows(said: str) -> Iterator[_Row]:
    """What df listed, in either form; the header and what is no row are left out."""
    form, _, listed = said.partition("\n")
    if form == "both":
        yield from (_Row(*match.groups()) for match in _matches(_BOTH_LINE, listed))
        return
    blocks, _, inodes = said.partition("\ninodes\n")
    counted = {match[6]: (match[3], match[4]) for match in _matches(_DF_LINE, inodes)}
    for match in _matches(_DF_LINE, blocks):
        device, kind, total, used, available, mount = match.groups()
        yield _Row(device, kind, *counted.get(mount, ("-", "-")), total, used, available, mount)


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    return filter(None, (pattern.fullmatch(line[:512].rstrip()) for line in text.split("\n")))


def _percent(used: int, free: int) -> float:
    return 100.0 * used / (used + free) if used + free > 0 else 0.0


def _holds_something(kind: str, mount: str) -> bool:
    if kind in _PSEUDO or kind.startswith("fuse."):
        return False
    if kind == "overlay":
        return mount == "/"  # elsewhere it is a container's view of a disk that is listed itself
    return not _WORKING_SPACE.match(mount)


# --- the clock ------------------------------------------------------------------------------------------------

# systemd-timesyncd leaves a mark. Others are known to timedatectl, which starts a service to answer: every fiftieth
# time is often enough, and never at first, when an answer is waited for. `date` comes first: its moment counts.
_CLOCK = r"""
hactl_out=$(date +%s.%N)
if [ -e /run/systemd/timesync/synchronized ]; then
  hactl_clock_synced=yes
elif [ ${hactl_clock_turns:-1} -le 0 ]; then
  hactl_clock_turns=50
  hactl_clock_synced=$(timeout 1 timedatectl show -p NTPSynchronized --value)
fi
hactl_clock_turns=$((${hactl_clock_turns:-1} - 1))
hactl_out="$hactl_out
$hactl_clock_synced"
"""


def clock(*, thorough: bool = False) -> TickProbe:
    """The node's clock. `thorough`: whether it is synchronised is told at once, not from the second answer on."""
    body = f"hactl_clock_turns=0\n{_CLOCK}" if thorough else _CLOCK
    return TickProbe("clock", Cadence.MEDIUM, 6.0, body, parse_clock)


def parse_clock(done: Completed, asked: Asked) -> ClockFacts:
    """The node read its clock somewhere between question and answer: the middle is the guess, half of it the error."""
    moment, _, synced = done.stdout.partition("\n")
    seconds, _, fraction = moment.partition(".")
    coarse = 0.0 if fraction.isdigit() else 0.5  # busybox: somewhere in this second
    remote = number(f"{seconds}.{fraction}" if fraction.isdigit() else seconds, "The node's clock") + coarse
    return ClockFacts(
        skew=remote - (asked.sent + asked.received) / 2,
        error=abs(asked.received - asked.sent) / 2 + coarse,
        synchronized={"yes": True, "no": False}.get(synced.strip()),
    )

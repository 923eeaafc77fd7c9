"""The machine itself: cheap numbers every tick, disks and the clock at a slower pace.

The tick is shell that forks nothing: on dash, ash and bash alike it costs the node 0.3 ms of CPU, 0.7 ms where the
addresses are wanted too (asking `ip` instead costs 1.1 ms alone). A shell's `read` takes a pipe or a /proc file byte
by byte, so only the lines that are needed are read.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv6Address

from hactl.drivers.probe import Asked, Cadence, TickProbe
from hactl.drivers.reading import explained, number
from hactl.model.command import Completed
from hactl.model.errors import ParseError
from hactl.model.facts import ClockFacts, DiskFacts, Filesystem, HostFacts, NetCounters

# --- the tick -------------------------------------------------------------------------------------------------

# A sample is one write, by way of hactl_out. Cores and boot id are read once: the loop does not outlive the boot.
# Interfaces are those with a device behind them, or all but lo where there is none (in a container).
_TICK = r"""
if [ -z "$hactl_host_boot" ]; then
  hactl_host_cores=0
  while read -r hactl_host_a hactl_host_b; do
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

# GNU df leaves remote file systems alone with -l, so that a dead file server cannot hang it; busybox has no -l. The
# bound holds all the same: such a wait ends on SIGKILL. df exits 1 when it could not read one of many: no failure.
_DISK = r"""
if [ -z "$hactl_disk_df" ]; then
  hactl_disk_df='df -l'
  timeout -k 1 2 df -l / </dev/null >/dev/null 2>&1 || hactl_disk_df=df
fi
LC_ALL=C timeout -k 1 2 $hactl_disk_df -P -T -k </dev/null 2>/dev/null
hactl_disk_exit=$?
echo inodes
[ $hactl_disk_exit -ge 124 ] || LC_ALL=C timeout -k 1 2 $hactl_disk_df -P -T -i </dev/null 2>/dev/null
(exit $hactl_disk_exit)
"""

# source, type, total, used, available, capacity, mount point; source and mount point may hold spaces.
_DF_LINE = re.compile(r"(\S.*?)\s+(\S+)\s+(\d{1,19}|-)\s+(\d{1,19}|-)\s+(-?\d{1,19}|-)\s+(?:\d+%|-)\s+(/.*)")

# Working space of the system, images that are always full, and views of other file systems. A tmpfs elsewhere was
# put there to hold something.
_PSEUDO = frozenset({"autofs", "devtmpfs", "efivarfs", "erofs", "iso9660", "nsfs", "ramfs", "squashfs"})
_WORKING_SPACE = re.compile(r"/(?:dev|etc|proc|run|sys|tmp|snap)(?:/|$)")


def disk() -> TickProbe:
    return TickProbe("disk", Cadence.MEDIUM, 6.0, _DISK, parse_disk)


def parse_disk(done: Completed, asked: Asked) -> DiskFacts:  # noqa: ARG001 - every probe's parse has this shape
    """File systems that hold something, by mount point; one that stands in several places is listed at its first."""
    blocks, _, inodes = done.stdout.partition("\ninodes\n")
    used_inodes = {
        mount: _percent(int(used), int(total) - int(used))
        for _, _, total, used, _, mount in _rows(inodes)
        if "-" not in (total, used)
    }
    found: dict[str, Filesystem] = {}
    for device, kind, total, used, available, mount in _rows(blocks):
        same = device if device.startswith("/") else mount
        if "-" in (total, used, available) or total == "0" or same in found or not _holds_something(kind, mount):
            continue
        free = max(0, int(available))
        percent = _percent(int(used), free)
        found[same] = Filesystem(mount, device, int(total) * 1024, free * 1024, percent, used_inodes.get(mount, 0.0))
    if not found:
        failed = done.exit != 0
        raise ParseError(explained(replace(done, stdout=""), "df") if failed else "df listed nothing that holds data.")
    return DiskFacts(tuple(sorted(found.values(), key=lambda one: one.mount)))


def _rows(text: str) -> list[tuple[str, str, str, str, str, str]]:
    """The columns of df -P -T without the capacity; the header and what is not a row are left out."""
    matches = (_DF_LINE.fullmatch(line[:512].rstrip()) for line in text.split("\n"))
    return [(m[1], m[2], m[3], m[4], m[5], m[6]) for m in matches if m]


def _percent(used: int, free: int) -> float:
    return 100.0 * used / (used + free) if used + free > 0 else 0.0


def _holds_something(kind: str, mount: str) -> bool:
    if kind in _PSEUDO or kind.startswith("fuse."):
        return False
    if kind == "overlay":
        return mount == "/"  # elsewhere it is a container's view of a disk that is listed itself
    return not _WORKING_SPACE.match(mount)


# --- the clock ------------------------------------------------------------------------------------------------

# timedatectl starts a service to answer: every fiftieth time is often enough. `date` comes first: its moment counts.
_CLOCK = r"""
date +%s.%N </dev/null
if [ "${hactl_clock_turns:-0}" -le 0 ]; then
  hactl_clock_turns=50
  hactl_clock_synced=$(timeout 1 timedatectl show -p NTPSynchronized --value </dev/null 2>/dev/null)
fi
hactl_clock_turns=$((hactl_clock_turns - 1))
echo "$hactl_clock_synced"
"""


def clock() -> TickProbe:
    return TickProbe("clock", Cadence.MEDIUM, 6.0, _CLOCK, parse_clock)


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

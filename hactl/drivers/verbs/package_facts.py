"""What a node says of a package before it is touched: installed, offered, kept, and what stands in the way. Only reads.

Everything is asked as the login user: apt's simulation and the kernel's table of locks need no rights.
"""

from __future__ import annotations

from dataclasses import dataclass

from hactl.drivers.verbs.command_lines import answered, sections
from hactl.model.command import command
from hactl.model.verb import Doing, run

MARGIN = 64 * 1024  # kB that must stay free beside what is fetched and unpacked

_OFFER = r"""
export LC_ALL=C
echo @installed; dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null
echo @candidate; apt-cache policy "$1" | sed -n 's/^  Candidate: //p'
echo @offered; apt-cache madison "$1" 2>/dev/null | cut -d '|' -f 2
echo @kept; ls /var/cache/apt/archives/ | grep '\.deb$'
echo @age
written=$(stat -c %Y /var/lib/apt/lists /var/lib/apt/lists/partial 2>/dev/null | sort -n | tail -n 1)
echo $(($(date +%s) - ${written:-0}))
echo @end
"""

# `apt-get -s` says what would be installed or why not; --print-uris what has to be fetched. Sizes are in kB from here.
_TRIAL = r"""
export LC_ALL=C
echo @plan; apt-get -s -qq --no-remove --allow-downgrades "$@" 2>&1 | grep -E '^(Inst|Remv|E:)' | head -n 200
echo @fetch
apt-get -qq --print-uris --allow-downgrades "$@" 2>/dev/null | awk '{ sum += $3 } END { print int(sum / 1024) }'
echo @end
"""
_SIZE = r"""
export LC_ALL=C
echo @size; apt-cache show --no-all-versions "$1=$2" 2>/dev/null | sed -n 's/^Installed-Size: //p' | head -n 1
echo @end
"""

# Who holds a lock is in /proc/locks by the file's inode: the files themselves are root's alone.
_OBSTACLES = r"""
export LC_ALL=C
echo @space; df -Pk /var/cache/apt/archives /var/lib/dpkg /usr 2>/dev/null | tail -n +2
echo @audit; dpkg --audit 2>&1 | head -n 20
echo @cut; ls -A /var/lib/dpkg/updates
echo @locks
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
  inode=$(stat -c %i "$file" 2>/dev/null) || continue
  while read -r _ kind _ _ pid where _; do
    case $kind:$where in POSIX:*:"$inode") echo "$(cat "/proc/$pid/comm" 2>/dev/null) ($pid)" ;; esac
  done </proc/locks
done | sort -u
echo @end
"""
_ASKING = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Offer:
    """`installed` is "" where the package is not wholly there, `state` then says how far ("half-configured 1.1.0"), ""
    where nothing of it is; `candidate` is what apt would take, "" for nothing.

    `kept` are the .deb files in apt's cache; `lists_age` seconds since apt last wrote its lists.
    """

    installed: str
    state: str
    candidate: str
    offered: tuple[str, ...]
    kept: tuple[str, ...]
    lists_age: float

    def target(self, version: str) -> str:
        """The version that is wanted; with "", the newest on offer, or what is there where nothing is."""
        return version or self.candidate or self.installed

    def can_return(self, package: str) -> bool:
        """Whether the installed version could be installed again."""
        name = f"{package.partition(':')[0]}_{self.installed.replace(':', '%3a')}_"
        return self.installed in self.offered or any(file.startswith(name) for file in self.kept)


def offer(package: str) -> Doing[Offer]:
    done = yield from run(command("sh", "-c", _OFFER, "sh", package, timeout=_ASKING))
    told = sections(answered(done, "asking for packages").stdout)
    state, _, version = next(iter(told["installed"]), "").partition(" ")
    candidate = next(iter(told["candidate"]), "")
    return Offer(
        installed=version if state == "installed" else "",
        state="" if state in {"not-installed", "config-files"} else f"{state} {version}".strip(),
        candidate="" if candidate == "(none)" else candidate,
        offered=told["offered"],
        kept=told["kept"],
        lists_age=float(told["age"][0]),
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What apt would do: names with their new versions, what it complains about, and kB to fetch."""

    installs: tuple[str, ...]
    removes: tuple[str, ...]
    errors: tuple[str, ...]
    fetch: int


def trial(*words: str) -> Doing[Trial]:
    """Simulates `apt-get WORDS`."""
    done = yield from run(command("sh", "-c", _TRIAL, "sh", *words, timeout=_ASKING))
    told = sections(answered(done, "asking apt what it would do").stdout)
    return Trial(
        installs=tuple(line.removeprefix("Inst ") for line in told["plan"] if line.startswith("Inst ")),
        removes=tuple(line.split()[1] for line in told["plan"] if line.startswith("Remv ")),
        errors=tuple(line.removeprefix("E: ") for line in told["plan"] if line.startswith("E:")),
        fetch=int(next(iter(told["fetch"]), "0")),
    )


def installed_size(package: str, version: str) -> Doing[int]:
    """What the package says that it takes, in kB; 0 where it does not say."""
    done = yield from run(command("sh", "-c", _SIZE, "sh", package, version, timeout=_ASKING))
    size = next(iter(sections(answered(done, "asking for a package's size").stdout)["size"]), "0")
    return int(size) if size.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Obstacles:
    """`free` is kB by mount point, of the file systems that an installation writes to."""

    free: dict[str, int]
    holders: tuple[str, ...]  # "apt-get (123)": who has a lock of apt or dpkg
    unfinished: str  # what dpkg says is half done; "" for nothing


def obstacles() -> Doing[Obstacles]:
    done = yield from run(command("sh", "-c", _OBSTACLES, "sh", timeout=_ASKING))
    told = sections(answered(done, "asking for room and locks").stdout)
    rows = [line.split() for line in told["space"]]
    audit = " ".join(told["audit"])[:200]
    return Obstacles(
        free={row[5]: int(row[3]) for row in rows if len(row) >= 6},
        holders=told["locks"],
        unfinished=audit or ("a dpkg was cut off" if told["cut"] else ""),
    )

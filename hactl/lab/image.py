"""The root file system that all nodes share: made once by mmdebstrap, kept under the hash of what made it.

The mirror comes from this machine's own apt sources (or HACTL_LAB_MIRROR), because a lab is often built behind a
company's own mirror; it is used for building and is not left in the image.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hactl.config.share import share_path
from hactl.lab import shell
from hactl.lab.spec import CACHE_ROOT, STATE_ROOT
from hactl.model.errors import LabError, LabUnsupportedError

BUILD_TIMEOUT = 1800.0
IMAGES = CACHE_ROOT / "images"
LAYOUT = "4"
"""Part of the hash: raise it when what this module does to an image changes."""

# What decides how an image comes out, below vagrant/provision. Other files only matter to running nodes.
SOURCES = ("packages.txt", "image.sh", "repo.sh", "shop")

BOOTED_MARK = "run/hactl-lab-booted"
_BOOTED_UNIT = f"""\
[Unit]
Description=Tell the lab that this node has booted
After=ssh.service systemd-networkd.service dbus.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/touch /{BOOTED_MARK}

[Install]
WantedBy=multi-user.target
"""

_FINISH = """
systemctl enable -q systemd-networkd.service ssh.service hactl-lab-booted.service
rm -f /etc/ssh/ssh_host_* /etc/resolv.conf /etc/hostname /etc/apt/sources.list /etc/apt/sources.list.d/0000*
: > /etc/machine-id
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """What to build from: apt source lines (one-line style) and the suite that they serve."""

    suite: str
    lines: tuple[str, ...]


def provision_path() -> Path:
    return share_path("vagrant", "provision")


def tree_hash(*paths: Path) -> str:
    """A hash of the names, modes (executable or not) and contents of files and folders; absent paths count as such."""
    digest = hashlib.sha256()
    for top in paths:
        files = sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]
        for file in files:
            if "__pycache__" in file.parts:
                continue
            name = str(file.relative_to(top.parent))
            present = file.is_file()
            body = file.read_bytes() if present else b""
            mode = "x" if present and os.access(file, os.X_OK) else "-"
            digest.update(f"{name}\0{mode}\0{len(body) if present else -1}\0".encode())
            digest.update(body)
    return digest.hexdigest()


def packages(text: str) -> tuple[str, ...]:
    """The package names in a packages.txt: one a line, # starts a comment."""
    return tuple(name for line in text.splitlines() if (name := line.partition("#")[0].strip()))


def image_hash(provision: Path, suite: str) -> str:
    made_of = tree_hash(*(provision / name for name in SOURCES))
    return hashlib.sha256(f"{LAYOUT}\0{suite}\0{made_of}".encode()).hexdigest()[:16]


def parse_one_line(text: str, suites: set[str]) -> tuple[str, ...]:
    """The `deb` lines of a sources.list that serve one of `suites`."""
    found = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+\S", line.strip())
        if match and match.group(3) in suites:
            found.append(line.strip().partition("#")[0].strip())
    return tuple(found)


def parse_deb822(text: str, suites: set[str]) -> tuple[str, ...]:
    """The stanzas of a .sources file that serve one of `suites`, as one-line sources."""
    found = []
    for stanza in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        fields = {
            key.lower(): " ".join(value.split())
            for key, value in re.findall(r"(?m)^([A-Za-z-]+):((?:.*(?:\n[ \t].*)*))", stanza)
        }
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        signed = fields.get("signed-by", "")
        # A key written into the stanza cannot be said in one line; apt's own trusted keys then have to do.
        option = f"[signed-by={signed}] " if signed.startswith("/") else ""
        found += [
            f"deb {option}{uri} {suite} {fields.get('components', 'main')}"
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
            if suite in suites
        ]
    return tuple(found)


def host_sources() -> Sources:
    """What this machine itself installs Debian from. Raises LabUnsupportedError when that is not Debian.

    HACTL_LAB_MIRROR (a URL) and HACTL_LAB_SUITE override it.
    """
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line
    )
    own = release.get("VERSION_CODENAME", "").strip('"')
    suite = os.environ.get("HACTL_LAB_SUITE") or own
    if mirror := os.environ.get("HACTL_LAB_MIRROR"):
        return Sources(suite, (f"deb {mirror} {suite} main",))
    suites = {suite, f"{suite}-updates", f"{suite}-security", f"{suite}/updates"}
    lines: list[str] = []
    apt = Path("/etc/apt")
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
        lines += parse(path.read_text(encoding="utf-8", errors="replace"), suites)
    if release.get("ID", "").strip('"') != "debian" or not lines:
        raise LabUnsupportedError(
            "This machine's apt sources do not serve Debian.",
            ("a Debian mirror",),
            remedy="Set HACTL_LAB_MIRROR to the URL of a Debian mirror and HACTL_LAB_SUITE to bookworm.",
        )
    return Sources(suite, tuple(dict.fromkeys(lines)))


class ImageStore:
    """Finished images in `directory`, each named by its hash; a half-made one is never seen under that name."""

    def __init__(self, directory: Path = IMAGES) -> None:
        self.directory = directory

    def path(self, digest: str) -> Path:
        return self.directory / digest

    def built(self) -> bool:
        """There is some finished image."""
        return self.directory.is_dir() and any(not path.name.startswith(".") for path in self.directory.iterdir())

    def current(self) -> str:
        return image_hash(provision_path(), host_sources().suite)

    def ensure(self, digest: str) -> Path:
        """The image's folder, built now when it is not there. One builder at a time; the others wait for it."""
        if self.path(digest).is_dir():
            return self.path(digest)
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not self.path(digest).is_dir():
                self._sweep()
                self._build(digest)
        return self.path(digest)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.directory / ".lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _sweep(self) -> None:
        """Removes what killed builders left, and images that no lab's nodes stand on."""
        used = {path.read_text(encoding="ascii").strip() for path in STATE_ROOT.glob("*/nodes/*/image")}
        for path in self.directory.iterdir():
            if path.is_dir() and path.name not in used:
                shutil.rmtree(path)

    def _build(self, digest: str) -> None:
        # mmdebstrap must be able to hand the folder to root in the chroot, and apt's sandbox user to pass through it.
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=self.directory))
        work.chmod(0o755)
        root = work / "root"
        try:
            make_root(root)
            root.rename(self.path(digest))
        except LabError as error:
            raise LabError(f"The image could not be built. {error.message}", remedy=error.remedy) from error
        finally:
            shutil.rmtree(work)


def make_root(root: Path, more: Iterable[str] = ()) -> None:
    """Fills the folder `root`, which is made: the packages of packages.txt and `more`, and all that image.sh does."""
    sources, provision = host_sources(), provision_path()
    include = ",".join([*packages((provision / "packages.txt").read_text(encoding="utf-8")), *more])
    shell.run(
        ["mmdebstrap", "--variant=minbase", f"--include={include}", "--mode=root", sources.suite, root, "-"],
        stdin="\n".join(sources.lines) + "\n",
        timeout=BUILD_TIMEOUT,
    )
    unit = root / "etc/systemd/system/hactl-lab-booted.service"
    unit.write_text(_BOOTED_UNIT, encoding="ascii")
    shell.run(["chroot", root, "/bin/sh", "-eu"], stdin=_FINISH)
    shell.run(["sh", provision / "image.sh", root], timeout=BUILD_TIMEOUT)

"""The command lines that change packages, word for word: what verbs run is what sudo grants.

apt asks nobody: no terminal (`Use-Pty=0`, and stdin is at its end), configuration files that somebody changed stay as
they are, nothing is removed. DEBIAN_FRONTEND is deliberately not passed through sudo: debconf evaluates its value as
Perl, so whoever may set it for root's apt-get is root.
"""

from __future__ import annotations

import re

LOCK_SECONDS = 60  # that apt waits for another one to end
_LOCK = ("-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}")
_UNATTENDED = (
    *("apt-get", "-q", "-y"),
    *_LOCK,
    *("-o", "Dpkg::Use-Pty=0"),
    *("-o", "Dpkg::Options::=--force-confdef"),
    *("-o", "Dpkg::Options::=--force-confold"),
    "--no-remove",
)

UPDATE = ("apt-get", "-q", *_LOCK, "update")
UPGRADE_ALL = (*_UNATTENDED, "--with-new-pkgs", "upgrade")
CONFIGURE = ("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
"""Ends what a dpkg that was cut off had begun."""

INSTALLABLE = r"[0-9]([0-9A-Za-z.+:~-]*[0-9A-Za-z~])?"
"""A version that may follow `PACKAGE=`, as an extended regular expression of POSIX and of Python.

It holds no space, so it stays one word, and ends in no `-` or `+`: apt reads those at a package's end as "remove" and
"install".
"""


def installable(version: str) -> bool:
    return re.fullmatch(INSTALLABLE, version) is not None


def install(package: str, version: str) -> tuple[str, ...]:
    """Exactly this version, be it newer or older than what is there."""
    return (*_UNATTENDED, "--allow-downgrades", "install", f"{package}={version}")


def install_pattern(package: str) -> str:
    """The arguments of `install` for any version of this one package, for sudo to match as a whole."""
    fixed = " ".join(install(package, "")[1:])
    return f"^{literal(fixed)}{INSTALLABLE}$"


def literal(text: str) -> str:
    """`text` in an extended regular expression of POSIX."""
    return re.sub(r"[.\[\]{}()\\*+?|^$]", lambda found: "\\" + found[0], text)

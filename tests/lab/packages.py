"""Newer versions of packages for nodes that are offered none: what is installed, packed again under another version."""

from __future__ import annotations

from collections.abc import Sequence

from hactl.lab import Lab

# PACKAGE VERSION QUIET BROKEN FOLDER: QUIET 1 leaves the maintainer's scripts out, so that nothing is restarted; the
# program BROKEN does nothing but fail.
_REPACK = """
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
dpkg -L "$1" | while read -r path; do
    if [ -d "$path" ]; then mkdir -p "$tree$path"
    elif [ -e "$path" ] || [ -L "$path" ]; then mkdir -p "$tree${path%/*}"; cp -a "$path" "$tree$path"
    fi
done
[ -z "$4" ] || printf '#!/bin/sh\nexit 1\n' >"$tree$4"
mkdir "$tree/DEBIAN"
dpkg-query -s "$1" | sed '/^Status:/d; /^Conffiles:/,/^[^ ]/{/^Conffiles:/d; /^ /d}' |
    sed "s/^Version: .*/Version: $2/" >"$tree/DEBIAN/control"
for file in /var/lib/dpkg/info/"$1".*; do
    case ${file##*.} in
    conffiles) cp "$file" "$tree/DEBIAN/" ;;
    preinst|postinst|prerm|postrm) [ "$3" = 1 ] || cp "$file" "$tree/DEBIAN/" ;;
    esac
done
mkdir -p "$5"
dpkg-deb --root-owner-group -Znone --build "$tree" "$5" >/dev/null
"""
# A flat repository with all that lies in it, and apt told of it.
_OFFER = """
set -eu
cd /srv/made
for deb in *.deb; do
    dpkg-deb --field "$deb"
    sum=$(sha256sum <"$deb" | cut -d ' ' -f 1)
    printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$deb" "$(stat -c %s "$deb")" "$sum"
done >Packages
echo 'deb [trusted=yes] file:/srv/made ./' >/etc/apt/sources.list.d/made.list
apt-get -qq update
"""


def offer(lab: Lab, node: str, package: str, versions: Sequence[str], *, quiet: bool = False, broken: str = "") -> None:
    """Offer the node these versions of a package that it has, besides those that were made for it before."""
    for version in versions:
        _done(lab, node, _REPACK, package, version, str(int(quiet)), broken, "/srv/made")
    _done(lab, node, _OFFER)


def withdraw(lab: Lab, node: str) -> None:
    _done(lab, node, "rm -rf /srv/made /etc/apt/sources.list.d/made.list; apt-get -qq update")


def installed(lab: Lab, node: str, package: str) -> str:
    return lab.exec(node, ["dpkg-query", "-W", "-f", "${Version}", package]).stdout.strip()


def _done(lab: Lab, node: str, script: str, *args: str) -> None:
    done = lab.exec(node, ["sh", "-c", script, "sh", *args], timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr

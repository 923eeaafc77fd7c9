#!/bin/sh
# Builds the shop's Debian package, byte for byte the same every time.
#   build.sh VERSION OUTPUT-FOLDER      (VERSION: one of the files in releases/)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
version=$1
output=$2
SOURCE_DATE_EPOCH=1735689600 # 2025-01-01: dpkg-deb stamps and clamps every time to it
export SOURCE_DATE_EPOCH

[ -f "$here/releases/$version.py" ] || {
    echo "build.sh: no release $version" >&2
    exit 2
}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
umask 022

mkdir -p "$tree/DEBIAN" "$tree/usr/lib/shop" "$tree/lib/systemd/system"
install -m 644 "$here"/src/*.py "$tree/usr/lib/shop/"
install -m 644 "$here/releases/$version.py" "$tree/usr/lib/shop/release.py"
install -m 644 "$here/debian/shop.service" "$tree/lib/systemd/system/"
install -m 755 "$here/debian/postinst" "$here/debian/prerm" "$here/debian/postrm" "$tree/DEBIAN/"
sed "s/@VERSION@/$version/" "$here/debian/control" >"$tree/DEBIAN/control"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$output"
dpkg-deb --root-owner-group -Zgzip --build "$tree" "$output/shop_${version}_all.deb" >/dev/null

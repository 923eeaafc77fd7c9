#!/bin/sh
# The lab's apt repository: a flat folder on each app node, read by apt as file:/srv/apt.
#
#   repo.sh build SHOP-FOLDER   build every release of the shop; offer the good ones, hold the bad one back
#   repo.sh offer VERSION       offer a release that is held back, and let apt know
#   repo.sh withdraw            hold it back again (what is installed stays installed)
#   repo.sh list                versions offered, one a line
#   repo.sh refresh             let apt read the index again
#
# REPO_ROOT (default empty) is put before every path, so that tests need not be root.
set -eu

root=${REPO_ROOT:-}
offered=$root/srv/apt
held=$root/srv/apt-held
good='1.0.0 1.1.0'
bad='1.2.0'

# Writes Packages and Release for what lies in $offered. Each file is replaced by a rename, so that apt never
# reads half of one.
index() {
    (
        cd "$offered"
        for deb in *.deb; do
            dpkg-deb --field "$deb"
            printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(wc -c <"$deb" | tr -d ' ')" \
                "$(sha256sum <"$deb" | cut -d ' ' -f 1)"
        done >Packages.new
        mv Packages.new Packages
        {
            printf 'Origin: hactl training lab\nLabel: hactl-lab\nSuite: lab\nArchitectures: all amd64\n'
            printf 'Date: %s\nSHA256:\n' "$(date -u '+%a, %d %b %Y %H:%M:%S UTC')"
            printf ' %s %s Packages\n' "$(sha256sum <Packages | cut -d ' ' -f 1)" "$(wc -c <Packages | tr -d ' ')"
        } >Release.new
        mv Release.new Release
    )
}

# Reads this repository's index into apt, and no other.
refresh() {
    [ -z "$root" ] || return 0
    apt-get update -qq -o Dir::Etc::sourcelist=sources.list.d/hactl-lab.list \
        -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
}

case ${1:-} in
build)
    shop=$2
    mkdir -p "$offered" "$held"
    for version in $good; do
        sh "$shop/build.sh" "$version" "$offered"
    done
    for version in $bad; do
        sh "$shop/build.sh" "$version" "$held"
    done
    index
    ;;
offer)
    deb=shop_${2:?offer which version?}_all.deb
    [ -f "$offered/$deb" ] || {
        [ -f "$held/$deb" ] || {
            echo "repo.sh: no shop $2 here, neither offered nor held back" >&2
            exit 2
        }
        cp "$held/$deb" "$offered/$deb.new"
        mv "$offered/$deb.new" "$offered/$deb"
    }
    index
    refresh
    ;;
withdraw)
    for deb in "$held"/*.deb; do
        rm -f "$offered/${deb##*/}"
    done
    index
    refresh
    ;;
refresh)
    refresh
    ;;
list)
    sed -n 's/^Version: //p' "$offered/Packages"
    ;;
*)
    sed -n 's/^#   /  /p' "$0" >&2
    exit 2
    ;;
esac

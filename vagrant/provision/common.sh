# shellcheck shell=sh disable=SC2034 # what is set here is used by those who source it
# What node.sh, the role scripts and bootstrap.sh share. Sourced, never run.
#
# All of them take what they know from the environment, and nothing else:
#   LAB_NAME          the lab's name
#   LAB_NODE          this node's name, LAB_ADDRESS its IPv4 address, LAB_PREFIX the network's prefix length
#   LAB_SITE          where it stands, LAB_ROLE what it does (lb app db backup)
#   LAB_NODES         every node of the lab in the inventory's order: name:address:site:role name:address:...
#   LAB_VIP           the address that the balancers share
#   LAB_OPERATOR_KEY  the public key line with which operators log in as user hactl

set -eu
: "${LAB_NAME:?}" "${LAB_NODE:?}" "${LAB_ADDRESS:?}" "${LAB_PREFIX:?}" "${LAB_SITE:?}" "${LAB_ROLE:?}"
: "${LAB_NODES:?}" "${LAB_VIP:?}" "${LAB_OPERATOR_KEY:?}"
umask 022
LC_ALL=C.UTF-8
DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND

LAB=/opt/hactl-lab
KEYS=$LAB/keys
PG_VERSION=15
PG_DATA=/var/lib/postgresql/$PG_VERSION/main
PG_CONFIG=/etc/postgresql/$PG_VERSION/main
PG_BIN=/usr/lib/postgresql/$PG_VERSION/bin
PG_UNIT=postgresql@$PG_VERSION-main.service

fail() {
    echo "$LAB_NODE: $*" >&2
    exit 1
}

# names_of ROLE, addresses_of ROLE: of every such node, in order, one a line
names_of() {
    for entry in $LAB_NODES; do
        [ "${entry##*:}" != "$1" ] || echo "${entry%%:*}"
    done
}

addresses_of() {
    for entry in $LAB_NODES; do
        if [ "${entry##*:}" = "$1" ]; then
            entry=${entry#*:}
            echo "${entry%%:*}"
        fi
    done
}

# address_of NAME
address_of() {
    for entry in $LAB_NODES; do
        if [ "${entry%%:*}" = "$1" ]; then
            entry=${entry#*:}
            echo "${entry%%:*}"
            return
        fi
    done
    fail "no node is called $1"
}

# first_of ROLE: the name of the first such node
first_of() {
    names_of "$1" | head -n 1
}

# repository_of NAME: the number of the pgBackRest repository on that backup node, the same on every node: pgBackRest
# asks the other end for a repository by its number.
repository_of() {
    names_of backup | grep -nx "$1" | cut -d : -f 1
}

# put FILE MODE OWNER:GROUP: writes standard input there in one step, unless it says the same already.
# `anything_changed` then tells whether anything was written since `forget_changes`. (A file keeps that, because the
# end of a pipe is a shell of its own.)
CHANGED=/run/hactl-lab-changed
put() {
    put_new=$1.hactl-new
    cat >"$put_new"
    chmod "$2" "$put_new"
    chown "$3" "$put_new"
    if [ -e "$1" ] && cmp -s "$put_new" "$1" &&
        [ "$(stat -c '%a %U:%G' "$1")" = "$(stat -c '%a %U:%G' "$put_new")" ]; then
        rm "$put_new"
    else
        mv "$put_new" "$1"
        : >"$CHANGED"
    fi
}

forget_changes() {
    rm -f "$CHANGED"
}

anything_changed() {
    [ -e "$CHANGED" ]
}

# quietly COMMAND...: its output is shown only if it fails
quietly() {
    said=$("$@" 2>&1) || fail "$*: $said"
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; what it wrote last is shown if it never does
wait_for() {
    patience=$1
    shift
    waited=0
    while ! said=$("$@" 2>&1); do
        waited=$((waited + 1))
        [ "$waited" -lt $((patience * 5)) ] || fail "not within $patience s: $*: $said"
        sleep 0.2
    done
}

# The two ends of pgBackRest log in to each other: install_ssh USER HOME ROLE-OF-THE-OTHER-END OTHER-USER.
# Host keys of the other end are learnt by learn_hosts, once its nodes are up.
install_ssh() {
    [ -n "$(names_of "$3")" ] || return 0 # part of a lab, without the other end
    mkdir -p "$2/.ssh"
    chmod 700 "$2/.ssh"
    chown "$1:" "$2/.ssh"
    from=$(addresses_of "$3" | paste -sd , -)
    put "$2/.ssh/id_ed25519" 600 "$1:$1" <"$KEYS/id_ed25519"
    echo "restrict,from=\"$from\" $(cat "$KEYS/id_ed25519.pub")" | put "$2/.ssh/authorized_keys" 600 "$1:$1"
    put "$2/.ssh/config" 600 "$1:$1" <<END
# Written by the lab. The quick key exchange spares each archived segment 50 ms.
Host $(names_of "$3" | paste -sd ' ' -)
    User $4
    IdentityFile $2/.ssh/id_ed25519
    IdentitiesOnly yes
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    ServerAliveInterval 5
    ServerAliveCountMax 3
    KexAlgorithms curve25519-sha256
    Ciphers aes128-gcm@openssh.com
END
}

# learn_hosts USER HOME ROLE: the host keys of all such nodes, by name
learn_hosts() {
    names=$(names_of "$3")
    # shellcheck disable=SC2086 # names, one a word
    found=$(ssh-keyscan -T 5 -t ed25519 $names 2>/dev/null | sort)
    for name in $names; do
        case $found in
        *"$name ssh-ed25519"*) ;;
        *) fail "$name shows no SSH host key" ;;
        esac
    done
    echo "$found" | put "$2/.ssh/known_hosts" 600 "$1:$1"
}

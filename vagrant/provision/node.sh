#!/bin/sh
# Makes a Debian 12 machine one of the lab's nodes: what all nodes share, then its role (roles/ROLE.sh).
#
# Runs as root, with the LAB_* variables that common.sh lists. Installs, configures, enables and starts; never
# waits for another node, for they may not exist yet: what needs several is bootstrap.sh's. Safe to run again.
#
# LAB_INTERNAL_KEY_DIR, if set, is a folder with the lab's own secrets (see make_secrets in image.sh), the same on
# every node; where all nodes come from one image, the image has them.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=vagrant/provision/common.sh
. "$here/common.sh"

install_packages() {
    # An earlier run may have been cut off in the middle of an installation.
    quietly dpkg --configure -a
    wanted=$(sed 's/#.*//' "$here/packages.txt")
    # shellcheck disable=SC2086 # package names, one a word
    if ! dpkg-query --show --showformat '${db:Status-Status}\n' $wanted 2>&1 | grep -qv '^installed$'; then
        return
    fi
    # Debian would make and start a database of its own at once.
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/hactl-lab.conf
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $wanted >/dev/null
}

take_secrets() {
    [ -n "${LAB_INTERNAL_KEY_DIR:-}" ] || return 0
    mkdir -p "$KEYS"
    chmod 700 "$KEYS"
    for name in id_ed25519 id_ed25519.pub replicator.password shop.password restic.password; do
        put "$KEYS/$name" 600 root:root <"$LAB_INTERNAL_KEY_DIR/$name"
    done
}

name_the_nodes() {
    {
        echo '# Written by the lab. A node has its own address here, never 127.0.1.1: others must reach what it names.'
        echo '127.0.0.1 localhost'
        echo '::1 localhost ip6-localhost ip6-loopback'
        for entry in $LAB_NODES; do
            name=${entry%%:*}
            echo "$(address_of "$name") $name"
        done
        echo "$LAB_VIP vip"
    } | put /etc/hosts 644 root:root
}

# The operators' user: no password, only the sudo that the role's file grants, and the system's journal to read.
make_operator() {
    getent passwd hactl >/dev/null || useradd --create-home --shell /bin/bash --password '*' hactl
    id -nG hactl | grep -qw systemd-journal || usermod -aG systemd-journal hactl
    mkdir -p /home/hactl/.ssh
    chmod 700 /home/hactl/.ssh
    chown hactl: /home/hactl/.ssh
    echo "$LAB_OPERATOR_KEY" | put /home/hactl/.ssh/authorized_keys 600 hactl:hactl
    visudo -cqf "$here/sudoers/$LAB_ROLE" || fail "sudoers/$LAB_ROLE is not a sudoers file"
    put "/etc/sudoers.d/hactl" 440 root:root <"$here/sudoers/$LAB_ROLE"
}

[ -f "$here/roles/$LAB_ROLE.sh" ] || fail "no such role: $LAB_ROLE"
install_packages
take_secrets
[ -e "$LAB/prepared" ] || sh "$here/image.sh" /
name_the_nodes
make_operator
# shellcheck source=/dev/null
. "$here/roles/$LAB_ROLE.sh"

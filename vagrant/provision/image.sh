#!/bin/sh
# Turns a Debian 12 root that has the packages of packages.txt into the lab's: the same for every role.
#
#   image.sh ROOT   finish a fresh root folder (run as root on the host; most of it then runs in a chroot)
#   image.sh /      prepare the running machine (Vagrant; node.sh calls it)
#
# After it: role services are off (the role scripts turn theirs on), sshd takes keys only, the shop's packages
# and the lab's apt repository are built, and a key pair and passwords that only the lab's nodes use exist.
# Of a fresh root it also takes away what only a real machine needs, so that a container boots quickly and clean.
# Needs beside it: shop/, repo.sh. Safe to run again;
# node.sh does not, once /opt/hactl-lab/prepared is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${1:?image.sh: which root? (/ is the running machine)}
lab=/opt/hactl-lab
keys=$lab/keys

main() {
    if [ "$root" = / ]; then
        prepare
        return
    fi
    inside=$root$lab/image
    rm -rf "$inside"
    mkdir -p "$inside"
    cp -R "$here/image.sh" "$here/repo.sh" "$here/shop" "$inside/"
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 LAB_IMAGE=1 \
        sh "$lab/image/image.sh" /
    rm -rf "$inside"
}

# systemctl chatters about the SysV scripts that it keeps in step: shown only when it fails.
quietly() {
    said=$("$@" 2>&1) || {
        echo "image.sh: $*: $said" >&2
        return 1
    }
}

prepare() {
    if [ "${LAB_IMAGE:-}" ]; then
        strip_for_containers
    fi
    # What a role does not need does not run; each role turns on its own.
    for unit in haproxy keepalived postgresql; do
        quietly systemctl disable "$unit.service"
        [ "${LAB_IMAGE:-}" ] || quietly systemctl stop "$unit.service"
    done
    quiet_timers
    configure_sshd
    make_secrets
    mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/hactl-lab.conf
    sh "$here/repo.sh" build "$here/shop"
    touch "$lab/prepared"
}

# Timers and jobs that would wake up in the middle of an exercise, and on ten nodes at once.
quiet_timers() {
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
        if [ -z "${LAB_IMAGE:-}" ] && systemctl cat "$unit" >/dev/null 2>&1; then
            quietly systemctl stop "$unit" # before it is masked: a masked timer that runs is a failed one
        fi
        quietly systemctl mask "$unit"
    done
    quietly systemctl mask e2scrub_reap.service
}

strip_for_containers() {
    # Consoles, modules, the hardware clock: a container has none.
    quietly systemctl enable systemd-networkd.service
    quietly systemctl mask getty@tty1.service console-getty.service hwclock.service systemd-pstore.service \
        systemd-networkd-wait-online.service systemd-firstboot.service
    # The packages' own cluster: empty, and made with other settings than ours.
    if [ -e /etc/postgresql/15/main/postgresql.conf ]; then
        pg_dropcluster 15 main
    fi
    # A node has no way out: only the lab's own repository, which the app role names, makes sense.
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/* /var/cache/apt/*.bin
    rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
    : >/etc/machine-id
}

# Each node makes its one host key when sshd first starts; operators log in with keys only.
configure_sshd() {
    mkdir -p /etc/ssh/sshd_config.d /etc/systemd/system/ssh.service.d
    cat >/etc/ssh/sshd_config.d/hactl-lab.conf <<'END'
# Written by the lab.
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowStreamLocalForwarding yes
UseDNS no
PrintLastLog no
END
    cat >/etc/systemd/system/ssh.service.d/hactl-lab.conf <<'END'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'test -s /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N "" -C "" -f /etc/ssh/ssh_host_ed25519_key'
ExecStartPre=/usr/sbin/sshd -t
END
}

# Shared by the lab's nodes and known to nobody else: the key with which pgBackRest's two ends reach each other,
# the passwords of the database roles that come over the network, and that of the repositories of files.
make_secrets() {
    mkdir -p "$keys"
    chmod 700 "$keys"
    if [ ! -s "$keys/id_ed25519" ]; then
        ssh-keygen -q -t ed25519 -N '' -C hactl-lab-internal -f "$keys/id_ed25519"
    fi
    for name in replicator shop restic; do
        if [ ! -s "$keys/$name.password" ]; then
            (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$keys/$name.password")
        fi
    done
}

main

#!/bin/sh
# by_hand.sh SSH_CONFIG OLD NEW OTHER: a switchover as a careful person does it by ssh, with the same commands that hactl
# runs. Connections are open before it begins. What may wait until writes flow again comes after that.
set -eu
config=$1 old=$2 new=$3 other=$4
balancers='lb1 lb2' unit=postgresql@15-main.service data=/var/lib/postgresql/15/main
sockets=$(mktemp -d)
trap 'for node in $balancers $old $new $other; do at $node -O exit 2>/dev/null || :; done; rm -rf "$sockets"' EXIT

at() { node=$1; shift; ssh -F "$config" -o ControlPath="$sockets/%n" -o ControlMaster=auto -o ControlPersist=60 "$node" "$@"; }
sql() { node=$1; shift; at "$node" psql -XAtq -d postgres -c "'$*'"; }
haproxy() { node=$1; shift; echo "$*" | at "$node" socat -t 5 - /run/haproxy/admin.sock; }
control() { at "$old" sudo -n -u postgres env LC_ALL=C /usr/lib/postgresql/15/bin/pg_controldata -D $data; }

for node in $balancers $old $new $other; do at "$node" true; done
sql "$old" CHECKPOINT
for follower in $old $other; do
    [ -n "$(sql "$new" "SELECT slot_name FROM pg_replication_slots WHERE slot_name = '\\''$follower'\\''")" ] ||
        sql "$new" "SELECT pg_create_physical_replication_slot('\\''$follower'\\'', true)" >/dev/null
done

# From here on nobody can write.
for lb in $balancers; do
    haproxy "$lb" "disable frontend fe_pg_gate; shutdown sessions server be_pg_primary/$old" >/dev/null
done
at "$old" sudo -n systemctl stop --no-block $unit
at "$old" sudo -n systemctl mask --no-reload $unit 2>/dev/null
until control >"$sockets/control" && grep -q 'cluster state: *shut down$' "$sockets/control"; do sleep 0.1; done
last=$(sed -n 's/^Latest checkpoint location: *//p' "$sockets/control")
until [ "$(sql "$new" "SELECT pg_last_wal_receive_lsn() > '\\''$last'\\''")" = t ]; do sleep 0.1; done
[ "$(sql "$new" 'SELECT pg_promote(true, 60)')" = t ]
for lb in $balancers; do
    haproxy "$lb" "set server be_pg_primary/$old health down; set server be_pg_primary/$other health down;" \
        "set server be_pg_primary/$new health up; enable frontend fe_pg_gate" >/dev/null
done
# Writes flow. The old primary and the other standby are made to follow by whoever measures.

# shellcheck shell=sh
# Role db: PostgreSQL's configuration and its archiving to every backup node. The data directory itself comes from
# bootstrap.sh: what it holds (a new database or a copy of the primary's) depends on the other nodes.

: "${here:?}"

forget_changes
mkdir -p "$PG_CONFIG"
chown postgres:postgres "/etc/postgresql/$PG_VERSION" "$PG_CONFIG"
put "$PG_CONFIG/postgresql.conf" 644 postgres:postgres <"$here/files/postgresql.conf"
put "$PG_CONFIG/pg_ident.conf" 640 postgres:postgres </dev/null
{
    echo '# Written by the lab.'
    echo '# TYPE  DATABASE     USER        ADDRESS             METHOD'
    echo 'local   all          all                             peer'
    for address in $(addresses_of lb); do
        echo '# a balancer: its check (a role that can do nothing), and the shop behind it'
        printf 'host    postgres     hacheck     %-19s trust\n' "$address/32"
        printf 'host    shop         shop        %-19s scram-sha-256\n' "$address/32"
    done
    for address in $(addresses_of db); do
        echo '# a database node: streaming; pg_rewind and questions'
        printf 'host    replication  replicator  %-19s scram-sha-256\n' "$address/32"
        printf 'host    postgres     replicator  %-19s scram-sha-256\n' "$address/32"
    done
} | put "$PG_CONFIG/pg_hba.conf" 640 postgres:postgres
# auto: the machine's start starts it. Whoever fences a database writes manual here, so it is not ours to reset.
[ -e "$PG_CONFIG/start.conf" ] || echo auto | put "$PG_CONFIG/start.conf" 644 postgres:postgres

! anything_changed || systemctl try-reload-or-restart "$PG_UNIT"

# Every backup node has a repository of its own, and WAL goes to all of them (docs/decisions/0009-two-backup-hosts.md).
install -d -m 750 -o postgres -g postgres /var/spool/pgbackrest
{
    echo '# Written by the lab.'
    echo '[global]'
    for name in $(names_of backup); do
        number=$(repository_of "$name")
        echo "repo$number-host=$name"
        echo "repo$number-host-user=pgbackrest"
    done
    cat <<END
compress-type=lz4
io-timeout=20
log-level-console=off
log-level-stderr=warn
log-level-file=off
spool-path=/var/spool/pgbackrest

[main]
pg1-path=$PG_DATA
END
} | put /etc/pgbackrest.conf 640 postgres:postgres
install_ssh postgres /var/lib/postgresql backup pgbackrest
# Standbys, rewinds and questions come to the others with this.
echo "*:5432:*:replicator:$(cat "$KEYS/replicator.password")" |
    put /var/lib/postgresql/.pgpass 600 postgres:postgres

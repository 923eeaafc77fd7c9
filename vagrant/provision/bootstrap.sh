#!/bin/sh
# One step of bootstrap.steps, on this node, as root, with the LAB_* variables that common.sh lists.
#
#   bootstrap.sh pg-primary | stanza | copies | full-backup | ready
#
# Every step looks first at what is there: run again, also after a failover, it changes nothing that works. It
# never starts a database whose start.conf says manual: somebody fenced it.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=vagrant/provision/common.sh
. "$here/common.sh"

# Without a login: no PAM session, no line in the journal.
as_user() {
    account=$1
    shift
    setpriv --reuid="$account" --regid="$account" --init-groups -- \
        env HOME="$(getent passwd "$account" | cut -d : -f 6)" USER="$account" "$@"
}

as_postgres() {
    as_user postgres "$@"
}

# Standard input, run as SQL; rows unadorned
sql() {
    as_postgres psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres -f -
}

have_database() {
    [ -e "$PG_DATA/PG_VERSION" ]
}

fenced() {
    read -r policy <"$PG_CONFIG/start.conf" && [ "$policy" != auto ]
}

start_database() {
    if fenced; then
        echo "$LAB_NODE: start.conf says $policy: PostgreSQL is left as it is"
        return
    fi
    quietly systemctl enable "$PG_UNIT"
    # The unit takes a second or two longer than PostgreSQL does.
    systemctl start --no-block "$PG_UNIT"
    wait_for 60 as_postgres pg_isready -h /var/run/postgresql
}

# in_recovery NODE: t (a standby) or f (a primary); nothing if no database answers there
in_recovery() {
    echo 'SELECT pg_is_in_recovery()' | as_postgres psql -X -A -t -w \
        -d "host=$1 user=replicator dbname=postgres connect_timeout=3" -f - 2>/dev/null || true
}

other_databases() {
    names_of db | grep -vx "$LAB_NODE" || true
}

# --- pg-primary ---------------------------------------------------------------------------------------------
pg_primary() {
    learn_hosts postgres /var/lib/postgresql backup
    if have_database; then
        start_database
    elif [ "$LAB_NODE" = "$(first_of db)" ]; then
        for name in $(other_databases); do
            # A database lives elsewhere already: this node is to become a standby of it.
            [ -z "$(in_recovery "$name")" ] || return 0
        done
        make_database
        start_database
    fi
}

# All or nothing, beside the place where it is wanted, and filled before the network sees it.
make_database() {
    rm -rf "$PG_DATA.new"
    # Beside it there is room for what postgres puts aside, as Debian's own clusters have it.
    install -d -m 755 -o postgres -g postgres "${PG_DATA%/*}"
    install -d -m 700 -o postgres -g postgres "$PG_DATA.new"
    quietly as_postgres "$PG_BIN/initdb" --pgdata "$PG_DATA.new" --data-checksums --encoding UTF8 \
        --locale C.UTF-8 --auth peer
    # The files in /etc are the ones that count.
    rm "$PG_DATA.new/postgresql.conf" "$PG_DATA.new/pg_hba.conf" "$PG_DATA.new/pg_ident.conf"
    roles_and_slots | single_user postgres
    # How new the newest order is, tells how much a restore would lose.
    printf 'ALTER DEFAULT PRIVILEGES FOR ROLE shop GRANT SELECT ON TABLES TO hactl;\n\n' | single_user shop
    install_database
}

# single_user DATABASE: statements on standard input, each ended by an empty line; the first error ends it
single_user() {
    said=$(as_postgres "$PG_BIN/postgres" --single -j -c exit_on_error=on -c archive_mode=off \
        -c config_file="$PG_CONFIG/postgresql.conf" -D "$PG_DATA.new" \
        -c data_directory="$PG_DATA.new" "$1" 2>&1) || fail "the new database: $said"
}

# Secrets go through standard input, never through an argument.
roles_and_slots() {
    sed 's/;$/;\n/' <<END
CREATE ROLE replicator LOGIN REPLICATION PASSWORD '$(cat "$KEYS/replicator.password")';
CREATE ROLE shop LOGIN PASSWORD '$(cat "$KEYS/shop.password")';
CREATE DATABASE shop OWNER shop;
$(cat "$here/files/roles.sql")
$(for name in $(other_databases); do
        echo "SELECT pg_create_physical_replication_slot('$(slot_of "$name")', true);"
    done)
END
}

install_database() {
    [ ! -e "$PG_DATA" ] || rmdir "$PG_DATA"
    mv "$PG_DATA.new" "$PG_DATA"
}

slot_of() {
    echo "$1" | tr -c 'a-z0-9\n' _
}

# --- standbys -----------------------------------------------------------------------------------------------
pg_standbys() {
    have_database || copy_database
    start_database
}

copy_database() {
    primary=
    for name in $(other_databases); do
        [ "$(in_recovery "$name")" != f ] || primary=$name
    done
    [ -n "$primary" ] || fail 'no primary answers, so there is nothing to copy'
    slot=$(slot_of "$LAB_NODE")
    as_postgres psql -X -q -w -d "host=$primary user=replicator dbname=postgres" >/dev/null <<END
SELECT pg_create_physical_replication_slot('$slot', true)
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')
END
    rm -rf "$PG_DATA.new"
    quietly as_postgres pg_basebackup --pgdata "$PG_DATA.new" --write-recovery-conf --slot "$slot" \
        --wal-method stream --checkpoint fast --no-password \
        --dbname "host=$primary user=replicator application_name=$LAB_NODE"
    install_database
}

# --- the repository -----------------------------------------------------------------------------------------
backrest() {
    as_user pgbackrest pgbackrest --stanza=main "$@"
}

stanza() {
    learn_hosts pgbackrest /home/pgbackrest db
    # Does nothing where the stanza is there and fits. Before the standbys exist they cannot be asked.
    [ -e /var/lib/pgbackrest/backup/main/backup.info ] || quietly backrest --log-level-console=error stanza-create
}

# A backup waits until its last segment is archived, so it proves the archive too. pgBackRest lets one repository at a
# time copy a database, so they take turns: the first one while the standbys are made, the others after it.
full_backup() {
    if ! backrest --output=json info | grep -q '"type":"full"'; then
        quietly backrest --repo="$(repository_of "$LAB_NODE")" --log-level-console=error --type=full backup
    fi
}

copies() {
    if [ "$LAB_ROLE" = db ]; then
        pg_standbys
    elif [ "$LAB_NODE" = "$(first_of backup)" ]; then
        full_backup
    fi
}

# --- files --------------------------------------------------------------------------------------------------
keep_files() {
    as_user restic restic --repo="sftp:restic@$(first_of backup):/var/lib/restic/$LAB_NODE" \
        --password-file=/etc/restic/password "$@"
}

# Each app node makes its repository, and takes a first snapshot of what users have left with it.
files() {
    learn_hosts restic /var/lib/restic backup
    if ! held=$(keep_files --json --no-lock snapshots --host="$LAB_NODE" 2>/dev/null); then
        quietly keep_files init
        held='[]'
    fi
    [ "$held" != '[]' ] || quietly keep_files backup --host="$LAB_NODE" /var/lib/shop/uploads
}

first_copies() {
    if [ "$LAB_ROLE" = app ]; then
        files
    else
        full_backup
    fi
}

# --- ready --------------------------------------------------------------------------------------------------
# Each says what is wrong, and fails, until nothing is.
ready() {
    wait_for 60 "ready_$LAB_ROLE"
    wait_for 60 no_failed_unit
}

no_failed_unit() {
    failed=$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | paste -sd ' ' -)
    [ -z "$failed" ] || {
        echo "failed units: $failed"
        return 1
    }
}

# A primary needs nothing more than to answer: that the standbys stream is for each of them to say.
ready_db() {
    if fenced; then
        return 0
    fi
    case $(echo 'SELECT pg_is_in_recovery()' | sql) in
    f) ;;
    t)
        streaming=$(echo "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'" | sql)
        [ "$streaming" = 1 ] || {
            echo 'the standby does not stream'
            return 1
        }
        ;;
    *) return 1 ;; # psql has said why
    esac
}

ready_backup() {
    backrest --output=json info | grep -q '"status":{"code":0,' || {
        backrest info
        return 1
    }
}

ready_app() {
    curl -fsS -m 5 -o /dev/null "http://$LAB_ADDRESS:8080/api/orders?limit=1" || return 1
    health=$(curl -fsS -m 5 "http://$LAB_ADDRESS:8080/healthz") || return 1
    [ "$health" = ok ] || {
        echo "the shop says: $health"
        return 1
    }
}

ready_lb() {
    systemctl -q is-active keepalived.service || {
        echo 'keepalived does not run'
        return 1
    }
    echo 'show stat' | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock >"$LAB/stat"
    shops=$(grep -c '^be_shop,shop-.*,UP,' "$LAB/stat" || true)
    primaries=$(grep '^be_pg_primary,' "$LAB/stat" | grep -v ',BACKEND,' | grep -c ',UP,' || true)
    if [ "$shops" != "$(names_of app | wc -l)" ] || [ "$primaries" != 1 ]; then
        echo "servers up: $shops of the shop, $primaries primaries"
        return 1
    fi
    curl -fsS -m 5 -o /dev/null "http://$LAB_VIP/healthz"
}

case ${1:-} in
pg-primary) pg_primary ;;
stanza) stanza ;;
copies) copies ;;
full-backup) first_copies ;;
ready) ready ;;
*) fail "no such step: ${1:-}" ;;
esac

# shellcheck shell=sh
# Role backup: the pgBackRest repository, which reaches every database node over SSH and is reached by them; and
# the place where restore drills run, by a user that can read the repository and not write it.

: "${here:?}"

getent passwd pgbackrest >/dev/null ||
    useradd --system --user-group --create-home --home-dir /home/pgbackrest --shell /bin/sh --password '*' pgbackrest
getent passwd pgdrill >/dev/null ||
    useradd --system --user-group --groups pgbackrest --create-home --home-dir /var/lib/pgdrill \
        --shell /bin/sh --password '*' pgdrill
chmod 700 /var/lib/pgdrill

mkdir -p /var/lib/pgbackrest /var/log/pgbackrest
chown pgbackrest:pgbackrest /var/lib/pgbackrest /var/log/pgbackrest
chmod 750 /var/lib/pgbackrest /var/log/pgbackrest

{
    cat <<END
# Written by the lab.
[global]
repo1-path=/var/lib/pgbackrest
repo1-retention-full=2
repo1-bundle=y
compress-type=lz4
start-fast=y
stop-auto=y
io-timeout=20
log-level-console=warn
log-level-file=info

[main]
END
    number=0
    for name in $(names_of db); do
        number=$((number + 1))
        echo "pg$number-host=$name"
        echo "pg$number-host-user=postgres"
        echo "pg$number-path=$PG_DATA"
    done
} | put /etc/pgbackrest.conf 640 root:pgbackrest
install_ssh pgbackrest /home/pgbackrest db postgres

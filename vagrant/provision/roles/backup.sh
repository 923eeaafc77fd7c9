# shellcheck shell=sh
# Role backup: the pgBackRest repository, which reaches every database node over SSH and is reached by them; and
# the place where restore drills run, by a user that can read the repository and not write it.

: "${here:?}"
repository=repo$(repository_of "$LAB_NODE")

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
$repository-path=/var/lib/pgbackrest
$repository-retention-full=2
$repository-bundle=y
compress-type=lz4
start-fast=y
stop-auto=y
io-timeout=20
archive-timeout=180
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
# For restore drills: where the repository is, and no pg host, so that pgBackRest can restore nowhere but here.
put /etc/pgbackrest-drill.conf 644 root:root <<END
# Written by the lab.
[global]
$repository-path=/var/lib/pgbackrest
io-timeout=20
job-retry=0
log-level-console=warn
log-level-file=off
END
install_ssh pgbackrest /home/pgbackrest db postgres

# The app nodes keep what users leave with them here: by SFTP alone, each in a folder of its own.
getent passwd restic >/dev/null ||
    useradd --system --user-group --create-home --home-dir /var/lib/restic --shell /usr/sbin/nologin \
        --password '*' restic
mkdir -p /var/lib/restic/.ssh
chown restic:restic /var/lib/restic/.ssh
chmod 700 /var/lib/restic /var/lib/restic/.ssh
echo "restrict,command=\"internal-sftp\",from=\"$(addresses_of app | paste -sd , -)\" $(cat "$KEYS/id_ed25519.pub")" |
    put /var/lib/restic/.ssh/authorized_keys 600 restic:restic

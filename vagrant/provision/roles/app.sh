# shellcheck shell=sh
# Role app: the shop, from the lab's own apt repository, which also offers its next version; and the user that backs up
# the files which are left with it, with a place where restores of them are tried.

: "${here:?}"
mkdir -p /etc/shop
forget_changes
put /etc/shop/shop.env 644 root:root <<END
# Written by the lab. The database is reached through the balancers, wherever the primary is.
SHOP_PORT=8080
SHOP_NODE=$LAB_NODE
SHOP_DATABASE=postgresql://shop@$LAB_VIP:5432/shop
PGPASSFILE=/etc/shop/pgpass
END

restart=
! anything_changed || restart=yes

echo 'deb [trusted=yes] file:/srv/apt ./' | put /etc/apt/sources.list.d/hactl-lab.list 644 root:root
sh "$here/repo.sh" refresh

if [ "$(dpkg-query --show --showformat '${db:Status-Status}' shop 2>/dev/null)" != installed ]; then
    # The first of the versions on offer, so that there is something to upgrade to.
    quietly apt-get install -y -q -o Dpkg::Use-Pty=0 shop=1.0.0
    restart= # its start has read them
fi
echo "*:*:*:shop:$(cat "$KEYS/shop.password")" | put /etc/shop/pgpass 600 shop:shop
[ -z "$restart" ] || systemctl restart shop.service

getent passwd restic >/dev/null ||
    useradd --system --user-group --groups shop --create-home --home-dir /var/lib/restic \
        --shell /usr/sbin/nologin --password '*' restic
mkdir -p /etc/restic /var/lib/hactl-drill
chown restic:restic /var/lib/hactl-drill
chmod 700 /var/lib/restic /var/lib/hactl-drill
put /etc/restic/password 400 restic:restic <"$KEYS/restic.password"
install_ssh restic /var/lib/restic backup restic

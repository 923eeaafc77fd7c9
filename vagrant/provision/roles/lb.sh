# shellcheck shell=sh
# Role lb: HAProxy in front of the shop and the database, keepalived for the address that the balancers share.

: "${here:?}"

# --- who may use the admin socket ---------------------------------------------------------------------------
getent group haproxy-admin >/dev/null || groupadd --system haproxy-admin
id -nG hactl | grep -qw haproxy-admin || usermod -aG haproxy-admin hactl

# --- HAProxy ------------------------------------------------------------------------------------------------
# Servers of the shop are called shop-a, shop-b ... in the nodes' order: a server's name need not be its node's.
shop_servers() {
    letters='a b c d e f g h i j k l m n o p q r s t u v w x y z'
    for name in $(names_of app); do
        echo "    server shop-${letters%% *} $(address_of "$name"):8080 check"
        letters=${letters#* }
    done
}

pg_servers() {
    for name in $(names_of db); do
        echo "    server $name $(address_of "$name"):5432 check"
    done
}

forget_changes
{
    cat "$here/files/haproxy.cfg"
    printf '\n# The shop: every node that is fit.\nbackend be_shop\n'
    cat "$here/files/haproxy-shop.cfg"
    shop_servers
    printf '\n# The database: the one server that takes writes.\nbackend be_pg_primary\n'
    cat "$here/files/haproxy-pg.cfg"
    pg_servers
} | put /etc/haproxy/haproxy.cfg 644 root:root

mkdir -p /usr/local/lib/hactl-lab /etc/systemd/system/haproxy.service.d /etc/systemd/system/keepalived.service.d
put /usr/local/lib/hactl-lab/haproxy-state 755 root:root <"$here/files/haproxy-state"
[ -e /var/lib/haproxy/server-state ] || echo 1 >/var/lib/haproxy/server-state
put /etc/systemd/system/haproxy.service.d/hactl-lab.conf 644 root:root <"$here/files/haproxy.service.conf"

# --- keepalived ---------------------------------------------------------------------------------------------
interface=$(ip -o -4 addr show | awk -v address="$LAB_ADDRESS" '{ split($4, a, "/") } a[1] == address { print $2; exit }')
[ -n "$interface" ] || fail "no interface has $LAB_ADDRESS"
rank=$(names_of lb | grep -nx "$LAB_NODE" | cut -d : -f 1)

reload=
! anything_changed || reload=haproxy.service
forget_changes
put /etc/systemd/system/keepalived.service.d/hactl-lab.conf 644 root:root <"$here/files/keepalived.service.conf"
put /etc/keepalived/keepalived.conf 644 root:root <<END
# Written by the lab.
global_defs {
    router_id $LAB_NODE
    enable_script_security
    script_user nobody nogroup
    max_auto_priority -1
    # The first balancer is up first, so that a new lab looks the same every time.
    vrrp_startup_delay $(((rank - 1) * 3)).01
}

# Two failures in a row, so at most about 4 s: HAProxy is stopped, or accepts no more.
vrrp_script haproxy {
    script "/usr/bin/curl --silent --fail --output /dev/null --max-time 1 http://127.0.0.1:8404/alive"
    interval 2
    timeout 2
    fall 2
    rise 2
}

# Anything but 0 in this file gives the address away until it is 0 again; it survives reload and reboot.
track_file hold {
    file /var/lib/keepalived/hold
    weight 0
    init_file 0
}

vrrp_instance public {
    state BACKUP
    # The address stays where it is when a better balancer comes back: each move cuts connections, so moving
    # back is for an operator to decide.
    nopreempt
    interface $interface
    virtual_router_id 56
    priority $((160 - rank * 10))
    advert_int 1
    unicast_src_ip $LAB_ADDRESS
    unicast_peer {
$(addresses_of lb | grep -vx "$LAB_ADDRESS" | sed 's/^/        /')
    }
    virtual_ipaddress {
        $LAB_VIP/$LAB_PREFIX
    }
    track_script {
        haproxy
    }
    track_file {
        hold
    }
}
END
mkdir -p /var/lib/keepalived
[ -e /var/lib/keepalived/hold ] || echo 0 >/var/lib/keepalived/hold
# Those who may drain servers may give the address away.
chgrp haproxy-admin /var/lib/keepalived/hold
chmod 664 /var/lib/keepalived/hold

# --- on -----------------------------------------------------------------------------------------------------
quietly haproxy -c -q -f /etc/haproxy/haproxy.cfg
! anything_changed || reload="$reload keepalived.service"
systemctl daemon-reload
quietly systemctl enable haproxy.service keepalived.service
# shellcheck disable=SC2086 # units, one a word
[ -z "$reload" ] || systemctl try-reload-or-restart $reload
systemctl start haproxy.service keepalived.service

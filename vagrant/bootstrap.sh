#!/bin/sh
# After `vagrant up`: joins the nodes (provision/bootstrap.steps) and writes an inventory with which hactl reaches
# them. Safe to run again.
#
#   ./bootstrap.sh          all of it
#   ./bootstrap.sh STEP     only the steps of that name, say `ready`
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
own=$here/.vagrant/hactl-lab
only=${1:-}

[ -f "$own/nodes" ] || {
    echo 'bootstrap.sh: no nodes yet: first, vagrant up' >&2
    exit 2
}
nodes=$(cat "$own/nodes")
logs=$own/logs
mkdir -p "$logs"

# Vagrant is asked once how to log in to the nodes; starting it for every step would take seconds each time.
vagrant ssh-config >"$own/vagrant-ssh-config"

on() {
    node=$1
    shift
    ssh -F "$own/vagrant-ssh-config" "$node" "$@" </dev/null
}

# select_nodes NODE|role:NAME[,...]
select_nodes() {
    for entry in $nodes; do
        case ,$1, in
        *",${entry%%:*},"* | *",role:${entry##*:},"*) echo "${entry%%:*}" ;;
        esac
    done
}

# run_step SELECTOR STEP: on all its nodes at once; fails if it failed on any
run_step() {
    echo "$2 on $1"
    running=
    for node in $(select_nodes "$1"); do
        on "$node" "sudo sh -c '. /opt/hactl-lab/environment; sh /opt/hactl-lab/provision/bootstrap.sh $2'" \
            >"$logs/$node.$2" 2>&1 &
        running="$running $node:$!"
    done
    failed=
    for job in $running; do
        wait "${job#*:}" || failed="$failed ${job%%:*}"
    done
    for node in $failed; do
        echo "$2 failed on $node:" >&2
        cat "$logs/$node.$2" >&2
    done
    [ -z "$failed" ]
}

# Where hactl finds the nodes, and the host keys that it is to expect: read over Vagrant's own logins.
write_inventory() {
    : >"$own/known_hosts.new"
    for entry in $nodes; do
        name=${entry%%:*}
        address=${entry#*:}
        address=${address%%:*}
        key=$(on "$name" cat /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 1,2)
        echo "$name,$address $key" >>"$own/known_hosts.new"
    done
    mv "$own/known_hosts.new" "$own/known_hosts"
    # The lab's own inventory, but for how its nodes are reached.
    awk -v own="$own" '
        /^\[/ { skip = ($0 == "[ssh]") }
        $0 == "[ssh]" {
            print "[ssh]"
            print "user = \"hactl\""
            print "identity = \"" own "/id_ed25519\""
            print "known_hosts = \"" own "/known_hosts\""
            print "config = []"
            print ""
        }
        !skip
    ' "$here/../inventory/lab.toml" >"$own/inventory.toml"
    echo "inventory: $own/inventory.toml"
}

sed 's/#.*//' "$here/provision/bootstrap.steps" | while read -r selector step; do
    [ -n "$selector" ] || continue
    if [ -z "$only" ] || [ "$only" = "$step" ]; then
        run_step "$selector" "$step"
    fi
done
write_inventory

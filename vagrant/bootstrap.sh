#!/bin/sh
# After `vagrant up`: joins the nodes (provision/bootstrap.steps) and writes an inventory and an ssh_config with which
# hactl and ssh reach them. Safe to run again.
#
#   ./bootstrap.sh          all of it
#   ./bootstrap.sh STEP     only the steps of that name, say `ready`
#   ./bootstrap.sh access   only how the nodes are reached
#
# HACTL_LAB_OWN is the folder of what the lab has of its own; `hactl lab --backend vagrant` sets it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
own=${HACTL_LAB_OWN:-$here/.vagrant/hactl-lab}
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
        [ -n "$key" ] || {
            echo "bootstrap.sh: $name shows no host key" >&2
            exit 1
        }
        echo "$name,$address $key" >>"$own/known_hosts.new"
    done
    mv "$own/known_hosts.new" "$own/known_hosts"
    # The lab's own inventory, but for how its nodes and its shop are reached, and who is asked for their power: only
    # hactl's own machines are known to `hactl lab`, and of others nobody must say that they are off.
    awk -v own="$own" -v asked="${HACTL_LAB_OWN:+yes}" '
        /^\[/ { skip = ($0 == "[ssh]" || ($0 == "[fencing]" && !asked)) }
        $0 == "[ssh]" {
            print "[ssh]"
            print "user = \"hactl\""
            print "identity = \"" own "/id_ed25519\""
            print "known_hosts = \"" own "/known_hosts\""
            print "config = []"
            print ""
        }
        { gsub(/, socket = "[^"]*"/, "") }
        { gsub(/"lab", "power", "--name", "\{cluster\}"/, "\"lab\", \"--backend\", \"vagrant\", \"power\"") }
        !skip
    ' "$here/../inventory/lab.toml" >"$own/inventory.toml"
    echo "inventory: $own/inventory.toml"
}

write_ssh_config() {
    {
        for entry in $nodes; do
            address=${entry#*:}
            printf 'Host %s %s\n  HostName %s\n  HostKeyAlias %s\n\n' \
                "${entry%%:*}" "${address%%:*}" "${address%%:*}" "${entry%%:*}"
        done
        cat <<END
Host *
  User hactl
  IdentityFile "$own/id_ed25519"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "$own/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  LogLevel ERROR
END
    } >"$own/ssh_config"
}

sed 's/#.*//' "$here/provision/bootstrap.steps" | while read -r selector step; do
    [ -n "$selector" ] || continue
    if [ -z "$only" ] || [ "$only" = "$step" ]; then
        run_step "$selector" "$step"
    fi
done
write_inventory
write_ssh_config

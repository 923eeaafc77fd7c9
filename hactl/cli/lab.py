"""`hactl lab`: a whole real cluster on this machine, for training and for tests."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from hactl.cli import output
from hactl.cli.group import Group
from hactl.cli.lab_common import FORMAT, backend, named, opened, with_backend
from hactl.cli.lab_fault import fault
from hactl.cli.lab_scenario import scenario
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.lab import LabStatus


@click.group(
    cls=Group,
    epilog=examples(
        "hactl lab up                     boot ten nodes; again: start what is off",
        "hactl lab ssh db1                a shell on db1, as user hactl",
        "hactl lab exec db1 -- journalctl -n 20    as root, not through SSH",
        "hactl lab fault freeze db2       something to look at in `hactl status`",
        "hactl lab fault undo             and all is well again",
        "hactl lab scenario start first-look    an exercise, with a goal and a score",
        "hactl lab down                   stop it; disks stay until `reset`",
        "hactl lab --backend vagrant up   the same nodes as virtual machines",
    ),
)
@with_backend
def lab() -> None:
    """A real cluster on this machine: ten Debian nodes, in namespaces or as Vagrant's machines, and faults to try."""


@lab.command(epilog=examples("hactl lab up", "hactl lab up --name mine --nodes lb1,app1"))
@named
@click.option("--nodes", default="", metavar="A,B", help="Only these nodes: provisioned, but not joined to a cluster.")
def up(name: str, nodes: str) -> None:
    """Boot the lab, or what of it is off; return when every node is healthy.

    Nothing is done twice: on a running lab this only looks. Faults that are active stay, and are named.
    """
    from hactl.cli.lab_progress import Meter

    this, began = opened(name, nodes), time.monotonic()
    with Meter() as meter:
        this.up(meter)
    for active in this.faults.active():
        output.say(f"fault still active: {active}")
    output.say(f"lab {name}: {len(this.spec.nodes)} nodes are up ({time.monotonic() - began:.1f} s).")
    output.say(f"  inventory  {this.paths.inventory}")


@lab.command(epilog=examples("hactl lab down", "hactl lab down --now --disks     as if it had never been"))
@named
@click.option("--now", is_flag=True, help="Cut the power instead of stopping in order.")
@click.option("--disks", is_flag=True, help="Throw the nodes' disks away too.")
def down(name: str, now: bool, disks: bool) -> None:
    """Stop the lab; leave no process, mount, namespace, control group or machine that runs. The nodes' disks stay."""
    from hactl.cli.lab_progress import Meter

    this, began = opened(name), time.monotonic()
    with Meter() as meter:
        this.down(meter, now=now, disks=disks)
    output.say(f"lab {name} is down ({time.monotonic() - began:.1f} s).")


@lab.command(epilog=examples("hactl lab reset"))
@named
def reset(name: str) -> None:
    """Start again from nothing: fresh disks, no faults."""
    from hactl.cli.lab_progress import Meter

    this, began = opened(name), time.monotonic()
    with Meter() as meter:
        this.reset(meter)
    output.say(f"lab {name}: {len(this.spec.nodes)} new nodes are up ({time.monotonic() - began:.1f} s).")


@lab.command(epilog=examples("hactl lab status", "hactl lab status -o json | jq '.nodes[].name'"))
@named
@FORMAT
def status(name: str, fmt: str) -> None:
    """Show what the lab's machinery knows of each node, and the faults that are active.

    For the cluster's health use `hactl status`, which asks the nodes themselves.
    """
    this = opened(name)
    now, faults = this.status(), [str(active) for active in this.faults.active()]
    if fmt == "json":
        output.emit(_document(now, faults), "json")
        return
    rows = [
        (
            *(node.node.name, ",".join(node.node.roles), node.node.site, node.node.address),
            *("frozen" if node.frozen else node.power, str(node.processes) if node.processes else "-"),
            "-" if node.memory is None else f"{node.memory / 2**20:.0f} MB",
        )
        for node in now.nodes
    ]
    click.echo(output.table(("NODE", "ROLE", "SITE", "ADDRESS", "STATE", "PROCESSES", "MEMORY"), rows))
    for active in faults:
        click.echo(f"fault: {active}")
    if not now.relay:
        output.say("The relay does not run: nodes cannot be reached. `hactl lab up` starts it.")


def _document(now: LabStatus, faults: list[str]) -> output.Document:
    return {
        "schema": 1,
        "name": now.name,
        "running": now.running,
        "relay": now.relay,
        "vip": now.vip,
        "inventory": now.inventory,
        "faults": faults,
        "nodes": [
            {
                "name": node.node.name,
                "roles": list(node.node.roles),
                "site": node.node.site,
                "address": node.node.address,
                "power": node.power,
                "frozen": node.frozen,
                "linked": node.linked,
                "processes": node.processes,
                "memory_bytes": node.memory,
            }
            for node in now.nodes
        ],
    }


@lab.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples("hactl lab ssh db1", "hactl lab ssh db1 uptime"),
)
@named
@click.argument("node")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, node: str, command: tuple[str, ...]) -> None:
    """Log in to NODE as user hactl with the real ssh; COMMAND runs there instead of a shell."""
    this = opened(name)
    this.spec.node(node)
    os.execvp("ssh", ["ssh", "-F", str(this.paths.ssh_config), node, *command])  # noqa: S606 - becoming ssh is the point


@lab.command(
    "exec",
    context_settings={"ignore_unknown_options": True},
    epilog=examples("hactl lab exec db1 -- journalctl -n 20", "hactl lab exec lb1 -- systemctl reload haproxy"),
)
@named
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(name: str, node: str, command: tuple[str, ...]) -> None:
    """Run COMMAND as root inside NODE, not through SSH; its exit status is this one's."""
    argv = opened(name).machine(node).command(command)
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 - becoming the command passes its input, output and exit status through


@lab.command("ssh-config", epilog=examples("hactl lab ssh-config > lab.ssh && ssh -F lab.ssh db1"))
@named
def ssh_config(name: str) -> None:
    """Print an ssh_config that reaches the lab's nodes: `ssh -F <(hactl lab ssh-config) db1`."""
    click.echo(opened(name).ssh_config(), nl=False)


@lab.command(epilog=examples("hactl lab forward", "hactl lab forward 8888"))
@named
@click.argument("port", type=click.IntRange(0, 65535), default=8080)
def forward(name: str, port: int) -> None:
    """Open http://127.0.0.1:PORT to the lab's VIP, for a browser; until Ctrl-C. Port 0 takes a free one."""
    from hactl.lab.forward import forward_vip

    forward_vip(
        opened(name).public(), port, lambda taken: output.say(f"http://127.0.0.1:{taken}/ is the shop; Ctrl-C ends it.")
    )


@lab.command(epilog=examples("hactl -i $(hactl lab inventory) status"))
@named
def inventory(name: str) -> None:
    """Print the path of the lab's inventory: `hactl -i $(hactl lab inventory) status`."""
    click.echo(opened(name).paths.inventory)


@lab.command(epilog=examples("hactl lab power db1", "hactl lab power db1 --off     until `hactl lab fault undo`"))
@named
@click.argument("node")
@click.option("--off", is_flag=True, help="Cut the node's power first, as the fault power-off does.")
def power(name: str, node: str, off: bool) -> None:
    """Print "on" or "off": what NODE's machine does, whether or not it can be reached. A failover asks this."""
    this = opened(name)
    machine = this.machine(node)
    if off and machine.on():
        this.faults.inject("power-off", node)
    click.echo("on" if machine.on() else "off")


@lab.command(epilog=examples("hactl lab check && hactl lab up"))
def check() -> None:
    """Find out whether this machine can host the lab, by trying; name everything that is missing."""
    from hactl.lab.backend import open_lab

    open_lab("lab", backend=backend()).require()
    output.say("This machine can host the lab.")


lab.add_command(fault)
lab.add_command(scenario)

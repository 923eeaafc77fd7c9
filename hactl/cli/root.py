"""The `hactl` command itself: global options, the table of commands, and the dashboard when no command is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hactl import __version__
from hactl.cli.context import Cli
from hactl.cli.lazy import Entry, LazyGroup
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.dashboard import Settings
    from hactl.model.inventory import Inventory

# What opens the dashboard, by this key in the context's `meta`: commands and dashboard do not know each other.
DASHBOARD = "hactl.dashboard"

# What serves the dashboard to browsers, likewise.
SERVER = "hactl.server"

# What tells the names of the dashboard's keys and columns, likewise.
KNOWN = "hactl.known"

# What opens the dashboard over a recording, likewise.
REPLAYER = "hactl.replayer"

SECTIONS: dict[str, dict[str, Entry]] = {
    "Look": {
        "status": Entry("hactl.cli.status:status", "Show the cluster's health, once or continuously."),
        "db": Entry("hactl.cli.db:db", "How the databases replicate, who could take over, what became of roles."),
        "backup": Entry("hactl.cli.backup:backup", "Backups: what the repositories hold; take one, verify all."),
        "check": Entry("hactl.cli.check:check", "Answer a monitoring system: one line, perfdata, exit 0 to 3."),
        "ack": Entry("hactl.cli.ack:ack", "Findings that somebody knows of: acknowledge, take back, list."),
        "doctor": Entry("hactl.cli.doctor:doctor", "Find what keeps hactl from seeing a node, and say what to do."),
        "record": Entry("hactl.cli.record:record", "Write the live picture and its runs to a file, for later."),
        "replay": Entry("hactl.cli.replay:replay", "The dashboard over a recording, with a hand on the time."),
        "serve": Entry("hactl.cli.serve:serve", "The dashboard in a browser: to look, unless acting is allowed."),
    },
    "Act": {
        "switchover": Entry("hactl.cli.takeover:switchover", "Make a standby the primary, without losing a row."),
        "failover": Entry("hactl.cli.takeover:failover", "Promote a standby: the primary is gone."),
        "rejoin": Entry("hactl.cli.takeover:rejoin", "Make an old primary a standby of the present one."),
        "restore": Entry("hactl.cli.restore:restore", "The whole database from a backup: no server of it is left."),
        "vip": Entry("hactl.cli.vip:vip", "Who has which address; move it, keep a balancer from taking it."),
        "site": Entry("hactl.cli.site:site", "Take everything away from a site, and let it serve again."),
        "drill": Entry(
            "hactl.cli.drill:drill", "Restore drills: try a backup, see what drills have shown, on a timer."
        ),
        "drain": Entry("hactl.cli.drain:drain", "Take nodes out of their balancer pools, nobody cut off."),
        "undrain": Entry("hactl.cli.drain:undrain", "Bring drained nodes back, once they are known to be well."),
        "upgrade": Entry("hactl.cli.upgrade:upgrade", "A service to another version, node by node, no failed request."),
        "run": Entry("hactl.cli.run:run", "Carry out any playbook."),
        "playbook": Entry(
            "hactl.cli.playbook:playbook", "What can be run: list, explain, validate and begin playbooks."
        ),
        "runs": Entry("hactl.cli.runs:runs", "List, show, follow, resume, undo, report what was done."),
        "lock": Entry("hactl.cli.lock:lock", "Who holds the cluster's lock; break one that was left behind."),
        "audit": Entry("hactl.cli.audit:audit", "Whether the journal of runs is what was written."),
    },
    "Set up": {
        "init": Entry("hactl.cli.init:init", "Write an inventory by answering a few questions."),
        "inventory": Entry("hactl.cli.inventory:inventory", "Validate, list, show, draw and export the inventory."),
        "trust": Entry("hactl.cli.trust:trust", "Show a node's host key and store it."),
        "sudoers": Entry("hactl.cli.sudoers:sudoers", "Print the least sudo policy that a role's nodes need."),
        "config": Entry("hactl.cli.config:config", "The dashboard's settings: where, what, whether valid, key names."),
        "completion": Entry("hactl.cli.completion:completion", "Print a completion script for bash, zsh or fish."),
    },
    "Train": {
        "lab": Entry("hactl.cli.lab:lab", "A real ten-node cluster on this machine, and faults to try on it."),
    },
}


def _adopt(command: click.Command) -> None:
    """Give a loaded command what every command has: completion of the inventory's names, and -i after the command."""
    from hactl.cli.names import complete_names

    complete_names(command)
    taken = {name for param in command.params for name in param.opts}
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _adopt(child)
    elif not taken & {"-i", "--inventory"}:
        command.params.append(_inventory_option())


def _inventory_option() -> click.Option:
    def chosen(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.obj = replace(ctx.ensure_object(Cli), inventory=value)

    return click.Option(["-i", "--inventory"], metavar="FILE", expose_value=False, callback=chosen, hidden=True)


def _colour(choice: str) -> bool | None:
    """What click calls `color`: None leaves it to whether the stream is a terminal."""
    if choice == "auto":
        return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
    return choice == "always"


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    adopt=_adopt,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "hactl                        the dashboard of the only inventory in sight",
        "hactl -i prod.toml status    the same as text, for a terminal or a pipe",
        "hactl status --watch -o jsonl | jq .cluster.status.level",
        "hactl doctor --limit db1     why does hactl not see this node?",
        "hactl drain app1 --plan      what would be done, and whether it may be",
    ),
)
@click.option(
    "-i",
    "--inventory",
    metavar="FILE",
    help="The inventory; may also follow the command. [default: $HACTL_INVENTORY, the only ./inventory/*.toml, the"
    " user's hactl/inventory.toml, the only running lab]",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours; auto means on terminals, unless NO_COLOR is set.",
)
@click.option("-v", "--verbose", count=True, help="Log what is done to stderr, or to the log file; twice for more.")
@click.option("--log-file", metavar="FILE", envvar="HACTL_LOG", help="Log there. [env: HACTL_LOG]")
@click.option("--read-only", is_flag=True, help="The dashboard only looks: no key of it acts.")
@click.version_option(__version__, message="hactl %(version)s")
@click.pass_context
def root(
    ctx: click.Context, /, *, inventory: str | None, color: str, verbose: int, log_file: str | None, read_only: bool
) -> int | None:
    """Watch a small high-availability cluster over SSH, and act on it with guards.

    Without a command hactl opens the dashboard. `hactl COMMAND --help` has examples; exit codes and formats are in
    docs/reference.
    """
    ctx.color = _colour(color)
    ctx.obj = Cli(inventory)
    if log_file or verbose:
        from hactl.cli import logs

        logs.start(log_file, verbose)
    if ctx.invoked_subcommand is not None:
        _refuse_read_only(ctx.invoked_subcommand, read_only)
        return None
    _require_terminal(logging_to_screen=bool(verbose) and not log_file)
    dashboard: Callable[[Inventory, Settings], int] = ctx.meta[DASHBOARD]
    return dashboard(ctx.obj.load(), _settings(read_only=read_only, colour=ctx.color))


def _settings(*, read_only: bool, colour: bool | None) -> Settings:
    """The user's settings, and what this command line says besides."""
    from hactl.config.dashboard import load_settings, settings_file

    if colour is False:
        os.environ["NO_COLOR"] = "1"  # which the dashboard honours
    found = load_settings(settings_file())
    return replace(found, read_only=True) if read_only else found


def _refuse_read_only(command: str, read_only: bool) -> None:
    if read_only:
        raise click.UsageError(f"--read-only is for the dashboard; `hactl {command}` says itself what it does.")


def _require_terminal(*, logging_to_screen: bool) -> None:
    if "TEXTUAL_DRIVER" in os.environ:
        return  # `hactl serve` draws it elsewhere
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The dashboard needs a terminal; `hactl status` prints the same as text.")
    if logging_to_screen:
        raise click.UsageError("The dashboard draws where -v would write; add --log-file FILE.")

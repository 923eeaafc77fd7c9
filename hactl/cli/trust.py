"""`hactl trust NODE`: show a node's host keys beside what is stored, and store them when the operator says so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.output import say
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control.trust import HostKey, Introduction
    from hactl.model.inventory import Inventory


@click.command(
    epilog=examples(
        "hactl trust db1",
        "hactl trust --replace db1              after db1 was installed anew",
        "hactl trust --fingerprint SHA256:kH3M9... db1       in scripts",
    )
)
@click.argument("node")
@click.option("--fingerprint", metavar="SHA256:...", help="Store the key with this fingerprint and ask nothing.")
@click.option("--replace", is_flag=True, help="Replace a stored key that differs.")
@click.option("-y", "--yes", is_flag=True, help="Store what is presented without asking.")
@pass_cli
def trust(cli: Cli, /, node: str, fingerprint: str | None, replace: bool, yes: bool) -> None:
    """Show the host key of NODE and store it.

    Nothing is sent to the node and nobody logs in. Compare the fingerprint with the one on the node's own console:
    `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`. The key goes into the first known_hosts file of the inventory,
    or into ~/.ssh/known_hosts. The exit status is 1 when the key is not trusted in the end.
    """
    inventory = cli.load()
    found = _introduce(inventory, node)
    _show(found)
    keys = _chosen(found, fingerprint, replace=replace)
    if keys is None:
        sys.exit(ExitCode.NEGATIVE)
    if not keys:
        say(f"{node} is trusted already; nothing to do.")
        return
    if not (yes or fingerprint) and not _agreed(found):
        say("Nothing was stored.")
        sys.exit(ExitCode.NEGATIVE)
    _store(found, keys, replace=replace)


def _introduce(inventory: Inventory, name: str) -> Introduction:
    import asyncio

    from hactl.control.trust import introduce
    from hactl.model.suggest import did_you_mean, quoted

    node = inventory.nodes.get(name)
    if node is None:
        raise click.UsageError(f"There is no node {quoted(name)}{did_you_mean(name, inventory.nodes) or '.'}")
    return asyncio.run(introduce(inventory, node))


def _show(found: Introduction) -> None:
    click.echo(f"{found.node} at {found.where} presents:")
    for key in found.presented:
        click.echo(f"  {key.kind:<20} {key.fingerprint}")
    if not found.stored:
        click.echo(f"Nothing is stored for {found.name} in {found.path}.")
        return
    click.echo(f"Stored for {found.name}:")
    for entry in found.stored:
        note = f"  {entry.marker}" if entry.marker else ""
        click.echo(f"  {entry.kind:<20} {entry.host_key.fingerprint}  {entry.path}:{entry.line}{note}")


def _chosen(found: Introduction, fingerprint: str | None, *, replace: bool) -> tuple[HostKey, ...] | None:
    """The keys to store; none when they are stored already; None, with a sentence, when this must not be."""
    from hactl.control.trust import Trust

    keys = found.presented
    if fingerprint is not None:
        keys = tuple(key for key in keys if key.fingerprint == fingerprint.strip())
        if not keys:
            say(f"None of them has the fingerprint {fingerprint}: this may not be {found.node}. Nothing was stored.")
            return None
    if found.trust is Trust.REVOKED:
        say(f"A key that {found.node} presents is marked as revoked. Nothing was stored.")
        return None
    if found.trust is Trust.TRUSTED and not replace:
        return ()
    if found.trust is Trust.CHANGED and not replace:
        say(
            f"The host key of {found.node} has CHANGED. If the node was installed anew, compare the fingerprint on its "
            "console and use --replace; if not, somebody may be in between. Nothing was stored."
        )
        return None
    return keys


def _agreed(found: Introduction) -> bool:
    if not sys.stdin.isatty():
        say("Nobody can be asked here: use --fingerprint, or --yes to store it unseen.")
        return False
    return click.confirm(f"Does the console of {found.node} show one of these fingerprints? Store them?", err=True)


def _store(found: Introduction, keys: tuple[HostKey, ...], *, replace: bool) -> None:
    from hactl.control.trust import remember

    try:
        remember(found, keys, replace_stored=replace)
    except OSError as error:
        say(f"{found.path} cannot be written: {error.strerror}.")
        sys.exit(ExitCode.FAILED)
    kinds = ", ".join(key.kind for key in keys)
    say(f"Stored for {found.name} in {found.path}: {kinds}.")

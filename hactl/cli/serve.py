"""`hactl serve`: the dashboard in a browser. What is asked for is read and checked here; `hactl.web` does it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.params import Seconds
from hactl.cli.root import SERVER
from hactl.cli.text import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from hactl.model.serving import Serving

_SHORTEST_TOKEN = 20  # characters


@click.command(
    epilog=examples(
        "hactl serve                       prints the address to open on this machine",
        "ssh -tL 8070:127.0.0.1:8070 bastion hactl serve     ... from another one",
        "hactl serve --host ops.lan --token-file t --cert c.pem --key k.pem",
        "hactl serve --allow-acting        visitors can drain, upgrade, switch over",
    )
)
@click.option(
    "--host", metavar="HOST", default="127.0.0.1", show_default=True, help="The name or address to listen on."
)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=8070,
    show_default=True,
    help="The port to listen on; 0 is any free one.",
)
@click.option("--token-file", metavar="FILE", help="The token is in FILE. [default: one is made and shown]")
@click.option("--cert", metavar="FILE", help="Serve TLS with this certificate chain (PEM).")
@click.option("--key", metavar="FILE", help="The certificate's key (PEM).")
@click.option(
    "--name", "names", metavar="NAME", multiple=True, help="Browsers call this machine NAME, too. Repeatable."
)
@click.option("--allow-acting", is_flag=True, help="Visitors may act on the cluster, not only look.")
@click.option(
    "--sessions",
    metavar="N",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="So many visitors at the same time.",
)
@click.option(
    "--idle",
    type=Seconds(0),
    default=1800,
    show_default=True,
    help="End a session after so many seconds without a key or click; 0: never.",
)
@pass_cli
@click.pass_context
def serve(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    host: str,
    port: int,
    token_file: str | None,
    cert: str | None,
    key: str | None,
    names: tuple[str, ...],
    allow_acting: bool,
    sessions: int,
    idle: float,
) -> int:
    """Show the dashboard in a browser, to look at. Needs the extra: pip install 'hactl[web]'.

    Each visitor gets a dashboard of their own: what `hactl --read-only` shows in a terminal. They must show the token,
    on this machine too: any user and any page in a browser can reach a local port. Open the address that is printed,
    or give a token of your own with --token-file (20 characters or more, readable by you alone) and type it in.

    Only this machine can connect, unless both --token-file and TLS (--cert and --key) are given. Nothing is loaded from
    anywhere else. What visitors do with --allow-acting is done, and journaled, as the user who runs this command.
    """
    from hactl.cli import logs
    from hactl.cli.secrets import remember
    from hactl.model.serving import Serving

    if (cert is None) != (key is None):
        raise click.UsageError("TLS needs both --cert and --key.")
    inventory = cli.load()
    serving = Serving(
        inventory=str(inventory.path),
        cluster=inventory.name,
        token=remember(_made() if token_file is None else _read(token_file)),
        given=token_file is not None,
        host=host,
        port=port,
        names=names,
        certificate=cert,
        key=key,
        acting=allow_acting,
        sessions=sessions,
        idle=idle,
    )
    logs.warn()
    server: Callable[[Serving, Callable[[str], None]], int] = ctx.meta[SERVER]
    return server(serving, click.echo)


def _made() -> str:
    import secrets

    return secrets.token_urlsafe(32)


def _read(path: str) -> str:
    """The token in a file that is the operator's own. Raises InputError where it is not, or is too easy to guess."""
    from hactl.model.errors import InputError

    try:
        with Path(path).open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise InputError(f"Others can read the token in {path}.", remedy=f"Take it from them: chmod 600 {path}")
            token = file.read(4096).strip()
    except UnicodeDecodeError as error:
        raise InputError(f"The token in {path} has characters that are not ASCII.") from error
    except OSError as error:
        raise InputError(f"The token file {path} cannot be read: {error.strerror}.") from error
    if len(token) < _SHORTEST_TOKEN or not token.isprintable():
        raise InputError(
            f"The token in {path} is too easy to guess: it needs {_SHORTEST_TOKEN} printable characters.",
            remedy=f"Make one: (umask 077; openssl rand -hex 32 >{path})",
        )
    return token

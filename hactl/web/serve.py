"""From what was asked to a server that runs until it is told to end, with nothing left behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack

from hactl.model.errors import InputError
from hactl.model.serving import Serving
from hactl.web import door

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHUTDOWN_WITHIN = 15.0  # seconds for what is being answered; sessions end sooner


def serve(serving: Serving, say: Callable[[str], None]) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; the exit code. `say` gets sentences for the operator, the first of them
    when the server listens. Raises HactlError when it cannot.
    """
    try:
        import textual_serve.server  # noqa: F401, PLC0415 - only to see whether the extra is there
    except ImportError as error:
        raise InputError(
            f"The dashboard cannot be served: the module {error.name} is not installed.",
            remedy="Install the extra: pip install 'hactl[web]'",
        ) from error
    return asyncio.run(_served(serving, say))


def argv(serving: Serving) -> tuple[str, ...]:
    """What each session runs: the dashboard itself. -P: what lies in the present folder is no part of hactl."""
    looking = () if serving.acting else ("--read-only",)
    return (sys.executable, "-P", "-m", "hactl", *looking, "--inventory", serving.inventory)


async def _served(serving: Serving, say: Callable[[str], None]) -> int:
    from aiohttp import web  # noqa: PLC0415 - comes with the extra

    from hactl.web.gate import Gate, names  # noqa: PLC0415 - likewise
    from hactl.web.server import DashboardServer  # noqa: PLC0415 - likewise

    hosts, context = door.addresses(serving), door.tls(serving)
    known = names(serving, loopback=any(door.is_loopback(host) for host in hosts), machine=door.machine_names())
    server = DashboardServer(serving, Gate(serving.token, known, serving.tls), argv(serving))
    runner = web.AppRunner(
        await server.make_app(), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_WITHIN
    )
    with ExitStack() as stack:
        sockets = door.opened(hosts, serving.port)
        for one in sockets:
            stack.enter_context(one)
        await runner.setup()
        try:
            for one in sockets:
                await web.SockSite(runner, one, ssl_context=context).start()
            number = await _told_to_end(lambda: _greet(serving, sockets[0], say))
        finally:
            await runner.cleanup()
    say(f"Stopped by {number.name}.")
    return 0


async def _told_to_end(ready: Callable[[], None]) -> signal.Signals:
    """Wait for a signal that ends the server; `ready` is called once such a signal would be heard."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals] = loop.create_future()

    def tell(number: signal.Signals) -> None:
        if not told.done():
            told.set_result(number)

    for number in _ENDING:
        loop.add_signal_handler(number, tell, number)
    ready()
    return await told


def _greet(serving: Serving, listening: socket.socket, say: Callable[[str], None]) -> None:
    """Where it is, once. A token that was made is shown here and nowhere else."""
    name = door.spoken(serving)
    address = f"{'https' if serving.tls else 'http'}://{name}:{listening.getsockname()[1]}/"
    acts = "Whoever comes in can act on the cluster" if serving.acting else "Visitors can look, not act"
    say(address if serving.given else f"{address}?token={serving.token}")
    say(f"{acts}; {'it asks for the token that you gave; ' if serving.given else ''}Ctrl-C stops it.")

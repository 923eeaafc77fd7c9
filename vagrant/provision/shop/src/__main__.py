"""The shop: a small web application that keeps its orders in PostgreSQL, behind the balancer.

Owns the process: settings from the environment, the signals, the word to systemd. What is served is in
`pages`, how HTTP is spoken in `web`, what is stored in `store`, what changed between versions in `release`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

from journal import Level, log
from pages import Shop
from release import VERSION
from store import Store
from uploads import Uploads
from web import Server


def tell_systemd(words: str) -> None:
    """Send `words` to the service manager, if one is listening (see sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(words.encode(), address)


async def serve() -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests at hand and return."""
    port = int(os.environ.get("SHOP_PORT", "8080"))
    node = os.environ.get("SHOP_NODE", socket.gethostname())
    store = Store(os.environ.get("SHOP_DATABASE", "postgresql:///shop"), node)
    uploads = Uploads(Path(os.environ.get("STATE_DIRECTORY", "/var/lib/shop/uploads")))
    shop = Shop(store, uploads, node)
    server = Server(shop.answer)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    await server.listen(port)
    log(Level.INFO, f"shop {VERSION} on {node} listens on port {port}")
    tell_systemd(f"READY=1\nSTATUS=version {VERSION}")
    await stop.wait()

    tell_systemd("STOPPING=1")
    left = await server.close(patience=5.0)
    await store.close(patience=1.0)
    log(Level.INFO, f"shop {VERSION} on {node} stopped, {left} requests cut short")


asyncio.run(serve())

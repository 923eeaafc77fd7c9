"""Release 1.2.0: orders are priced from a price list. Its package forgot to ship that list.

The training lab's bad release: it installs, starts and passes its first health checks; the list is only
looked at once the process has settled, and from then on the node is not fit to serve.
"""

from pathlib import Path

VERSION = "1.2.0"
SHOWS_TOTAL = True
PRICES = Path("/usr/lib/shop/prices.json")
SETTLED = 3.0  # seconds of uptime before the price list is loaded


def problems(uptime: float) -> list[str]:
    """What makes this process unfit to serve; `uptime` in seconds."""
    if uptime < SETTLED or PRICES.exists():
        return []
    return [f"the price list {PRICES} is missing"]

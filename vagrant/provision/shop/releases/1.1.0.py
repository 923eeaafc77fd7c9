"""Release 1.1.0: the page also says how many orders there are in all."""

VERSION = "1.1.0"
SHOWS_TOTAL = True


def problems(_uptime: float) -> list[str]:
    """What makes this process unfit to serve; `_uptime` in seconds. Nothing yet can."""
    return []

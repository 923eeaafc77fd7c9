"""Release 1.0.0: the first."""

VERSION = "1.0.0"
SHOWS_TOTAL = False


def problems(_uptime: float) -> list[str]:
    """What makes this process unfit to serve; `_uptime` in seconds. Nothing yet can."""
    return []

"""What `hactl serve` is asked for: where to listen, who may come in, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Serving:
    """`inventory` is the file that each session's dashboard opens, `cluster` its cluster's name, for the page's title.

    `given` says whether the operator chose the token; one that was made is told to nobody but by the address. `acting`:
    sessions may do more than look. `idle`: seconds without a key or a click after which a session ends; 0 is never.
    """

    inventory: str
    cluster: str
    token: str = field(repr=False)
    given: bool = False
    host: str = "127.0.0.1"
    port: int = 8070
    names: tuple[str, ...] = ()  # by which browsers may call this machine, beyond `host`
    certificate: str | None = None
    key: str | None = None
    acting: bool = False
    sessions: int = 4
    idle: float = 1800.0

    @property
    def tls(self) -> bool:
        return self.certificate is not None and self.key is not None

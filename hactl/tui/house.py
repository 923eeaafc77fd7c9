"""What screens may know of the application that they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from hactl.model.dashboard import Settings
from hactl.model.picture import Picture
from hactl.tui.acting import RunSource

if TYPE_CHECKING:
    from textual.widget import Widget

    from hactl.model.trends import Trends
    from hactl.tui.beside import Beside


class House(Protocol):
    """The application, as far as its screens are concerned."""

    @property
    def runs(self) -> RunSource:
        """The door to plans and runs. Raises HactlError where there is none."""

    @property
    def picture(self) -> Picture:
        """The newest picture."""

    @property
    def trends(self) -> Trends:
        """What the last minutes were like, of every picture so far."""

    @property
    def settings(self) -> Settings:
        """What the user chose."""

    @property
    def read_only(self) -> bool:
        """Nothing is done from here: keys that act are shown as they are, and refused."""

    @property
    def lab(self) -> str:
        """The name of the running lab that is looked at; "" where it is none, or is looked at in a recording."""

    @property
    def beside(self) -> Beside | None:
        """What is known besides pictures; None before the first of them."""

    def now(self) -> float:
        """Epoch seconds of the moment that is shown: the present, or a recording's."""

    def above_keys(self) -> Sequence[Widget]:
        """What stands on every screen above the way and the keys, made anew for each."""

    def way(self) -> Sequence[str]:
        """Where the operator is: the cluster, the place, and what was opened from there."""

    def go_back(self, depth: int) -> None:
        """Close what was opened until `depth` screens are left, the place itself being the first."""

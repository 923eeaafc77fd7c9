"""The one door to live data, for commands and the dashboard alike: an inventory in, pictures out.

This is where everything is wired: transports, probes, clock and collector. Screens and commands import `Control` and
nothing below it.
"""

from hactl.control.control import Control
from hactl.engine.collector import Progress
from hactl.model.picture import Picture

__all__ = ["Control", "Picture", "Progress"]

"""The lab: a whole real cluster on this machine, for training and for tests. `Lab` is the way in."""

from __future__ import annotations

from hactl.lab.lab import Lab, LabStatus, NodeStatus
from hactl.lab.progress import Progress, Reporter

__all__ = ["Lab", "LabStatus", "NodeStatus", "Progress", "Reporter"]

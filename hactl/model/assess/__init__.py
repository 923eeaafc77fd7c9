"""The judgement: a ClusterState becomes an Assessment. Pure functions; no I/O, no clock of their own.

`Assessor` keeps what it said about nodes that have not changed; `assess` is the same without memory.
"""

from hactl.model.assess.assessor import Assessor, assess
from hactl.model.findings import subject

__all__ = ["Assessor", "assess", "subject"]

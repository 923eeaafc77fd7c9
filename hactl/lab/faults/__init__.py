"""Faults: real things that go wrong in a lab, each with what hactl should then show, and an undo."""

from hactl.lab.faults.book import Faults
from hactl.lab.faults.model import Active, Fault, Ground, Parameter
from hactl.lab.faults.table import FAULTS, REVERSES

__all__ = ["FAULTS", "REVERSES", "Active", "Fault", "Faults", "Ground", "Parameter"]

"""Verbs of restore drills, in the order in which the playbook has them."""

from __future__ import annotations

from hactl.drivers.verbs.drill_check import Verify
from hactl.drivers.verbs.drill_end import Clean, Judge, Teardown
from hactl.drivers.verbs.drill_prepare import Prepare
from hactl.drivers.verbs.drill_restore import Restore
from hactl.drivers.verbs.drill_start import Start
from hactl.model.verb import AnyVerb

VERBS: tuple[AnyVerb, ...] = (Prepare(), Restore(), Start(), Verify(), Teardown(), Judge(), Clean())

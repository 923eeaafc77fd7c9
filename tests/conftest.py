"""What tests of every kind share: the real lab.

HACTL_TEST_LAB names it (default "citest"); HACTL_TEST_LAB_KEEP=1 leaves it up, and takes it as it is the next time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from hactl.lab import Lab, support
from hactl.lab.lock import exclusive
from hactl.lab.spec import RUN_ROOT
from hactl.model.errors import HactlError

# A busy machine is slow, not wrong; and a run of CI says the same each time.
settings.register_profile("hactl", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("hactl")

NO_LAB = "this machine cannot host the lab: "
LAB_TIMEOUT = 600  # seconds: the first test of a run builds the image and boots ten nodes
_lacking: tuple[str, ...] | None = None


def lacking() -> tuple[str, ...]:
    """What keeps this machine from hosting a lab; found out once."""
    global _lacking  # noqa: PLW0603 - once a run
    if _lacking is None:
        _lacking = support.missing()
    return _lacking


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("lab") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LAB_TIMEOUT))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("lab") and lacking():
        pytest.skip(NO_LAB + "; ".join(lacking()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Told from the reports: the tests may have run in other processes."""
    skipped = (report.longrepr for report in terminalreporter.stats.get("skipped", []))
    reasons = {why[2].partition(NO_LAB)[2] for why in skipped if isinstance(why, tuple) and NO_LAB in why[2]}
    if reasons:
        terminalreporter.section("tests of the real lab were SKIPPED, not passed", sep="!")
        for reason in sorted(reasons):
            terminalreporter.line(reason)


@pytest.fixture(scope="session")
def lab_name() -> Iterator[str]:
    """The name that this run's labs have, or begin with; two runs of the same name take turns."""
    name = os.environ.get("HACTL_TEST_LAB", "citest")
    path = RUN_ROOT / f"{name}.tests"
    with exclusive(path, print):
        yield name
        path.unlink()


@pytest.fixture(scope="session")
def whole_lab(lab_name: str) -> Iterator[Lab]:
    """The ten nodes, up. Use `lab`, which also cleans up after each test."""
    this, keep = Lab(lab_name), os.environ.get("HACTL_TEST_LAB_KEEP") == "1"
    if not keep:
        this.down(now=True, disks=True)
    this.up()
    yield this
    if not keep:
        this.down(now=True, disks=True)
        assert this.leftovers() == []


@pytest.fixture
def lab(whole_lab: Lab) -> Iterator[Lab]:
    """The whole real lab, healthy and without faults; whatever the test injects is undone afterwards."""
    yield whole_lab
    try:
        whole_lab.faults.undo()
    except HactlError as error:
        pytest.fail(f"a fault could not be undone: {error}")

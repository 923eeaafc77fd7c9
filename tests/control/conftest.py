"""Real OpenSSH servers, as in the contract suite."""

from __future__ import annotations

import pytest

from tests.contract import sshd
from tests.contract.conftest import another, identity, server, who, work

__all__ = ["another", "identity", "server", "who", "work"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "control" in item.path.parts and sshd.MISSING and item.get_closest_marker("sshd"):
            item.add_marker(pytest.mark.skip(reason=sshd.MISSING))

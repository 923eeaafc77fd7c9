"""The two halves of the tests: what each says is shown whole, and either may fail the whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.halves import main


def python(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


@pytest.mark.parametrize(
    ("lab", "others", "status"), [(0, 0, 0), (1, 0, 1), (0, 2, 2), (1, 2, 2)], ids=["both", "lab", "others", "neither"]
)
def test_either_half_fails_the_whole(lab: int, others: int, status: int, capfd: pytest.CaptureFixture[str]) -> None:
    says = "import sys; print('{}', flush=True); sys.exit({})".format
    assert main(python(says("of the lab", lab)), python(says("of all others", others))) == status
    shown = capfd.readouterr().out
    assert shown.index("of all others") < shown.index("the tests of the lab") < shown.index("of the lab\n")


def test_they_run_at_one_time(tmp_path: Path) -> None:
    """Each waits for the other to have begun: one after the other they would wait until the test's time is over."""
    meet = "import os, time\nopen('{}', 'w').close()\nwhile not os.path.exists('{}'): time.sleep(0.01)".format
    one, other = tmp_path / "one", tmp_path / "other"
    assert main(python(meet(one, other)), python(meet(other, one))) == 0

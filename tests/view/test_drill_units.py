"""Units of a drill on a timer: systemd takes them, and what is in a path stays one word."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.view.drill_units import Timed, argument, calendar, quoted, timer_units

TIMED = Timed(
    "lab",
    "backup",
    ("/usr/bin/env", "-i", "/srv/my clusters/100%/$lab.toml", "drill", "run", "--yes"),
    user="root",
    home="/root",
    environment={"XDG_STATE_HOME": "/var/lib/my state"},
)


def test_two_files_named_after_what_they_do() -> None:
    units = timer_units(TIMED)
    assert list(units) == ["hactl-drill-lab-backup.service", "hactl-drill-lab-backup.timer"]
    service, timer = units.values()
    assert 'ExecStart=/usr/bin/env -i "/srv/my clusters/100%%/$$lab.toml" drill run --yes\n' in service
    assert 'Environment="XDG_STATE_HOME=/var/lib/my state"\n' in service
    assert "OnCalendar=Sun 03:00\n" in timer
    assert "Persistent=true\n" in timer


def test_where_sudo_is_needed_it_is_not_forbidden() -> None:
    hardened, sudo = (
        timer_units(replace(TIMED, sudo=sudo))["hactl-drill-lab-backup.service"] for sudo in (False, True)
    )
    assert "NoNewPrivileges=yes" in hardened
    assert "NoNewPrivileges" not in sudo
    assert "ProtectSystem=strict" in sudo


@pytest.mark.parametrize("sudo", [False, True])
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_takes_them(tmp_path: Path, sudo: bool) -> None:  # noqa: FBT001 - a parameter of the test
    for name, text in timer_units(replace(TIMED, sudo=sudo)).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "hactl-drill" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.mark.parametrize("when", ["Sun 03:00", "*-*-01 03:00", "Mon..Fri *-*-* 02:30:00", "monthly", "hourly"])
def test_times(when: str) -> None:
    assert calendar(when) == when


@pytest.mark.parametrize("when", ["", " ", "x" * 101, "Sun\nExecStart=/bin/sh", "%n", "Sun; rm", "$HOME"])
def test_what_is_no_time(when: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        calendar(when)


@pytest.mark.parametrize(
    ("word", "in_a_unit", "in_a_command"),
    [
        ("/plain/path", "/plain/path", "/plain/path"),
        ("100%", "100%%", "100%%"),
        ('say "x"', '"say \\"x\\""', '"say \\"x\\""'),
        ("a\\b", '"a\\\\b"', '"a\\\\b"'),
        ("a\nb", '"a\\nb"', '"a\\nb"'),
        ("$HOME", '"$HOME"', '"$$HOME"'),
        ("", '""', '""'),
    ],
)
def test_words(word: str, in_a_unit: str, in_a_command: str) -> None:
    assert (quoted(word), argument(word)) == (in_a_unit, in_a_command)

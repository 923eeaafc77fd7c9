"""Bad input and bad luck: the right exit code, a sentence, a remedy, and never a traceback."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hactl.cli import crash
from hactl.cli.errors import told
from hactl.model.errors import InventoryError, LabUnsupportedError, UnreachableError
from tests.cli.driving import LAB, environment, hactl

I_LAB = ("-i", str(LAB))

# Each is a mistake that an operator makes; all of them are exit 2 before anything is tried.
MISTAKES = [
    ("no-such-command",),
    ("statsu",),
    ("--no-such-option",),
    ("--color", "sometimes"),
    ("status", "--no-such-option"),
    ("-i", "absent.toml", "status"),
    ("status", "-i", "absent.toml"),
    ("-i", "", "status"),
    (*I_LAB, "status", "--limit", "db9"),
    (*I_LAB, "status", "--limit", "rôle:db"),
    (*I_LAB, "status", "--limit", ""),
    (*I_LAB, "status", "-o", "xml"),
    (*I_LAB, "status", "--watch", "never"),
    (*I_LAB, "status", "--watch", "0"),
    (*I_LAB, "status", "--watch", "nan"),
    (*I_LAB, "status", "--timeout", "-1"),
    (*I_LAB, "status", "surplus"),
    (*I_LAB, "doctor", "--limit", "db9"),
    (*I_LAB, "doctor", "-o", "xml"),
    (*I_LAB, "sudoers"),
    (*I_LAB, "sudoers", "no-such-role"),
    (*I_LAB, "sudoers", "--node", "no-such-node"),
    (*I_LAB, "trust"),
    (*I_LAB, "trust", "no-such-node"),
    (*I_LAB, "inventory", "show", "no-such-node"),
    (*I_LAB, "inventory", "export", "--format", "xml"),
    ("completion", "tcsh"),
    ("lab", "no-such-verb"),
    ("--log-file", "/proc/no/log", "status"),
]


@pytest.mark.parametrize("args", MISTAKES, ids=" ".join)
def test_a_mistake_is_exit_2_with_a_sentence(home: Path, args: tuple[str, ...]) -> None:
    done = hactl(*args, home=home)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert "fault in hactl" not in done.stderr


# `check` speaks to a scheduler: its mistakes are UNKNOWN, in one line on stdout.
@pytest.mark.parametrize(
    "args",
    [
        (*I_LAB, "check", "--limit", "db9"),
        (*I_LAB, "check", "--service", "no-such"),
        (*I_LAB, "check", "--node", "no-such"),
        (*I_LAB, "check", "--no-such-option"),
        (*I_LAB, "check", "--timeout", "x"),
        ("-i", "absent.toml", "check"),
    ],
    ids=" ".join,
)
def test_a_mistake_in_check_is_unknown(home: Path, args: tuple[str, ...]) -> None:
    done = hactl(*args, home=home)
    assert done.returncode == 3
    assert re.match(r"HACTL UNKNOWN - \S", done.stdout)
    assert "Traceback" not in done.stderr + done.stdout


def test_a_mistyped_command_is_guessed(home: Path) -> None:
    assert "status" in hactl("statsu", home=home).stderr


def test_the_dashboard_says_what_to_do_without_a_terminal(home: Path) -> None:
    done = hactl(*I_LAB, home=home)
    assert done.returncode == 2
    assert "hactl status" in done.stderr


def test_an_inventory_that_is_wrong_is_told_whole(home: Path) -> None:
    (home / "bad.toml").write_text('schema = 1\n[cluster]\nnmae = "x"\n[[nodes]]\nname = "a b"\n')
    done = hactl("-i", "bad.toml", "status", home=home)
    assert done.returncode == 2
    assert done.stderr.startswith("hactl: ")
    assert len(re.findall(r"bad\.toml:\d+:\d+: ", done.stderr)) >= 2
    assert done.stderr.count('"nmae"') == 1


def test_a_fault_of_hactl_itself_leaves_a_private_report(home: Path) -> None:
    """A real one: a standard stream that cannot be written, which no command foresees."""
    program = (
        "import sys, hactl.config\n"
        "from hactl.cli.secrets import remember\n"
        "remember('hunter2')\n"
        "def broken(path): raise RuntimeError('the word is hunter2 \\x1b[2J')\n"
        "hactl.config.load_inventory = broken\n"
        "from hactl.__main__ import run\n"
        f"sys.exit(run(['-i', {str(LAB)!r}, 'inventory', 'list']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    (report,) = (home / ".local/state/hactl").iterdir()
    assert str(report) in done.stderr
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.parent.stat().st_mode) == 0o700
    text = report.read_text()
    assert "RuntimeError" in text
    assert "in broken" in text
    assert "hunter2" not in text + done.stderr
    assert "\x1b" not in text + done.stderr


def test_a_report_that_cannot_be_written_is_said(home: Path) -> None:
    (home / "file").write_text("")
    text = crash.report(ValueError("x"), {"XDG_STATE_HOME": str(home / "file")})
    assert "could not be written" in text


def test_a_reader_that_leaves_is_no_fault(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hactl", "inventory", "schema"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_an_error_is_told_with_all_its_parts() -> None:
    assert told(UnreachableError("db1", "connection refused.", remedy="Start sshd.")) == (
        "hactl: db1: connection refused.\n  Start sshd."
    )
    assert told(LabUnsupportedError("no lab here.", ("overlayfs",))) == "hactl: no lab here.\n  overlayfs"
    assert told(InventoryError("f has 1 problem:\n  f:1:1: x", ("f:1:1: x",))).count("f:1:1: x") == 1


def test_a_log_is_private_safe_and_without_secrets(home: Path) -> None:
    program = (
        "import sys, logging\n"
        "from hactl.cli import logs, secrets\n"
        "secrets.remember('s3cret-word')\n"
        "logs.start(sys.argv[1], 0)\n"
        "logging.getLogger('x').info('password %s \\x1b]0;title\\x07', 's3cret-word')\n"
        "logging.getLogger('x').debug('not asked for')\n"
    )
    subprocess.run([sys.executable, "-c", program, str(home / "log")], env=environment(home), check=True, timeout=60)
    text = (home / "log").read_text()
    assert "password ****" in text
    assert "\x1b" not in text
    assert "not asked for" not in text
    assert stat.S_IMODE((home / "log").stat().st_mode) == 0o600


def test_hactl_log_is_the_log_file(home: Path) -> None:
    hactl(*I_LAB, "inventory", "list", home=home, HACTL_LOG=str(home / "log"))
    assert "inventory list" in (home / "log").read_text()


def test_ctrl_c_is_130(home: Path) -> None:
    (home / "pipe").parent.mkdir(exist_ok=True)
    os.mkfifo(home / "pipe")  # an inventory that never comes
    process = subprocess.Popen(
        [sys.executable, "-m", "hactl", "-i", str(home / "pipe"), "inventory", "list"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with (home / "pipe").open("wb"):  # returns when hactl has opened its end
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
    finally:
        process.kill()
        out, err = process.communicate()
    assert out == b""
    assert b"Traceback" not in err


def test_a_wrong_option_comes_with_the_usage(home: Path) -> None:
    done = hactl("status", "--no-such-option", home=home)
    assert "Usage: hactl status" in done.stderr

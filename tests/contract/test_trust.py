"""`hactl trust` against a real server: what it shows, stores and refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hactl.model.errors import UnreachableError
from hactl.model.inventory import TransportKind
from hactl.transport.known_hosts import Trust
from hactl.transport.trust import introduce, remember
from tests.contract import sshd
from tests.contract.conftest import inventory, node, settings
from tests.contract.sshd import Sshd

pytestmark = [pytest.mark.sshd, pytest.mark.timeout(60)]


@pytest.fixture
def several(another: Callable[..., Sshd], tmp_path: Path) -> Sshd:
    """Presents an ed25519 key and an RSA key."""
    rsa = sshd.keygen(tmp_path / "rsa", kind="rsa")
    return another(f"HostKey {rsa}\nLogLevel DEBUG1")


async def test_every_key_is_shown_and_nothing_is_sent(several: Sshd, tmp_path: Path) -> None:
    here = node(settings(several, known_hosts=(str(tmp_path / "known"),)))
    found = await introduce(inventory(here), here)
    assert [key.kind for key in found.presented] == ["ssh-ed25519", "ssh-rsa"]
    assert found.presented[0].fingerprint == several.fingerprint
    assert found.trust is Trust.UNKNOWN
    assert "userauth-request" not in (several.folder / "log").read_text()


async def test_through_a_jump_host(another: Callable[..., Sshd], tmp_path: Path) -> None:
    behind, door = another(), another()
    bastion = node(settings(door), "bastion")
    here = node(settings(behind, TransportKind.PARAMIKO, proxy_jump="bastion", known_hosts=(str(tmp_path / "known"),)))
    found = await introduce(inventory(here, bastion), here)
    assert found.presented[0].fingerprint == behind.fingerprint


async def test_a_node_that_is_down(server: Sshd) -> None:
    here = node(settings(server, port=sshd.free_port()))
    with pytest.raises(UnreachableError, match="connection refused"):
        await introduce(inventory(here), here)


async def test_what_is_stored_lets_ssh_itself_in(several: Sshd, tmp_path: Path, who: sshd.Account) -> None:
    known = tmp_path / "folder" / "known"
    here = node(settings(several, known_hosts=(str(known),)))
    found = await introduce(inventory(here), here)
    remember(found, found.presented)
    assert known.stat().st_mode & 0o777 == 0o600
    assert (await introduce(inventory(here), here)).trust is Trust.TRUSTED
    options = {"UserKnownHostsFile": known, "StrictHostKeyChecking": "yes", "IdentityFile": several.identity}
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    target = ["-p", str(several.port), f"{who.name}@127.0.0.1", "echo in"]
    answer = subprocess.run(["ssh", "-F", "none", *words, *target], check=True, capture_output=True, text=True)
    assert answer.stdout == "in\n"


async def test_a_changed_key_is_replaced_and_only_that(several: Sshd, tmp_path: Path) -> None:
    known, other = tmp_path / "known", Path(f"{sshd.keygen(tmp_path / 'other')}.pub").read_text()
    name = f"[127.0.0.1]:{several.port}"
    known.write_text(f"# mine\nelsewhere {other}{name},alias {other}*.example {other}")
    known.chmod(0o640)
    here = node(settings(several, known_hosts=(str(known),)))
    found = await introduce(inventory(here), here)
    assert found.trust is Trust.CHANGED
    remember(found, found.presented, replace_stored=True)
    lines = known.read_text().splitlines()
    assert lines[0] == "# mine"
    assert [line.split()[0] for line in lines[1:]] == ["elsewhere", "alias", "*.example", name, name]
    assert known.stat().st_mode & 0o777 == 0o640
    assert (await introduce(inventory(here), here)).trust is Trust.TRUSTED


# --- the command ---------------------------------------------------------------------------------------------


@pytest.fixture
def hactl(server: Sshd, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `hactl trust` on an inventory of one node, n1, whose known_hosts file is tmp_path / "known"."""
    path = tmp_path / "inventory.toml"
    path.write_text(
        f'schema = 1\n[cluster]\nname = "test"\n[ssh]\nuser = "{server.who.name}"\nport = {server.port}\nconfig = []\n'
        f'identity = "{server.identity}"\nknown_hosts = "{tmp_path / "known"}"\n'
        '[[sites]]\nname = "here"\n[[nodes]]\nname = "n1"\nsite = "here"\naddress = "127.0.0.1"\nroles = ["app"]\n'
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "hactl", "--inventory", str(path), "trust", *words]
        return subprocess.run(line, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)

    return run


def test_nobody_is_there_to_agree(hactl: Callable, server: Sshd, tmp_path: Path) -> None:
    done = hactl("n1")
    assert done.returncode == 1, done.stderr
    assert server.fingerprint in done.stdout
    assert "Nothing was stored" in done.stderr
    assert not (tmp_path / "known").exists()


def test_the_right_fingerprint(hactl: Callable, server: Sshd, tmp_path: Path) -> None:
    done = hactl("--fingerprint", server.fingerprint, "n1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "known").read_text() == server.known_hosts.read_text()
    again = hactl("n1")
    assert (again.returncode, "trusted already" in again.stderr) == (0, True)


def test_another_fingerprint(hactl: Callable, tmp_path: Path) -> None:
    done = hactl("--fingerprint", "SHA256:something", "n1")
    assert done.returncode == 1
    assert "may not be n1" in done.stderr
    assert not (tmp_path / "known").exists()


def test_a_changed_key_needs_replace(hactl: Callable, server: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    public = Path(f"{sshd.keygen(tmp_path / 'was')}.pub").read_text()
    known.write_text(f"[127.0.0.1]:{server.port} {public}")
    before = known.read_text()
    done = hactl("--yes", "n1")
    assert done.returncode == 1
    assert "has CHANGED" in done.stderr
    assert known.read_text() == before
    assert hactl("--yes", "--replace", "n1").returncode == 0
    assert known.read_text() == server.known_hosts.read_text()


def test_a_name_that_is_no_node(hactl: Callable) -> None:
    done = hactl("n2")
    assert done.returncode == 2
    assert "There is no node" in done.stderr

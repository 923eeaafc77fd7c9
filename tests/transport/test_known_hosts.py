from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hactl.transport.known_hosts import (
    HostKey,
    KnownHosts,
    KnownHostsCache,
    Trust,
    amended,
    hashed_name,
    judge,
    lookup_names,
    parse_line,
)

ONE, TWO = HostKey("ssh-ed25519", b"one"), HostKey("ssh-ed25519", b"two")


def line(names: str, key: HostKey = ONE, marker: str = "") -> str:
    return f"{marker + ' ' if marker else ''}{names} {key.kind} {base64.b64encode(key.blob).decode()}"


def known(*lines: str) -> KnownHosts:
    return KnownHosts(entry for text in lines if (entry := parse_line(text)))


@pytest.mark.parametrize(
    ("host", "port", "alias", "names"),
    [
        ("10.0.0.1", 22, None, ("10.0.0.1", "db1")),
        ("10.0.0.1", 2222, None, ("[10.0.0.1]:2222", "10.0.0.1", "[db1]:2222", "db1")),
        ("10.0.0.1", 22, "other", ("other",)),
        ("db1", 22, None, ("db1",)),
    ],
)
def test_names(host: str, port: int, alias: str | None, names: tuple[str, ...]) -> None:
    assert lookup_names(host, port, alias, "db1") == names


@pytest.mark.parametrize(
    ("stored", "name", "found"),
    [
        ("db1", "db1", True),
        ("DB1", "db1", True),
        ("a,db1,b", "db1", True),
        ("db1", "db10", False),
        ("db*", "db10", True),
        ("db?", "db10", False),
        ("*,!db1", "db1", False),
        ("*,!db1", "db2", True),
        ("[10.0.0.1]:2222", "[10.0.0.1]:2222", True),
        ("[10.0.0.*]:2222", "[10.0.0.1]:2222", True),
        ("[10.0.0.1]:2222", "10.0.0.1", False),
        pytest.param(hashed_name("db1"), "db1", True, id="hashed"),  # by a random salt
        pytest.param(hashed_name("db1"), "db2", False, id="hashed, another"),
        ("|1|broken", "db1", False),
        ("|2|AAAA|AAAA", "db1", False),
    ],
)
def test_lookup(stored, name, found):
    assert bool(known(line(stored)).lookup([name])) is found


@pytest.mark.parametrize(
    "text",
    ["", "# note", "db1", "db1 ssh-rsa", "db1 ssh-rsa !!!", "@strange db1 ssh-rsa b25l", "db1 ssh-rsa b25"],
)
def test_lines_that_are_no_entries(text: str) -> None:
    assert parse_line(text) is None


def test_the_first_name_that_is_stored_decides() -> None:
    hosts = known(line("10.0.0.1", ONE), line("db1", TWO))
    assert judge(hosts.lookup(["10.0.0.1", "db1"]), TWO) is Trust.CHANGED
    assert judge(hosts.lookup(["nothing", "db1"]), TWO) is Trust.TRUSTED


@pytest.mark.parametrize(
    ("lines", "trust"),
    [
        ((), Trust.UNKNOWN),
        ((line("db1"),), Trust.TRUSTED),
        ((line("db1", TWO),), Trust.CHANGED),
        ((line("db1", TWO), line("db1")), Trust.TRUSTED),
        ((line("db1"), line("db1", marker="@revoked")), Trust.REVOKED),
        ((line("db1"), line("*", marker="@revoked")), Trust.REVOKED),
        ((line("db1", TWO, marker="@cert-authority"),), Trust.UNKNOWN),
        ((line("db1", marker="@cert-authority"),), Trust.UNKNOWN),
    ],
)
def test_judgement(lines: tuple[str, ...], trust: Trust) -> None:
    assert judge(known(*lines).lookup(["db1"]), ONE) is trust


def test_a_key_is_added_at_the_end() -> None:
    text = "# mine\nelsewhere ssh-rsa b25l\n"
    assert amended(text, "db1", [ONE]) == f"{text}{line('db1')}\n"
    assert amended("", "db1", [ONE]) == f"{line('db1')}\n"
    assert amended("no newline ssh-rsa", "db1", [ONE]) == f"no newline ssh-rsa\n{line('db1')}\n"


def test_a_hashed_file_stays_hashed() -> None:
    added = amended(line(hashed_name("other")) + "\n", "db1", [ONE]).splitlines()[1]
    assert added.startswith("|1|")
    assert known(added).lookup(["db1"])


def test_dropping_spares_other_names_and_patterns() -> None:
    text = "\n".join([line("db1", TWO), line("a,db1", TWO), line("*", TWO), line(hashed_name("db1"), TWO), "# db1"])
    kept = amended(text, "db1", [ONE], drop=("db1",)).splitlines()
    assert kept == [line("a", TWO), line("*", TWO), "# db1", line("db1")]


def test_the_cache_notices_a_change(tmp_path: Path) -> None:
    path, cache = tmp_path / "known", KnownHostsCache()
    assert cache.get((str(path),)).lookup(["db1"]) == ()
    path.write_text(line("db1") + "\n")
    first = cache.get((str(path),))
    assert first.lookup(["db1"])
    assert cache.get((str(path),)) is first
    path.write_text(line("db1") + "\n" + line("db2") + "\n")
    assert cache.get((str(path),)).lookup(["db2"])

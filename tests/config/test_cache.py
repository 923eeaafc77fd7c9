"""The cache saves time and decides nothing: a good entry is used, everything else is as though there were none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hactl.config import cache, load_inventory
from hactl.config.share import share_path

LAB = share_path("inventory", "lab.toml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hactl" / "inventory"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.toml"
    path.write_bytes(LAB.read_bytes())
    return path


def entry(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_a_second_reading_says_the_same(folder: Path, copy: Path) -> None:
    first = load_inventory(copy)
    assert load_inventory(copy) == first
    assert cache.Entry(copy, copy.read_bytes()).fetch() == first


@pytest.mark.parametrize("path", sorted(share_path("inventory", "examples").glob("*.toml")), ids=lambda p: p.stem)
def test_every_example_survives_the_cache(folder: Path, path: Path) -> None:
    assert load_inventory(path) == load_inventory(path)
    assert cache.Entry(path, path.read_bytes()).fetch() is not None


def test_only_the_user_may_read_it(folder: Path, copy: Path) -> None:
    before = os.umask(0o000)
    try:
        load_inventory(copy)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert entry(folder).stat().st_mode & 0o777 == 0o600


def test_one_entry_a_file_however_often_it_changes(folder: Path, copy: Path) -> None:
    for number in range(5):
        copy.write_text(copy.read_text() + f"# {number}\n")
        load_inventory(copy)
    assert len(list(folder.iterdir())) == 1


def test_a_changed_file_is_read_anew(folder: Path, copy: Path) -> None:
    load_inventory(copy)
    copy.write_text(copy.read_text().replace("192.168.56.11", "192.168.56.99"))
    assert load_inventory(copy).nodes["lb1"].address == "192.168.56.99"


def test_another_home_is_another_inventory(folder: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.write_text(copy.read_text().replace('"/run/hactl-lab/{cluster}/id_ed25519"', '"~/id"'))
    homes = []
    for home in ("/home/a", "/home/b"):
        monkeypatch.setenv("HOME", home)
        homes.append(load_inventory(copy).nodes["lb1"].ssh.identity)
    assert homes == [("/home/a/id",), ("/home/b/id",)]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00" * 50)


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _list(path: Path) -> None:
    path.write_text("[1, 2]")


def _deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def _other_format(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 0}))


def _missing_field(path: Path) -> None:
    document = json.loads(path.read_text())
    del document["inventory"]["nodes"]["lb1"]["address"]
    path.write_text(json.dumps(document))


def _extra_field(path: Path) -> None:
    document = json.loads(path.read_text())
    document["inventory"]["nodes"]["lb1"]["colour"] = "blue"
    path.write_text(json.dumps(document))


def _unknown_kind(path: Path) -> None:
    document = json.loads(path.read_text())
    document["inventory"]["services"]["shop"]["kind"] = "gopher"
    path.write_text(json.dumps(document))


def _wrong_shape(path: Path) -> None:
    document = json.loads(path.read_text())
    document["inventory"]["nodes"] = ["lb1"]
    path.write_text(json.dumps(document))


def _writable_by_others(path: Path) -> None:
    path.chmod(0o666)


def _link(path: Path) -> None:
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _cut, _garbage, _nothing, _list, _deep, _other_format, _missing_field, _extra_field, _unknown_kind,
        _wrong_shape, _writable_by_others, _link, _pipe, _folder,
    ],
)  # fmt: skip
def test_a_damaged_entry_counts_as_none(folder: Path, copy: Path, damage) -> None:
    first = load_inventory(copy)
    damage(entry(folder))
    assert cache.Entry(copy, copy.read_bytes()).fetch() is None
    assert load_inventory(copy) == first
    if damage is not _folder:  # what cannot be replaced by a file stays, and harms nobody
        assert cache.Entry(copy, copy.read_bytes()).fetch() == first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_foreign_entry_is_not_believed(folder: Path, copy: Path) -> None:
    load_inventory(copy)
    document = json.loads(entry(folder).read_text())
    document["inventory"]["nodes"]["lb1"]["address"] = "203.0.113.66"
    entry(folder).write_text(json.dumps(document))
    os.chown(entry(folder), 65534, 65534)
    assert load_inventory(copy).nodes["lb1"].address == "192.168.56.11"


def test_a_folder_that_others_may_write_is_not_used(folder: Path, copy: Path) -> None:
    first = load_inventory(copy)
    folder.chmod(0o777)
    assert cache.Entry(copy, copy.read_bytes()).fetch() is None
    assert load_inventory(copy) == first


@pytest.mark.parametrize("obstacle", ["file", "null"])
def test_a_cache_that_cannot_be_written_breaks_nothing(
    obstacle: str, tmp_path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" if obstacle == "file" else Path("/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    assert load_inventory(copy).name == "lab"
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_warm_start_loads_neither_pydantic_nor_a_toml_library(folder: Path, copy: Path) -> None:
    load_inventory(copy)
    program = (
        "import sys; from pathlib import Path; from hactl.config import load_inventory\n"
        "load_inventory(Path(sys.argv[1]))\n"
        "print([name for name in ('pydantic', 'pydantic_core', 'tomli', 'tomlkit', 'tomllib', 'platformdirs')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(copy)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_five_hundred_nodes_load_in_a_blink(folder: Path, tmp_path: Path) -> None:
    nodes = "".join(
        f'[[nodes]]\nname = "n{number}"\nsite = "s"\naddress = "10.1.{number // 250}.{number % 250 + 1}"\n'
        f'roles = ["app"]\nlabels = {{ rack = "r{number % 9}" }}\nssh = {{ port = {2000 + number} }}\n'
        for number in range(512)
    )
    path = tmp_path / "large.toml"
    path.write_text(f'schema = 1\n[cluster]\nname = "large"\n[ssh]\nuser = "u"\n[[sites]]\nname = "s"\n{nodes}')
    load_inventory(path)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        load_inventory(path)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.03  # about 4 ms on a quiet machine; the bound leaves room for a busy one

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.config import discover
from hactl.model.errors import InputError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("work", "home", "labs"):
        (tmp_path / name).mkdir()
    return tmp_path


def found(place: Path, explicit: str | None = None, **env: str) -> Path:
    return discover(explicit, {"HOME": str(place / "home"), **env}, place / "work", lab_root=place / "labs")


def make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_order(place: Path) -> None:
    lab = make(place / "labs" / "lab" / "inventory.toml")
    assert found(place) == lab
    config = make(place / "home" / ".config" / "hactl" / "inventory.toml")
    assert found(place) == config
    local = make(place / "work" / "inventory" / "shop.toml")
    assert found(place) == local
    assert found(place, HACTL_INVENTORY="/etc/env.toml") == Path("/etc/env.toml")
    assert found(place, "/etc/flag.toml", HACTL_INVENTORY="/etc/env.toml") == Path("/etc/flag.toml")


def test_relative_names_start_at_the_working_directory(place: Path) -> None:
    assert found(place, "a/b.toml") == place / "work" / "a" / "b.toml"
    assert found(place, HACTL_INVENTORY="b.toml") == place / "work" / "b.toml"


def test_what_is_named_is_never_replaced_by_something_else(place: Path) -> None:
    make(place / "work" / "inventory" / "shop.toml")
    assert found(place, "absent.toml") == place / "work" / "absent.toml"


def test_home_is_expanded(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/op")
    assert found(place, "~/x.toml") == Path("/home/op/x.toml")
    with pytest.raises(InputError, match="home directory is unknown"):
        found(place, "~no-such-user-here/x.toml")


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_a_name_that_names_nothing(place: Path, name: str) -> None:
    with pytest.raises(InputError, match="names no file"):
        found(place, name)


def test_xdg_config_home_is_honoured_when_absolute(place: Path) -> None:
    path = make(place / "xdg" / "hactl" / "inventory.toml")
    assert found(place, XDG_CONFIG_HOME=str(place / "xdg")) == path
    with pytest.raises(InputError):
        found(place, XDG_CONFIG_HOME="xdg")


def test_several_are_no_answer(place: Path) -> None:
    make(place / "work" / "inventory" / "a.toml")
    make(place / "work" / "inventory" / "b.toml")
    make(place / "labs" / "one" / "inventory.toml")
    assert found(place) == place / "labs" / "one" / "inventory.toml"
    make(place / "labs" / "two" / "inventory.toml")
    with pytest.raises(InputError) as caught:
        found(place)
    assert "a.toml, b.toml" in str(caught.value)
    assert "one, two" in str(caught.value)


def test_the_error_says_all_that_was_tried_and_what_to_do(place: Path) -> None:
    with pytest.raises(InputError) as caught:
        found(place)
    said = str(caught.value)
    places = (f"{place}/work/inventory/*.toml", f"{place}/home/.config/hactl/inventory.toml", f"{place}/labs")
    for words in ("--inventory", "HACTL_INVENTORY", *places, "hactl init", "hactl lab up"):
        assert words in said


def test_examples_beside_an_inventory_do_not_count(place: Path) -> None:
    path = make(place / "work" / "inventory" / "prod.toml")
    make(place / "work" / "inventory" / "examples" / "other.toml")
    (place / "work" / "inventory" / "folder.toml").mkdir()
    assert found(place) == path

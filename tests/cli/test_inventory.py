"""`hactl inventory` and `hactl init`, as they are typed."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from hactl.cli.context import Cli
from hactl.cli.init import init as init_command
from hactl.cli.inventory import inventory as inventory_command
from hactl.config import load_inventory
from hactl.config.share import share_path
from hactl.model.errors import InputError, InventoryError, LimitError

LAB = share_path("inventory", "lab.toml")
BAD = Path(__file__).parents[1] / "cases" / "inventory" / "bad"


@pytest.fixture(autouse=True)
def _quiet_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HACTL_INVENTORY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


# A command keeps the names that its help had when it was first asked for them.
AS_BELOW_ROOT = {"help_option_names": ["-h", "--help"]}


def run(*args: str, inventory: Path | None = LAB) -> Result:
    """`hactl inventory ARGS`; errors of hactl's own come out as they are, for the root to tell."""
    result = CliRunner().invoke(
        inventory_command, args, obj=Cli(str(inventory) if inventory else None), **AS_BELOW_ROOT
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_validate_says_what_is_in_a_good_file() -> None:
    result = run("validate")
    assert result.exit_code == 0
    assert result.stdout == f"{LAB}: ok: 2 sites, 10 nodes, 7 services, 2 pools, 1 VIP\n"


def test_validate_tells_every_problem_of_every_file_on_stderr() -> None:
    files = [BAD / "thresholds.toml", LAB, BAD / "syntax.toml"]
    result = run("validate", *map(str, files))
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [f"{LAB}: ok: 2 sites, 10 nodes, 7 services, 2 pools, 1 VIP"]
    wanted = [
        f"{file}:{line}"
        for file in (files[0], files[2])
        for line in file.with_suffix(".expected").read_text().splitlines()
    ]
    assert result.stderr.splitlines() == wanted


def test_validate_as_a_document() -> None:
    result = run("validate", str(LAB), str(BAD / "empty.toml"), "absent.toml", "-o", "json")
    assert result.exit_code == 2
    good, bad, absent = json.loads(result.stdout)
    assert good == {"file": str(LAB), "valid": True, "problems": []}
    assert (bad["valid"], len(bad["problems"])) == (False, 4)
    assert absent["problems"] == ["absent.toml: does not exist"]


def test_list_as_a_table() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["NODE", "SITE", "ADDRESS", "ROLES", "STANDING", "SERVICES"]
    assert [line.split()[0] for line in lines[1:]] == list(load_inventory(LAB).nodes)
    assert all(line == line.rstrip() for line in lines)


def test_list_is_limited() -> None:
    assert [line.split()[0] for line in run("list", "--limit", "role:db,!db1").stdout.splitlines()[1:]] == [
        "db2",
        "db3",
    ]
    with pytest.raises(LimitError):
        run("list", "--limit", "nobody")


@pytest.mark.parametrize(
    ("fmt", "read"),
    [
        ("json", json.loads),
        ("yaml", yaml.safe_load),
        ("jsonl", lambda text: [json.loads(line) for line in text.splitlines()]),
    ],
)
def test_list_as_a_document(fmt: str, read) -> None:
    nodes = read(run("list", "-o", fmt).stdout)
    assert [node["name"] for node in nodes] == list(load_inventory(LAB).nodes)
    assert nodes[0]["ssh"]["socket"] == "/run/hactl-lab/lab/ssh/lb1.sock"


def test_show_says_where_each_setting_comes_from() -> None:
    path = share_path("inventory", "examples", "two-sites-patroni.toml")
    rows = {line.split("  ")[0]: line for line in run("show", "pg-c", inventory=path).stdout.splitlines()}
    lines = path.read_text().splitlines()
    source = rows["ssh proxy_jump"].split("its own, line ")[1]
    assert "bastion-b" in lines[int(source) - 1]
    source = rows["ssh user"].split("[ssh], line ")[1]
    assert lines[int(source) - 1] == 'user = "ops"'
    assert rows["ssh max_sessions"].split()[2:] == ["8", "default"]


def test_show_as_a_document() -> None:
    document = json.loads(run("show", "app1", "-o", "json").stdout)
    assert document["node"]["address"] == "192.168.56.21"
    assert [service["name"] for service in document["services"]] == ["shop", "uploads"]
    assert document["pools"] == ["shop"]


def test_show_of_nobody() -> None:
    with pytest.raises(InputError, match='No node is called "bd1"; did you mean "db1"'):
        run("show", "bd1")


def test_graph_names_everything_once_in_its_place() -> None:
    text = run("graph").stdout
    found = load_inventory(LAB)
    for name in (*found.sites, *found.nodes, *found.services, *found.pools, *found.vips):
        assert name in text
    assert "app2 = shop-b" in text


def test_graph_for_graphviz() -> None:
    text = run("graph", "--format", "dot").stdout
    assert text.startswith('digraph "lab" {')
    assert text.count("{") == text.count("}")
    assert '"pool shop" -> "service shop";' in text


def test_export_needs_a_format() -> None:
    assert run("export").exit_code == 2
    assert yaml.safe_load(run("export", "--format", "ansible").stdout)["all"]["hosts"]["db1"]["ansible_user"] == "hactl"
    assert json.loads(run("export", "--format", "json").stdout)["name"] == "lab"
    assert "Host db1\n" in run("export", "--format", "ssh-config").stdout


def test_schema_needs_no_inventory() -> None:
    assert json.loads(run("schema", inventory=None).stdout)["title"] == "hactl inventory"


NODES = "lb1=10.0.0.1:lb,lb2=10.0.0.2:lb,app1=10.0.0.3:app,app2=10.0.0.4:app,db1=[fd00::5]:db@west,b1=10.0.0.9:backup"


def start(*args: str) -> Result:
    result = CliRunner().invoke(init_command, args, **AS_BELOW_ROOT)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_init_writes_a_valid_commented_inventory() -> None:
    result = start("--name", "shop", "--nodes", NODES, "--vip", "10.0.0.10", "--user", "ops", "--app", "store")
    assert result.exit_code == 0
    path = Path("inventory/shop.toml")
    found = load_inventory(path)
    assert list(found.nodes) == ["lb1", "lb2", "app1", "app2", "db1", "b1"]
    assert list(found.services) == ["balancer", "vrrp", "store", "database", "backup"]
    assert found.nodes["db1"].address == "fd00::5"
    assert found.nodes["db1"].site == "west"
    assert found.nodes["lb1"].ssh.user == "ops"
    assert found.vips["public"].address == "10.0.0.10"
    assert found.drill_node == "b1"
    assert path.read_text().count("# CHECK") >= 4
    assert Path("inventory").iterdir().__next__() == path
    assert len(list(Path("inventory").iterdir())) == 1


def test_every_commented_suggestion_of_init_is_valid_too() -> None:
    start("all.toml", "--name", "shop", "--nodes", NODES)
    lines = Path("all.toml").read_text().splitlines()
    suggestions = [index for index, line in enumerate(lines) if re.match(r"# [a-z_]+ = ", line)]
    assert len(suggestions) >= 8
    for index in suggestions:
        if lines[index].startswith("# servers"):
            continue  # stands above the table that it belongs into
        # A key below the header of a table is taken with the whole of that table.
        header = index
        while lines[header].startswith("# ") and not lines[header].startswith("# ["):
            header -= 1
        begin = header if lines[header].startswith("# [") else index
        end = begin + 1 if begin == index else begin + [*lines[begin:], ""].index("")
        bare = [line.removeprefix("# ") for line in lines[begin:end]]
        text = "\n".join([*lines[:begin], *bare, *lines[end:]])
        Path("one.toml").write_text(text)
        load_inventory(Path("one.toml"))


def test_init_never_overwrites_without_force() -> None:
    path = Path("mine.toml")
    path.write_text("precious")
    with pytest.raises(InputError, match="exists"):
        start("mine.toml", "--name", "shop", "--nodes", NODES)
    assert path.read_text() == "precious"
    assert start("mine.toml", "--name", "shop", "--nodes", NODES, "--force").exit_code == 0
    assert load_inventory(path).name == "shop"
    assert sorted(entry.name for entry in Path().iterdir() if entry.suffix != "") == ["mine.toml"]


def test_init_writes_nothing_that_is_not_valid() -> None:
    with pytest.raises(InventoryError) as caught:
        start("--name", "shop", "--nodes", "db1=10.0.0.300:db,db1=10.0.0.1:db")
    assert any('"10.0.0.300"' in problem for problem in caught.value.problems)
    assert any('another node is called "db1"' in problem for problem in caught.value.problems)
    assert not Path("inventory").exists()


@pytest.mark.parametrize("nodes", ["", " , ", "db1", "db1:db", "=10.0.0.1", "db1=", "db1=10.0.0.1:db@", "a b=1"])
def test_init_says_how_nodes_are_written(nodes: str) -> None:
    with pytest.raises(InputError, match="NAME=ADDRESS:ROLE"):
        start("--name", "shop", "--nodes", nodes)


@pytest.mark.parametrize("args", [(), ("--name", "x"), ("--nodes", NODES)])
def test_init_without_a_terminal_names_the_options_that_are_missing(args: tuple[str, ...]) -> None:
    result = start(*args)
    assert result.exit_code == 2
    assert "no terminal" in result.stderr
    assert all((option in result.stderr) == (option not in args) for option in ("--name", "--nodes"))


@pytest.mark.parametrize("option", [("--vip", "10.0.0.9"), ("--app", "x"), ("--port", "80"), ("--health", "/x")])
def test_init_refuses_what_it_would_ignore(option: tuple[str, str]) -> None:
    result = start("--name", "shop", "--nodes", "db1=10.0.0.1:db", *option)
    assert result.exit_code == 2
    assert option[0] in result.stderr


def test_init_escapes_what_is_typed() -> None:
    with pytest.raises(InventoryError):
        start("--name", 'x"\n[ssh]\nuser = "root', "--nodes", NODES)
    with pytest.raises(InventoryError):
        start("f.toml", "--name", "x", "--nodes", NODES, "--user", "a\u202eb")
    assert start("f.toml", "--name", "x", "--nodes", NODES, "--user", 'a"b\\c').exit_code == 0
    assert load_inventory(Path("f.toml")).nodes["lb1"].ssh.user == 'a"b\\c'


def test_init_asks_on_a_terminal(tmp_path: Path) -> None:
    answers = ["shop", "lb1=10.0.0.1:lb,app1=10.0.0.3:app", "ops", "10.0.0.9", "store", "8000", "/up"]
    main, terminal = pty.openpty()
    program = "from hactl.cli.init import init; init()"
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    os.close(terminal)
    said = b""
    deadline = time.monotonic() + 60
    try:
        while child.poll() is None and time.monotonic() < deadline:
            if select.select([main], [], [], 0.2)[0]:
                try:
                    said += os.read(main, 4096)
                except OSError:
                    break
            if answers and said.rstrip(b" ").endswith(b":") and said.endswith(b": "):
                os.write(main, answers.pop(0).encode() + b"\n")
                said = b""
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.wait()
        os.close(main)
    found = load_inventory(tmp_path / "inventory" / "shop.toml")
    assert answers == []
    assert found.nodes["app1"].ssh.user == "ops"
    assert found.vips["public"].address == "10.0.0.9"
    assert found.services["store"].port == 8000

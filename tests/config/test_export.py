"""The exports, judged by the programs that they are for: OpenSSH itself, a YAML reader, a JSON Schema validator."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import tomli

from hactl.config import export, load_inventory, parse_inventory
from hactl.config.codec import inventory_from_json
from hactl.config.json_schema import inventory_schema
from hactl.config.share import share_path
from hactl.lab import connect
from hactl.model.inventory import Inventory

CASES = Path(__file__).parents[1] / "cases" / "inventory"
EXAMPLES = share_path("inventory", "examples")
GOOD = [share_path("inventory", "lab.toml"), *sorted(EXAMPLES.glob("*.toml")), *sorted((CASES / "good").glob("*.toml"))]
PIPE = (sys.executable, "-IS", connect.__file__)
SSH, SSHD = shutil.which("ssh"), shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")

needs_ssh = pytest.mark.skipif(SSH is None, reason="no OpenSSH client on this machine")

SAID = {
    *("hostname", "user", "port", "identityfile", "identitiesonly", "stricthostkeychecking", "userknownhostsfile"),
    *("hostkeyalias", "proxyjump", "proxycommand", "proxyusefdpass", "connecttimeout", "serveraliveinterval"),
    *("kexalgorithms", "ciphers", "macs", "hostkeyalgorithms"),
}


def resolved(*args: str) -> dict[str, list[str]]:
    """What ssh makes of its arguments and configuration."""
    done = subprocess.run(["ssh", "-G", *args], capture_output=True, text=True, check=True)
    options: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        options.setdefault(key, []).append(value)
    return options


@needs_ssh
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_ssh_reads_the_ssh_config_as_hactl_reads_the_inventory(path: Path, tmp_path: Path) -> None:
    inventory = load_inventory(path)
    file = tmp_path / "config"
    file.write_text(export.ssh_config(inventory, PIPE))
    for node in inventory.nodes.values():
        told = resolved("-F", str(file), node.name)
        assert told["hostname"] == [node.address]
        assert told["stricthostkeychecking"] == ["true"]
        assert told["port"] == [str(node.ssh.port or 22)]
        if node.ssh.user is not None:
            assert told["user"] == [node.ssh.user]
        if node.ssh.identity:
            assert told["identityfile"] == list(node.ssh.identity)
        if node.ssh.known_hosts:
            assert told["userknownhostsfile"] == [" ".join(node.ssh.known_hosts)]
        assert told.get("proxyjump", [None]) == [node.ssh.proxy_jump]
        if node.ssh.socket is not None:
            assert shlex.split(told["proxycommand"][0]) == [*PIPE, node.ssh.socket]


@needs_ssh
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_ssh_accepts_the_arguments_that_ansible_gets(path: Path) -> None:
    inventory = load_inventory(path)
    document = export.ansible(inventory, PIPE)
    hosts = document["all"]["hosts"]
    assert list(hosts) == list(inventory.nodes)
    for name, values in hosts.items():
        if "ansible_ssh_common_args" in values:
            told = resolved(*shlex.split(values["ansible_ssh_common_args"]), values["ansible_host"])
            assert told["stricthostkeychecking"] == ["true"]
            jump = inventory.nodes[name].ssh.proxy_jump
            if jump is not None:
                assert told["proxycommand"][0].endswith(inventory.nodes[jump].address)


@needs_ssh
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_shell_goes_the_way_that_the_ssh_config_says(path: Path, tmp_path: Path) -> None:
    """Only the way over other nodes is spelled otherwise: no configuration names them here."""
    inventory = load_inventory(path)
    file = tmp_path / "config"
    file.write_text(export.ssh_config(inventory, PIPE))
    for node in inventory.nodes.values():
        argv = export.ssh_argv(inventory, node, PIPE)
        assert (argv[0], argv[-1]) == ("ssh", node.name)
        told, wanted = resolved(*argv[1:]), resolved("-F", str(file), node.name)
        ways = {"proxyjump", "proxycommand"} if node.ssh.proxy_jump in inventory.nodes else set()
        for key in SAID - ways:
            assert told.get(key) == wanted.get(key), (node.name, key)
        assert not ways or told["proxycommand"][0].startswith("ssh ")


def test_ansible_groups_are_roles_sites_services_and_pools() -> None:
    children = export.ansible(load_inventory(EXAMPLES / "two-sites-patroni.toml"), PIPE)["all"]["children"]
    assert list(children["role_app"]["hosts"]) == ["orders-1", "orders-2", "orders-3"]
    assert list(children["service_orders_db"]["hosts"]) == ["pg-a", "pg-b", "pg-c"]
    assert list(children["pool_reads"]["hosts"]) == ["pg-a", "pg-b"]
    assert list(children["spare"]["hosts"]) == ["orders-3"]
    assert {"site_frankfurt", "site_dublin"} <= set(children)
    assert all(name.isidentifier() for name in children)


JUMPS = """
schema = 1
[cluster]
name = "jumps"
[ssh]
config = []
[[sites]]
name = "s"
[[nodes]]
name = "outer"
site = "s"
address = "192.0.2.1"
ssh = { port = 2222, user = "o 100%" }
[[nodes]]
name = "inner"
site = "s"
address = "10.0.0.2"
ssh = { proxy_jump = "outer" }
[[nodes]]
name = "leaf"
site = "s"
address = "10.0.0.3"
ssh = { proxy_jump = "inner" }
[[nodes]]
name = "mixed"
site = "s"
address = "10.0.0.4"
ssh = { proxy_jump = "outer,ops@relay.example:2200" }
[[nodes]]
name = "foreign"
site = "s"
address = "10.0.0.5"
ssh = { proxy_jump = "ops@relay.example:2200" }
"""


@needs_ssh
def test_jumps_over_nodes_are_spelled_out_for_ansible_hop_by_hop() -> None:
    hosts = export.ansible(parse_inventory(JUMPS.encode(), Path("/x.toml")), PIPE)["all"]["hosts"]

    def way(name: str) -> list[str]:
        """The addresses passed through, nearest to the target first, by unfolding what ssh itself understands."""
        hops, words = [], [*shlex.split(hosts[name]["ansible_ssh_common_args"]), hosts[name]["ansible_host"]]
        while "proxycommand" in (told := resolved(*words)):
            words = shlex.split(told["proxycommand"][0].replace("[%h]:%p", "h:1").replace("%%", "%"))[1:]
            hops.append(words[-1])
        return [*hops, *told.get("proxyjump", [])]

    assert way("inner") == ["192.0.2.1"]
    assert way("leaf") == ["10.0.0.2", "192.0.2.1"]
    assert way("mixed") == ["ssh://ops@relay.example:2200", "192.0.2.1"]
    assert way("foreign") == ["ops@relay.example:2200"]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_json_export_says_everything(path: Path) -> None:
    inventory = load_inventory(path)
    document = json.loads(json.dumps(export.json_document(inventory)))
    assert document.pop("format") == 1
    assert inventory_from_json(document) == inventory


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A real sshd behind a Unix socket, one process a connection; gives the socket and a folder with keys."""
    for name in ("host", "id"):
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    (tmp_path / "known_hosts").write_text("192.0.2.7 " + (tmp_path / "host.pub").read_text())
    options: dict[str, object] = {
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "id.pub",
        "StrictModes": "no",
    }
    options["SetEnv"] = "SHLVL=2"  # so that bash leaves the user's ~/.bashrc, which may do anything, alone
    words = [f"-o{key}={value}" for key, value in options.items()]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "n1.sock"))
    listener.listen()
    children: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                argv = [SSHD, "-i", "-f", "/dev/null", *words]
                children.append(subprocess.Popen(argv, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield tmp_path / "n1.sock", tmp_path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for child in children:
        child.terminate()
        child.wait(5)


@pytest.mark.sshd
@needs_ssh
@pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="needs root and an OpenSSH server")
@pytest.mark.parametrize("form", ["ssh-config", "ansible"])
def test_a_node_behind_a_socket_is_reached_for_real(form: str, sshd: tuple[Path, Path], tmp_path: Path) -> None:
    path, keys = sshd
    text = f"""
        schema = 1
        cluster.name = "real"
        sites = [{{ name = "s" }}]
        [ssh]
        user = "root"
        config = []
        identity = "{keys}/id"
        known_hosts = "{keys}/known_hosts"
        socket = "{path.parent}/{{node}}.sock"
        [[nodes]]
        name = "n1"
        site = "s"
        address = "192.0.2.7"
    """
    inventory = parse_inventory(text.encode(), Path("/x.toml"))
    if form == "ssh-config":
        (tmp_path / "config").write_text(export.ssh_config(inventory, PIPE))
        words = ["-F", str(tmp_path / "config"), "n1"]
    else:
        values = export.ansible(inventory, PIPE)["all"]["hosts"]["n1"]
        words = [*shlex.split(values["ansible_ssh_common_args"]), f"{values['ansible_user']}@{values['ansible_host']}"]
    done = subprocess.run(["ssh", *words, "echo", "here"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "here\n"), done.stderr


def validator() -> jsonschema.Draft202012Validator:
    schema = inventory_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_schema_accepts_what_hactl_accepts(path: Path) -> None:
    assert [error.message for error in validator().iter_errors(tomli.loads(path.read_text("utf-8")))] == []


SHAPES = [
    "unknown-keys",
    "missing-keys",
    "missing-tables",
    "wrong-types",
    "wrong-shapes",
    "wrong-choices",
    "ranges",
    "names",
]


@pytest.mark.parametrize("name", SHAPES)
def test_the_schema_refuses_wrong_shapes(name: str) -> None:
    text = (CASES / "bad" / f"{name}.toml").read_text("utf-8")
    assert list(validator().iter_errors(tomli.loads(text)))


def test_every_key_of_the_schema_is_explained() -> None:
    schema = inventory_schema()
    for name, table in schema["$defs"].items():
        for key, field in table["properties"].items():
            assert "description" in field or key == "kind", f"{name}.{key}"


def with_odd_values() -> Inventory:
    text = (EXAMPLES / "three-nodes.toml").read_text("utf-8")
    odd = '[ssh]\nuser = "the user"\nidentity = "/a b/100%/id"\nknown_hosts = ["/c d/kh", "/e#f"]\nconfig = []\n'
    return parse_inventory(text.replace("[[sites]]", odd + "\n[[sites]]").encode(), Path("/x.toml"))


@needs_ssh
def test_odd_values_reach_ssh_unharmed(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(export.ssh_config(with_odd_values(), PIPE))
    told = resolved("-F", str(tmp_path / "config"), "db1")
    assert told["user"] == ["the user"]
    assert told["identityfile"] == ["/a b/100%%/id"]  # which ssh fills in to one %
    assert told["userknownhostsfile"] == ["/c d/kh /e#f"]

"""A first inventory, with comments for whoever edits it next: answers in, TOML text out. Pure; `parse` judges it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hactl.model.errors import InputError
from hactl.model.suggest import did_you_mean, quoted

ROLES = {"lb": "HAProxy and keepalived", "app": "the application", "db": "PostgreSQL", "backup": "pgBackRest"}

_NODE = re.compile(
    r"(?P<name>[^=@]+)=(?:\[(?P<ip6>[^\]]+)\]|(?P<address>[^:@\[\]]+))(?::(?P<roles>[^@]*))?(?:@(?P<site>.+))?"
)


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    name: str
    address: str
    roles: tuple[str, ...]
    site: str | None = None  # None: the first site


@dataclass(frozen=True, slots=True)
class Answers:
    """What `hactl init` learned. `app` is the application's name where some node has the role app."""

    name: str
    nodes: tuple[NodeAnswer, ...]
    user: str | None = None
    site: str = "main"
    app: str = "app"
    port: int = 8080
    health: str = "/healthz"
    vip: str | None = None
    roles: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(dict.fromkeys(role for node in self.nodes for role in node.roles)))


def parse_nodes(text: str) -> tuple[NodeAnswer, ...]:
    """Nodes from "NAME=ADDRESS[:ROLE[+ROLE...]][@SITE]", several by comma or blank; IPv6 addresses in brackets.

    Raises InputError, which names what does not read so.
    """
    nodes: list[NodeAnswer] = []
    for word in filter(None, re.split(r"[,\s]+", text)):
        found = _NODE.fullmatch(word)
        if found is None:
            raise InputError(
                f"{quoted(word)} is no node.",
                remedy="Write NAME=ADDRESS:ROLE, for example lb1=10.0.0.1:lb or db1=[fd00::5]:db+backup@east.",
            )
        roles = tuple(filter(None, (found["roles"] or "").split("+")))
        nodes.append(NodeAnswer(found["name"], found["ip6"] or found["address"], roles, found["site"]))
    if not nodes:
        raise InputError("No node was named.", remedy="Write NAME=ADDRESS:ROLE, for example lb1=10.0.0.1:lb.")
    return tuple(nodes)


def unusual_roles(nodes: tuple[NodeAnswer, ...]) -> tuple[str, ...]:
    """A sentence for each role that no service is written for."""
    roles = dict.fromkeys(role for node in nodes for role in node.roles if role not in ROLES)
    return tuple(f"No service is written for the role {quoted(role)}{did_you_mean(role, ROLES)}" for role in roles)


def scaffold(answers: Answers) -> str:
    """The text of an inventory. Ends with a newline."""
    parts = [_head(answers), *_sites(answers), *_nodes(answers), *_services(answers), *_pools(answers), _foot(answers)]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _head(answers: Answers) -> str:
    drill = next((node.name for node in answers.nodes if "backup" in node.roles), None)
    user = f"user = {_toml(answers.user)}" if answers.user else '# user = "ops"'
    return f"""
# The inventory of {_comment(answers.name)}, for hactl. What may stand here: docs/inventory.md and
# `hactl inventory schema`.
# After every change: hactl inventory validate

schema = 1

[cluster]
name = {_toml(answers.name)}
{f"drill_node = {_toml(drill)}" if drill else '# drill_node = "backup1"'} # where restore drills run; without it none do

# How nodes are reached. A node's own `ssh = {{ ... }}` wins, key by key. What is not set here comes from
# ~/.ssh/config and the agent. Host keys are always checked: `hactl trust NODE` stores one.
[ssh]
{user}
# port = 22
# identity = "~/.ssh/id_ed25519"
# proxy_jump = "bastion.example.net:22" # or the name of a node
# become = "none" # when the login user needs no sudo
"""


def _sites(answers: Answers) -> Iterator[str]:
    names = dict.fromkeys(node.site or answers.site for node in answers.nodes)
    for index, name in enumerate(names):
        comment = "# A site is a place that fails as a whole.\n" if index == 0 else ""
        yield f"{comment}[[sites]]\nname = {_toml(name)}"


def _nodes(answers: Answers) -> Iterator[str]:
    for index, node in enumerate(answers.nodes):
        comment = (
            '# Add `standing = "spare"` to a node that is watched but that nothing depends on.\n' if index == 0 else ""
        )
        yield f"""{comment}[[nodes]]
name = {_toml(node.name)}
site = {_toml(node.site or answers.site)}
address = {_toml(node.address)}
roles = {_toml(list(node.roles))}
"""


def _services(answers: Answers) -> Iterator[str]:
    if "lb" in answers.roles:
        yield """
# CHECK: the path of HAProxy's stats socket with `level admin`.
[[services]]
name = "balancer"
kind = "haproxy"
role = "lb"
admin_socket = "/run/haproxy/admin.sock"
# state_file = "/var/lib/haproxy/server-state" # so that a reload keeps what is drained
"""
        if answers.vip is not None:
            yield '[[services]]\nname = "vrrp"\nkind = "keepalived"\nrole = "lb"'
    if "app" in answers.roles:
        yield f"""
# CHECK: the unit, the port and the health check of the application.
[[services]]
name = {_toml(answers.app)}
kind = "http"
role = "app"
unit = {_toml(f"{answers.app}.service")}
port = {answers.port}
health = {_toml(answers.health)}
# package = {_toml(answers.app)}
# public = [{{ url = "http://{answers.vip or "10.0.0.10"}/" }}] # where users reach it: probed while hactl acts on it
# version = {{ path = "/version" }} # or {{ command = ["/usr/bin/{_comment(answers.app)}", "--version"] }}
"""
    if "db" in answers.roles:
        yield """
# CHECK: version and cluster as `pg_lsclusters` shows them; manager = "patroni" where Patroni decides.
[[services]]
name = "database"
kind = "postgresql"
role = "db"
version = 15
cluster = "main"
port = 5432
"""
    if {"backup", "db"} <= set(answers.roles):
        host = next(node.name for node in answers.nodes if "backup" in node.roles)
        yield f"""
# CHECK: the stanza as `pgbackrest info` shows it.
[[services]]
name = "backup"
kind = "pgbackrest"
role = "backup"
database = "database"
stanza = "main"
repository_host = {_toml(host)}
"""


def _pools(answers: Answers) -> Iterator[str]:
    if {"lb", "app"} <= set(answers.roles):
        count = sum("app" in node.roles for node in answers.nodes)
        yield f"""
# CHECK: the backend's name, and what HAProxy calls each server where that is not the node's name:
# servers = {{ {_comment(next(node.name for node in answers.nodes if "app" in node.roles))} = "srv1" }}
[[pools]]
name = {_toml(answers.app)}
service = {_toml(answers.app)}
balancer = "balancer"
backend = {_toml(f"be_{answers.app}")}
minimum = {max(1, count - 1)} # members that must stay available
"""
    if answers.vip is not None:
        yield f'[[vips]]\nname = "public"\naddress = {_toml(answers.vip)}\nservice = "vrrp"'


def _foot(answers: Answers) -> str:
    role = answers.roles[-1] if answers.roles else "db"
    return f"""
# When acting is welcome, in UTC; without any window, any time will do.
# [[maintenance]]
# days = ["sat", "sun"]
# from = "02:00"
# to = "05:00"

# Limits differ from hactl's own only where they stand here.
[thresholds]
# disk_percent = {{ warn = 80, crit = 90 }}
# [thresholds.roles.{_comment(role)}]
# disk_percent = {{ warn = 85, crit = 95 }}
"""


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML's basic strings escape as JSON's do


def _comment(value: str) -> str:
    return re.sub(r"[^\w.-]", "?", value)

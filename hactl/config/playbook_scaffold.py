"""A first playbook, with comments for whoever edits it next: a name in, TOML text out. Pure."""

from __future__ import annotations

import json
import re

from hactl.model.errors import InputError
from hactl.model.suggest import quoted
from hactl.model.values import NAME

_NAME_LINE = re.compile(r'^name = "[^"]*"$', re.MULTILINE)

_SKELETON = """\
# A playbook of your own, for hactl. How it is written: docs/playbooks.md and docs/reference/playbook.md.
# After every change: hactl playbook validate FILE

schema = 1

[playbook]
name = {name}
title = "CHECK: a few words for lists"
description = \"\"\"
CHECK: what it does, for whoever is about to run it.
\"\"\"
# notes = ["What the operator should read before confirming."]
# confirm = "$cluster" # what has to be typed instead of yes; must be there where a step is irreversible

# What the operator may say, as `-p message=...`. Steps refer to it as "$message". Without a default it has to be said.
[parameters.message]
type = "string"
default = "hello"
help = "CHECK: what it means."
# choices = ["hello", "goodbye"]

# Which nodes, and how many at once. Without this table every step is done once per run.
[targets]
limit = "all" # the operator narrows it with --limit
named = true # the operator has to say which nodes
# service = "shop" # of those, the nodes that provide it
# order = "holder-last" # whoever holds a VIP comes last
batch = "1" # or a share, such as "25%"
# canary = 1 # so many first, one by one
# pause = "30s" # between batches

# Guards that do not apply to this playbook. All others do.
# [guards]
# maintenance-window = false

# How much may go wrong over the whole run before it stops.
# [budget]
# failed_nodes = 1 # with on_failure = "continue"
# failed_requests = 0

# One verb, done for each node (or `scope = "batch"`, `scope = "run"`). docs/reference/verbs.md lists the verbs.
[[steps]]
name = "say"
verb = "command"
# Values are whole: each word of `argv` reaches the program as it is, and no shell reads any of them.
with = {{ argv = ["logger", "--tag", "hactl", "$message"], changes = true }}
# when = "in_pool" # only on nodes where it holds; "!in_pool" turns it around
# deadline = "2m"
# on_failure = "undo" # or "stop" (what holds otherwise), or "continue"
# note = "Shown while it is done."
"""


def skeleton(name: str) -> str:
    """The text of a new playbook. Raises InputError for what is no name."""
    return _SKELETON.format(name=json.dumps(_sound(name)))


def renamed(text: str, name: str, origin: str) -> str:
    """The text of the playbook `origin`, which ships, under another name. Raises InputError for what is no name."""
    head = f"# Begun from the playbook {origin} that ships with hactl. How it is written: docs/playbooks.md.\n\n"
    return head + _NAME_LINE.sub(f"name = {json.dumps(_sound(name))}", text, count=1)


def _sound(name: str) -> str:
    if not NAME.fullmatch(name):
        raise InputError(
            f"{quoted(name)} is no name for a playbook.",
            remedy="Use a to z, 0 to 9, and inside also . _ - (at most 63 characters).",
        )
    return name

"""Where a node's SSH settings come from: its own table, [ssh], or nobody."""

from __future__ import annotations

from pathlib import Path

import tomli

from hactl.config.positions import find_positions


def ssh_sources(path: Path, node: str) -> dict[str, str]:
    """For each SSH key that the valid inventory `path` sets for `node`: "[ssh], line 12" or "its own, line 40"."""
    text = path.read_text("utf-8")
    document = tomli.loads(text)
    positions = find_positions(text)
    sources = {key: f"[ssh], line {positions.key(('ssh', key))[0]}" for key in document.get("ssh", {})}
    index = next(number for number, table in enumerate(document["nodes"]) if table["name"] == node)
    for key in document["nodes"][index].get("ssh", {}):
        sources[key] = f"its own, line {positions.key(('nodes', index, 'ssh', key))[0]}"
    return sources

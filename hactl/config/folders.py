"""Where the user's configuration, cache and state live.

Importing platformdirs costs more than loading an inventory does, and on Linux all it would say is the two lines of the
XDG base directory specification; so only other systems ask it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def config_folder(env: Mapping[str, str] = os.environ) -> Path:
    """The user's hactl configuration: $XDG_CONFIG_HOME/hactl on Linux."""
    return _folder(env, "XDG_CONFIG_HOME", ".config")


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """The user's hactl cache: $XDG_CACHE_HOME/hactl on Linux."""
    return _folder(env, "XDG_CACHE_HOME", ".cache")


def state_folder(env: Mapping[str, str] = os.environ) -> Path:
    """What hactl keeps of its own doings, the journal of runs above all: $XDG_STATE_HOME/hactl on Linux."""
    return _folder(env, "XDG_STATE_HOME", ".local/state")


def _folder(env: Mapping[str, str], variable: str, fallback: str) -> Path:
    if not sys.platform.startswith("linux"):
        import platformdirs  # noqa: PLC0415 - see the module's docstring

        ask = {
            "XDG_CONFIG_HOME": platformdirs.user_config_path,
            "XDG_CACHE_HOME": platformdirs.user_cache_path,
            "XDG_STATE_HOME": platformdirs.user_state_path,
        }
        return ask[variable]("hactl", appauthor=False)
    given = env.get(variable, "")
    if given.startswith("/"):  # the specification: a relative path is ignored
        return Path(given, "hactl")
    return Path(env.get("HOME") or os.path.expanduser("~"), fallback, "hactl")  # noqa: PTH111 - HOME may be unset

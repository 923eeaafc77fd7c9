"""The last net: what nobody foresaw becomes a private report and two sentences, not a traceback on the screen."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from hactl import __version__
from hactl.cli.secrets import masked_everywhere
from hactl.model.text import one_line, safe


def report(error: BaseException, env: Mapping[str, str] = os.environ) -> str:
    """Write the report (mode 0600) and say, in a few lines without a final newline, what happened and where it is.

    The report holds the traceback without variables, the command line and versions; remembered secrets are masked.
    """
    said = f"hactl: a fault in hactl itself: {one_line(masked_everywhere(f'{type(error).__name__}: {error}'))}"
    try:
        path = _written(_text(error), env)
    except OSError as failure:
        return f"{said}\n  The report could not be written ({failure}); HACTL_LOG=FILE or --log-file may tell more."
    return f"{said}\n  The report is in {path}; it holds no secrets. Please send it with what you did."


def _text(error: BaseException) -> str:
    lines = (
        f"hactl {__version__}, Python {platform.python_version()}, {platform.platform()}",
        time.strftime("%Y-%m-%d %H:%M:%S %z"),
        " ".join(sys.argv),
        "",
        "".join(traceback.format_exception(error)),
    )
    return safe(masked_everywhere("\n".join(lines)))


def _written(text: str, env: Mapping[str, str]) -> Path:
    folder = _folder(env)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=time.strftime("crash-%Y%m%d-%H%M%S-"), suffix=".txt", dir=folder)  # 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _folder(env: Mapping[str, str]) -> Path:
    given = env.get("XDG_STATE_HOME", "")
    if given.startswith("/"):  # the XDG base directory specification ignores a relative path
        return Path(given, "hactl")
    return Path(env.get("HOME") or tempfile.gettempdir(), ".local", "state", "hactl")

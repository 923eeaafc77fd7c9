"""A real HAProxy with a backend "web" of two servers, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CONFIG = """
global
  stats socket {folder}/admin.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 1s
  timeout client 9s
  timeout server 9s
backend web
  server one 127.0.0.1:9
  server two 127.0.0.1:9
"""


@contextmanager
def real_haproxy(folder: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """Its admin socket and its master process, which reloads on SIGUSR2."""
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip("no HAProxy on this machine")
    (folder / "haproxy.cfg").write_text(CONFIG.format(folder=folder))
    path = folder / "admin.sock"
    with subprocess.Popen([program, "-W", "-q", "-f", str(folder / "haproxy.cfg")]) as process:
        try:
            until(path.exists)
            yield path, process
        finally:
            process.terminate()


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)

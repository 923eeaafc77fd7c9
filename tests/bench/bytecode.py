"""Programs are measured as they are once installed: with their bytecode.

An environment may keep Python from writing it (PYTHONDONTWRITEBYTECODE); a checkout is then compiled anew at every
start, which an installed program never is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def bytecode() -> Iterator[None]:
    """For the time of the block, programs that are started keep their bytecode in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="hactl-bytecode-") as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        yield

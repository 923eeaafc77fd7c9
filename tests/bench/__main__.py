"""`./dev bench [startup|tui|cold|stream|upgrade] [options]`: the long measurements; when none is named, all."""

from __future__ import annotations

import subprocess
import sys

PROGRAMS = ("startup", "tui", "cold", "stream", "upgrade")


def main() -> None:
    chosen = [name for name in PROGRAMS if name in sys.argv[1:2]] or list(PROGRAMS)
    options = [word for word in sys.argv[1:] if word not in PROGRAMS]
    for name in chosen:
        # As if started by itself: a program may start itself again in namespaces of its own.
        code = subprocess.call([sys.executable, "-m", f"tests.bench.{name}", *options])
        if code:
            sys.exit(code)


if __name__ == "__main__":
    main()

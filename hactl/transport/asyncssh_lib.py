"""`import asyncssh` without what it does on the side. Everything in hactl that needs asyncssh imports it from here.

Left alone, the import searches for two C libraries (liboqs for sntrup761, nettle for umac) through
`ctypes.util.find_library`, which starts ldconfig, gcc and ld: 20 to 35 ms where they are absent, as they mostly are.
And it loads `cryptography.x509` (15 ms) for X.509 host certificates, which OpenSSH does not have. asyncssh has a
supported way to do without each of the three; the import below takes it, and puts everything back afterwards.
None of the algorithms that hactl offers needs them.
"""

from __future__ import annotations

import ctypes.util
import sys

_X509 = "asyncssh.crypto.x509"


def _find_nothing(_name: str) -> None:
    return None


_find_library = ctypes.util.find_library
if "asyncssh" not in sys.modules:
    ctypes.util.find_library = _find_nothing  # type: ignore[assignment] # it answers the same question, always no
    sys.modules[_X509] = None  # type: ignore[assignment] # the import system's way to say "cannot be imported"
try:
    import asyncssh
finally:
    ctypes.util.find_library = _find_library
    if sys.modules.get(_X509, ...) is None:
        del sys.modules[_X509]

from hactl.transport.asyncssh_tuning import tune  # noqa: E402 - needs asyncssh imported as above

tune()

__all__ = ["asyncssh"]

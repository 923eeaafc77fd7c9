"""hactl: live health and guarded action for small high-availability clusters.

The package's rooms and the rules between them are described in docs/architecture.md.
"""

__version__ = "0.1.0"

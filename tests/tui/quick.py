"""Keys for tests that press very many: each is waited for until it is handled, and no longer.

The pilot's own `press` waits twice until the process has been idle for a while, which under a dashboard that is drawn
again and again takes up to a second a key.
"""

from __future__ import annotations

import unicodedata

from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

_ROUNDS = 3  # from the key to its action, from there to a message, and from that to what it opens


async def settle(pilot: Pilot[None], rounds: int = _ROUNDS) -> None:
    """Until whatever is queued for the application and the screen on top has been handled, `rounds` times."""
    for _ in range(rounds):
        await pilot._wait_for_screen()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """As the pilot's; keys are named as there."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        pilot.app.post_message(events.Key(name, _character(name)))
        await settle(pilot)


def _character(key: str) -> str | None:
    try:
        return unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
    except KeyError:
        return key if len(key) == 1 else None

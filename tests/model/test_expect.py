"""What an answer has to be."""

from __future__ import annotations

import pytest

from hactl.model.expect import met


@pytest.mark.parametrize(
    ("expect", "answer", "is_met"),
    [
        ("t", "t", True),
        ("t", "f", False),
        ("", "", True),
        ("> 0", "1", True),
        ("> 0", "0", False),
        (">0", "0.5", True),
        (">= 3", "3", True),
        ("<= -1.5", "-2", True),
        ("< 10", "9", True),  # as numbers, not as texts
        ("= 0", "0.00", True),
        ("0", "0.00", False),  # as a text
        ("> 0", "", False),
        ("> 0", "many", False),
        ("> 0", "NaN", False),
        ("> 0", "Infinity", False),
        ("> 0", " 7 ", True),
    ],
)
def test_a_text_is_compared_as_it_is_and_a_number_as_one(expect: str, answer: str, *, is_met: bool) -> None:
    assert met(expect, answer) is is_met

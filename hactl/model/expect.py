"""What an answer has to be: a text, or a comparison with a number. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

COMPARISON = re.compile(r"(>=|<=|>|<|=)\s*(-?\d+(?:\.\d+)?)")
"""A text that begins like one is meant as one, never as an answer."""

_OPERATORS: Mapping[str, Callable[[Decimal, Decimal], bool]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
)


def met(expect: str, answer: str) -> bool:
    """Whether `answer`, as psql writes it, is what `expect` says. What is no number compares with none."""
    found = COMPARISON.fullmatch(expect)
    if found is None:
        return answer == expect
    try:
        number = Decimal(answer.strip())
    except InvalidOperation:
        return False
    return number.is_finite() and _OPERATORS[found[1]](number, Decimal(found[2]))

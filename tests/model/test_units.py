"""Numbers as people read them."""

from __future__ import annotations

import pytest

from hactl.model import units


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (10 * 1024**2, "10 MiB"),
        (1.5 * 1024**3, "1.5 GiB"),
        (5 * 1024**5, "5 PiB"),
        (9000 * 1024**5, "9000 PiB"),
    ],
)
def test_size(count: float, text: str) -> None:
    assert units.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0123, "12 ms"),
        (0.4, "0.4 s"),
        (39.99, "40 s"),
        (59.7, "1 m"),
        (60, "1 m"),
        (192, "3 m 12 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7500, "2 h 5 m"),
        (86400 * 3 + 4 * 3600, "3 d 4 h"),
        (-61, "-1 m 1 s"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.9, "59s"), (60, "1m"), (7300, "2h"), (200_000, "2d"), (-5, "0s")]
)
def test_age(seconds: float, text: str) -> None:
    assert units.age(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 %"), (93.4, "93 %"), (99.96, "99.9 %"), (100, "100 %"), (99.0, "99 %")]
)
def test_percent_never_reads_full_before_it_is(value: float, text: str) -> None:
    assert units.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, "0.2"), (0.523, "0.52"), (4.55, "4.5"), (12.34, "12.3"), (9.0, "9"), (1234.5, "1234")]
)
def test_number(value: float, text: str) -> None:
    assert units.number(value) == text


def test_moment_names_the_day_when_it_is_not_today() -> None:
    assert units.moment(1_760_001_000, 1_760_001_900) == "09:10:00 UTC"
    assert units.moment(1_760_001_000, 1_760_101_900) == "2025-10-09 09:10 UTC"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (93, "%", "93 %"),
        (1024, "B", "1 KiB"),
        (65, "s", "1 m 5 s"),
        (26, "h", "1 d 2 h"),
        (812.4, "ms", "812 ms"),
        (7, "", "7"),
    ],
)
def test_measure(value: float, unit: str, text: str) -> None:
    assert units.measure(value, unit) == text

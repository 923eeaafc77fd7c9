"""Numbers as people read them: sizes, rates, durations, percentages, moments. The one place that decides on them."""

from __future__ import annotations

from datetime import UTC, datetime

_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def number(value: float) -> str:
    """Three significant digits at most, whole numbers whole: 0.52, 4.5, 12, 1234."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"


def size(count: float) -> str:
    """Bytes with a binary unit: 0 B, 512 KiB, 1.5 GiB."""
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    digits = 1 if unit and abs(value) < 10 else 0
    return f"{value:.{digits}f}".removesuffix(".0") + f" {_SIZES[unit]}"


def rate(per_second: float) -> str:
    """Bytes a second."""
    return f"{size(per_second)}/s"


def percent(value: float) -> str:
    """Whole percents; what is not quite everything never reads 100 %."""
    return f"{int(value * 10) / 10:g} %" if 99 <= value < 100 else f"{value:.0f} %"


def duration(seconds: float) -> str:
    """The two largest units: 0.4 s, 12 s, 3 m 12 s, 2 h 5 m, 3 d 4 h."""
    if abs(seconds) < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s" if abs(seconds) >= 0.1 else f"{seconds * 1000:.0f} ms"
    left, parts = round(abs(seconds)), list[str]()
    for unit, span in _SPANS:
        if left >= span or parts or unit == "s":
            parts.append(f"{left // span} {unit}")
            left %= span
        if len(parts) == 2:
            break
    text = " ".join(part for index, part in enumerate(parts) if index == 0 or not part.startswith("0 "))
    return f"-{text}" if seconds < 0 else text


def age(seconds: float) -> str:
    """One unit, for a narrow column: 5s, 12m, 4h, 9d."""
    left = max(0, int(seconds))
    return next(f"{left // span}{unit}" for unit, span in _SPANS if left >= span or unit == "s")


def moment(epoch: float, now: float) -> str:
    """A moment in UTC, with the day where it is not today's. Both are epoch seconds."""
    then, today = datetime.fromtimestamp(epoch, UTC), datetime.fromtimestamp(now, UTC).date()
    return then.strftime("%H:%M:%S UTC" if then.date() == today else "%Y-%m-%d %H:%M UTC")


def measure(value: float, unit: str) -> str:
    """A value in one of the units of `model.metrics`."""
    match unit:
        case "%":
            return percent(value)
        case "B":
            return size(value)
        case "s":
            return duration(value)
        case "h":
            return duration(round(value * 3600))
        case "ms":
            return f"{value:.0f} ms"
    return number(value)

"""Amounts as people read them: money, spans of time, moments, rates, sizes. The same text in commands, pages and logs."""

from __future__ import annotations

from datetime import UTC, datetime

NONE = "–"  # shown where there is no value


def number(value: float | None) -> str:
    """A count with separators.

    >>> number(12345)
    '12,345'
    """
    return NONE if value is None else f"{value:,.0f}"


def money(dollars: float | None) -> str:
    """US dollars with as many digits as they need.

    >>> money(1234.5), money(0.0512), money(0.0000071), money(0)
    ('$1,234.50', '$0.0512', '$0.000007', '$0')
    """
    if not dollars:
        return "$0"
    amount, sign = abs(dollars), "-" if dollars < 0 else ""
    return f"{sign}${amount:,.2f}" if amount >= 1 else f"{sign}${amount:.{4 if amount >= 0.0001 else 6}f}"


def span(seconds: float | None) -> str:
    """A length of time in its two largest units.

    >>> span(0.0231), span(3.14), span(42), span(200), span(7260), span(200_000)
    ('23 ms', '3.1 s', '42 s', '3 min 20 s', '2 h 1 min', '2 d 7 h')
    """
    if seconds is None:
        return NONE
    seconds = max(0.0, float(seconds))
    if 0 < seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 or seconds.is_integer() else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def moment(milliseconds: float | None) -> str:
    """A point in time in UTC, from milliseconds since 1970 as the database keeps them.

    >>> moment(0)
    '1970-01-01 00:00:00'
    """
    if milliseconds is None:
        return NONE
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def rate(per_second: float | None) -> str:
    """Rows by second, or by minute or hour where that reads better.

    >>> rate(1234.5), rate(2.5), rate(0.1)
    ('1,234/s', '2.5/s', '6.0/min')
    """
    if not per_second:
        return ""
    for factor, word in ((1, "s"), (60, "min"), (3600, "h")):
        if per_second * factor >= 1 or word == "h":
            return f"{per_second * factor:,.{0 if per_second * factor >= 10 else 1}f}/{word}"
    return ""


def size(count: float | None) -> str:
    """Bytes in binary units.

    >>> size(512), size(1536), size(3 << 30)
    ('512 B', '1.5 KiB', '3.0 GiB')
    """
    if count is None:
        return NONE
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "B" or count >= 10 else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} TiB"

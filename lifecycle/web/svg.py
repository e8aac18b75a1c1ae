"""
Charts as inline SVG without styles or scripts, so that the content security policy needs no exception.

x is in percent and y in pixels, without a view box: text does not scale, and colours follow the theme by class.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from markupsafe import Markup, escape

from lifecycle.domain.entitlement import Tier
from lifecycle.services.overview import DAYS, TIERS, Lane, Outlook

CLASSES = {Tier.GOD: "god", Tier.ELEVATED: "elev", Tier.STANDARD: "std", Tier.READ_ONLY: "ro", Tier.NONE: "none"}
HEIGHTS = {Tier.GOD: 18, Tier.ELEVATED: 14, Tier.STANDARD: 10, Tier.READ_ONLY: 6, Tier.NONE: 2}
"""Height carries the tier too, not only colour."""
SATURDAY, MONDAY = 5, 0


def _percent(days: float) -> str:
    return f"{100 * min(max(days, 0), DAYS) / DAYS:.2f}%"


def _days_from(first: date, at: datetime) -> float:
    return (at - datetime(first.year, first.month, first.day, tzinfo=at.tzinfo)).total_seconds() / 86_400


def axis(outlook: Outlook) -> Markup:
    """Draw the days' names under the chart."""
    parts = ['<svg class="axis" width="100%" height="22" aria-hidden="true" focusable="false">']
    for n in range(DAYS):
        day = outlook.first_day + timedelta(days=n)
        if n == 0 or (day.weekday() == MONDAY and n >= 3):
            words = "Today" if n == 0 else f"{day:%-d %b}"
            x = _percent(n)
            parts.append(f'<text x="{x}" y="15" dx="4">{words}</text><line x1="{x}" x2="{x}" y1="4" y2="22"/>')
    return Markup("".join(parts) + "</svg>")  # noqa: S704 - numbers and dates only


def _grid(outlook: Outlook, height: int) -> str:
    parts = []
    for n in range(DAYS):
        weekday = (outlook.first_day + timedelta(days=n)).weekday()
        x = _percent(n)
        if weekday == SATURDAY:
            parts.append(f'<rect class="we" x="{x}" y="0" width="{_percent(min(2, DAYS - n))}" height="{height}"/>')
        if weekday == MONDAY:
            parts.append(f'<line class="gl" x1="{x}" x2="{x}" y1="0" y2="{height}"/>')
    return "".join(parts)


def burndown(outlook: Outlook, names: dict[Tier, str], height: int = 140, top: int = 22) -> Markup:
    """Draw how many rights are held on each day, stacked by tier."""
    totals = [sum(counts.values()) for counts in outlook.per_day]
    scale = (height - top) / max(max(totals), 1)
    first, last = outlook.per_day[0], outlook.per_day[-1]
    parts = [
        f'<svg class="burn" width="100%" height="{height}" role="img" aria-labelledby="burn-t burn-d" '
        'focusable="false">',
        '<title id="burn-t">Rights held in offboarding windows, next 30 days</title>',
        f'<desc id="burn-d">Falls from {totals[0]} today to {totals[-1]} in {DAYS} days. '
        f"God mode falls from {first[Tier.GOD]} to {last[Tier.GOD]}.</desc>",
        _grid(outlook, height),
    ]
    for n, counts in enumerate(outlook.per_day[:DAYS]):
        parts.append(_column(outlook.first_day + timedelta(days=n), n, counts, names, height, scale))
    return Markup("".join(parts) + "</svg>")  # noqa: S704 - numbers, dates and the names above


def _column(day: date, n: int, counts: dict[Tier, int], names: dict[Tier, str], height: int, scale: float) -> str:
    total = sum(counts.values())
    lines = [f"{day:%a %-d %b}: {total} rights", *(f"{names[t]}: {counts[t]}" for t in TIERS)]
    tip = "\n".join(lines)
    parts = [
        f'<g class="col"><title>{escape(tip)}</title>'
        f'<rect class="hit" x="{_percent(n)}" y="0" width="{_percent(1)}" height="{height}"/>'
    ]
    y = float(height)
    for tier in TIERS:
        size = counts[tier] * scale
        if size > 0:
            y -= size
            x, width = _percent(n + 0.09), _percent(0.82)
            parts.append(
                f'<rect class="t-{CLASSES[tier]}" x="{x}" y="{y:.1f}" width="{width}" '
                f'height="{max(0.5, size - 1):.1f}" rx="1"/>'
            )
    if n in {0, DAYS - 1}:
        x, anchor = (_percent(n + 0.09), "") if n == 0 else (_percent(n + 0.91), ' text-anchor="end"')
        parts.append(f'<text x="{x}" y="{y - 6:.1f}"{anchor}>{total}</text>')
    return "".join(parts) + "</g>"


def lane(outlook: Outlook, row: Lane, names: dict[Tier, str], height: int = 26) -> Markup:
    """Draw one leaver's way down, with a pin at the end of the last day."""
    words = ", then ".join(f"{names[tier].lower()} until {at:%-d %B}" for tier, at in row.steps)
    label = f"{row.standing.identity.name}: {words or 'no access'}"
    parts = [
        f'<svg class="lane" width="100%" height="{height}" role="img" aria-label="{escape(label)}" focusable="false">',
        _grid(outlook, height),
    ]
    x = 0.0
    for tier, until in row.steps:
        end = min(_days_from(outlook.first_day, until), DAYS)
        size = HEIGHTS[tier]
        if end > x:
            tip = f"{names[tier]} until {until:%a %-d %b, %H:%M} UTC"
            parts.append(
                f'<rect class="t-{CLASSES[tier]}" x="{_percent(x)}" y="{height - 4 - size}" '
                f'width="{_percent(max(end - x, 0.35))}" height="{size}" rx="1.5"><title>{escape(tip)}</title></rect>'
            )
            x = end
    pin = _percent(_days_from(outlook.first_day, row.ends_at))
    parts.append(
        f'<line class="last" x1="{pin}" x2="{pin}" y1="2" y2="{height - 3}"/>'
        f'<circle class="last" cx="{pin}" cy="3" r="2.5"/>'
    )
    return Markup("".join(parts) + "</svg>")  # noqa: S704 - text is escaped above


def strip(hours: tuple[str, ...]) -> Markup:
    """Draw the last 24 hours of a target: tall where calls failed, so that colour is not needed."""
    bars = "".join(
        f'<rect class="{state}" x="{n * 2.5}" y="{2 if state == "bad" else 5}" width="1.8" '
        f'height="{14 if state == "bad" else 8}" rx="1"/>'
        for n, state in enumerate(hours)
    )
    return Markup(f'<svg class="up" width="60" height="16" aria-hidden="true" focusable="false">{bars}</svg>')  # noqa: S704


def used(since: datetime, until: datetime | None, now: datetime) -> Markup:
    """Draw how much of an interval has passed."""
    whole = (until - since).total_seconds() if until else 0
    percent = min(100, max(0, round(100 * (now - since).total_seconds() / whole))) if whole > 0 else 100
    return Markup(  # noqa: S704 - a number
        '<svg class="bar" width="100%" height="4" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100%" height="4" rx="2"/>'
        f'<rect class="fill" width="{percent}%" height="4" rx="2"/></svg>'
    )

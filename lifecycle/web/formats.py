"""How instants, tiers and states look: one place decides."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, url_for

from lifecycle.domain.audit import AuditRecord
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import InvalidCatalogue, NotFound
from lifecycle.web import svg
from lifecycle.web.services import services

TIER_NAMES = {
    Tier.GOD: "God mode",
    Tier.ELEVATED: "Elevated",
    Tier.STANDARD: "Standard",
    Tier.READ_ONLY: "Read-only",
    Tier.NONE: "No access",
}
TIER_CLASSES = {Tier.GOD: "god", Tier.ELEVATED: "elev", Tier.STANDARD: "std", Tier.READ_ONLY: "ro", Tier.NONE: "none"}

AMBIGUOUS = frozenset({"ADT", "AST", "BST", "CDT", "CST", "IST", "PDT", "PST", "SST"})
"""Each is the time of several places: PST is that of Los Angeles and of Manila."""


def register(app: Flask) -> None:
    """Give templates these functions."""
    app.jinja_env.globals.update(
        rel=relative,
        local=local,
        full=full,
        local_to=local_to,
        zone_words=zone_words,
        length=length,
        day=day,
        long_day=long_day,
        initials=initials,
        hue=hue,
        person_url=lambda identity: url_for("people.show", identity_id=identity.id),
        Tier=Tier,
        TIER_NAMES=TIER_NAMES,
        TIER_CLASSES=TIER_CLASSES,
        svg=svg,
        day_after=lambda first, days: first + timedelta(days=days),
        top_tier=_top_tier,
        tier_named=_tier_named,
        target_title=target_title,
        record_words=record_words,
    )
    app.jinja_env.filters["target_title"] = target_title
    app.jinja_env.filters["lower_first"] = lambda words: words[:1].lower() + words[1:]


def relative(at: datetime, now: datetime) -> str:
    """Say how far *at* is from *now*, rounded down, never away from the truth: 3 h 48 min is not 4 hours."""
    seconds = (at - now).total_seconds()
    minutes = int(abs(seconds) // 60)
    if minutes == 0:
        return "now"
    if minutes < 60:
        words = f"{minutes} min"
    elif minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        words = f"{hours} h" + (f" {rest:02d} min" if hours < 12 and rest else "")
    else:
        words = f"{minutes // (24 * 60)} days"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def local(at: datetime, now: datetime) -> str:
    """Write an instant in UTC, the day only where it is another."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%a %-d %b, %H:%M}"


def full(at: datetime, zone: str = "UTC") -> str:
    """Write an instant in full, as clocks in *zone* show it."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %-d %B %Y, %H:%M} {zone_words(at, zone)}"


def local_to(at: datetime, zone: str, now: datetime) -> str:
    """
    Write an instant as clocks in *zone* show it, and name the zone: nobody knows that of the reader.

    The day is left out where it is today there and in UTC.
    """
    there, words = at.astimezone(ZoneInfo(zone)), zone_words(at, zone)
    days = {moment.astimezone(ZoneInfo(z)).date() for moment in (at, now) for z in (zone, "UTC")}
    return f"{there:%H:%M} {words} today" if len(days) == 1 else f"{there:%a %-d %b, %H:%M} {words}"


def zone_words(at: datetime, zone: str) -> str:
    """Name *zone* as short as people know it at *at*: ``CET``, and by its city where no such name means it alone."""
    short = at.astimezone(ZoneInfo(zone)).strftime("%Z")
    return short if short.isalpha() and short not in AMBIGUOUS else zone.rpartition("/")[2].replace("_", " ")


def length(hours: float) -> str:
    """Write a duration: whole days where it is some, else hours, else minutes."""
    if hours >= 48 and hours % 24 == 0:
        return f"{hours / 24:.0f} days"
    if hours >= 1:
        return f"{hours:.1f} h".replace(".0 h", " h")
    return f"{hours * 60:.0f} min"


def long_day(value: date) -> str:
    """Write a day in full, for people."""
    return f"{value:%A %-d %B %Y}"


def day(value: date) -> str:
    """Write a day."""
    return f"{value:%a %-d %b %Y}"


def initials(name: str) -> str:
    """Return up to two letters for an avatar."""
    return "".join(part[0] for part in name.split()[:2]).upper()


def hue(name: str) -> int:
    """Pick one of six avatar colours, always the same for one name."""
    return sum(map(ord, name)) % 6


def _top_tier(keys: Iterable[str]) -> Tier:
    entitlements = services().targets.catalogue.entitlements
    return max((entitlements[key].tier for key in keys if key in entitlements), default=Tier.NONE)


def _tier_named(label: str) -> Tier:
    try:
        return Tier.parse(label)
    except InvalidCatalogue:
        return Tier.NONE


def target_title(name: str) -> str:
    """Name a target as people do."""
    try:
        return services().targets[name].title
    except NotFound:
        return name


SAID_ELSEWHERE = frozenset({"target", "entitlement", "account"})


def record_words(record: AuditRecord) -> str:
    """Write what an audit record says beside its heading."""
    said = [
        f"{key.replace('_', ' ')} {_plain(value)}" for key, value in record.after.items() if key not in SAID_ELSEWHERE
    ]
    was = [
        f"{key.replace('_', ' ')} was {_plain(value)}"
        for key, value in record.before.items()
        if value != record.after.get(key) and (isinstance(value, str) or key in record.after)
    ]
    return ", ".join([*was, *said])


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return str(value)

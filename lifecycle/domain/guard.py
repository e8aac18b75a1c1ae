"""The guard: how much surprise one roster may hold before two more people must agree. Pure arithmetic on counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

WINDOW = timedelta(hours=24)
"""Surprise is counted over so long, so that many small rosters add up; and what is known longer is none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much; shares are of one, and every limit is passed by more than it says."""

    people: int = 10
    share: float = 0.05
    least: int = 3
    """Fewer people than this are never too large a share of anything."""
    vendor_share: float = 0.5
    group_share: float = 0.3
    fewer_rows: float = 0.1
    moved_share: float = 0.1
    moved_days: int = 30
    unusable_share: float = 0.005


@dataclass(frozen=True)
class Feed:
    """One file against the last accepted one of its profile and against what is stored."""

    rows: int
    """Those that can be used; of rows that repeat each other exactly, one."""
    rows_before: int = 0
    """Of the last accepted full file; 0 when there is none, or the file is no full one."""
    header_changed: bool = False
    known: int = 0
    """Running contracts of the source that the file speaks of."""
    moved: int = 0
    """Those among them whose last day moves by more than `Limits.moved_days`."""
    sooner: int = 0
    """Of the source, with its files of the last 24 hours: those whose last day moves sooner by more than that."""
    running: int = 0
    """All running contracts of the source; 0 where `sooner` is that of this file alone."""
    unusable: int = 0
    cut_off: bool = False
    """Whether its last line has no end though that of the last accepted file of the profile had one."""


@dataclass(frozen=True)
class Surprise:
    """Who loses access sooner than anybody knew a day before: by this roster, and by those of the last 24 hours."""

    people: int = 0
    active: int = 0
    """Everybody with a running contract, before this roster."""
    by_vendor: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Vendor to how many lose access and how many have a running contract."""
    by_group: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Entitlement to how many lose it and how many hold it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit that is passed."""

    scope: str
    """``feed``, ``people``, ``vendor`` or ``group``; ``god`` for what is not held."""
    words: str
    vendor: str = ""
    """The vendor concerned, whose people release nothing."""
    group: str = ""
    """The entitlement concerned."""


def check_feed(feed: Feed, limits: Limits) -> tuple[Finding, ...]:
    """List what is out of proportion in the file as a whole, before anybody's access is looked at."""
    found = []
    if feed.rows_before and feed.rows < feed.rows_before * (1 - limits.fewer_rows):
        share = 1 - feed.rows / feed.rows_before
        found.append(f"{feed.rows:,} rows, {share:.0%} fewer than the {feed.rows_before:,} of the last file")
    if feed.header_changed:
        found.append("the columns are not those of the last file")
    if feed.cut_off:
        found.append("the last line has no end, unlike in the last file: it may be cut off")
    if feed.moved >= limits.least and feed.moved > feed.known * limits.moved_share:
        words = f"{feed.moved:,} of {feed.known:,} contracts get a last day that is moved by more than"
        words += f" {limits.moved_days} days"
        found.append(words)
    elif feed.sooner >= limits.least and feed.sooner > feed.running * limits.moved_share and feed.running:
        words = f"with the files of the last 24 hours {feed.sooner:,} of {feed.running:,} contracts end sooner"
        found.append(f"{words} by more than {limits.moved_days} days")
    if feed.unusable >= limits.least and feed.unusable > (feed.rows + feed.unusable) * limits.unusable_share:
        found.append(f"{feed.unusable:,} rows cannot be used")
    return tuple(Finding("feed", words) for words in found)


def check_surprise(surprise: Surprise, limits: Limits) -> tuple[Finding, ...]:
    """List whose access would end by surprise for too many at once."""
    found = []
    people, active = surprise.people, surprise.active
    if people > limits.people or (people >= limits.least and people > active * limits.share):
        words = f"{people:,} people of {active:,} lose access sooner than was known a day before"
        found.append(Finding("people", words))
    for vendor, (lost, of) in sorted(surprise.by_vendor.items()):
        if lost and (lost >= of > 1 or (lost >= limits.least and lost > of * limits.vendor_share)):
            found.append(Finding("vendor", f"{lost:,} of {of:,} people of {vendor} lose access", vendor))
    for group, (lost, of) in sorted(surprise.by_group.items()):
        if lost and (lost >= of > 1 or (lost >= limits.least and lost > of * limits.group_share)):
            found.append(Finding("group", f"{lost:,} of {of:,} holders lose {group}", group=group))
    return tuple(found)

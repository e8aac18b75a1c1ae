"""What a roster adds up to: counts, who loses access by surprise, and the digest that a confirmation is bound to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lifecycle.domain.comparison import SPEAKS_OF_KNOWN, Change, Kind
from lifecycle.domain.consequence import Weight
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.guard import WINDOW, Feed, Finding, Limits, Surprise, check_feed, check_surprise
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Standing
from lifecycle.store import observations, roster_contracts, roster_imports
from lifecycle.store.unit import Unit

SOONER_BY_FAR = "sooner-by-far"
"""Among the counts of an import: how many contracts were moved sooner by more than `Tally.moved_days`."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What one person loses sooner than anybody knew a day before."""

    vendor: str
    lost: frozenset[str]
    """Keys of the entitlements."""


@dataclass
class Tally:
    """Filled row by row while a roster is compared."""

    moved_days: int
    moved: set[EngagementId] = field(default_factory=set)
    """Contracts whose last day rows of the file move by more than `moved_days`."""
    sooner: set[EngagementId] = field(default_factory=set)
    """Those of them that run, and end sooner by so many days."""
    also: Counter[Weight] = field(default_factory=Counter)
    """What contracts lose besides what weighs heaviest."""
    losses: dict[IdentityId, Loss] = field(default_factory=dict)
    losses_of_new: dict[str, Loss] = field(default_factory=dict)
    """By worker id, of those who have no identity yet."""
    god_ends: dict[EngagementId, datetime] = field(default_factory=dict)
    """Contracts whose god mode ends sooner than was known, and when."""
    god_in_doubt: dict[EngagementId, datetime] = field(default_factory=dict)
    """Contracts that rows contradict each other about, and when god mode ends by the soonest of them."""
    narrowed: frozenset[str] = frozenset()
    """Keys of what their holders hold in its place then."""
    known_of_new: str = ""
    """What `digest_of_new` was, where new contracts are not worked out again."""
    _touched: list[bytes] = field(default_factory=list)
    _new: list[bytes] = field(default_factory=list)

    def add(self, change: Change, bound: str) -> None:
        """Count one row; *bound* is what of it a confirmation is bound to."""
        (self._new if change.kind is Kind.NEW else self._touched).append(hashlib.sha256(bound.encode()).digest())
        is_stated = change.kind in SPEAKS_OF_KNOWN and change.after is not None
        if is_stated and change.stored is not None and _moves(change, self.moved_days):
            self.moved.add(change.stored.engagement.id)

    def cut_short(self, before: Engagement, after: Engagement) -> None:
        """Note a contract that is not over and ends sooner; one that is closed on its own last day is no news."""
        if before.last_day - after.last_day > timedelta(days=self.moved_days):
            self.sooner.add(before.id)

    def lose(self, identity_id: IdentityId, vendor: str, lost: frozenset[str]) -> None:
        """Note that somebody who is known loses access by surprise."""
        known = self.losses.get(identity_id)
        self.losses[identity_id] = Loss(vendor, lost | known.lost if known else lost)

    def lose_new(self, worker_id: str, vendor: str, lost: frozenset[str]) -> None:
        """Note that somebody who has no identity yet loses by surprise what their accounts hold."""
        self.losses_of_new[worker_id] = Loss(vendor, lost)

    @property
    def digest_of_new(self) -> str:
        """Bind together what becomes of new contracts."""
        return self.known_of_new or _sum(self._new).hex()

    def digest(self, rules: Iterable[str]) -> str:
        """Return what a confirmation is bound to: every row's effect, and the rules that it was worked out by."""
        whole = [_sum(self._touched).hex(), self.digest_of_new, *rules]
        return hashlib.sha256("\n".join(whole).encode()).hexdigest()[:16]


def _sum(digests: Iterable[bytes]) -> bytes:
    """Return one digest of many, in whatever order they come: databases sort in different ways."""
    return hashlib.sha256(b"".join(sorted(digests))).digest()


def _moves(change: Change, days: int) -> bool:
    assert change.stored is not None and change.after is not None  # noqa: S101 - the caller has looked
    before, after = change.stored.engagement, change.after
    by_standing = after.standing is not before.standing and after.standing is not Standing.RUNNING
    return by_standing or abs(after.last_day - before.last_day) > timedelta(days=days)


def findings(unit: Unit, tally: Tally, *, feed: Feed, limits: Limits, now: datetime) -> tuple[Finding, ...]:
    """Ask the guard about a roster: about the file as a whole, and about surprise together with the last 24 hours."""
    found = check_feed(feed, limits)
    if not (tally.losses or tally.losses_of_new):
        return found
    return (*found, *check_surprise(_surprise(unit, tally, now), limits))


def _surprise(unit: Unit, tally: Tally, now: datetime) -> Surprise:
    losses = dict(tally.losses)
    for row in roster_imports.surprises_since(unit, now - WINDOW):
        identity_id = IdentityId(row.identity_id)
        known = losses.get(identity_id)
        lost = frozenset(row.lost) | (known.lost if known else frozenset())
        losses[identity_id] = Loss(known.vendor if known else row.vendor, lost)
    every = [*losses.values(), *tally.losses_of_new.values()]
    called = {key_of(loss.vendor): loss.vendor for loss in every}
    running = roster_contracts.running_contracts(unit, now.date())
    # whoever lost access by an earlier roster and runs no more was there when these 24 hours began
    left = losses.keys() - tally.losses.keys()
    there = roster_contracts.still_running(unit, left, now.date())
    gone = left - {identity_id for identity_id, _ in there}
    gone_of = Counter(key for i in left if (i, key := key_of(losses[i].vendor)) not in there)
    by_vendor = Counter(key_of(loss.vendor) for loss in every)
    by_group = Counter(key for loss in every for key in loss.lost)
    holders = observations.holders(unit, by_group)
    return Surprise(
        people=len(every),
        active=running[""] + len(gone) + len(tally.losses_of_new),
        by_vendor={called[key]: (n, max(n, running[key] + gone_of[key])) for key, n in by_vendor.items()},
        by_group={key: (n, max(n, holders[key])) for key, n in by_group.items() if key in holders},
    )

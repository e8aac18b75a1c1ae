"""Who holds what, now and at any instant since it was first observed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.access import Reason
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import Identity
from lifecycle.services.clock import Clock
from lifecycle.services.persons import Persons, because
from lifecycle.services.rulebook import Rulebook
from lifecycle.store import observations, people
from lifecycle.store.unit import Store


@dataclass(frozen=True)
class Holder:
    """Somebody who holds, or held, one entitlement."""

    entitlement: str
    title: str
    target: str
    tier: Tier
    account: str
    identity: Identity | None
    """None for an account that belongs to nobody known here."""
    vendor: str
    since: datetime
    until: datetime | None
    """When it ended, for an instant in the past; None while it is held."""
    ends_at: datetime | None
    """When it will end by itself; None when nothing gives it or when asked about the past."""
    because: str
    reason: Reason | None


@dataclass
class Holders:
    """Answers from what was observed in the targets, never from what should be."""

    store: Store
    rulebook: Rulebook
    persons: Persons
    clock: Clock

    def who(self, tier: Tier, at: datetime | None = None) -> list[Holder]:
        """
        List who holds entitlements of *tier*, soonest end first and what nothing gives before that.

        Args:
            tier: Exactly this tier.
            at: An instant in the past (aware); None for now.

        Raises:
            NotFound: If *at* is still to come: nothing was observed then.
        """
        keys = [e.key for e in self.rulebook.catalogue.entitlements.values() if e.tier is tier]
        now = self.clock.now()
        if at is not None and at > now:
            raise NotFound(f"{at.isoformat()} is still to come; lifecycle plan says what changes until then")
        with self.store.read() as unit:
            held = observations.held_at(unit, keys, at)
            owners = {h.identity_id for h in held if h.identity_id is not None}
            standings = self.persons.standings(unit, owners, at or now, until=at or now)
            persons = people.identities(unit, owners)
        holders = []
        for h in held:
            entitlement = self.rulebook.catalogue.entitlements[h.entitlement]
            standing = standings.get(h.identity_id) if h.identity_id else None
            reasons = [r for r in standing.desired.reasons if r.entitlement == entitlement] if standing else []
            last = max(reasons, key=lambda r: r.until, default=None)
            contract = standing.contract if standing else None
            holders.append(
                Holder(
                    entitlement=entitlement.key,
                    title=entitlement.title,
                    target=h.target,
                    tier=entitlement.tier,
                    account=h.account_name,
                    identity=persons.get(h.identity_id) if h.identity_id else None,
                    vendor=contract.engagement.vendor if contract else "",
                    since=h.since,
                    until=h.until,
                    ends_at=last.until if last and at is None else None,
                    because=because(last) if last else "nothing gives it",
                    reason=last,
                )
            )
        return sorted(holders, key=lambda h: (h.ends_at or h.since, h.ends_at is not None, h.target, h.account))

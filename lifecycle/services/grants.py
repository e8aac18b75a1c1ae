"""Approved grants: facts that desired access is computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import NotFound
from lifecycle.domain.grant import Grant, NothingLeftToGrant
from lifecycle.domain.identity import IdentityId
from lifecycle.services.clock import Clock
from lifecycle.services.rulebook import Rulebook
from lifecycle.store import people
from lifecycle.store.unit import Store


@dataclass
class Grants:
    """Records grants. Who may ask and who must approve is decided before this is called."""

    store: Store
    rulebook: Rulebook
    clock: Clock

    def record(self, grant: Grant, *, identity_id: IdentityId, actor: str) -> Grant:
        """
        Store an approved grant, cut to the contract that justifies it; god mode also to its last working day.

        Returns:
            The grant as stored.

        Raises:
            NotFound: If the engagement is not one of *identity_id*, or the entitlement is not listed.
            NothingLeftToGrant: If nothing is left of the interval.
        """
        entitlement = self.rulebook.entitlement(grant.entitlement)
        if entitlement is None:
            raise NotFound(f"there is no entitlement {grant.entitlement!r}")
        now = self.clock.now()
        with self.store.write() as unit:
            engagements = people.engagements_of(unit, [identity_id]).get(identity_id, [])
            own = {engagement.id: engagement for engagement in engagements}
            if grant.engagement_id not in own:
                raise NotFound("there is no such engagement of this person")
            timeline = self.rulebook.timeline(own[grant.engagement_id])
            limit = timeline.final_day_at if entitlement.tier is Tier.GOD else timeline.ends_at
            if min(grant.ends_at, limit) <= max(grant.starts_at, now):
                raise NothingLeftToGrant(f"{grant.entitlement} could be held until {limit.isoformat()} at the latest")
            cut = replace(grant, ends_at=min(grant.ends_at, limit))
            people.add_grant(unit, cut)
            people.make_due(unit, now, [identity_id])
            unit.audit(
                at=now,
                actor=actor,
                action="grant-recorded",
                object_=f"identity:{identity_id}",
                after={
                    "entitlement": cut.entitlement,
                    "starts_at": cut.starts_at.isoformat(),
                    "ends_at": cut.ends_at.isoformat(),
                    "reason": cut.reason,
                    "approved_by": list(cut.approved_by),
                },
                request=cut.request,
            )
        return cut

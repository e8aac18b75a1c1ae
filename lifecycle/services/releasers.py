"""Who may release a held roster, and whose word still counts: the two-person rule, with everybody as they stand now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from lifecycle.domain.approval import (
    TWO_PEOPLE,
    Kind,
    Request,
    Review,
    ReviewerUnfit,
    ReviewRefused,
    Verdict,
    check_reviewer,
    check_use,
)
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import Role
from lifecycle.services.parties import Parties, roles_of
from lifecycle.store import members, roster_items, roster_uploads
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.roster_tables import RosterUploadRow
from lifecycle.store.unit import Unit

IT = frozenset({Role.IT_OPERATOR, Role.IT_ADMINISTRATOR})
POOL = IT | {Role.HR}
"""Who may release: at least one of the two is IT."""
LONG = timedelta(days=365)


@dataclass
class Releasers:
    """Describes held rosters as requests. Every method works in the unit it is given."""

    parties: Parties

    def request(self, unit: Unit, row: RosterUploadRow) -> Request:
        """
        Describe a held roster for the two-person rule: asked by whoever sent, shaped and confirmed it.

        What was said by those who could not say it any more is left out, so that others can take their place.
        """
        vendors = frozenset(key_of(v) for v in roster_items.vendors_touched(unit, row.id))
        requester, *others = [self._hand(unit, id_) for id_ in hands_in(row)]
        for other in others:
            requester = replace(requester, keys=requester.keys | other.keys, said=requester.said | other.said)
        # a roster stands on its own: whoever sent it may have left since
        requester = replace(requester, active=True)
        beneficiary = Party(f"upload:{row.id}", "those who lose access", frozenset(), vendors=vendors, employee=False)
        request = Request(
            id=row.id, kind=Kind.NEW, requester=requester, beneficiary=beneficiary, entitlement="", asked=LONG,
            reason=row.note, approvals_needed=TWO_PEOPLE, god=False, created_at=row.received_at,
            expires_at=row.received_at + LONG, terms=row.digest,
        )  # fmt: skip
        for said in roster_uploads.reviews(unit, row.id):
            member = members.get(unit, said.member_id)
            # each beside those before it: two accounts may have turned out to be one person's
            if member is not None and said.digest == row.digest and not self.why_not(unit, request, member):
                reviewer = self.parties.of_member(unit, member)
                review = Review(reviewer, Verdict(said.verdict), said.at, said.note, terms=said.digest)
                request = replace(request, reviews=(*request.reviews, review))
        return request

    def _hand(self, unit: Unit, id_: str) -> Party:
        """Describe somebody who had a hand in a roster: a member, or a name that the trail knows."""
        member = members.get(unit, id_)
        if member is not None:
            return self.parties.of_member(unit, member)
        # whoever sits at the machine is called by their login there, which may be theirs here
        return Party(id_, id_, frozenset({id_}), frozenset({key_of(id_.partition(":")[2])} - {""}))

    def why_not(self, unit: Unit, request: Request, member: MemberRow) -> str:
        """Say why a member cannot review a held roster; empty if they can."""
        try:
            check_reviewer(request, self.parties.of_member(unit, member), in_pool=bool(roles_of(member) & POOL))
        except ReviewRefused as exc:
            return str(exc)
        return ""

    @staticmethod
    def check_it(unit: Unit, request: Request) -> None:
        """
        Refuse a release to which nobody of IT has agreed.

        Raises:
            ReviewerUnfit: If so.
        """
        found = members.by_ids(unit, [r.reviewer.id for r in request.approvals])
        if not any(roles_of(member) & IT for member in found.values()):
            raise ReviewerUnfit("At least one of the two must be IT.")

    def check_released(self, unit: Unit, row: RosterUploadRow) -> None:
        """
        Refuse to apply a held roster that those who stand today have not released.

        Raises:
            ReviewerUnfit: If fewer than two people's words count, or none of them is IT's.
            ApprovalVoid: If they may not release it together.
        """
        request = self.request(unit, row)
        if len(request.approvals) < TWO_PEOPLE:
            raise ReviewerUnfit("Whoever agreed may not agree any more; others have to.")
        check_use(request, [review.reviewer for review in request.approvals], row.digest)
        self.check_it(unit, request)

    def why_held(self, unit: Unit, row: RosterUploadRow) -> str:
        """Say what a held roster lacks to be applied; empty if two people have released it."""
        try:
            self.check_released(unit, row)
        except ReviewRefused as exc:
            return str(exc)
        return ""


def hands_in(row: RosterUploadRow) -> tuple[str, ...]:
    """Return who sent, confirmed and shaped an upload: ids of members, or as the trail names whoever is none."""
    return tuple(dict.fromkeys(id_ for id_ in (row.member_id or row.actor, row.confirmer_id, *row.shapers) if id_))

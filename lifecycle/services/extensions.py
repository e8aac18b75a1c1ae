"""Extensions that a roster brought and the sponsor had no part in: the sponsor is told, agrees, or asks access back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.access import Contract, gives_god
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import Identity
from lifecycle.domain.party import key_of
from lifecycle.domain.renewal import AnswerInvalid
from lifecycle.services.authorisation import About, Action, Actor, authorize
from lifecycle.services.casebook import Casebook
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import addresses_of
from lifecycle.store import people, state
from lifecycle.store.unit import Store, Unit

LISTED = 40
"""So many people one message names."""


@dataclass(frozen=True)
class Unagreed:
    """A contract that was extended without its sponsor's word, so that god mode keeps its earlier end."""

    engagement: Engagement
    identity: Identity
    god_ends_at: datetime


@dataclass
class Extensions:
    """Tells sponsors of extensions and takes their agreement."""

    store: Store
    casebook: Casebook
    notices: Notices

    def unagreed(self, actor: Actor) -> list[Unagreed]:
        """List the contracts under the actor's name whose extension they have not agreed to, first ends on top."""
        authorize(actor, Action.ANSWER_RENEWAL, About(sponsors=actor.keys))
        with self.store.read() as unit:
            found = people.unagreed(unit, actor.keys, self.casebook.clock.now().date())
            persons = people.identities(unit, {e.identity_id for e in found})
        return [
            Unagreed(e, persons[e.identity_id], e.measures.god_ends_at)
            for e in found
            if e.measures.god_ends_at is not None
        ]

    def agree(self, actor: Actor, engagement_id: str) -> None:
        """
        Let god mode follow the days that a roster has brought, as their sponsor.

        Raises:
            NotFound: If there is no such contract.
            NotPermitted: If the actor is not its sponsor.
            AnswerInvalid: If nothing is to be agreed to, or the contract is the actor's own.
        """
        now, parties = self.casebook.clock.now(), self.casebook.parties
        with self.store.write() as unit:
            identity_id = people.owner_of(unit, engagement_id)
            if not identity_id:
                raise NotFound("There is no such contract.")
            people.lock_identity(unit, identity_id)
            contract = next(c for c in parties.contracts(unit, identity_id) if c.engagement.id == engagement_id)
            sponsor = frozenset({key_of(contract.engagement.sponsor)} - {""})
            authorize(actor, Action.ANSWER_RENEWAL, About(f"engagement:{engagement_id}", sponsors=sponsor))
            person = parties.identity(unit, identity_id)
            if person is not None and parties.of_actor(unit, actor).is_same_as(parties.of_identity(unit, person)):
                raise AnswerInvalid("Nobody agrees to the extension of their own contract.")
            if contract.engagement.measures.god_ends_at is None:
                raise AnswerInvalid("There is nothing to agree to any more.")
            self.settle(unit, actor.trail_name, contract, now)

    def settle(self, unit: Unit, trail_name: str, contract: Contract, now: datetime, request: str = "") -> None:
        """
        Let god mode follow the contract's own days from now on, and record that its sponsor has agreed.

        Where god mode has ended already the baseline gives none any more: two people can.
        """
        engagement = contract.engagement
        ended_at = engagement.measures.god_ends_at
        if ended_at is None:
            return
        people.set_god_ends(unit, [engagement.id], None)
        taken = engagement.measures.god_ended(now) and gives_god(contract, self.casebook.rulebook.catalogue)
        if taken:
            people.withhold_god(unit, [engagement.identity_id])
        people.make_due(unit, now, [engagement.identity_id])
        state.nudge(unit)
        unit.audit(
            at=now, actor=trail_name, action="extension-agreed", object_=f"identity:{engagement.identity_id}",
            before={"god_ends_at": ended_at.isoformat()},
            after={
                "reference": engagement.reference, "last_day": engagement.last_day.isoformat(),
                "god_mode": "needs two people again" if taken else "follows the contract",
            },
            request=request,
        )  # fmt: skip

    def tell_unagreed(self, unit: Unit, engagement_ids: Collection[str], now: datetime) -> None:
        """Tell the sponsors of contracts that a roster has just extended without their word; one message each."""
        self._tell(
            unit, engagement_ids, now, "unagreed", "extended without your word",
            "Ordinary access follows the roster. God mode keeps its earlier end until you agree.", "/renewals",
        )  # fmt: skip

    def tell_lapsed(self, unit: Unit, engagement_ids: Collection[str], now: datetime) -> None:
        """Tell the sponsors of contracts that a roster has just extended after access had ended; one message each."""
        self._tell(
            unit, engagement_ids, now, "lapsed", "extended after access had ended",
            "Nothing was given back by itself. You can ask for the access back.", "/team",
        )  # fmt: skip

    def tell_god_ends(self, unit: Unit, engagement_ids: Collection[str], now: datetime) -> None:
        """Tell the sponsors of contracts that a roster would end sooner and does not, yet; one message each."""
        self._tell(
            unit, engagement_ids, now, "god-ends", "to end sooner, by a roster that is held or contradicts itself",
            "God mode ends as it says, and nothing else. Where it is wrong, you can agree to the days "
            "that stand.", "/renewals",
        )  # fmt: skip

    def _tell(
        self, unit: Unit, engagement_ids: Collection[str], now: datetime, kind: str, what: str, then: str, link: str
    ) -> None:
        found = people.engagements(unit, engagement_ids).values()
        persons = people.identities(unit, {e.identity_id for e in found})
        by_sponsor: dict[str, list[Engagement]] = defaultdict(list)
        for engagement in found:
            by_sponsor[key_of(engagement.sponsor)].append(engagement)
        for key, own in by_sponsor.items():
            lines = [f"{persons[e.identity_id].name}: to {e.last_day:%-d %b %Y}" for e in own[:LISTED]]
            more = [f"and {len(own) - LISTED} more"] if len(own) > LISTED else []
            several = len(own) > 1
            contracts = f"{len(own)} contracts under your name were" if several else "A contract under your name was"
            notice = Notice(
                Topic.EXTENSION,
                f"{contracts} {what}",
                "\n".join([then, *lines, *more]),
                link,
                f"sponsor:{key}",
                dedupe=f"{kind}:{key}:{now.isoformat()}",
            )
            self.notices.tell(unit, notice, addresses_of(unit, [key]) or list(self.notices.settings.hr), now)

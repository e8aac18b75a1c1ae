"""Does a contract go on? The sponsor is asked in time, HR gets the proposal, and no answer means that it lapses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lifecycle.domain.access import Contract
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.party import key_of
from lifecycle.domain.renewal import Answer, AnswerInvalid
from lifecycle.services.authorisation import About, Action, Actor, authorize
from lifecycle.services.bridges import Bridges
from lifecycle.services.casebook import Casebook
from lifecycle.services.extensions import Extensions
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import addresses_of
from lifecycle.store import decisions, people
from lifecycle.store.request_tables import RenewalRow
from lifecycle.store.tables import EngagementRow
from lifecycle.store.unit import Store, Unit

ASKED_DAYS = 30
REMINDED_DAYS = (30, 14, 7, 1)
AT_ONCE = 5000
LONGEST_EXTENSION = timedelta(days=366)
LONGEST_NOTE = 500
SHOWN = 200
LISTED = 40
"""So many people one message names."""


@dataclass(frozen=True)
class Question:
    """One renewal question with what it is about."""

    row: RenewalRow
    engagement: EngagementRow
    name: str

    @property
    def confirmed(self) -> bool:
        """Whether a roster has confirmed the extension."""
        return self.row.answer == Answer.EXTEND.value and self.engagement.last_day > self.row.last_day

    def days_left(self, now: datetime) -> int:
        """Count the days from *now* (aware) to the last day, where the work is done; negative on a bridge."""
        return (self.row.last_day - now.astimezone(ZoneInfo(self.engagement.zone)).date()).days


@dataclass
class Renewals:
    """Asks, reminds, takes answers."""

    store: Store
    casebook: Casebook
    bridges: Bridges
    extensions: Extensions
    notices: Notices

    def questions(self, actor: Actor) -> list[Question]:
        """List the questions to the actor about contracts whose access has not ended, soonest ends first."""
        authorize(actor, Action.ANSWER_RENEWAL, About(sponsors=actor.keys))
        with self.store.read() as unit:
            return self._open(unit, actor)[:SHOWN]

    def proposals(self, actor: Actor) -> list[Question]:
        """List what sponsors propose to HR."""
        authorize(actor, Action.SEE_PROPOSALS)
        with self.store.read() as unit:
            return [Question(*found) for found in decisions.proposals(unit)]

    def count(self, actor: Actor) -> int:
        """Count the actor's unanswered questions."""
        with self.store.read() as unit:
            return sum(not question.row.answer for question in self._open(unit, actor))

    def _open(self, unit: Unit, actor: Actor) -> list[Question]:
        now = self.casebook.clock.now()
        since = now.date() - timedelta(days=1)  # it is still that day somewhere
        found = [Question(*asked) for asked in decisions.questions_for(unit, actor.keys, since, AT_ONCE)]
        contracts = people.engagements(unit, {question.engagement.id for question in found})
        ends = {str(key): self.casebook.rulebook.timeline(contract).ends_at for key, contract in contracts.items()}
        return [question for question in found if ends[question.engagement.id] > now]

    def answer(
        self,
        actor: Actor,
        renewal_id: int,
        answer: Answer,
        *,
        proposed_day: date | None = None,
        bridge_until: date | None = None,
        note: str = "",
    ) -> str:
        """
        Take the sponsor's answer; an extension goes to HR and changes nothing until a roster confirms it.

        Whoever wants it to go on agrees to the days it has: god mode follows them where it kept an earlier end.

        Args:
            actor: The sponsor.
            renewal_id: Which question.
            answer: What they say.
            proposed_day: New last day (inclusive), for an extension.
            bridge_until: Ask two people to let ordinary access go on to this day (inclusive) meanwhile.
            note: For HR and the trail.

        Returns:
            Id of the request for a bridge; empty without one.

        Raises:
            AnswerInvalid: If the days do not fit, the note is too long, or the contract has ended or changed.
            NotPermitted: If the actor is not the sponsor.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            row = decisions.renewal(unit, renewal_id)
            identity_id = people.owner_of(unit, row.engagement_id) if row else ""
            if row is None or not identity_id:
                raise NotFound("There is no such question.")
            people.lock_identity(unit, identity_id)  # no approval of a bridge comes in between
            authorize(actor, Action.ANSWER_RENEWAL, self._about(unit, row))
            contract = self._current(unit, identity_id, row, now)
            _check_days(row, answer, proposed_day)
            if len(note.strip()) > LONGEST_NOTE:
                raise AnswerInvalid(f"Nothing was kept: the note has {LONGEST_NOTE} characters at the most.")
            row.note = note.strip()
            self._take(unit, actor, row, identity_id, answer, proposed_day, now)
            if answer is Answer.EXTEND:
                self.extensions.settle(unit, actor.trail_name, contract, now)
            self.bridges.withdraw(unit, actor, row, identity_id, now)
            self._tell_hr(unit, row, identity_id, answer, actor, now)
            if bridge_until is None or answer is not Answer.EXTEND:
                return ""
            return self.bridges.ask(unit, actor, row, identity_id, bridge_until, now)

    @staticmethod
    def _take(
        unit: Unit,
        actor: Actor,
        row: RenewalRow,
        identity_id: str,
        answer: Answer,
        proposed: date | None,
        now: datetime,
    ) -> None:
        """Store and record an answer; what HR has noted about an earlier one is void."""
        row.answer, row.proposed_day = answer.value, proposed if answer is Answer.EXTEND else None
        row.answered_by, row.answered_at = actor.id, now
        row.handled_by, row.handled_at = "", None
        unit.session.add(row)
        unit.audit(
            at=now, actor=actor.trail_name, action="renewal-answered", object_=f"identity:{identity_id}",
            before={"last_day": row.last_day.isoformat()},
            after={
                "answer": answer.value, "note": row.note,
                "proposed_day": row.proposed_day.isoformat() if row.proposed_day else "",
            },
        )  # fmt: skip

    def _about(self, unit: Unit, row: RenewalRow) -> About:
        engagement = unit.session.get(EngagementRow, row.engagement_id)
        return About(f"renewal:{row.id}", sponsors=frozenset({engagement.sponsor_key} if engagement else set()))

    def _current(self, unit: Unit, identity_id: str, row: RenewalRow, now: datetime) -> Contract:
        contracts = self.casebook.parties.contracts(unit, identity_id)
        found = next((c for c in contracts if c.engagement.id == row.engagement_id), None)
        if found is None or found.engagement.last_day != row.last_day:
            raise AnswerInvalid("The roster has changed this contract since; the question is settled.")
        if found.timeline.ends_at <= now:
            raise AnswerInvalid("The contract has ended; a new roster is needed.")
        return found

    def _tell_hr(
        self, unit: Unit, row: RenewalRow, identity_id: str, answer: Answer, actor: Actor, now: datetime
    ) -> None:
        if answer is Answer.LAPSE:
            return
        person = people.identities(unit, [identity_id])[IdentityId(identity_id)]
        words = f"extend to {row.proposed_day}" if answer is Answer.EXTEND else "convert to employee"
        notice = Notice(
            Topic.PROPOSAL, f"{actor.name} proposes to {words}: {person.name}", row.note or "No note.", "/proposals",
            f"renewal:{row.id}",
        )  # fmt: skip
        self.notices.tell(unit, notice, self.notices.settings.hr, now)

    def handle(self, actor: Actor, renewal_id: int) -> None:
        """
        Note that HR has taken a proposal up; it takes effect with the roster that carries it.

        Raises:
            NotPermitted, NotFound: If the actor is not HR, or there is no open proposal.
        """
        authorize(actor, Action.SEE_PROPOSALS)
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            row = decisions.renewal(unit, renewal_id)
            if row is None or not row.answer or row.handled_at is not None:
                raise NotFound("There is no such open proposal.")
            row.handled_by, row.handled_at = actor.id, now
            unit.session.add(row)
            identity_id = people.owner_of(unit, row.engagement_id)
            unit.audit(
                at=now, actor=actor.trail_name, action="renewal-handled", object_=f"identity:{identity_id}",
                after={"answer": row.answer},
            )  # fmt: skip

    def run(self, now: datetime) -> int:
        """Ask about contracts that come near their end, and remind; one message for each sponsor and day."""
        today = now.date()
        with self.store.write() as unit:
            new = decisions.unasked(unit, today, today + timedelta(days=ASKED_DAYS), AT_ONCE)
            fresh = {
                "answer": "",
                "note": "",
                "answered_by": "",
                "handled_by": "",
                "told_days": 31,
                "worker_told_days": 31,
            }
            asked = ("engagement_id", "last_day", "sponsor_key")
            decisions.ask(
                unit,
                [
                    {**dict(zip(asked, (e.id, e.last_day, e.sponsor_key), strict=True)), "asked_at": now, **fresh}
                    for e in new
                ],
            )
            steps = [(days, today + timedelta(days=days)) for days in REMINDED_DAYS]
            due = decisions.to_be_told(unit, today, steps, AT_ONCE)
            self._remind(unit, due, today, now)
        return len(due)

    def _remind(self, unit: Unit, due: Collection[RenewalRow], today: date, now: datetime) -> None:
        found = people.engagements(unit, {row.engagement_id for row in due})
        contracts: dict[str, Engagement] = {str(key): engagement for key, engagement in found.items()}
        persons = people.identities(unit, {e.identity_id for e in contracts.values()})
        by_sponsor: dict[str, list[RenewalRow]] = defaultdict(list)
        by_step: dict[int, list[int]] = defaultdict(list)
        later: set[int] = set()
        for row in due:
            by_sponsor[key_of(contracts[row.engagement_id].sponsor)].append(row)
            left = (row.last_day - today).days
            by_step[min(days for days in REMINDED_DAYS if left <= days)].append(row.id or 0)
        for key, rows in by_sponsor.items():
            lines = [
                f"{persons[contracts[r.engagement_id].identity_id].name}: {r.last_day:%-d %b %Y}" for r in rows[:LISTED]
            ]
            more = f"\nand {len(rows) - LISTED} more" if len(rows) > LISTED else ""
            notice = Notice(
                Topic.RENEWAL,
                f"{len(rows)} contract{'s' if len(rows) > 1 else ''} under your name end soon: what is next?",
                "Extend, convert, or let lapse. Without an answer they lapse.\n" + "\n".join(lines) + more,
                "/renewals",
                f"sponsor:{key}",
                dedupe=f"{key}:{today.isoformat()}",
            )
            addresses = self._addresses(unit, key)
            if not self.notices.tell(unit, notice, addresses, now) and addresses:
                later |= {r.id or 0 for r in rows}  # one message a day: what came after it waits for the next
        for days, every in by_step.items():
            ids = [i for i in every if i not in later]
            for chunk in people.chunks(ids):
                decisions.told(unit, chunk, days)

    def _addresses(self, unit: Unit, key: str) -> list[str]:
        return addresses_of(unit, [key]) or list(self.notices.settings.hr)


def _check_days(row: RenewalRow, answer: Answer, proposed_day: date | None) -> None:
    if answer is not Answer.EXTEND:
        return
    if proposed_day is None or not row.last_day < proposed_day <= row.last_day + LONGEST_EXTENSION:
        raise AnswerInvalid(f"Propose a last day after {row.last_day:%-d %B %Y}, at most a year later.")

"""Last days as an iCalendar feed under a secret address, which its owner can take back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Calendar, Event
from sqlalchemy import select

from lifecycle.domain.engagement import Engagement
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import Identity
from lifecycle.services.authorisation import Action, Actor, authorize, may
from lifecycle.services.clock import Clock
from lifecycle.services.secrets import digest, new_token
from lifecycle.services.sessions import NotSignedIn, Sessions, actor_of
from lifecycle.store import members, people
from lifecycle.store.people_tables import CalendarFeedRow
from lifecycle.store.unit import Store

BEHIND, AHEAD = timedelta(days=31), timedelta(days=366)
MOST_EVENTS = 5000


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as its owner sees it; the address itself is shown once, when it is made."""

    id: str
    everybody: bool
    created_at: datetime


@dataclass
class Calendars:
    """Makes, serves and revokes feeds."""

    store: Store
    sessions: Sessions
    clock: Clock
    address: str
    wall: Callable[[], datetime]

    def list(self, actor: Actor) -> list[Feed]:
        """List the actor's own feeds."""
        table = CalendarFeedRow.__table__.c
        query = select(CalendarFeedRow).where(table.member_id == actor.id, table.revoked_at.is_(None))
        with self.store.read() as unit:
            rows = unit.session.scalars(query.order_by(table.created_at))
            return [Feed(row.id, bool(row.everybody), row.created_at) for row in rows]

    def make(self, actor: Actor, *, everybody: bool) -> str:
        """
        Make a feed of the actor's own contractors, or of everybody's last days.

        Returns:
            Its secret, the last part of its address.

        Raises:
            NotPermitted: If the actor may not see those people.
        """
        authorize(actor, Action.CALENDAR_OF_ALL if everybody else Action.CALENDAR_OF_TEAM)
        token, now = new_token(), self.wall()
        with self.store.write() as unit:
            row = CalendarFeedRow(
                id=str(uuid.uuid4()),
                member_id=actor.id,
                token_hash=digest(token),
                everybody=int(everybody),
                created_at=now,
            )
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="calendar-made", object_=f"member:{actor.id}",
                after={"everybody": everybody},
            )  # fmt: skip
        return token

    def revoke(self, actor: Actor, feed_id: str) -> None:
        """
        Take a feed back.

        Raises:
            NotFound: If it is not one of the actor's.
        """
        with self.store.write() as unit:
            row = unit.session.get(CalendarFeedRow, feed_id)
            if row is None or row.member_id != actor.id or row.revoked_at is not None:
                raise NotFound("There is no such calendar.")
            row.revoked_at = self.wall()
            unit.session.add(row)
            unit.audit(
                at=row.revoked_at, actor=actor.trail_name, action="calendar-revoked", object_=f"member:{actor.id}"
            )

    def read(self, token: str) -> bytes:
        """
        Return the feed under a secret address.

        Raises:
            NotFound: If there is none, it was taken back, or its owner may no longer see those people.
        """
        now = self.clock.now()
        table = CalendarFeedRow.__table__.c
        with self.store.read() as unit:
            row = unit.session.scalars(
                select(CalendarFeedRow).where(table.token_hash == digest(token), table.revoked_at.is_(None))
            ).one_or_none()
            member = members.get(unit, row.member_id) if row else None
            if row is None or member is None:
                raise NotFound("There is no such calendar.")
            try:
                self.sessions.check_active(unit, member)
            except NotSignedIn as exc:
                raise NotFound("There is no such calendar.") from exc
            actor = actor_of(member)
            if not may(actor, Action.CALENDAR_OF_ALL if row.everybody else Action.CALENDAR_OF_TEAM):
                raise NotFound("There is no such calendar.")
            first, last = (now - BEHIND).date(), (now + AHEAD).date()
            if row.everybody:
                found = people.ending_between(unit, first, last, MOST_EVENTS)
            else:
                found = people.engagements_sponsored_by(unit, actor.keys, first, last)[:MOST_EVENTS]
            persons = people.identities(unit, {e.identity_id for e in found})
        return self._calendar([(e, persons[e.identity_id]) for e in found], now)

    def _calendar(self, found: Sequence[tuple[Engagement, Identity]], now: datetime) -> bytes:
        calendar = Calendar()
        calendar.add("prodid", "-//Contractor lifecycle//Last days//EN")
        calendar.add("version", "2.0")
        calendar.add("method", "PUBLISH")
        calendar.add("name", "Last days")
        calendar.add("x-wr-calname", "Last days")
        for engagement, person in found:
            event = Event()
            event.add("uid", f"{engagement.id}@lifecycle")
            event.add("dtstamp", now)
            event.add("dtstart", engagement.last_day)
            event.add("dtend", engagement.last_day + timedelta(days=1))
            event.add("summary", f"Last day: {person.name} ({engagement.vendor})")
            event.add("description", f"Contract {engagement.reference}, {engagement.role}. Times in {engagement.zone}.")
            event.add("url", f"{self.address}/people/{person.id}")
            event.add("transp", "TRANSPARENT")
            calendar.add_component(event)
        return bytes(calendar.to_ical())

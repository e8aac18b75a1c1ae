"""Sessions of signed-in browsers: opened, recognised, renewed at every step-up, listed and ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import OperationalError

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.services.authorisation import Actor
from lifecycle.services.clock import wall_clock
from lifecycle.services.parties import Parties, keys_of, roles_of
from lifecycle.services.secrets import digest, new_token
from lifecycle.store import members
from lifecycle.store.people_tables import MemberRow, SessionRow
from lifecycle.store.unit import Store, Unit

LONGEST_AGENT = 200
KEPT = timedelta(days=30)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When somebody who has shown nothing yet is taken to have done so."""


class NotSignedIn(LifecycleError):
    """Who asks is not known, or no longer."""

    code = "not-signed-in"


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it."""

    id: str
    method: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    current: bool


@dataclass
class Sessions:
    """
    The session table.

    Limits are counted on the wall clock: a demo's clock must not end anybody's session. Whether somebody's own
    contract has ended is asked of the product's clock, at every request.
    """

    store: Store
    parties: Parties
    idle: timedelta
    longest: timedelta
    wall: Callable[[], datetime] = wall_clock

    def open(
        self, unit: Unit, member: MemberRow, method: str, browser: Browser, *, proven_at: datetime | None = None
    ) -> str:
        """
        Open a session in *unit* and record it.

        Args:
            unit: The transaction of the sign-in.
            member: Who signs in.
            method: How, for people to read.
            browser: Where from.
            proven_at: When they showed who they are; None for now. Whoever has a passkey has not shown it yet.

        Returns:
            The token; only its digest is stored.

        Raises:
            NotSignedIn: If the member is disabled, or their own contract has ended.
        """
        self.check_active(unit, member)
        now, token = self.wall(), new_token()
        authenticated_at = LONG_AGO if members.has_passkey(unit, member.id) else min(now, proven_at or now)
        unit.session.add(
            SessionRow(
                token_hash=digest(token),
                id=str(uuid.uuid4()),
                member_id=member.id,
                method=method,
                address=browser.address,
                agent=browser.agent[:LONGEST_AGENT],
                created_at=now,
                seen_at=now,
                authenticated_at=authenticated_at,
            )
        )
        member.seen_at = now
        unit.session.add(member)
        unit.audit(
            at=now, actor=f"member:{member.login}", action="signed-in", object_=f"member:{member.id}",
            after={"method": method, "address": browser.address},
        )  # fmt: skip
        return token

    def check_active(self, unit: Unit, member: MemberRow) -> None:
        """
        Refuse whoever may no longer sign in.

        Raises:
            NotSignedIn: If the member is disabled, or their own contract or access has ended.
        """
        if member.disabled_at is not None:
            raise NotSignedIn("This account is disabled here.")
        known = self.parties.on_roster(unit, member)
        if known:
            self._check_contracts(unit, [identity.id for identity in known])

    def _check_contracts(self, unit: Unit, identity_ids: list[str]) -> None:
        """Refuse unless a contract runs, or the first is still to begin; between two contracts nobody comes in."""
        now = self.parties.clock.now()
        contracts = [c for own in self.parties.contracts_of(unit, identity_ids).values() for c in own]
        if any(c.live_at(now) for c in contracts) or not any(c.over_at(now) for c in contracts):
            return
        if any(now < c.timeline.ends_at and c.engagement.measures.cut_off(now) for c in contracts):
            raise NotSignedIn("Your access here was ended; your sponsor or IT can tell you more.")
        if any(c.has_lapsed_at(now) for c in contracts):
            raise NotSignedIn("Your contract was extended after access had ended; your sponsor can ask for it back.")
        raise NotSignedIn("Your contract has ended, and your access here with it.")

    def actor(self, token: str, *, touch: bool = True) -> Actor:
        """
        Say who holds *token*, and keep the session alive unless *touch* is false: a page that asks by itself.

        Raises:
            NotSignedIn: No such session, ended, idle or open for too long, the member disabled or their contract over.
        """
        now = self.wall()
        with self.store.read() as unit:
            session = members.session(unit, digest(token)) if token else None
            member = members.get(unit, session.member_id) if session else None
            if session is None or member is None or session.ended_at is not None:
                raise NotSignedIn("Please sign in.")
            if now - session.seen_at > self.idle or now - session.created_at > self.longest:
                raise NotSignedIn("Your session has ended. Please sign in again.")
            self.check_active(unit, member)
        if touch and now - session.seen_at > self.idle / 10:
            # a full disk costs the note of it, and not the page
            with suppress(OperationalError), self.store.write() as unit:
                members.change_session(unit, session.token_hash, seen_at=now)
        return actor_of(member, session.authenticated_at)

    def renew(self, token: str) -> str:
        """
        Replace *token* after its owner has shown who they are, so that an older copy of it is worth nothing.

        Returns:
            The new token.
        """
        now, fresh = self.wall(), new_token()
        with self.store.write() as unit:
            session = members.session(unit, digest(token))
            if session is None or session.ended_at is not None:
                raise NotSignedIn("Please sign in.")
            values = {"authenticated_at": now, "seen_at": now, "challenge": "", "token_hash": digest(fresh)}
            members.change_session(unit, digest(token), **values)
            member = members.get(unit, session.member_id)
            login = member.login if member else ""
            unit.audit(
                at=now, actor=f"member:{login}", action="identity-confirmed", object_=f"member:{session.member_id}"
            )
        return fresh

    def list(self, actor: Actor, token: str) -> list[OpenSession]:
        """List the actor's own sessions that have not ended, latest first."""
        now, own = self.wall(), digest(token)
        with self.store.read() as unit:
            found = members.sessions_of(unit, actor.id)
        return [
            OpenSession(s.id, s.method, s.address, s.agent, s.created_at, s.seen_at, s.token_hash == own)
            for s in found
            if now - s.seen_at <= self.idle and now - s.created_at <= self.longest
        ]

    def end(self, token: str) -> None:
        """End a session; one that is not there has ended already."""
        with self.store.write() as unit:
            session = members.session(unit, digest(token)) if token else None
            member = members.get(unit, session.member_id) if session and session.ended_at is None else None
            if member is None:
                return
            members.change_session(unit, digest(token), ended_at=self.wall())
            unit.audit(
                at=self.wall(), actor=f"member:{member.login}", action="signed-out", object_=f"member:{member.id}"
            )

    def prune(self, unit: Unit) -> None:
        """Forget sessions that ended, or that nobody has used, a month ago."""
        members.forget_sessions(unit, self.wall() - KEPT)

    def end_one(self, actor: Actor, session_id: str) -> None:
        """
        End one of the actor's own sessions.

        Raises:
            NotFound: If it is not theirs, or has ended.
        """
        with self.store.write() as unit:
            if not members.end_sessions(unit, self.wall(), member_ids=[actor.id], session_id=session_id):
                raise NotFound("There is no such session, or it has ended already.")
            unit.audit(at=self.wall(), actor=actor.trail_name, action="session-ended", object_=f"member:{actor.id}")

    def end_others(self, actor: Actor, token: str) -> int:
        """End the actor's other sessions and return how many there were."""
        with self.store.write() as unit:
            ended = members.end_sessions(unit, self.wall(), member_ids=[actor.id], but=digest(token))
            if ended:
                unit.audit(
                    at=self.wall(), actor=actor.trail_name, action="sessions-ended", object_=f"member:{actor.id}",
                    after={"count": ended},
                )  # fmt: skip
        return ended


def actor_of(member: MemberRow, authenticated_at: datetime | None = None) -> Actor:
    """Describe a member as the one who acts."""
    return Actor(
        id=member.id,
        login=member.login,
        name=member.name or member.login,
        roles=roles_of(member),
        keys=keys_of(member),
        identity_id=member.identity_id or "",
        authenticated_at=authenticated_at,
    )

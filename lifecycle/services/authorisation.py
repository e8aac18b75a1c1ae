"""The one place that decides what an actor may do. It raises; it never returns something to be tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from lifecycle.domain.errors import LifecycleError, NotPermitted
from lifecycle.domain.role import Role

FRESH = timedelta(minutes=5)
"""What can do great harm needs an authentication younger than this."""


class StepUpNeeded(LifecycleError):
    """Permitted, but first the actor must show again who they are."""

    code = "step-up-needed"


class Action(StrEnum):
    """What can be done here."""

    SEE_DASHBOARD = "see-dashboard"
    RETRY_TARGET = "retry-target"
    MOVE_CLOCK = "move-clock"
    SEARCH_PEOPLE = "search-people"
    SEE_PERSON = "see-person"
    SEE_TEAM = "see-team"
    SEE_OWN_ACCESS = "see-own-access"
    REPORT_MISTAKE = "report-mistake"
    ASK = "ask"
    SEE_REQUESTS = "see-requests"
    SEE_REQUEST = "see-request"
    REVIEW = "review"
    CHANGE_REQUEST = "change-request"
    ACTIVATE = "activate"
    END_GRANT = "end-grant"
    ANSWER_RENEWAL = "answer-renewal"
    SEE_PROPOSALS = "see-proposals"
    REVOKE_NOW = "revoke-now"
    UNDO_REVOKE = "undo-revoke"
    HAND_OVER = "hand-over"
    SEE_TRAIL = "see-trail"
    MANAGE_MEMBERS = "manage-members"
    MANAGE_TOKENS = "manage-tokens"
    OWN_ACCOUNT = "own-account"
    CALENDAR_OF_TEAM = "calendar-of-team"
    CALENDAR_OF_ALL = "calendar-of-all"
    READ_ACCESS = "read-access"
    READ_REQUESTS = "read-requests"
    READ_TRAIL = "read-trail"
    PUSH_ROSTER = "push-roster"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is doing it: a member who has signed in, or another program with a token."""

    id: str
    login: str
    name: str
    roles: frozenset[Role] = frozenset()
    keys: frozenset[str] = frozenset()
    """What this person is known by, see `lifecycle.domain.party.key_of`."""
    identity_id: str = ""
    """Set for whoever is here on a contract."""
    authenticated_at: datetime | None = None
    """When they last showed who they are; wall time, UTC."""
    scopes: frozenset[str] = frozenset()
    """What a token may do; empty for people."""
    kind: str = "member"
    """``member``, ``token``, or ``cli`` for whoever sits at the machine itself."""

    @property
    def trail_name(self) -> str:
        """How the trail names this actor."""
        return f"{self.kind}:{self.login}"


@dataclass(frozen=True, slots=True)
class About:
    """What is acted on, as far as authorisation looks at it."""

    name: str = ""
    identity_id: str = ""
    sponsors: frozenset[str] = frozenset()
    """Keys of those who answer for this person now."""
    parties: frozenset[str] = frozenset()
    """Keys of those who are directly concerned, such as the requester and the reviewers of a request."""
    sponsors_to_be: frozenset[str] = frozenset()
    """Keys of the sponsors of contracts that are still to begin: they look, and decide nothing yet."""


NOTHING = About()


class Reach(Enum):
    """Whose things a role may act on."""

    ALL = "all"
    TEAM = "team"
    """People whom the actor sponsors."""
    TEAM_TO_BE = "team-to-be"
    """People whom the actor sponsors, or will."""
    SELF = "self"
    PARTY = "party"
    """What the actor is directly concerned with."""


_WITHIN: dict[Reach, Callable[[Actor, About], bool]] = {
    Reach.ALL: lambda _, __: True,
    Reach.TEAM: lambda actor, about: bool(actor.keys & about.sponsors),
    Reach.TEAM_TO_BE: lambda actor, about: bool(actor.keys & (about.sponsors | about.sponsors_to_be)),
    Reach.SELF: lambda actor, about: bool(actor.identity_id) and actor.identity_id == about.identity_id,
    Reach.PARTY: lambda actor, about: bool(actor.keys & about.parties),
}

_IT = {Role.IT_OPERATOR: Reach.ALL, Role.IT_ADMINISTRATOR: Reach.ALL}
_ADMINISTRATOR = {Role.IT_ADMINISTRATOR: Reach.ALL}
_STAFF = {**_IT, Role.HR: Reach.ALL, Role.AUDITOR: Reach.ALL}
_EVERYBODY = dict.fromkeys(Role, Reach.ALL)
_SPONSOR_OR_SELF = {Role.MANAGER: Reach.TEAM, Role.CONTRACTOR: Reach.SELF}

PERMITTED: dict[Action, dict[Role, Reach]] = {
    Action.SEE_DASHBOARD: {**_IT, Role.AUDITOR: Reach.ALL},
    Action.RETRY_TARGET: _IT,
    Action.MOVE_CLOCK: _IT,
    Action.SEARCH_PEOPLE: _STAFF,
    Action.SEE_PERSON: {**_STAFF, Role.MANAGER: Reach.TEAM_TO_BE},
    Action.SEE_TEAM: {Role.MANAGER: Reach.ALL},
    Action.SEE_OWN_ACCESS: {Role.CONTRACTOR: Reach.SELF},
    Action.REPORT_MISTAKE: {Role.CONTRACTOR: Reach.SELF},
    Action.ASK: _SPONSOR_OR_SELF,
    Action.SEE_REQUESTS: _EVERYBODY,
    Action.SEE_REQUEST: {
        **_STAFF,
        Role.MANAGER: Reach.PARTY,
        Role.CONTRACTOR: Reach.PARTY,
    },
    # Who may review this very request is decided by the rules of `lifecycle.domain.approval`.
    Action.REVIEW: {**_IT, Role.HR: Reach.ALL, Role.MANAGER: Reach.PARTY, Role.CONTRACTOR: Reach.PARTY},
    Action.CHANGE_REQUEST: {**dict.fromkeys(Role, Reach.PARTY)},
    Action.ACTIVATE: _SPONSOR_OR_SELF,
    Action.END_GRANT: {**_IT, **_SPONSOR_OR_SELF},
    Action.ANSWER_RENEWAL: {Role.MANAGER: Reach.TEAM},
    Action.SEE_PROPOSALS: {Role.HR: Reach.ALL},
    Action.REVOKE_NOW: {**_IT, Role.HR: Reach.ALL, Role.MANAGER: Reach.TEAM},
    Action.UNDO_REVOKE: {**_IT, Role.HR: Reach.ALL, Role.MANAGER: Reach.TEAM},
    Action.HAND_OVER: _SPONSOR_OR_SELF,
    Action.SEE_TRAIL: {**_ADMINISTRATOR, Role.AUDITOR: Reach.ALL},
    Action.MANAGE_MEMBERS: _ADMINISTRATOR,
    Action.MANAGE_TOKENS: _ADMINISTRATOR,
    Action.OWN_ACCOUNT: _EVERYBODY,
    Action.CALENDAR_OF_TEAM: {Role.MANAGER: Reach.ALL},
    Action.CALENDAR_OF_ALL: {**_IT, Role.HR: Reach.ALL},
    Action.READ_ACCESS: {},
    Action.READ_REQUESTS: {},
    Action.READ_TRAIL: {},
    Action.PUSH_ROSTER: {},
}

SCOPES: dict[str, Action] = {
    "access:read": Action.READ_ACCESS,
    "requests:read": Action.READ_REQUESTS,
    "trail:read": Action.READ_TRAIL,
    "hr:push": Action.PUSH_ROSTER,
}
"""What a token can be made for."""


def authorize(actor: Actor, action: Action, about: About = NOTHING) -> None:
    """
    Let *actor* do *action* to what *about* describes, or refuse.

    Raises:
        NotPermitted: If no role of the actor, or no scope of the token, reaches so far.
    """
    if any(SCOPES[scope] is action for scope in actor.scopes if scope in SCOPES):
        return
    reaches = PERMITTED[action]
    if any(role in reaches and _WITHIN[reaches[role]](actor, about) for role in actor.roles):
        return
    what = action.value.replace("-", " ")
    hats = ", ".join(sorted(role.label for role in actor.roles)) or (
        "this token" if actor.kind == "token" else "without a role"
    )
    raise NotPermitted(f"You ({hats}) may not {what}{' here' if about.name else ''}.")


def may(actor: Actor, action: Action, about: About = NOTHING) -> bool:
    """Say whether a page should offer *action*; the use case itself asks `authorize`."""
    try:
        authorize(actor, action, about)
    except NotPermitted:
        return False
    return True


def check_fresh(actor: Actor, wall: datetime) -> None:
    """
    Refuse what needs an authentication younger than five minutes.

    Raises:
        StepUpNeeded: If the last one is older; *wall* is the wall clock, UTC.
    """
    if actor.authenticated_at is None or wall - actor.authenticated_at >= FRESH:
        raise StepUpNeeded("Please confirm that it is you: this needs a sign-in younger than five minutes.")

"""What views may call, handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import current_app, g, request

from lifecycle.domain.role import Role
from lifecycle.services.activation import Activation
from lifecycle.services.authorisation import NOTHING, About, Action, Actor, authorize, may
from lifecycle.services.batches import Batches
from lifecycle.services.calendars import Calendars
from lifecycle.services.clock import Clock
from lifecycle.services.confirmation import Confirmations
from lifecycle.services.cutoff import CutOffs
from lifecycle.services.engine import Engine
from lifecycle.services.extensions import Extensions
from lifecycle.services.holders import Holders
from lifecycle.services.imports import Imports
from lifecycle.services.inbox import Inbox
from lifecycle.services.intake import Intake
from lifecycle.services.membership import Membership
from lifecycle.services.oidc import Oidc
from lifecycle.services.overview import Overview
from lifecycle.services.parties import Parties
from lifecycle.services.passkeys import Passkeys
from lifecycle.services.persons import Persons
from lifecycle.services.proposals import Proposals
from lifecycle.services.renewals import Renewals
from lifecycle.services.requests import Requests
from lifecycle.services.resumptions import Resumptions
from lifecycle.services.reviews import Reviews
from lifecycle.services.sessions import Sessions
from lifecycle.services.signin import SignIn
from lifecycle.services.sources import Sources
from lifecycle.services.targets import Targets
from lifecycle.services.team import Team
from lifecycle.services.tokens import ServiceTokens
from lifecycle.services.trail import Trail
from lifecycle.services.trail_search import TrailSearch
from lifecycle.services.uploads import Uploads
from lifecycle.settings import Settings
from lifecycle.store.unit import Store
from lifecycle.web.once import OnceShown

KEY = "lifecycle"
QUIET = frozenset({"it.live", "cutoff.live", "rosters.live"})
"""Endpoints that pages ask by themselves."""


@dataclass(frozen=True)
class WebServices:
    """The use cases behind the pages."""

    settings: Settings
    sessions: Sessions
    sign_in: SignIn
    oidc: Oidc | None
    passkeys: Passkeys
    tokens: ServiceTokens
    membership: Membership
    overview: Overview
    persons: Persons
    parties: Parties
    holders: Holders
    proposals: Proposals
    requests: Requests
    reviews: Reviews
    inbox: Inbox
    activation: Activation
    cut_offs: CutOffs
    renewals: Renewals
    extensions: Extensions
    resumptions: Resumptions
    team: Team
    calendars: Calendars
    targets: Targets
    uploads: Uploads
    intake: Intake
    confirmations: Confirmations
    batches: Batches
    sources: Sources
    imports: Imports
    trail: Trail
    trail_search: TrailSearch
    engine: Engine
    clock: Clock
    store: Store
    scheduler: bool
    """Whether this process also ticks, so that a moved clock acts at once."""
    once: OnceShown = field(default_factory=OnceShown)


def services() -> WebServices:
    """Return the use cases of the running application."""
    return cast("WebServices", current_app.extensions[KEY])


def signed_in() -> Actor:
    """
    Return who asks.

    Raises:
        NotSignedIn: If nobody is signed in.
    """
    if g.get("actor") is None:
        # a page that asks by itself keeps nobody's session alive
        g.actor = services().sessions.actor(g.token, touch=request.endpoint not in QUIET)
    return cast("Actor", g.actor)


def permitted(action: Action, about: About = NOTHING) -> Actor:
    """
    Return who asks, if they may.

    Raises:
        NotSignedIn: If nobody is signed in.
        NotPermitted: If they may not.
    """
    actor = signed_in()
    authorize(actor, action, about)
    return actor


def about(identity_id: str) -> About:
    """Describe somebody on the roster for authorisation."""
    with services().store.read() as unit:
        return services().parties.about(unit, identity_id)


START: dict[Role, str] = {
    Role.IT_ADMINISTRATOR: "it.dashboard",
    Role.IT_OPERATOR: "it.dashboard",
    Role.MANAGER: "team.index",
    Role.HR: "people.index",
    Role.AUDITOR: "trail.index",
    Role.CONTRACTOR: "contractor.my_access",
}
"""Where each role begins, the first that fits."""


def start_of(actor: Actor) -> str:
    """Name the page on which *actor* begins; their own account where nothing else is for them."""
    return next((page for role, page in START.items() if role in actor.roles), "account.show")


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    id: str
    words: str
    icon: str
    page: str


def places(actor: Actor) -> list[Place]:
    """List the pages that are for *actor*."""
    offered = [
        (Action.SEE_DASHBOARD, Place("dashboard", "Right now", "layout-dashboard", "it.dashboard")),
        (Action.SEE_OWN_ACCESS, Place("my-access", "My access", "key-round", "contractor.my_access")),
        (Action.SEE_TEAM, Place("team", "My team", "users", "team.index")),
        (Action.SEARCH_PEOPLE, Place("people", "People", "users", "people.index")),
        (Action.SEE_REQUESTS, Place("requests", "Requests", "inbox", "requests.index")),
        (Action.SEE_TEAM, Place("renewals", "Renewals", "calendar-days", "renewals.index")),
        (Action.SEE_ROSTERS, Place("rosters", "Rosters", "upload", "rosters.index")),
        (Action.SEE_PROPOSALS, Place("proposals", "Proposals", "calendar-days", "renewals.proposals")),
        (Action.SEE_TRAIL, Place("trail", "Trail", "scroll-text", "trail.index")),
        (Action.MANAGE_MEMBERS, Place("members", "Members", "lock", "members.index")),
        (Action.MANAGE_TOKENS, Place("tokens", "Tokens", "plug", "members.tokens")),
    ]
    own = About(identity_id=actor.identity_id)
    return [place for action, place in offered if may(actor, action, own)]

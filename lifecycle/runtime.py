"""Composition: the configuration becomes a store, a clock, targets, an engine and the use cases around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import make_url

from connectors import registry
from connectors.base import Connector
from lifecycle.domain.approval import Kind
from lifecycle.domain.errors import InvalidSettings
from lifecycle.services.activation import Activation
from lifecycle.services.arrivals import Arrivals
from lifecycle.services.batches import Batches
from lifecycle.services.bridges import Bridges
from lifecycle.services.calendars import Calendars
from lifecycle.services.calls import Calls
from lifecycle.services.casebook import Casebook
from lifecycle.services.chats import Chats
from lifecycle.services.claims import Claims
from lifecycle.services.clock import Clock, ManualClock, TrustedClock
from lifecycle.services.confirmation import Confirmations
from lifecycle.services.cutoff import CutOffs
from lifecycle.services.deliveries import Deliveries
from lifecycle.services.delivery import Channel, Delivery
from lifecycle.services.directory import Directory
from lifecycle.services.engine import Engine
from lifecycle.services.extensions import Extensions
from lifecycle.services.files import RosterFiles
from lifecycle.services.first_sight import FirstSight
from lifecycle.services.guarding import Guard
from lifecycle.services.holders import Holders
from lifecycle.services.hooks import Hooks
from lifecycle.services.housekeeping import Housekeeping
from lifecycle.services.imports import Imports
from lifecycle.services.inbox import Inbox
from lifecycle.services.intake import Intake
from lifecycle.services.layouts import Layouts
from lifecycle.services.leadership import Leadership
from lifecycle.services.mail import Mail
from lifecycle.services.membership import Membership
from lifecycle.services.notices import CHAT, HOOK, MAIL, Notices
from lifecycle.services.oidc import Oidc
from lifecycle.services.overview import Overview
from lifecycle.services.parties import Parties
from lifecycle.services.passkeys import Passkeys
from lifecycle.services.persons import Persons
from lifecycle.services.proposals import Proposals
from lifecycle.services.provisioning import Provisioner
from lifecycle.services.push import Pushes
from lifecycle.services.push_handing import Handing
from lifecycle.services.reconcile import Reconciler
from lifecycle.services.releasers import Releasers
from lifecycle.services.renewals import Renewals
from lifecycle.services.requests import Requests
from lifecycle.services.resumptions import Resumptions
from lifecycle.services.reviewers import Reviewers
from lifecycle.services.reviews import Reviews
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sessions import Sessions
from lifecycle.services.signin import SignIn
from lifecycle.services.sources import Sources
from lifecycle.services.sponsors import Sponsors
from lifecycle.services.targets import Target, Targets
from lifecycle.services.team import Team
from lifecycle.services.tidying import Tidying
from lifecycle.services.tokens import ServiceTokens
from lifecycle.services.trail import Trail
from lifecycle.services.trail_search import TrailSearch
from lifecycle.services.uploads import Uploads
from lifecycle.services.visits import Visits
from lifecycle.services.windows import Windows
from lifecycle.settings import Settings, TargetSettings, load
from lifecycle.store import schema, state
from lifecycle.store.unit import Store


@dataclass
class Runtime:
    """Everything one process needs, made when first asked for."""

    settings: Settings
    connectors: dict[str, Callable[[], Connector]] = field(default_factory=dict)
    """Connectors to use in place of configured ones, for tests and simulations."""

    @classmethod
    def from_file(cls, path: Path) -> Runtime:
        """
        Read the configuration.

        Raises:
            InvalidSettings: Naming the file, the key and the reason.
        """
        return cls(load(path))

    @cached_property
    def store(self) -> Store:
        """The database, at this release's schema."""
        store = Store(self._store_url())
        schema.prepare(store)
        return store

    def _store_url(self) -> str:
        url = make_url(self.settings.store.url)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            url = url.set(database=str(self.settings.folder / url.database))
        if self.settings.store.password is not None:
            url = url.set(password=self.settings.store.password.read(self.settings.folder))
        return url.render_as_string(hide_password=False)

    @cached_property
    def clock(self) -> Clock:
        """The one clock."""
        if self.settings.clock.mode == "manual":
            return ManualClock(self.store)
        with self.store.read() as unit:
            watermark = state.get_instant(unit, state.WATERMARK)
        return TrustedClock(timedelta(seconds=self.settings.clock.largest_jump_seconds), watermark)

    @cached_property
    def rulebook(self) -> Rulebook:
        """Policy, catalogue, baseline and calendars."""
        return Rulebook(self.settings)

    @cached_property
    def targets(self) -> Targets:
        """The configured targets."""
        made = [self._target(name, settings) for name, settings in self.settings.targets.items()]
        return Targets(self.store, self.rulebook.catalogue, made, self.clock)

    def _target(self, name: str, settings: TargetSettings) -> Target:
        connect = self.connectors.get(name) or self._connect(name, settings)
        return Target(name, self.settings.title_of(name), settings.match, connect)

    def _connect(self, name: str, settings: TargetSettings) -> Callable[[], Connector]:
        folder = self.settings.folder
        options = settings.connector_options(folder)

        def connect() -> Connector:
            try:
                return registry.build(settings.connector, name, options, folder)
            except registry.BadOptions as exc:
                raise InvalidSettings(f"targets.{name}: {exc}") from exc

        connect()  # a mistake in the configuration stops the program at its start, not at the first revoke
        return connect

    @cached_property
    def leadership(self) -> Leadership:
        """This process's claim to lead."""
        return Leadership(self.store, self.settings.engine.leader_seconds)

    @cached_property
    def engine(self) -> Engine:
        """What ticks."""
        provisioner = Provisioner(
            store=self.store,
            targets=self.targets,
            rulebook=self.rulebook,
            settings=self.settings.engine,
            clock=self.clock,
            owner=self.leadership.owner,
            calls=Calls(self.store, self.targets),
        )
        return Engine(self.store, self.targets, self.rulebook, self.clock, self.leadership, provisioner)

    @cached_property
    def reconciler(self) -> Reconciler:
        """What reads targets back."""
        return Reconciler(self.store, self.targets, self.clock)

    @cached_property
    def roster_files(self) -> RosterFiles:
        """Where files of rosters are kept."""
        rosters = self.settings.rosters
        return RosterFiles(self.settings.folder / rosters.folder, rosters.largest_mib * 2**20)

    @cached_property
    def layouts(self) -> Layouts:
        """How files are laid out."""
        return Layouts(self.settings)

    @cached_property
    def uploads(self) -> Uploads:
        """Files on their way in."""
        return Uploads(self.store, self.roster_files, self.layouts, self.clock)

    @cached_property
    def intake(self) -> Intake:
        """Reading and comparing them."""
        return Intake(
            self.store,
            self.uploads,
            self.roster_files,
            self.layouts,
            self.rulebook,
            Sponsors(self.store),
            FirstSight(self.store, self.rulebook, self.targets),
            Guard(self.uploads, self.layouts, self.settings.rosters.guard),
            self.settings.rosters,
            self.clock,
            Claims(self.store),
        )

    @cached_property
    def batches(self) -> Batches:
        """Rosters that are held."""
        return Batches(self.store, self.uploads, Releasers(self.parties), self.notices, self.clock)

    @cached_property
    def confirmations(self) -> Confirmations:
        """Confirming rosters."""
        return Confirmations(
            self.store, self.intake, self.batches, self.extensions, self.notices, self.settings.sign_in
        )

    @cached_property
    def deliveries(self) -> Deliveries:
        """Files that arrive by themselves."""
        return Deliveries(self.store, self.intake, self.confirmations, self.notices)

    @cached_property
    def sources(self) -> Sources:
        """Where they come from."""
        return Sources(self.store, self.settings, self.layouts, self.notices, self.clock)

    @cached_property
    def imports(self) -> Imports:
        """Rosters that were confirmed."""
        return Imports(self.store)

    @cached_property
    def tidying(self) -> Tidying:
        """What time alone changes about rosters."""
        return Tidying(
            self.store,
            self.roster_files,
            self.intake,
            self.batches,
            self.confirmations,
            self.deliveries,
            self.settings.rosters,
        )

    @cached_property
    def visits(self) -> Visits:
        """Looking at the sources of rosters now."""
        return Visits(self.settings, self.deliveries, self.sources, self.clock)

    @cached_property
    def arrivals(self) -> Arrivals:
        """Looking at them when they are due."""
        return Arrivals(self.visits)

    @cached_property
    def persons(self) -> Persons:
        """How people stand."""
        return Persons(self.store, self.rulebook, self.clock)

    @cached_property
    def holders(self) -> Holders:
        """Who holds what."""
        return Holders(self.store, self.rulebook, self.persons, self.clock)

    @cached_property
    def overview(self) -> Overview:
        """What IT sees first."""
        return Overview(
            self.store,
            self.targets,
            self.rulebook,
            self.persons,
            self.holders,
            self.clock,
            self.settings.engine,
            self.inbox,
            self.uploads,
            self.sources,
            self.settings.notices.smtp is not None,
        )

    @cached_property
    def parties(self) -> Parties:
        """People as the two-person rule sees them."""
        by_worker_id = self.settings.sign_in.contractors_by == "worker_id"
        return Parties(self.rulebook, self.clock, by_worker_id, self.settings.requests.new_role_hours)

    @cached_property
    def sessions(self) -> Sessions:
        """Signed-in browsers."""
        web = self.settings.web
        idle, longest = timedelta(minutes=web.idle_minutes), timedelta(hours=web.longest_hours)
        return Sessions(self.store, self.parties, idle, longest)

    @cached_property
    def sign_in(self) -> SignIn:
        """Passwords, here and in the directory."""
        directory = self.settings.sign_in.directory
        ask = Directory(directory, self.settings.folder).vouch if directory is not None else None
        return SignIn(self.sessions, self.settings.sign_in, ask)

    @cached_property
    def oidc(self) -> Oidc | None:
        """The OpenID provider, if there is one."""
        provider, folder = self.settings.sign_in.oidc, self.settings.folder
        if provider is None:
            return None
        secret = provider.client_secret.read(folder) if provider.client_secret else None
        redirect_uri = f"{self.settings.web.address}/sign-in/return"
        return Oidc(self.sessions, self.settings.sign_in, provider, redirect_uri, secret, folder)

    @cached_property
    def passkeys(self) -> Passkeys:
        """People's own devices."""
        return Passkeys(self.sessions)

    @cached_property
    def tokens(self) -> ServiceTokens:
        """Tokens of other programs."""
        return ServiceTokens(self.sessions)

    @cached_property
    def membership(self) -> Membership:
        """Who may sign in."""
        return Membership(self.sign_in, self.notices)

    @cached_property
    def notices(self) -> Notices:
        """The outbox."""
        return Notices(self.settings.notices)

    @cached_property
    def casebook(self) -> Casebook:
        """Requests with everything about them."""
        reviewers = Reviewers(self.rulebook, self.parties, self.settings.requests)
        return Casebook(self.rulebook, self.parties, reviewers, self.settings.requests, self.clock, self.sources)

    @cached_property
    def requests(self) -> Requests:
        """Asking."""
        return Requests(self.store, self.casebook, self.proposals, self.notices)

    @cached_property
    def proposals(self) -> Proposals:
        """What asking would mean."""
        return Proposals(self.store, self.casebook)

    @cached_property
    def activation(self) -> Activation:
        """Starting and ending grants."""
        return Activation(self.store, self.casebook, self.notices)

    @cached_property
    def inbox(self) -> Inbox:
        """Which requests wait, and for whom."""
        return Inbox(self.store, self.casebook)

    @cached_property
    def reviews(self) -> Reviews:
        """Reviewing."""
        acts = {
            Kind.BRIDGE: self.bridges.approved,
            Kind.RESUME: self.resumptions.approved,
            Kind.CUT_OFF: self.cut_offs.approved,
        }
        return Reviews(self.store, self.casebook, self.inbox, self.notices, self.activation, self.sessions.wall, acts)

    @cached_property
    def bridges(self) -> Bridges:
        """Access past a contract's end."""
        return Bridges(self.casebook, self.requests, self.notices)

    @cached_property
    def renewals(self) -> Renewals:
        """Whether contracts go on."""
        return Renewals(self.store, self.casebook, self.bridges, self.extensions, self.notices)

    @cached_property
    def extensions(self) -> Extensions:
        """Extensions that sponsors had no part in."""
        return Extensions(self.store, self.casebook, self.notices)

    @cached_property
    def resumptions(self) -> Resumptions:
        """Access asked back after a late extension."""
        return Resumptions(self.store, self.casebook, self.requests, self.extensions)

    @cached_property
    def cut_offs(self) -> CutOffs:
        """Ending access at once."""
        return CutOffs(
            self.store, self.casebook, self.persons, self.targets, self.requests, self.notices, self.sessions.wall
        )

    @cached_property
    def team(self) -> Team:
        """Sponsors and contractors."""
        return Team(self.store, self.casebook, self.persons, self.notices)

    @cached_property
    def calendars(self) -> Calendars:
        """Last days as a feed."""
        return Calendars(self.store, self.sessions, self.clock, self.settings.web.address, self.sessions.wall)

    @cached_property
    def housekeeping(self) -> Housekeeping:
        """What time alone changes about requests and questions."""
        windows = Windows(self.store, self.notices)
        return Housekeeping(
            self.store, self.casebook, self.requests, self.inbox, self.renewals, windows, self.notices, self.sessions
        )

    @cached_property
    def delivery(self) -> Delivery:
        """What empties the outbox."""
        return Delivery(self.store, self.clock, self.settings.web.address, self._channels())

    def _channels(self) -> dict[str, Channel]:
        settings, folder = self.settings.notices, self.settings.folder
        channels: dict[str, Channel] = {}
        if settings.smtp is not None:
            password = settings.smtp.password.read(folder) if settings.smtp.password else ""
            channels[MAIL] = Mail(settings.smtp, password, folder)
        if settings.hooks:
            channels[HOOK] = Hooks(
                settings.hooks, {n: h.secret.read(folder) for n, h in settings.hooks.items()}, folder
            )
        if settings.chats:
            channels[CHAT] = Chats({name: chat.url.read(folder) for name, chat in settings.chats.items()})
        return channels

    @cached_property
    def pushes(self) -> Pushes:
        """What HR's systems push."""
        handing = Handing(self.store, self.settings.push, self.deliveries)
        return Pushes(self.store, self.settings.push, handing, self.notices, self.clock)

    @cached_property
    def trail(self) -> Trail:
        """The audit trail."""
        return Trail(self.store)

    @cached_property
    def trail_search(self) -> TrailSearch:
        """Searching it."""
        return TrailSearch(self.store, self.clock, self.inbox.hidden_from)

    def close(self) -> None:
        """Stop working and close the database."""
        if "engine" in self.__dict__:
            self.engine.close()
        if "store" in self.__dict__:
            self.store.close()

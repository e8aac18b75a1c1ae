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
from lifecycle.domain.errors import InvalidSettings
from lifecycle.services.calls import Calls
from lifecycle.services.clock import Clock, ManualClock, TrustedClock
from lifecycle.services.engine import Engine
from lifecycle.services.holders import Holders
from lifecycle.services.leadership import Leadership
from lifecycle.services.overview import Overview
from lifecycle.services.persons import Persons
from lifecycle.services.provisioning import Provisioner
from lifecycle.services.reconcile import Reconciler
from lifecycle.services.rosters import Rosters
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.signin import SignIn
from lifecycle.services.targets import Target, Targets
from lifecycle.services.trail import Trail
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
    def rosters(self) -> Rosters:
        """Rosters, previewed and confirmed."""
        return Rosters(self.store, self.settings, self.rulebook, self.clock)

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
            self.store, self.targets, self.rulebook, self.persons, self.holders, self.clock, self.settings.engine
        )

    @cached_property
    def sign_in(self) -> SignIn:
        """Operators and their sessions."""
        web = self.settings.web
        return SignIn(self.store, timedelta(minutes=web.idle_minutes), timedelta(hours=web.longest_hours))

    @cached_property
    def trail(self) -> Trail:
        """The audit trail."""
        return Trail(self.store)

    def close(self) -> None:
        """Stop working and close the database."""
        if "engine" in self.__dict__:
            self.engine.close()
        if "store" in self.__dict__:
            self.store.close()

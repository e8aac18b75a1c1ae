"""A small world for tests: one memory target, a list of contractors, and a clock that is moved by hand."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from argon2 import PasswordHasher

from connectors.memory import MemoryConnector
from lifecycle.domain.grant import Grant
from lifecycle.domain.party import key_of
from lifecycle.domain.role import Role
from lifecycle.runtime import Runtime
from lifecycle.services.authorisation import Actor
from lifecycle.services.clock import Clock
from lifecycle.services.sessions import actor_of
from lifecycle.services.signin import new_local
from lifecycle.settings import Settings
from lifecycle.store import members, people
from tests.services.rosters import apply

STAGES = [
    {"name": "active", "begins": "first day", "ceiling": "god"},
    {"name": "renewal", "begins": "30 days before the last day", "ceiling": "god"},
    {"name": "notice", "begins": "14 days before the last day", "ceiling": "god"},
    {"name": "narrowing", "begins": "7 days before the last day", "ceiling": "elevated"},
    {"name": "final day", "begins": "last working day", "ceiling": "standard"},
    {"name": "ended", "begins": "end", "ceiling": "none"},
    {"name": "retention", "begins": "30 days after the end", "ceiling": "none"},
]
HEADER = "contract,worker,name,vendor,role,site,first,last,email,sponsor\n"
COLUMNS = {
    "reference": "contract", "worker_id": "worker", "name": "name", "vendor": "vendor", "role": "role",
    "site": "site", "first_day": "first", "last_day": "last", "email": "email", "sponsor": "sponsor",
}  # fmt: skip
PASSWORD = "correct horse battery"
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class HandClock:
    """Shows what it was set to."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def move(self, to: datetime | None = None, **by: float) -> None:
        self.at = to if to is not None else self.at + timedelta(**by)


def settings_dict(url: str = "sqlite:///:memory:", **changes: Any) -> dict[str, Any]:
    """A configuration with one tool whose rights narrow from god to elevated to standard to read-only."""
    return {
        "store": {"url": url},
        "policy": {"stages": STAGES},
        "sites": {
            "berlin": {"zone": "Europe/Berlin", "country": "DE", "subdivision": "BE"},
            "auckland": {"zone": "Pacific/Auckland", "country": "NZ"},
            "honolulu": {"zone": "Pacific/Honolulu", "country": "US"},
        },
        "targets": {"tool": {"connector": "local", "path": "unused.db", "match": {"worker": "worker_id"}}},
        "entitlements": {
            "tool.god": {"target": "tool", "locator": "god", "tier": "god", "narrows_to": "tool.power"},
            "tool.power": {"target": "tool", "locator": "power", "tier": "elevated", "narrows_to": "tool.agent"},
            "tool.agent": {"target": "tool", "locator": "agent", "tier": "standard", "narrows_to": "tool.viewer"},
            "tool.viewer": {"target": "tool", "locator": "viewer", "tier": "read-only"},
            "tool.wiki": {"target": "tool", "locator": "wiki", "tier": "read-only"},
        },
        "baseline": [
            {"name": "gods", "role": ["god"], "entitlements": ["tool.god", "tool.wiki"]},
            {"name": "agents", "role": ["agent"], "entitlements": ["tool.agent"]},
        ],
        "profiles": {
            "plain": {"columns": COLUMNS},
            "delta": {"columns": COLUMNS, "scope": "delta"},
        },
        **changes,
    }


@dataclass
class World:
    """The product on a store, with a memory target called ``tool``."""

    url: str
    clock: HandClock = field(default_factory=HandClock)
    wall: HandClock = field(default_factory=HandClock)
    """What sessions are counted on; it stands still unless moved."""
    tool: MemoryConnector = field(default_factory=lambda: MemoryConnector("tool"))
    changes: dict[str, Any] = field(default_factory=dict)
    started: list[Runtime] = field(default_factory=list)
    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="lifecycle-world-")))
    """Where files are kept."""

    def __post_init__(self) -> None:
        for right in ("god", "power", "agent", "viewer", "wiki"):
            self.tool.add_entitlement(right)
        self.runtime = self.start()

    def start(self) -> Runtime:
        """Start the product anew on the same store, as after a restart."""
        settings = Settings.model_validate({**settings_dict(self.url, **self.changes), "folder": self.folder})
        runtime = Runtime(settings, {"tool": lambda: self.tool})
        clock: Clock = self.clock
        runtime.__dict__["clock"] = clock
        runtime.sessions.wall = runtime.parties.wall = self.wall.now
        self.runtime = runtime
        self.started.append(runtime)
        return runtime

    def account(self, worker: str) -> None:
        """Create an account in the tool."""
        self.tool.add_account(f"id-{worker}", worker, worker=worker)

    def held(self, worker: str) -> set[str]:
        """What an account holds in the tool."""
        return {right for right, members in self.tool.members.items() if f"id-{worker}" in members}

    def roster(self, *lines: str, profile: str = "plain") -> None:
        """Preview and confirm a roster."""
        content = roster_bytes(*lines)
        apply(self.runtime, content, profile=profile)

    def member(self, login: str, *roles: Role, worker: str = "", supervisor: str = "", email: str = "") -> Actor:
        """Make somebody who signs in with `PASSWORD`; with *worker*, the person of that worker id on the roster."""
        with self.runtime.store.write() as unit:
            long_ago = self.wall.now() - timedelta(days=90)
            row = new_local(login, login.capitalize(), [role.value for role in roles], long_ago)
            row.email, row.email_key, row.supervisor = email, key_of(email), supervisor
            row.password_hash = HASHED
            if worker:
                row.identity_id = people.identities_called(unit, worker_ids=[worker])[0].id
            unit.session.add(row)
        return self.actor(login)

    def actor(self, login: str) -> Actor:
        """Return a member as the one who acts, freshly authenticated."""
        with self.runtime.store.read() as unit:
            row = members.by_subject(unit, "local", login)
        assert row is not None
        return actor_of(row, self.wall.now())

    def sign_in(self, login: str) -> str:
        """Sign in and return the session's token."""
        return self.runtime.sign_in.sign_in(login=login, password=PASSWORD, address="test")

    def person(self, worker: str) -> str:
        """Return somebody's id by worker id."""
        with self.runtime.store.read() as unit:
            return people.identities_called(unit, worker_ids=[worker])[0].id

    def tick(self) -> int:
        """Make one pass; how many changes were done."""
        assert self.runtime.leadership.try_to_lead()
        return self.runtime.engine.tick().finished

    def close(self) -> None:
        for runtime in self.started:
            runtime.close()


def record_grant(runtime: Runtime, grant: Grant, identity_id: str) -> None:
    """Store a grant as an activation does, without anybody asking."""
    with runtime.store.write() as unit:
        people.add_grant(unit, grant)
        people.make_due(unit, grant.starts_at, [identity_id])


def line(
    worker: str,
    role: str = "god",
    first: date = date(2026, 1, 1),
    last: date = date(2026, 3, 31),
    *,
    site: str = "berlin",
    vendor: str = "Northgate",
    contract: str = "",
    name: str = "",
    sponsor: str = "boss@example.com",
) -> str:
    """One roster line."""
    fields = [contract or f"C-{worker}", worker, name or f"Person {worker}", vendor, role, site, f"{first}", f"{last}"]
    return ",".join([*fields, f"{worker}@example.com", sponsor])


def roster_bytes(*lines: str) -> bytes:
    """A roster file."""
    return (HEADER + "".join(f"{text}\n" for text in lines)).encode()


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)

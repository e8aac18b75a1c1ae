"""The ways in for HR's systems, served by themselves: a store, tokens, and an intake that notes what it is given."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, BinaryIO, cast

from flask import Blueprint, Flask

from lifecycle.api import hr, scim
from lifecycle.domain.role import Role
from lifecycle.services.allowance import Allowance
from lifecycle.services.notices import Notices
from lifecycle.services.parties import Parties
from lifecycle.services.push import Pushes
from lifecycle.services.push_handing import Handing
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sessions import Sessions, actor_of
from lifecycle.services.signin import new_local
from lifecycle.services.tokens import ServiceTokens
from lifecycle.settings import Settings
from lifecycle.store.unit import Store
from lifecycle.web.app import create_app
from lifecycle.web.services import WebServices
from tests.services.world import HandClock, settings_dict

SCIM_JSON = {"Content-Type": "application/scim+json"}
CONTRACT = "urn:contractor-lifecycle:schemas:1.0:Contract"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


@dataclass
class Delivery:
    """One file as it was handed on, and what became of it."""

    id: str
    way: str
    profile: str
    as_of: datetime | None
    content: bytes
    state: str = "applied"
    error: str = ""

    @property
    def rows(self) -> list[dict[str, str]]:
        """Its lines, without the mark of the push."""
        rows = [json.loads(line) for line in self.content.decode().splitlines()]
        return [{name: value for name, value in row.items() if name != "push"} for row in rows]


@dataclass
class Recorder:
    """An intake that notes what it is given and answers as it is told to."""

    deliveries: list[Delivery] = field(default_factory=list)
    next_state: str = "applied"
    next_error: str = ""
    failure: Exception | None = None
    fails_for: str = ""
    """Profile for which the disk is full."""
    complaints: dict[str, dict[int, str]] = field(default_factory=dict)

    def deliver(
        self,
        stream: BinaryIO,
        *,
        file_name: str,
        way: str,
        profile: str,
        as_of: datetime | None = None,
        member_id: str = "",
    ) -> Delivery:
        if self.failure is not None:
            raise self.failure
        if profile == self.fails_for:
            raise OSError("the disk is full")
        number = f"upload-{len(self.deliveries) + 1}"
        made = Delivery(number, way, profile, as_of, stream.read(), self.next_state, self.next_error)
        self.deliveries.append(made)
        return made

    def show(self, upload_id: str) -> Delivery:
        return next(made for made in self.deliveries if made.id == upload_id)

    def unusable(self, upload_id: str, /) -> Mapping[int, str]:
        return self.complaints.get(upload_id, {})

    @property
    def rows(self) -> list[dict[str, str]]:
        """Everything that was handed on."""
        return [row for made in self.deliveries for row in made.rows]


@dataclass
class Peer:
    """HR's system and what it speaks to."""

    store: Store
    settings: Settings
    tokens: ServiceTokens
    pushes: Pushes
    intake: Recorder
    clock: HandClock
    app: Flask
    token: str

    def make_token(self, *scopes: str) -> str:
        """Make another token."""
        with self.store.write() as unit:
            row = new_local(f"it-{id(scopes)}", "Petra", [Role.IT_ADMINISTRATOR.value], self.clock.now())
            unit.session.add(row)
        return self.tokens.make(actor_of(row, self.clock.now()), "a token", scopes, 30)[0]

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """Send one request; *body* is sent as it is if it is bytes, as JSON otherwise."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        token = self.token if token is None else token
        sent = {**SCIM_JSON, **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
        return self.app.test_client().open(path, method=method, data=data, headers=sent, base_url="https://localhost")

    def push(self, *people: dict[str, Any], **envelope: Any) -> Any:
        """Send a bulk request."""
        return self.call("POST", "/hr/v1/bulk", bulk(*people, **envelope))

    def outcome(self, answer: Any) -> list[dict[str, str]]:
        """Ask what became of a bulk request."""
        assert answer.status_code == 202, answer.text
        return cast("list[dict[str, str]]", self.call("GET", answer.headers["Location"]).get_json()["operations"])


def bulk(*people: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    """A bulk request as Entra's provisioning service sends it."""
    operations = [
        {"method": "POST", "bulkId": str(number), "path": "/Users", "data": person}
        for number, person in enumerate(people, start=1)
    ]
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    return {"schemas": schemas, "failOnErrors": None, "Operations": operations, **envelope}


def person(worker: str = "W-1", *, contract: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A contractor with everything that is needed."""
    said = {
        "contractNumber": f"C-{worker}", "firstDay": "2026-01-05", "lastDay": "2026-06-30",
        "timeZone": "Europe/Berlin", "vendor": "Northgate", "site": "berlin", "role": "agent",
        "sponsor": "boss@example.com",
    }  # fmt: skip
    return {
        "schemas": [USER, ENTERPRISE, CONTRACT],
        "externalId": worker,
        "userName": f"{worker}@example.com",
        "displayName": f"Person {worker}",
        "emails": [{"value": f"{worker}@example.com", "type": "work", "primary": True}],
        "active": True,
        CONTRACT: {**said, **(contract or {})},
        **changes,
    }


def make_peer(url: str, **push: Any) -> Peer:
    """Put the ways in together on a store."""
    settings = Settings.model_validate(settings_dict(url, push=push))
    store, clock, intake = Store(url), HandClock(), Recorder()
    parties = Parties(Rulebook(settings), clock, by_worker_id=False)
    sessions = Sessions(store, parties, timedelta(hours=1), timedelta(hours=1), wall=clock.now)
    tokens = ServiceTokens(sessions)
    handing = Handing(store, settings.push, intake)
    pushes = Pushes(store, settings.push, handing, Notices(settings.notices), clock)
    allowance = Allowance(settings.push.calls_per_second)
    use_cases = hr.PushServices(tokens, pushes, allowance)
    web = cast("WebServices", SimpleNamespace(settings=settings, clock=clock))
    machines = [hr.blueprint(use_cases), scim.blueprint(use_cases)]
    app = create_app(web, settings.web, api=Blueprint("api", __name__), machines=machines)
    peer = Peer(store, settings, tokens, pushes, intake, clock, app, "")
    peer.token = peer.make_token("hr:push")
    return peer

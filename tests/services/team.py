"""The small world with people who ask and review."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lifecycle.domain.approval import Request, Verdict
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import Actor
from lifecycle.services.proposals import Draft
from tests.services.world import World, line


@dataclass
class Staff:
    """Mia sponsors everybody and reports to Ines; Ravi owns god mode; Petra and Oskar are IT; Carl is a contractor."""

    world: World

    def __post_init__(self) -> None:
        world = self.world
        world.account("w1")
        world.roster(line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"))
        world.member("mia", Role.MANAGER, email="boss@example.com", supervisor="ines@example.com")
        world.member("ines", Role.MANAGER, email="ines@example.com")
        world.member("ravi", Role.MANAGER, email="ravi@example.com")
        world.member("tomas", Role.MANAGER, email="tomas@example.com")
        world.member("petra", Role.IT_ADMINISTRATOR, email="petra@example.com")
        world.member("oskar", Role.IT_OPERATOR, email="oskar@example.com")
        world.member("nora", Role.HR, email="nora@example.com")
        world.member("carl", worker="w1")

    def __getattr__(self, name: str) -> Actor:
        return self.world.actor(name)

    def ask(self, by: str = "mia", right: str = "tool.god", hours: float = 4, worker: str = "w1", **more: Any) -> str:
        """Ask and return the request's id."""
        draft = Draft(
            self.world.person(worker), right, timedelta(hours=hours), more.pop("reason", "incident 7"), **more
        )
        return self.world.runtime.requests.ask(self.world.actor(by), draft)

    def review(self, by: str, request: str, *, deny: bool = False, **more: Any) -> Request:
        """Look at a request and say yes or no."""
        reviews, actor = self.world.runtime.reviews, self.world.actor(by)
        values = {"note": "agreed", "shown": reviews.sheet(actor, request).shown, **more}
        return reviews.review(actor, request, verdict=Verdict.DENY if deny else Verdict.APPROVE, **values)

    def approved(self, *, by: tuple[str, ...] = ("ravi", "petra"), **asked: Any) -> str:
        """Ask and have it approved."""
        request = self.ask(**asked)
        for name in by:
            self.review(name, request)
        return request

    def actions(self, request: str) -> list[str]:
        """List what the trail tells of a request, oldest first."""
        records = self.world.runtime.trail.search(request=request)
        return [record.action for record in reversed(records)]


CHANGES: dict[str, Any] = {
    "notices": {"it": ["it@example.com"], "hr": ["hr@example.com"], "service_desk": "desk@example.com"},
    "requests": {"fallback": ["fallback@example.com"]},
}
"""Configuration in which Ravi owns god mode."""

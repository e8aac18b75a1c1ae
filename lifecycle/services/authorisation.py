"""The one place that decides what an actor may do. It raises; it never returns something to be tested."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lifecycle.domain.errors import NotPermitted


class Role(StrEnum):
    """What somebody is here. The next roles come with the people who need them."""

    IT_ADMINISTRATOR = "it-administrator"


class Action(StrEnum):
    """What can be done here."""

    SEE_DASHBOARD = "see-dashboard"
    SEE_PEOPLE = "see-people"
    RETRY_TARGET = "retry-target"
    MOVE_CLOCK = "move-clock"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is doing it."""

    id: str
    login: str
    name: str
    role: Role

    @property
    def trail_name(self) -> str:
        """How the trail names this actor."""
        return f"operator:{self.login}"


PERMITTED: dict[Role, frozenset[Action]] = {Role.IT_ADMINISTRATOR: frozenset(Action)}


def authorize(actor: Actor, action: Action, object_: str = "") -> None:
    """
    Let *actor* do *action* to *object_*, or refuse.

    Raises:
        NotPermitted: If the role does not have the action.
    """
    if action not in PERMITTED.get(actor.role, frozenset()):
        raise NotPermitted(f"{actor.role.value} may not {action.value} {object_}".rstrip())

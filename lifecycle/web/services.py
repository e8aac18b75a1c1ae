"""What views may call, handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app, g

from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.clock import Clock
from lifecycle.services.engine import Engine
from lifecycle.services.overview import Overview
from lifecycle.services.persons import Persons
from lifecycle.services.signin import SignIn
from lifecycle.services.targets import Targets
from lifecycle.services.trail import Trail

KEY = "lifecycle"


@dataclass(frozen=True)
class WebServices:
    """The use cases behind the pages."""

    sign_in: SignIn
    overview: Overview
    persons: Persons
    targets: Targets
    trail: Trail
    engine: Engine
    clock: Clock
    scheduler: bool
    """Whether this process also ticks, so that a moved clock acts at once."""


def services() -> WebServices:
    """Return the use cases of the running application."""
    return cast("WebServices", current_app.extensions[KEY])


def permitted(action: Action, object_: str = "") -> Actor:
    """
    Return who asks, if they may.

    Raises:
        NotSignedIn: If nobody is signed in.
        NotPermitted: If they may not.
    """
    actor: Actor = services().sign_in.actor(g.token)
    authorize(actor, action, object_)
    g.actor = actor
    return actor

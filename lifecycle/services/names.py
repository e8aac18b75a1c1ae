"""What people call those whom the trail names by kind and sign-in name."""

from __future__ import annotations

from collections.abc import Collection

from lifecycle.store import members
from lifecycle.store.unit import Unit

MEMBER = "member:"


def names_of_actors(unit: Unit, actors: Collection[str]) -> dict[str, str]:
    """
    Map actors such as ``member:tomas`` to the names of those who sign in so.

    Returns:
        Only actors whom exactly one name fits: of two who sign in under the same name nobody says who it was.
    """
    logins = {actor.removeprefix(MEMBER) for actor in actors if actor.startswith(MEMBER)}
    found: dict[str, set[str]] = {}
    for login, name in members.names(unit, logins):
        found.setdefault(f"{MEMBER}{login}", set()).add(name or login)
    return {actor: next(iter(names)) for actor, names in found.items() if len(names) == 1}

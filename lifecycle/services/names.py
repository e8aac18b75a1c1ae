"""What people call those whom the trail names by kind and id or sign-in name."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from functools import lru_cache

from lifecycle.store import members, people
from lifecycle.store.unit import Unit

MEMBER, IDENTITY, ENGAGEMENT = "member:", "identity:", "engagement:"


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


def objects_called(unit: Unit, identity_ids: Collection[str]) -> list[str]:
    """List what the trail calls some people on the roster: themselves, their contracts, and as who signs in."""
    contracts = [e.id for own in people.engagements_of(unit, identity_ids).values() for e in own]
    own = [member.id for several in members.of_identities(unit, identity_ids).values() for member in several]
    return [*(IDENTITY + i for i in identity_ids), *(ENGAGEMENT + i for i in contracts), *(MEMBER + i for i in own)]


@lru_cache(maxsize=65_536)
def folded(words: str) -> str:
    """Return *words* as names are compared: without case, accents, or blanks around them."""
    plain = unicodedata.normalize("NFKD", words)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip()

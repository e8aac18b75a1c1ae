"""Somebody as the two-person rule sees them: who is the same person, for whom they work, to whom they report."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_ADDRESS = re.compile(r"[^@\s,;<>\"()\x00-\x1f]+@[^@\s,;<>\"()\x00-\x1f]+")


def is_address(text: str) -> bool:
    """Say whether *text* is one e-mail address and nothing else: no name, no brackets, no second one."""
    return _ADDRESS.fullmatch(text) is not None


def key_of(name: str) -> str:
    """
    Return *name* (a sign-in name, an e-mail address, a vendor, an id) as it is compared.

    Blanks, case, marks that cannot be seen and the way a letter is encoded mean nothing: ``Müller`` is ``Müller``
    whether its ü is one character or two.
    """
    if name.isascii():
        return " ".join(name.split()).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


@dataclass(frozen=True, slots=True)
class Party:
    """A person in a request or a review."""

    id: str
    """Id of the member who signs in, or of the identity where nobody has signed in for it."""
    name: str
    keys: frozenset[str]
    """What this person is known by (`key_of`), as far as the product or a provider vouches for it."""
    said: frozenset[str] = frozenset()
    """
    What they may be known by besides, though nobody vouches for it. It only ever counts against them: whoever is to
    receive something has none, or they could keep reviewers away by naming them.
    """
    employee: bool = True
    """False for whoever is here on a contract, or may be."""
    vendors: frozenset[str] = frozenset()
    """Their staffing companies; none for employees."""
    in_window: bool = False
    """Whether their own contract is in its offboarding window."""
    reports_to: frozenset[str] = frozenset()
    """Keys of everybody above them, as far as is known."""
    active: bool = True
    """False once they may no longer sign in or act here, or their own contract has ended."""
    invited: bool = False
    """Whether they have set a password lately with a code that somebody else has seen, and could be that one."""

    @property
    def names(self) -> frozenset[str]:
        """Everything they are or may be known by: two parties that share one are taken for one person."""
        return self.keys | self.said

    def is_same_as(self, other: Party) -> bool:
        """Say whether both are, or may be, one person, by whatever account."""
        return bool(self.names & other.names)

    def is_below(self, other: Party) -> bool:
        """Say whether *other* is above this person."""
        return bool(self.reports_to & other.keys)

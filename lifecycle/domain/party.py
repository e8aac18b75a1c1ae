"""Somebody as the two-person rule sees them: who is the same person, for whom they work, to whom they report."""

from __future__ import annotations

from dataclasses import dataclass


def key_of(name: str) -> str:
    """Return *name* (a sign-in name, an e-mail address, an id) as it is compared: blanks and case mean nothing."""
    return " ".join(name.split()).casefold()


@dataclass(frozen=True, slots=True)
class Party:
    """A person in a request or a review."""

    id: str
    """Id of the member who signs in, or of the identity where nobody has signed in for it."""
    name: str
    keys: frozenset[str]
    """Everything this person is known by (`key_of`): two parties that share one are one person."""
    employee: bool = True
    """False for whoever is here on a contract."""
    vendors: frozenset[str] = frozenset()
    """Their staffing companies; none for employees."""
    in_window: bool = False
    """Whether their own contract is in its offboarding window."""
    reports_to: frozenset[str] = frozenset()
    """Keys of everybody above them, as far as is known."""
    active: bool = True
    """False once they may no longer sign in, or their own contract has ended."""

    def is_same_as(self, other: Party) -> bool:
        """Say whether both are one person, by whatever account."""
        return bool(self.keys & other.keys)

    def is_below(self, other: Party) -> bool:
        """Say whether *other* is above this person."""
        return bool(self.reports_to & other.keys)

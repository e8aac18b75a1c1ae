"""What the words of status and worker type columns mean."""

from __future__ import annotations

from collections.abc import Mapping

from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Repairs, Standing
from lifecycle.feed.profile import Profile

ASIDE = "aside"
"""The row says nothing yet, or nothing about a contract: it is left aside."""

STATUSES: Mapping[str, tuple[str, ...]] = {
    Standing.RUNNING: (
        "active", "open", "approved", "accepted", "confirmed", "engaged", "employed", "working", "in progress",
        "started", "future start", "onboarded", "current", "live", "filled", "extended", "on leave", "leave",
        "leave of absence", "loa", "on loa", "suspended", "hired", "registered", "enabled", "true", "yes", "y", "1",
    ),
    Standing.ENDED: (
        "closed", "inactive", "terminated", "termed", "ended", "former", "former employee", "former worker",
        "former contractor", "completed", "complete", "finished", "expired", "left", "leaver", "resigned", "released",
        "voluntarily terminated", "involuntarily terminated", "terminated for cause", "separated", "retired",
        "dismissed", "discontinued", "offboarded", "not active", "disabled", "deceased", "false", "no", "n", "0",
    ),
    Standing.WITHDRAWN: (
        "withdrawn", "rejected", "declined", "cancelled", "canceled", "no show", "no-show", "noshow", "never started",
        "did not start", "rescinded", "void", "voided",
    ),
    Standing.CONVERTED: ("converted", "converted to employee", "conversion", "hired as employee", "converted to fte"),
    ASIDE: (
        "pending", "draft", "submitted", "pending approval", "pending registration", "pending start", "in review",
        "requested", "proposed", "offered", "pre-hire", "prehire",
    ),
}  # fmt: skip
WORKER_TYPES: Mapping[str, tuple[str, ...]] = {
    Standing.RUNNING: (
        "contractor", "contract", "contract worker", "contingent", "contingent worker", "contingentworker", "temp",
        "temporary", "temporary worker", "agency", "agency worker", "external", "external worker", "extern", "intern",
        "internship", "trainee", "consultant", "consulting", "freelancer", "freelance", "vendor", "supplier",
        "partner", "sow", "sow worker", "project worker", "service provider", "third party", "third-party",
        "non-employee", "nonemployee", "outsourced", "leased worker", "csw", "cwk",
    ),
    Standing.CONVERTED: (
        "employee", "fte", "regular", "permanent", "regular employee", "permanent employee", "full time employee",
        "full-time employee", "full-time", "full time", "part-time", "part time", "staff", "internal", "emp",
    ),
}  # fmt: skip

Meaning = Standing | str | None
"""A standing, `ASIDE`, or None for a word that nobody has explained."""


class StandingReader:
    """Knows the words of one file: those every layout knows, then the profile's, then what a person said."""

    def __init__(self, profile: Profile, repairs: Repairs) -> None:
        said = _by_key(repairs.statuses)
        self._statuses = _flat(STATUSES) | _by_key(profile.statuses) | said
        self._types = _flat(WORKER_TYPES) | _by_key(profile.worker_types) | said

    def status(self, text: str) -> Meaning:
        """Return what *text* in the status column means."""
        return self._statuses.get(key_of(text))

    def worker_type(self, text: str) -> Meaning:
        """Return what *text* in the worker type column means."""
        return self._types.get(key_of(text))


def combined(status: Meaning, worker_type: Meaning) -> Meaning:
    """
    Return what both columns say together.

    A row aside stays aside, an ended contract is ended whoever held it, and an unknown word is never outvoted.
    """
    if ASIDE in (status, worker_type):
        return ASIDE
    if status is None or worker_type is None:
        return None
    return worker_type if status is Standing.RUNNING else status


def _flat(words: Mapping[str, tuple[str, ...]]) -> dict[str, Meaning]:
    return {key_of(word): _meaning(meaning) for meaning, known in words.items() for word in known}


def _by_key(words: Mapping[str, str]) -> dict[str, Meaning]:
    return {key_of(word): _meaning(meaning) for word, meaning in words.items()}


def _meaning(word: str) -> Meaning:
    return ASIDE if word == ASIDE else Standing(word)

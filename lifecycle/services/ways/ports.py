"""What the ways in need of the rest: where files are delivered, and where it is kept how a source stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from lifecycle.domain.errors import LifecycleError


class NotNow(LifecycleError):
    """It cannot be taken in just now; the same again later will do."""

    code = "not-now"


class Delivered(Protocol):
    """What arrivals need to know of a file that was delivered."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def state(self) -> str:
        """``applied``, ``refused``, ``discarded``, or another, which waits for a person."""
        ...

    @property
    def error(self) -> str:
        """Why it was refused."""
        ...


class Uploads(Protocol):
    """Where files are delivered."""

    def deliver(
        self,
        stream: BinaryIO,
        *,
        file_name: str,
        way: str,
        profile: str,
        as_of: datetime | None,
        canary: str,
        sender: str,
    ) -> Delivered:
        """
        Take a file in and do all that needs no person; the same content again changes nothing.

        Raises:
            NotNow: If another process is at this very file.
            LifecycleError: If it cannot even be kept.
        """
        ...

    def show(self, upload_id: str) -> Delivered:
        """
        Return how a file stands now.

        Raises:
            NotFound: If it is not known, or not any more.
        """
        ...


class SourceStates(Protocol):
    """
    How sources stand. Each note is a transaction of its own.

    That a source begins to fail, and that it answers again, is also written to the trail, in the same transaction.
    """

    def note_checked(self, name: str, now: datetime) -> None:
        """Note that a source is looked at."""
        ...

    def note_answered(self, name: str, now: datetime) -> None:
        """Note that it could be looked at, and that nothing has failed."""
        ...

    def note_failed(self, name: str, now: datetime, error: str) -> None:
        """Note that it could not, and what a person can do about it."""
        ...

    def note_unchanged(self, name: str, now: datetime, upload_id: str) -> None:
        """Note that its report still is what was delivered as *upload_id*: if that was applied, it is fresh again."""
        ...

    def says_more_from(self, profile: str) -> datetime | None:
        """Say when a full report must have been made to say something new though it is the same; None: never."""
        ...

    def frozen(self, name: str) -> str:
        """Say why nothing is taken from it; empty when it is not frozen."""
        ...

    def seen(self, name: str) -> Mapping[str, Any]:
        """Return what was remembered last."""
        ...

    def remember(self, name: str, seen: Mapping[str, Any]) -> None:
        """Keep JSON for the next look."""
        ...

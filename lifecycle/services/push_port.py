"""What pushes need from roster intake: a place to hand rows on to, and to ask what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO, Protocol

from lifecycle.services.ways.ports import Delivered


class Intake(Protocol):
    """Takes rosters in, as one file each."""

    def deliver(
        self,
        stream: BinaryIO,
        *,
        file_name: str,
        way: str,
        profile: str,
        as_of: datetime | None = None,
        member_id: str = "",
    ) -> Delivered:
        """
        Take a file in, and apply it when nothing needs a person. The same bytes again change nothing.

        Rows that cannot be used do not stop the others: they are left out, see `unusable`.

        Args:
            stream: JSON lines, one flat object a line, named as in ``lifecycle.settings.FIELDS``.
            file_name: What people see it as.
            way: ``push`` or ``scim``.
            profile: ``push`` or ``push-ends``, see ``lifecycle.settings.PushSettings.profiles``.
            as_of: When the rows were true; earlier than in the call before where they had to wait for something.
            member_id: Of whoever answers for the program that sends it: they made its token.

        Raises:
            NotNow, NoRoom: If it is to be tried again; so are ``OSError`` and SQLAlchemy's errors understood.
            LifecycleError: If the file as a whole is refused, for a reason that the caller is told.
        """

    def show(self, upload_id: str) -> Delivered:
        """
        Say how an upload stands.

        Raises:
            NotFound: If there is none.
        """

    def unusable(self, upload_id: str, /) -> Mapping[int, str]:
        """Say which lines, counted from 1, were not used, and why in words the sender can act on."""

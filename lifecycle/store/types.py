"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, Dialect, Integer, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator

from lifecycle.domain.audit import CANONICAL

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """
    An instant, stored as whole microseconds since 1970 in UTC; a naive ``datetime`` is refused.

    One integer sorts, compares and indexes alike on both databases and in SQLite's STRICT tables
    (docs/decisions/0002-instants-are-integers.md).
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """
        Turn an aware instant into microseconds.

        Raises:
            ValueError: If *value* has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; instants are aware")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn microseconds into an aware UTC instant."""
        return None if value is None else EPOCH + value * MICROSECOND


class Document(TypeDecorator[Any]):
    """A JSON value, stored as canonical text so that what was hashed is what is stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        """Write *value* with sorted keys."""
        return CANONICAL.encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Read it back."""
        return None if value is None else json.loads(value)


def _strict_text(*_: object, **__: object) -> str:
    return "TEXT"


def _strict_integer(*_: object, **__: object) -> str:
    return "INTEGER"


_TEXT: tuple[type[Any], ...] = (String, Text, Date, JSON)
_INTEGER: tuple[type[Any], ...] = (BigInteger, Boolean, Integer)
for _type in _TEXT:
    compiles(_type, "sqlite")(_strict_text)
for _type in _INTEGER:
    compiles(_type, "sqlite")(_strict_integer)

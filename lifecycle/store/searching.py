"""Finding by part of a text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement


def part(text: str) -> str:
    """Return the pattern, for ``LIKE`` with a backslash as its escape, of what has *text* in it."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def has_all(column: Any, words: str) -> list[ColumnElement[bool]]:
    """Return the conditions that a column of folded text has every one of *words* in it."""
    return [column.like(part(word.casefold()), escape="\\") for word in words.split()]

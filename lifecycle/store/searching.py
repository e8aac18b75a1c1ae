"""Finding by part of a text."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement


def search_text(*facts: object) -> str:
    """
    Return what is searched of some facts, and of the words to search for, so that the same letters meet.

    Old Macs write an accent as a character of its own, and forms of East Asia have wide letters.
    """
    return unicodedata.normalize("NFKC", " ".join(map(str, facts))).casefold()


def part(text: str) -> str:
    """Return the pattern, for ``LIKE`` with a backslash as its escape, of what has *text* in it."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def has_all(column: Any, words: str) -> list[ColumnElement[bool]]:
    """Return the conditions that a column of folded text has every one of *words* in it."""
    return [column.like(part(word.casefold()), escape="\\") for word in words.split()]

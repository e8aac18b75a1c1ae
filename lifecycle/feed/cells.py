"""Cells as text."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from lifecycle.feed.table import Cell, Spoilt
from lifecycle.feed.unsafe import ERRORS

EXPONENT = re.compile(r"[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")
EXACT = 10**15
"""From here on a spreadsheet has rounded a number: it keeps fifteen digits."""
UNREADABLE = "\0"
"""Stands for a cell that is no text; no text that may be used holds it."""


def text_of(cell: Cell) -> str:
    """Return *cell* as text without blanks around it, `UNREADABLE` for a spoilt one."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, Spoilt):
        return UNREADABLE
    if isinstance(cell, date):
        return cell.isoformat()
    return str(int(cell)) if cell.is_integer() else str(cell)


def id_of(cell: Cell) -> str:
    """Return the same for an id, `UNREADABLE` also where a spreadsheet has made a day or a rounded number of it."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return str(int(cell))
    return UNREADABLE


def is_spoilt_id(text: str) -> bool:
    """Say whether a spreadsheet has made a number of an id: ``1E5``, ``1.23457E+11``."""
    return EXPONENT.fullmatch(text) is not None


def as_it_stands(cell: Cell, date_format: str) -> str:
    """
    Return *cell* as text that can be sent again: days as the file's own texts write them, blanks and all.

    Of a spoilt cell only an error is text; what else is said of one would be taken for a value.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Spoilt):
        return cell.found if cell.found in ERRORS else ""
    if isinstance(cell, datetime) and cell.time() != time():
        return cell.isoformat(" ")
    return cell.strftime(date_format) if isinstance(cell, date) else text_of(cell)

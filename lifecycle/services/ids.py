"""Names for very many new things."""

from __future__ import annotations

import secrets
from datetime import datetime


class Ids:
    """
    Names many new things, each by its number: the same name whenever it is asked for, for the trail is written later.

    Source:
        RFC 9562, UUID version 7: the instant first, then 42 random bits, then a counter. Names that are made together
        stand together in an index; a million drawn at random would each be put into another page of it.
    """

    def __init__(self, now: datetime) -> None:
        """
        Args:
            now: Aware.
        """
        at, drawn = f"{int(now.timestamp() * 1000) & (1 << 48) - 1:012x}", secrets.randbits(42)
        variant = 0x8000 | drawn >> 16 & 0x3FFF
        self._before = f"{at[:8]}-{at[8:]}-7{drawn >> 30:03x}-{variant:04x}-{drawn & 0xFFFF:04x}"

    def of(self, number: int) -> str:
        """Return the name of a number from 0 to 2 ** 32 - 1."""
        return f"{self._before}{number:08x}"

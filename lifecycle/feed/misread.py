"""Whether words with accents look as if they were read in an encoding of another kind of computer."""

from __future__ import annotations

import re
from collections.abc import Mapping

SMALL = frozenset("àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßœšžı")
CAPITAL = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŸŒŠŽ")
"""Letters of the languages for which one-byte encodings of the west were made."""
BESIDE = frozenset("“”„‚«»‹›¿¡•²³µ€£§©®™")
"""Signs that stand beside a word that is read right, and never within it."""
WITHIN = frozenset("’‘´·°ªº–—…\xa0\xad")
"""Signs that stand there as well: Paul·la, O’Neil, Mª, Anne–Marie."""
ODD = re.compile(r"(?s)(?<=(.))([^\x00-\x7f])(?=(.))")
MARGIN = 2
"""A reading is doubted where another one has fewer than one oddity for so many of its own."""


def doubted(readings: Mapping[str, str]) -> frozenset[str]:
    """
    Return the encodings that seem to misread a text.

    A byte that is a letter in one family of encodings is a rare sign or a capital in the other, and those do not
    stand in the middle of words: ``Müller`` becomes ``MŸller``. Where no reading is without oddities, or all are, none
    is doubted.

    Args:
        readings: Encoding to the text as it reads it.
    """
    counted = {encoding: oddities(text) for encoding, text in readings.items()}
    least = min(counted.values(), default=0)
    return frozenset(encoding for encoding, number in counted.items() if number > MARGIN * least)


def oddities(text: str) -> int:
    """Count what no spelling has: capitals and signs within words, small letters with which capitals begin."""
    return sum(_is_odd(*found) for found in ODD.findall(f" {text} "))


def _is_odd(before: str, sign: str, after: str) -> bool:
    if sign in WITHIN:
        return False
    if sign in CAPITAL:
        return _is_small(before) or (_is_capital(before) and _is_small(after))
    if sign in SMALL:  # ß has no capital of its own
        return sign != "ß" and "A" <= after <= "Z" and not _is_small(before)
    follows, goes_on = _is_small(before) or _is_capital(before), _is_small(after)
    if (follows and goes_on) or (_is_capital(before) and _is_capital(after)):
        return True
    return sign not in BESIDE and (_is_small(before) or goes_on)


def _is_small(sign: str) -> bool:
    return "a" <= sign <= "z" or sign in SMALL


def _is_capital(sign: str) -> bool:
    return "A" <= sign <= "Z" or sign in CAPITAL

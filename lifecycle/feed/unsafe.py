"""Text that is not what it looks like."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 500
"""Characters in one fact."""
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\uffff\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
    # joiners belong to Indic and Persian names, and nowhere else
    "|(?:^|(?<=[\x00-\u024f]))[\u200c\u200d]|[\u200c\u200d](?=[\x00-\u024f]|$)"
)
"""Control, direction-changing, unseen, private and lost (U+FFFD) characters."""
LATIN = re.compile("[\x20-\x7e\xa0-\xac\xae-\u024f]*")
"""Nothing but Latin letters, with their accents, digits and signs."""
LOOKALIKES = ("CYRILLIC", "GREEK", "CHEROKEE", "ARMENIAN", "COPTIC", "LISU", "FULLWIDTH", "MATHEMATICAL")
FORMULA = re.compile(r"=|[+@-][^(|!]*[(|!]")
"""What a spreadsheet would run rather than show, were the text ever opened in one."""
FORMULA_SIGNS = frozenset("=+@-#")
ERRORS = frozenset(("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#####"))
WORDS = re.compile(r"[^\W\d_]+")


def is_unsafe(text: str) -> bool:
    """
    Say whether *text* could be something else than it looks like.

    That is: hidden marks, scripts mixed in one word, a formula or what is left of one, a novel.
    """
    if len(text) > LONGEST:
        return True
    if text[:1] in FORMULA_SIGNS and (FORMULA.match(text) or text in ERRORS):
        return True
    if is_latin(text):
        return False
    return HIDDEN.search(text) is not None or any(_mixes_scripts(word) for word in WORDS.findall(text))


def is_latin(text: str) -> bool:
    """Say whether every character of *text* can be seen and belongs to one script, Latin."""
    return text.isprintable() if text.isascii() else LATIN.fullmatch(text) is not None


def is_unsafe_id(text: str) -> bool:
    """Say the same of an id, which is compared and never only read: one way of writing it, one script, no marks."""
    if text.isascii():
        return is_unsafe(text)
    if is_unsafe(text) or unicodedata.normalize("NFKC", text) != text:
        return True
    return any(unicodedata.category(c) == "Cf" for c in text) or _mixes_scripts(text)


def _mixes_scripts(word: str) -> bool:
    if word.isascii():
        return False
    scripts = {_script(c) for c in word if c.isalpha()}
    return "LATIN" in scripts and not scripts.isdisjoint(LOOKALIKES)


def _script(character: str) -> str:
    return "LATIN" if character.isascii() else unicodedata.name(character, "").split(" ", 1)[0]

"""What the columns and days of a file nobody has described may be, and how two headers differ."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lifecycle.domain.roster import Repairs
from lifecycle.feed.days import DayReader, Trouble
from lifecycle.feed.profile import ISO, Profile
from lifecycle.feed.synonyms import SYNONYMS

FORMATS = (
    ISO, "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S",
)  # fmt: skip
"""All with four digits for the year."""
ALIKE = 0.8
"""From this likeness on two names of columns are taken for one that was renamed."""


@dataclass(frozen=True)
class HeaderDifference:
    """How two headers differ."""

    renamed: tuple[tuple[str, str], ...]
    """Old and new name."""
    missing: tuple[str, ...]
    new: tuple[str, ...]
    moved: bool
    """Whether the columns that both have stand in another order."""
    doubled: tuple[str, ...]
    """Names that the new header has more than once."""

    def __bool__(self) -> bool:
        return bool(self.renamed or self.missing or self.new or self.moved or self.doubled)

    def sentences(self) -> list[str]:
        """Say it, a sentence for each column."""
        return [
            *(f"The column “{old}” is now called “{new}”, it seems." for old, new in self.renamed),
            *(f"{_column(name)} is missing." for name in self.missing),
            *(f"{_column(name)} is new." for name in self.new),
            *(f"The column “{name}” stands there more than once." for name in self.doubled),
            *(["The columns stand in another order."] if self.moved else []),
        ]


def suggest_columns(header: Sequence[str]) -> dict[str, str]:
    """
    Suggest which column holds what.

    Case, blanks and punctuation mean nothing. A name that stands in the header twice is never suggested.

    Returns:
        Field to header, both once.
    """
    counts = Counter(_bare(name) for name in header)
    named = {_bare(name): name for name in header if counts[_bare(name)] == 1 and _bare(name)}
    found: dict[str, str] = {}
    for field, synonyms in SYNONYMS.items():
        name = next((named[_bare(synonym)] for synonym in synonyms if _bare(synonym) in named), None)
        if name is not None and name not in found.values():
            found[field] = name
    if {"name", "first_name", "last_name"} <= found.keys():
        del found["first_name"], found["last_name"]
    return found


def suggest_date_format(values: Iterable[str]) -> list[str]:
    """
    List the known formats that read every one of *values*; none or several of them mean that a person must say.

    Empty cells and words for no day tell nothing. Formats are as ``strptime`` takes them.
    """
    left = {value.strip() for value in values}
    readers = {name: DayReader(Profile("", {}, date_format=name), Repairs()) for name in FORMATS}
    left = {value for value in left if not _says_no_day(value, readers[ISO])}
    if not left:
        return []
    found = [name for name, reader in readers.items() if not any(_unread(reader, value) for value in left)]
    # May is both the short and the long name of its month
    return [name for name in found if "%B" not in name or name.replace("%B", "%b") not in found]


def _unread(reader: DayReader, value: str) -> bool:
    return isinstance(reader.read(value), Trouble)


def _says_no_day(value: str, reader: DayReader) -> bool:
    return reader.read(value) is None


def headers_match(profile: Profile, header: Sequence[str]) -> bool:
    """Say whether a file with *header* is one of *profile*."""
    names = tuple(name.strip() for name in header)
    if profile.header:
        known = tuple(name.strip() for name in profile.header)
        # what was matched before empty columns were left out has blanks for them
        return names in {known, tuple(filter(None, known))}
    return all(names.count(column) == 1 for column in profile.columns.values())


def header_difference(old: Sequence[str], new: Sequence[str]) -> HeaderDifference:
    """Compare the header that was matched once with the one that came now."""
    before, now = [name.strip() for name in old], [name.strip() for name in new]
    missing = [name for name in before if name not in now]
    added = [name for name in dict.fromkeys(now) if name not in before]
    renamed = []
    for name in list(missing):
        likely = next((other for other in added if _is_alike(name, other)), None)
        if likely is not None:
            renamed.append((name, likely))
            missing.remove(name)
            added.remove(likely)
    both = [name for name in before if name in now]
    moved = both != [name for name in dict.fromkeys(now) if name in before]
    doubled = tuple(name for name, count in Counter(now).items() if name and count > max(1, before.count(name)))
    return HeaderDifference(tuple(renamed), tuple(missing), tuple(added), moved and not doubled, doubled)


def _column(name: str) -> str:
    return f"The column “{name}”" if name else "A column without a heading"


def _is_alike(one: str, other: str) -> bool:
    a, b = _bare(one), _bare(other)
    if not a or not b:
        return False
    same_field = any({a, b} <= {_bare(synonym) for synonym in synonyms} for synonyms in SYNONYMS.values())
    return same_field or difflib.SequenceMatcher(None, a, b).ratio() >= ALIKE


def _bare(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isalnum())

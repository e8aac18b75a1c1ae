"""What two rows share that state the same facts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from lifecycle.domain.roster import RosterRow


class _Written(dict[object, str]):
    """Days and other facts with few values as text, each written once: a million rows have a few thousand days."""

    def __missing__(self, fact: object) -> str:
        self[fact] = text = str(fact)
        return text


_WRITTEN = _Written()


def digests_of(rows: Sequence[RosterRow], carried: str) -> list[str]:
    """
    Return for each row what two rows share when they state the same facts, whatever their lines.

    Args:
        rows: As read.
        carried: The fields that their file has columns for; a fact that is not stated is none that is empty.
    """
    if not rows:
        return []
    _, *columns = zip(*rows, strict=True)  # column by column: this is done for a million rows
    texts = [column if None not in column else map(str, column) for column in columns[:-4]]
    written = [map(_WRITTEN.__getitem__, column) for column in columns[-4:]]
    joined = map("\x1f".join, zip(*texts, *written, strict=True))
    return [blake2b(f"{carried}\x1f{text}".encode(), digest_size=16).hexdigest() for text in joined]


def digest_of(row: RosterRow, carried: str) -> str:
    """Return the digest of one row, see `digests_of`."""
    return digests_of([row], carried)[0]

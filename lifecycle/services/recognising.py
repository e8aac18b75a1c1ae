"""Whose file it is: what its header and the way it is written say, and what only a person can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lifecycle.feed.kinds import Kind
from lifecycle.feed.layouts import SHIPPED, best_fitting
from lifecycle.feed.look import Look
from lifecycle.feed.misread import oddities
from lifecycle.settings.rosters import ProfileSettings

SHIPPED_MARK = "shipped:"
"""What the key of a layout that comes with the product begins with; that of a profile is its name."""
ENCODINGS = {
    "utf-8": "UTF-8", "utf-16": "UTF-16", "windows-1252": "Windows-1252", "iso-8859-1": "ISO 8859-1",
    "mac-roman": "Mac Roman",
}  # fmt: skip
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
NUMBERS = {2: "Two", 3: "Three", 4: "Four"}


@dataclass(frozen=True)
class Recognised:
    """What a file says about whose it is; nothing at all where no profile has its header."""

    name: str = ""
    """The profile that it is read as; empty where a person must say."""
    rivals: tuple[str, ...] = ()
    """Keys of the layouts that it may be one of, where a person must say."""
    why: str = ""
    """Why they must."""


def recognise(known: Mapping[str, ProfileSettings], alike: Sequence[str], seen: Look) -> Recognised:
    """
    Say which profile a file is read as.

    A header does not tell everybody from changes only, and a roster of changes that is read as one of everybody makes
    all others missing. So a shipped layout of the other scope that fits is asked about as well, until somebody has
    answered: see `ProfileSettings.told_apart`.

    Args:
        known: Every profile by name.
        alike: Names of those whose header it has.
        seen: The file.
    """
    written = [name for name in alike if _written_otherwise(seen, known[name]) == ""]
    fitting = written or alike
    # the whole header says more than some of its columns
    chosen = [name for name in fitting if known[name].header] or fitting
    if not chosen:
        return Recognised()
    rivals = [*chosen, *(_of_other_scope(known[chosen[0]], seen) if len(chosen) == 1 else ())]
    why = [which([_told(known, key) for key in rivals])] if len(rivals) > 1 else []
    if not written:
        why.append(f"The header is that of “{chosen[0]}”, but {_written_otherwise(seen, known[chosen[0]])}.")
    return Recognised(rivals=tuple(rivals), why=" ".join(why)) if why else Recognised(chosen[0])


def which(layouts: Sequence[tuple[str, str]], header: str = "have this header") -> str:
    """Ask which of several layouts, each with what it is called and its scope, a file has."""
    called = [f"“{name}”" for name, _ in layouts]
    scopes = {scope for _, scope in layouts}
    question = "Say which one it is: everybody, or changes only?" if len(scopes) > 1 else "Say which one it is."
    number = NUMBERS.get(len(called), str(len(called)))
    return f"{number} layouts {header}: {', '.join(called[:-1])} and {called[-1]}. {question}"


def _told(known: Mapping[str, ProfileSettings], key: str) -> tuple[str, str]:
    if not key.startswith(SHIPPED_MARK):
        return key, known[key].scope.value
    document = SHIPPED[key.removeprefix(SHIPPED_MARK)]
    return document["title"], document["scope"]


def _of_other_scope(layout: ProfileSettings, seen: Look) -> list[str]:
    if layout.told_apart:
        return []
    names = [name for name in best_fitting(seen.header) if SHIPPED[name]["scope"] != layout.scope.value]
    return [f"{SHIPPED_MARK}{name}" for name in names]


def _written_otherwise(seen: Look, layout: ProfileSettings) -> str:
    """Say how a file is written otherwise than a profile's files; of one-byte encodings more than one may fit."""
    if seen.kind is not Kind.CSV:
        return ""
    if seen.delimiter != layout.delimiter:
        found, known = (DELIMITERS.get(sign, repr(sign)) for sign in (seen.delimiter, layout.delimiter))
        return f"the columns of its files are parted by {known} and those of this one by {found}"
    fits = {seen.encoding} if seen.encoding else set(seen.samples)
    known = ENCODINGS[layout.encoding]
    if layout.encoding in seen.doubted and layout.encoding in fits and not layout.read_right:
        example = next((f": “{word}”" for word in seen.samples[layout.encoding] if oddities(word)), "")
        return f"its files are {known}, and read so this one has words that look wrong{example}"
    if layout.encoding in fits or (seen.ascii_only and layout.encoding != "utf-16"):
        return ""
    found = f"this one is {ENCODINGS[fits.pop()]}" if len(fits) == 1 else "this one is not"
    return f"its files are {known} and {found}"

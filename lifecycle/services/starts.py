"""What matching columns may begin with: our own profiles, the shipped layouts, and which of them a file looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifecycle.feed.layouts import SHIPPED, best_fitting, fitting
from lifecycle.services.recognising import SHIPPED_MARK, Recognised, which
from lifecycle.settings.rosters import ProfileSettings

ALIKE = 0.6
"""A file that has so large a share of a profile's columns may be one of it whose header has changed."""


@dataclass(frozen=True)
class Start:
    """A layout that one can start from."""

    name: str
    title: str
    document: Mapping[str, Any]
    """As `ProfileSettings` takes it, perhaps without vendor or zone."""
    fits: bool
    """Whether the file has all its columns."""
    shipped: bool

    @property
    def called(self) -> str:
        """What it is told from others by: of two profiles that began with one layout the title is the same."""
        return self.title if self.shipped else self.name

    @property
    def header(self) -> list[str]:
        """The whole header where it is known, or else the columns that it uses."""
        return list(self.document.get("header") or self.document["columns"].values())


@dataclass(frozen=True)
class Beginning:
    """What a page begins with."""

    key: str = ""
    """Of the layout; empty for none."""
    question: str = ""
    """Why nothing is read before a person has said something."""
    among: tuple[str, ...] = ()
    """Keys of the layouts that they choose from; one of them where only the way it is written is asked for."""
    near: str = ""
    """Key of the profile that the file may be one of as well, its header having changed."""
    chosen: bool = False
    """Whether somebody has chosen it."""

    @property
    def is_open(self) -> bool:
        """Whether they have to choose."""
        return len(self.among) > 1


def starts_for(known: Mapping[str, ProfileSettings], header: Sequence[str]) -> dict[str, Start]:
    """Return the layouts that one can start from by key, those first whose columns *header* has; *known* are ours."""
    found = {name: _of(name, layout, header) for name, layout in known.items()}
    fits = fitting(header)
    for name, document in SHIPPED.items():
        found[f"{SHIPPED_MARK}{name}"] = Start(name, document.get("title", name), document, name in fits, shipped=True)
    return dict(sorted(found.items(), key=lambda pair: not pair[1].fits))


def _of(name: str, layout: ProfileSettings, header: Sequence[str]) -> Start:
    fits = set(layout.columns.values()) <= set(header)
    return Start(name, layout.title or name, layout.model_dump(mode="json"), fits, shipped=False)


def begin(found: Recognised, header: Sequence[str], starts: Mapping[str, Start]) -> Beginning:
    """
    Say what to begin with where nobody has chosen it.

    First comes a profile of ours that has this very header, then the shipped layout that says most about it, and only
    then a profile of ours with another header.
    """
    if found.name or found.rivals:
        key = found.name or (found.rivals[0] if len(found.rivals) == 1 else "")
        return Beginning(key, found.why, found.rivals)
    return _by_likeness(header, starts)


def _by_likeness(header: Sequence[str], starts: Mapping[str, Start]) -> Beginning:
    """
    Say what a header that no profile has looks like.

    A file of our own whose header has changed must not become another source, to which everybody is new; a file of
    somebody else must not be read as one of ours. So a profile of ours is begun with where the file is liker to it
    than to any shipped layout, and named where it is not but comes close.
    """
    like = {key: _likeness(start, header) for key, start in starts.items()}
    ours = [key for key, start in starts.items() if not start.shipped and _shared(start, header) >= ALIKE]
    near = max(ours, key=lambda key: like[key], default="")
    shipped = [key for key, start in starts.items() if start.shipped]
    best = [f"{SHIPPED_MARK}{name}" for name in best_fitting(header)]
    if best and (not near or like[near] <= like[best[0]]):
        return _one_of(best, starts, "have this header", near)
    if not near or like[near] < max(like[key] for key in shipped):
        return Beginning()
    closest = [key for key in ours if like[key] == like[near]]
    scope = starts[near].document["scope"]
    others = [key for key in best if starts[key].document["scope"] != scope] if len(closest) == 1 else []
    return _one_of([*closest, *others], starts, "come close to this header")


def _one_of(keys: Sequence[str], starts: Mapping[str, Start], header: str, near: str = "") -> Beginning:
    """Begin with the only one of *keys*, or ask which of them it is."""
    if len(keys) == 1:
        return Beginning(keys[0], near=near)
    question = which([(starts[key].called, starts[key].document["scope"]) for key in keys], header)
    return Beginning("", question, tuple(keys), near)


def _shared(start: Start, header: Sequence[str]) -> float:
    columns = set(start.document["columns"].values())
    return len(columns & set(header)) / len(columns)


def _likeness(start: Start, header: Sequence[str]) -> float:
    """Return the share of columns that both have among those that either has."""
    known, here = set(filter(None, start.header)), set(filter(None, header))
    return len(known & here) / len(known | here)


def agreed(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several layouts say alike; of what they contradict each other in, and the scope, nothing."""
    fields = {field for document in documents for field in document["columns"]}
    columns = {field: _only(document["columns"].get(field) for document in documents) for field in fields}
    keys = {key for document in documents for key in document} - {"columns", "scope", "header"}
    said = {key: _only(document.get(key) for document in documents) for key in keys}
    return {**said, "columns": {field: column for field, column in columns.items() if column}}


def _only(values: Any) -> Any:
    """Return what all that say something say; nothing where they differ."""
    said = [value for value in values if value]
    return said[0] if said and all(value == said[0] for value in said) else ""

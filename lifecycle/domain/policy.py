"""The offboarding policy: named stages, when each begins and how much may be held in it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import InvalidPolicy

LONGEST_OFFSET_DAYS = 366
_BEGINS = re.compile(r"(?:(?P<days>\d+) days? )?(?P<anchor>[a-z ]+)")


class Anchor(StrEnum):
    """What a stage's beginning is counted from, in the order in which stages must follow one another."""

    FIRST_DAY = "first day"
    BEFORE_LAST_DAY = "before the last day"
    LAST_WORKING_DAY = "last working day"
    END = "end"
    AFTER_END = "after the end"


ORDER = tuple(Anchor)
WITH_DAYS = frozenset({Anchor.BEFORE_LAST_DAY, Anchor.AFTER_END})


@dataclass(frozen=True, slots=True)
class Stage:
    """One named step. It begins at 00:00 local time of its day; ``END`` at the cutoff of the last day."""

    name: str
    anchor: Anchor
    ceiling: Tier
    days: int = 0
    """Calendar days before or after the anchor; 0 where the anchor has none."""

    @classmethod
    def parse(cls, name: str, begins: str, ceiling: str) -> Stage:
        """
        Read a stage as ``config.toml`` writes it, for example ``begins = "14 days before the last day"``.

        Raises:
            InvalidPolicy: If *begins* is none of the forms of `Anchor`.
            InvalidCatalogue: If *ceiling* is no tier.
        """
        match = _BEGINS.fullmatch(begins.strip())
        anchors = {anchor.value: anchor for anchor in Anchor}
        anchor = anchors.get(match["anchor"]) if match else None
        if match is None or anchor is None or (match["days"] is None) is (anchor in WITH_DAYS):
            raise InvalidPolicy(
                f"stage {name}: begins = {begins!r} is none of 'first day', 'N days before the last day', "
                "'last working day', 'end', 'N days after the end'"
            )
        return cls(name, anchor, Tier.parse(ceiling), int(match["days"] or 0))


@dataclass(frozen=True, slots=True)
class OffboardingPolicy:
    """Stages in order, and the local time at which the last day ends (None: 24:00)."""

    stages: tuple[Stage, ...]
    cutoff: time | None = None

    def __post_init__(self) -> None:
        """
        Prove that access can only shrink from stage to stage, whatever the dates.

        Raises:
            InvalidPolicy: Naming the stage that is out of order, out of bounds or would raise the ceiling.
        """
        for stage in self.stages:
            if stage.anchor in WITH_DAYS and not 1 <= stage.days <= LONGEST_OFFSET_DAYS:
                raise InvalidPolicy(f"stage {stage.name}: {stage.days} days is not within 1 to {LONGEST_OFFSET_DAYS}")
        self._check_completeness()
        for earlier, later in itertools.pairwise(self.stages):
            _check_order(earlier, later)
        self._check_ends()

    def _check_completeness(self) -> None:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise InvalidPolicy("two stages have the same name")
        for anchor in (Anchor.FIRST_DAY, Anchor.LAST_WORKING_DAY, Anchor.END):
            if sum(stage.anchor is anchor for stage in self.stages) != 1:
                raise InvalidPolicy(f"exactly one stage must begin at '{anchor.value}'")

    def _check_ends(self) -> None:
        for stage in self.stages:
            if ORDER.index(stage.anchor) >= ORDER.index(Anchor.LAST_WORKING_DAY) and stage.ceiling >= Tier.GOD:
                raise InvalidPolicy(f"stage {stage.name}: god mode must be gone before the last working day begins")
            if ORDER.index(stage.anchor) >= ORDER.index(Anchor.END) and stage.ceiling > Tier.NONE:
                raise InvalidPolicy(f"stage {stage.name}: nothing may be held after the end")


def _check_order(earlier: Stage, later: Stage) -> None:
    if later.ceiling > earlier.ceiling:
        raise InvalidPolicy(
            f"stage {later.name} would raise the ceiling from {earlier.ceiling.label} to {later.ceiling.label}"
        )
    if ORDER.index(later.anchor) < ORDER.index(earlier.anchor):
        raise InvalidPolicy(f"stage {later.name} stands after {earlier.name} but begins before it")
    same = later.anchor is earlier.anchor
    if same and later.anchor is Anchor.BEFORE_LAST_DAY and later.days >= earlier.days:
        raise InvalidPolicy(f"stage {later.name} must begin fewer days before the last day than {earlier.name}")
    if same and later.anchor is Anchor.AFTER_END and later.days <= earlier.days:
        raise InvalidPolicy(f"stage {later.name} must begin more days after the end than {earlier.name}")

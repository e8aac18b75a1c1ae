"""Rows of one roster that contradict each other, and what a person has said of which one counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from lifecycle.domain.party import key_of
from lifecycle.domain.roster import (
    Cause,
    Choice,
    Complaint,
    Repairs,
    RosterRow,
    complaint_about,
    key_of_contract,
    key_of_worker,
)


def one_person(rows: Sequence[RosterRow], repairs: Repairs) -> list[RosterRow] | dict[int, Complaint]:
    """Return the rows that count, or a complaint for each line where one worker id stands for two people."""
    named = [row for row in rows if row.name is not None]
    if len({key_of(row.name or "") for row in named}) < 2:
        return list(rows)
    worker_id = named[0].worker_id or ""
    key = key_of_worker(worker_id)
    chosen = _chosen(named, repairs.lines.get(key), repairs.holder, by_end=False)
    if chosen is not None:
        return [row for row in rows if row.name is None or key_of(row.name) == key_of(chosen.name or "")]
    complaints = {}
    first = named[0]
    second = next(row for row in named if key_of(row.name or "") != key_of(first.name or ""))
    for row in rows:
        other = second if key_of(row.name or "") == key_of(first.name or "") else first
        expected = f"one person for each id, but line {other.line} gives it to {other.name} and this line to {row.name}"
        remedy = "Say which of them holds this id, or ask the vendor."
        found = complaint_about(row, Cause.SHARED_ID, "worker_id", worker_id, expected, remedy)
        complaints[row.line] = replace(found, about=key)
    return complaints


def one_contract(rows: Sequence[RosterRow], repairs: Repairs) -> RosterRow | dict[int, Complaint]:
    """Return the row that counts, or a complaint for each line where rows about one contract contradict each other."""
    first = rows[0]
    if all(_contradiction(row, first) is None for row in rows):
        return first
    key = key_of_contract(first)
    chosen = _chosen(rows, repairs.lines.get(key), repairs.choice, by_end=True)
    if chosen is not None:
        return chosen
    complaints = {}
    for row in rows:
        other, name = next((o, n) for o in rows if (n := _contradiction(row, o)) is not None)
        mine, theirs = _text(getattr(row, name)), _text(getattr(other, name))
        expected = f"{theirs or 'nothing'} as on line {other.line}, which is the same contract"
        remedy = "Say which row counts, or delete the one that does not."
        complaints[row.line] = replace(complaint_about(row, Cause.DUPLICATE, name, mine, expected, remedy), about=key)
    return complaints


def _contradiction(row: RosterRow, other: RosterRow) -> str | None:
    """Return the first fact that two rows about one contract state differently; None when there is none."""
    for name in RosterRow._fields[2:]:
        mine, theirs = getattr(row, name), getattr(other, name)
        if None in (mine, theirs) or mine == theirs:
            continue
        if name != "reference" or (mine and theirs):  # a feed without numbers has none, what is stored always has one
            return name
    return None


def _chosen(rows: Sequence[RosterRow], line: int | None, choice: Choice, *, by_end: bool) -> RosterRow | None:
    """Return the row that a person has said counts, by itself or by a rule for all."""
    if line is not None:
        return next((row for row in rows if row.line == line), None)
    ends = [row for row in rows if row.last_day is not None] if by_end else []
    match choice:
        case Choice.FIRST_ROW:
            return min(rows, key=lambda row: row.line)
        case Choice.LAST_ROW:
            return max(rows, key=lambda row: row.line)
        case Choice.SOONER_END if ends:
            return min(ends, key=lambda row: (row.last_day or date.max, row.line))
        case Choice.LATER_END if ends:
            return max(ends, key=lambda row: (row.last_day or date.min, -row.line))
        case _:
            return None


def _text(value: object) -> str:
    return "" if value is None else str(value)

"""What became of an approval: when it began and ended, by whom, and whether it ever began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lifecycle.domain.audit import AuditRecord
from lifecycle.services.case import Case
from lifecycle.services.names import names_of_actors
from lifecycle.services.trail import records_about
from lifecycle.store import requests
from lifecycle.store.tables import GrantRow
from lifecycle.store.unit import Unit

TELLING = ("grant-activated", "grant-ended", "cut-off")


class State(StrEnum):
    """Where a grant stands."""

    NEVER = "never began"
    TO_COME = "to come"
    RUNS = "runs"
    ENDED = "ended"


@dataclass(frozen=True)
class Course:
    """The true beginning and end of what a request has led to; both aware UTC, the end exclusive."""

    state: State
    starts_at: datetime | None
    """None where it never began."""
    ends_at: datetime | None
    how: str
    """How it ended or was kept from beginning, in words that follow the verb; empty while nothing has ended."""


def course_of(unit: Unit, case: Case, now: datetime) -> Course | None:
    """Say what became of *case*'s grant; None where nothing was activated."""
    if case.row.activated_at is None or not case.row.made_grant:
        return None
    grant = requests.grant_row(unit, case.row.made_grant)
    told = records_about(unit, [f"identity:{case.row.identity_id}"], actions=TELLING)
    if grant is None:  # it was ended before it began
        return Course(State.NEVER, None, None, _by(unit, _who_ended(case, told, None)))
    ends_at = _end(case, grant)
    if ends_at <= grant.starts_at:
        return Course(State.NEVER, None, None, _how(unit, case, told, ends_at))
    if now < grant.starts_at:
        return Course(State.TO_COME, grant.starts_at, ends_at, "")
    if now < ends_at:
        return Course(State.RUNS, grant.starts_at, ends_at, "")
    return Course(State.ENDED, grant.starts_at, ends_at, _how(unit, case, told, ends_at))


def _end(case: Case, grant: GrantRow) -> datetime:
    """Return the instant from which it gives nothing: its own end, the contract's, or that of all access."""
    ends_at = min(grant.ends_at, case.contract.timeline.ends_at)
    cut_off = case.contract.engagement.measures.cut_off_at
    return ends_at if cut_off is None else min(ends_at, cut_off)


def _how(unit: Unit, case: Case, told: list[AuditRecord], ends_at: datetime) -> str:
    ended = _who_ended(case, told, ends_at)
    if ended is not None:
        return _by(unit, ended)
    planned = next((r.after.get("ends_at") for r in told if r.action == TELLING[0] and r.request == case.row.id), None)
    early = planned is not None and ends_at < datetime.fromisoformat(str(planned))
    return "with the contract" if early or ends_at == case.contract.timeline.ends_at else "by itself, as approved"


def _who_ended(case: Case, told: list[AuditRecord], ends_at: datetime | None) -> AuditRecord | None:
    """Find the record of a person ending it: by itself, with what it was to extend, or with all access."""
    own = case.row.id
    for record in told:
        after = record.after
        if record.action == "grant-ended" and (record.request == own or own in after.get("extensions_ended", [])):
            return record
        if record.action == "cut-off" and (own in after.get("god_grants_ended", []) or record.at == ends_at):
            return record
    return None


def _by(unit: Unit, record: AuditRecord | None) -> str:
    if record is None:
        return ""
    name = names_of_actors(unit, [record.actor]).get(record.actor, record.actor)
    reason = str(record.after.get("reason", ""))
    if record.action == "cut-off":
        return f"by {name}, with all access"
    return f"by {name}: “{reason}”" if reason else f"by {name}"

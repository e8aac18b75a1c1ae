"""What needs a person, and what that person can do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from lifecycle.domain.approval import Kind
from lifecycle.services.case import Case
from lifecycle.services.holders import Holder
from lifecycle.services.persons import Standing
from lifecycle.services.sources import Freshness, SourceView
from lifecycle.services.targets import DOWN
from lifecycle.services.upload_views import Upload
from lifecycle.store.request_tables import CutOffRow
from lifecycle.store.work import WorkItem


@dataclass(frozen=True)
class Alert:
    """Something that needs a person, and what that person can do about it."""

    title: str
    detail: str
    target: str = ""
    """Target that a retry would ask again; empty where nothing here can help."""
    link: str = ""
    """Path of the page where it can be dealt with."""


@dataclass(frozen=True)
class TargetView:
    """How a target stands, for people."""

    name: str
    title: str
    state: str
    """``up``, ``down``, ``warning`` or ``unknown``."""
    note: str
    waiting: int
    hours: tuple[str, ...]
    """``ok``, ``bad`` or ``none`` for each of the last 24 hours."""
    findings: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Waiting:
    """An open work item that is late or failing, with whose it is."""

    item: WorkItem
    standing: Standing
    state: str
    """``failed`` or ``late``."""


def alerts_of(overdue: list[Waiting], targets: list[TargetView], god: tuple[Holder, ...], off: float) -> list[Alert]:
    """List what needs a person, worst first."""
    alerts = []
    if off:
        alerts.append(
            Alert(
                f"The clock of this machine is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}",
                "Work goes on by elapsed time. Set the clock right; if it is right now, restart the product.",
            )
        )
    alerts += [
        Alert(
            f"{holder.account} holds {holder.entitlement} and belongs to nobody known here",
            "Remove it in the target, or add its owner to the staffing feed.",
        )
        for holder in god
        if holder.identity is None
    ]
    for target in targets:
        if target.state == DOWN:
            detail = f"{target.note} {target.waiting} changes wait; they are tried again by themselves."
            alerts.append(Alert(f"{target.title} does not answer", detail, target.name))
    for waiting in overdue:
        if waiting.state == "failed":
            item, name = waiting.item, waiting.standing.identity.name
            tried = f"Tried {item.attempts} times; tried again by itself."
            if item.error_kind == "no-account":
                system = next((t.title for t in targets if t.name == item.target), item.target)
                detail = f"{_sentence(item.error)} Make the account there; access follows by itself. {tried}"
                alerts.append(Alert(f"{name} has no account in {system}", detail, item.target))
                continue
            detail = f"{_sentence(item.error)} {tried}"
            alerts.append(
                Alert(f"{item.verb.value.capitalize()} of {item.aspect} for {name} is refused", detail, item.target)
            )
    for target in targets:
        for finding in target.findings:
            if finding["severity"] == "error" and target.state != DOWN:
                detail = f"{finding['message']}. {finding['remedy']}"
                alerts.append(Alert(f"{target.title}: {finding['topic']}", detail, target.name))
    return alerts


def _sentence(words: str) -> str:
    """Begin with a capital and end with a full stop, and leave every id as it is."""
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


def people_alerts(stuck: Iterable[Case], cut_offs: Iterable[tuple[CutOffRow, str]]) -> list[Alert]:
    """List requests that nobody can review, and people whose access somebody has ended and nobody given back."""
    alerts = [
        Alert(
            # whose access is about to end does not read it here
            f"{case.row.id} for {'somebody' if case.request.kind is Kind.CUT_OFF else case.identity.name} is stuck: "
            "too few people can review it",
            f"It expires {case.row.expires_at:%-d %b, %H:%M} UTC. Name another owner, or a fallback in config.toml.",
            link=case.link,
        )
        for case in stuck
    ]
    return alerts + [
        Alert(
            f"Access of {name} was ended by a person",
            f"{_sentence(row.reason)} Somebody else can undo it.",
            link=f"/people/{row.identity_id}/revoke",
        )
        for row, name in cut_offs
    ]


def roster_alerts(held: Iterable[Upload], sources: Iterable[SourceView]) -> list[Alert]:
    """List rosters that wait for two people, and sources that are stopped, fail, or have been silent for long."""
    alerts = [
        Alert(
            f"A roster of {upload.source} is held: two people must agree",
            " ".join(_sentence(finding["words"]) for finding in upload.guard),
            link=f"/rosters/{upload.id}",
        )
        for upload in held
    ]
    for source in sources:
        link = f"/sources/{quote(source.name, safe='')}"
        match source.state:
            case Freshness.FROZEN:
                words = f"Somebody has stopped them: {source.row.frozen_because or 'see its page'}."
                alerts.append(Alert(f"Rosters of {source.title} are stopped", words, link=link))
            case Freshness.REFUSING:
                words = f"For more than {source.refuse_hours} hours; nothing new is granted on its contracts."
                alerts.append(Alert(f"{source.title} has delivered no roster", words, link=link))
            case Freshness.FAILING:
                alerts.append(Alert(f"The source {source.title} fails", _sentence(source.error), link=link))
            case Freshness.STALE:
                words = f"For more than {source.warn_hours} hours; ask whoever sends it."
                alerts.append(Alert(f"{source.title} has delivered no roster", words, link=link))
            case Freshness.FRESH | Freshness.NONE:
                pass
    return alerts


def notice_alerts(failing: Iterable[tuple[str, str, int, datetime, str]], waiting: int, *, mail: bool) -> list[Alert]:
    """List who cannot be told anything."""
    alerts = [
        Alert(
            f"{count} message{'s' if count != 1 else ''} to {recipient} cannot be delivered",
            f"{_sentence(why)} Tried for ever since {since:%-d %b, %H:%M} UTC.",
        )
        for _, recipient, count, since, why in failing
    ]
    if waiting and not mail:
        words = f"{waiting} message{'s wait' if waiting != 1 else ' waits'} for a mail server"
        alerts.append(Alert(words, "Name one under [notices.smtp] in config.toml; they are sent then."))
    return alerts

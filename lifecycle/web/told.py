"""What is recorded, in sentences for the person whom it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lifecycle.domain.audit import AuditRecord
from lifecycle.web import formats
from lifecycle.web.services import services

INSIDE = frozenset({"attempts", "seconds_late", "due_at", "cause", "outcome", "account", "target", "entitlement",
                    "line", "identity", "kind", "at_once"})  # fmt: skip
"""What only matters to whoever runs the program; the trail itself has it."""


@dataclass(frozen=True)
class Telling:
    """Writes sentences for one reader."""

    zone: str
    own_login: str
    names: Mapping[str, str]
    """Names of actors by how the trail calls them."""

    def who(self, record: AuditRecord) -> str:
        """Say who did it: the reader, a person by name, or the program by itself."""
        return self._name(record.actor)

    def sentence(self, record: AuditRecord) -> str:
        """Say what happened; what has no sentence of its own is said in words."""
        tell = SENTENCES.get(record.action)
        if tell is None and record.action.endswith("-failed"):
            tell = _failed
        if tell is None and record.action.startswith("drift-"):
            tell = _drift
        return tell(self, record) if tell else self._in_words(record)

    def _name(self, actor: str) -> str:
        kind, _, login = actor.partition(":")
        if kind == "member" and login == self.own_login:
            return "You"
        if actor == "scheduler":
            return "The program, by itself"
        return self.names.get(actor) or {"cli": "IT", "token": "Another program", "hr": "HR"}.get(kind, login or actor)

    def right(self, record: AuditRecord) -> str:
        """Name the right that it is about, and where."""
        return self.title(str(record.after.get("entitlement", "")))

    @staticmethod
    def title(key: str) -> str:
        """Name a right by its title and its system."""
        found = services().targets.catalogue.entitlements.get(key)
        return f"“{found.title}” in {formats.target_title(found.target)}" if found else key or "access"

    @staticmethod
    def target(record: AuditRecord) -> str:
        """Name the system that it is about."""
        return formats.target_title(str(record.after.get("target", "")))

    def plain(self, value: object) -> str:
        """Write a value as people do."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(self.plain(v) for v in value) or "nothing"
        words = str(value)
        if words in services().targets.catalogue.entitlements:
            return self.title(words)
        try:
            return self.at(words) if "T" in words else formats.day(date.fromisoformat(words))
        except ValueError:
            return words

    def at(self, stamp: str) -> str:
        """Write an instant as the reader's clocks show it."""
        return formats.full(datetime.fromisoformat(stamp), self.zone)

    def _in_words(self, record: AuditRecord) -> str:
        said = [
            f"{k.replace('_', ' ')} {self.plain(v)}" for k, v in record.after.items() if k not in INSIDE and v != ""
        ]
        words = record.action.replace("-", " ").capitalize()
        about = self.right(record) if "entitlement" in record.after else ""
        return f"{' '.join(filter(None, (words, about)))}{': ' if said else ''}{', '.join(said)}."


Tell = Callable[[Telling, AuditRecord], str]


def _quoted(words: Any) -> str:
    return f": “{words}”" if words else ""


def _asked(t: Telling, r: AuditRecord) -> str:
    hours, needed = r.after.get("hours"), r.after.get("reviews_needed", 1)
    length = f" for {formats.length(float(hours))}" if isinstance(hours, int | float) else ""
    people = "Two people must approve it." if needed == 2 else "One person must approve it."
    exception = " It is an exception: more than this stage of the contract allows." if r.after.get("exception") else ""
    verb = "changed what is asked for to" if r.action == "request-edited" else "asked for"
    return f"{t.who(r)} {verb} {t.right(r)}{length}{_quoted(r.after.get('reason'))}. {people}{exception} ({r.request})"


def _reviewed(t: Telling, r: AuditRecord) -> str:
    verb = "approved" if r.after.get("verdict") == "approve" else "denied"
    pending = " It waits for a second person." if r.after.get("resolution") == "pending" else ""
    return f"{t.who(r)} {verb} request {r.request}{_quoted(r.after.get('reason'))}.{pending}"


def _failed(t: Telling, r: AuditRecord) -> str:
    if r.after.get("kind") == "no-account":
        return f"No account of yours was found in {t.target(r)} yet. IT sees it."
    what = {"grant": "Giving access", "revoke": "Taking access away", "disable": "Closing your account",
            "enable": "Opening your account"}.get(r.action.removesuffix("-failed"), "A change")  # fmt: skip
    return f"{what} in {t.target(r)} did not work at first; it is tried again. IT sees it."


def _drift(t: Telling, r: AuditRecord) -> str:
    what = str(r.after.get("what", ""))
    known = what in services().targets.catalogue.entitlements
    about = f" It concerns {t.title(what)}." if known else ""
    return f"Your account in {t.target(r)} was changed there, past this program; it is put right.{about}"


def _changed(t: Telling, r: AuditRecord) -> str:
    names = {"first_day": "first day", "last_day": "last day", "standing": "status"}
    pairs = [
        f"{names.get(k, k.replace('_', ' '))} {t.plain(r.before.get(k) or 'nothing')} became {t.plain(v) or 'nothing'}"
        for k, v in r.after.items()
        if k not in {"reference", "line", "missing_again", "lapsed_at", "god_ends_at"}
    ]
    words = f"Your contract {r.after.get('reference', '')} was changed by the roster: {', '.join(pairs) or 'details'}."
    if r.after.get("lapsed_at"):
        words += " Your access had ended before, and nothing was given back by itself; it can be asked for."
    elif r.after.get("god_ends_at"):
        ends = t.plain(r.after["god_ends_at"])
        words += f" God mode still ends {ends}, unless your sponsor agrees to the new days."
    if r.after.get("standing") == "converted":
        words += " You have become an employee: your accounts stay, and what the contract gave ends with it."
    return words


def _answered(t: Telling, r: AuditRecord) -> str:
    words = {"extend": f"proposed to extend your contract to {t.plain(r.after.get('proposed_day', ''))}",
             "convert": "proposed to employ you", "lapse": "let your contract end as planned"}  # fmt: skip
    return (
        f"{t.who(r)} {words.get(str(r.after.get('answer')), 'answered what comes next')}{_quoted(r.after.get('note'))}."
    )


def _activated(t: Telling, r: AuditRecord) -> str:
    by = " and ".join(map(str, r.after.get("approved_by") or []))
    approved = f", approved by {by}" if by else ""
    return f"{t.right(r)} was given to you until {t.plain(r.after.get('ends_at', ''))}{approved}."


SENTENCES: dict[str, Tell] = {
    "engagement-added": lambda t, r: (
        f"Your contract {r.after.get('reference', '')} was entered: {t.plain(r.after.get('first_day', ''))} "
        f"to {t.plain(r.after.get('last_day', ''))}."
    ),
    "engagement-changed": _changed,
    "god-ends": lambda t, r: (
        f"God mode of your contract ends {t.plain(r.after.get('at', ''))}: a roster ends it sooner, and only that."
    ),
    "god-goes-on": lambda _t, _r: "God mode of your contract follows its days again: that roster was rejected.",
    "engagement-vanished": lambda _, r: f"Your contract {r.after.get('reference', '')} was missing in a roster.",
    "grant": lambda t, r: f"You got {t.right(r)}.",
    "revoke": lambda t, r: f"{t.right(r)} was taken away.",
    "disable": lambda t, r: f"Your account in {t.target(r)} was closed.",
    "enable": lambda t, r: f"Your account in {t.target(r)} was opened.",
    "set-expiry": lambda t, r: (
        f"Your account in {t.target(r)} was set to end by itself: {t.plain(r.after.get('expires_at', 'never'))}."
    ),
    "observe": lambda t, r: f"Your account in {t.target(r)} was looked at.",
    "account-observed": lambda t, r: (
        f"Your account {r.after.get('account', '')} in {t.target(r)} was read. "
        f"It holds {t.plain(r.after.get('held', []))}."
    ),
    "request-made": _asked,
    "request-edited": _asked,
    "request-reviewed": _reviewed,
    "request-withdrawn": lambda t, r: f"{t.who(r)} withdrew request {r.request}.",
    "request-expired": lambda _, r: f"Request {r.request} expired: nobody answered in time.",
    "request-seen": lambda t, r: f"{t.who(r)} looks at request {r.request}.",
    "request-escalated": lambda _, r: f"Request {r.request} was handed on: too few people could review it.",
    "grant-activated": _activated,
    "grant-ended": lambda t, r: f"{t.who(r)} ended {t.right(r)} early{_quoted(r.after.get('reason'))}.",
    "bridge-asked": lambda t, r: (
        f"{t.who(r)} asked to let your access go on until {t.plain(r.after.get('until', ''))}"
        f"{_quoted(r.after.get('reason'))}."
    ),
    "bridged": lambda t, r: f"Your access goes on until {t.plain(r.after.get('until', ''))}: two people agreed.",
    "resume-asked": lambda t, r: (
        f"{t.who(r)} asked for your access back{_quoted(r.after.get('reason'))}. "
        f"One other person must approve it. ({r.request})"
    ),
    "resumed": lambda t, r: (
        f"Your access was given back, on contract {r.after.get('reference', '')} "
        f"to {t.plain(r.after.get('last_day', ''))}."
    ),
    "extension-agreed": lambda t, r: (
        f"{t.who(r)} agreed to the extension of your contract {r.after.get('reference', '')} "
        f"to {t.plain(r.after.get('last_day', ''))}."
    ),
    "renewal-answered": _answered,
    "renewal-handled": lambda t, r: f"{t.who(r)} took up what your sponsor proposed.",
    "mistake-reported": lambda t, r: f"{t.who(r)} said that something is wrong{_quoted(r.after.get('words'))}.",
    "handover-added": lambda t, r: f"{t.who(r)} wrote down something to hand over{_quoted(r.after.get('task'))}.",
    "handover-done": lambda t, r: f"{t.who(r)} noted that something was handed over{_quoted(r.after.get('task'))}.",
    "cut-off": lambda t, r: f"{t.who(r)} ended all your access{_quoted(r.after.get('reason'))}.",
    "cut-off-undone": lambda t, r: f"{t.who(r)} gave your access back{_quoted(r.after.get('reason'))}.",
}
"""By action, see the trail."""

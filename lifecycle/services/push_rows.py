"""From one pushed person to one row of a roster, or to the reason why there is none. Nothing is guessed."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.strict_json import UNSAFE
from lifecycle.settings import PushSettings

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONTRACT = "urn:contractor-lifecycle:schemas:1.0:Contract"
LONGEST = 254
"""Characters of one value; the longest e-mail address there can be."""
ENDED, RUNNING = "ended", "running"


class PersonUnusable(LifecycleError):
    """What was said about a person is not enough, or not readable; the message names the attribute."""

    code = "person-unusable"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One person as a row of a roster, fields as in ``lifecycle.settings.FIELDS``."""

    worker_id: str
    row: Mapping[str, str]
    ends: bool = False
    """The person is no longer active: the row names worker, contract and status only."""

    @property
    def contract(self) -> tuple[str, str]:
        """What the row is about; of two rows about one contract the later counts."""
        return self.worker_id, self.row["reference"]


def pushed(data: Any, settings: PushSettings) -> Pushed:
    """
    Turn a SCIM user, its names in lower case, into a row. What is not asked for here is dropped.

    Raises:
        PersonUnusable: If a day, the worker id, the name or the staffing company is missing, or cannot be read.
    """
    if not isinstance(data, Mapping):
        raise PersonUnusable("data: expected the attributes of a person")
    user, enterprise, contract = _Part(data), _part(data, ENTERPRISE), _part(data, CONTRACT)
    worker_id = user.need("externalId", "the worker's number in your system")
    reference = contract.text("contractNumber")
    if not _active(data):
        return Pushed(worker_id, {"worker_id": worker_id, "reference": reference, "status": ENDED}, ends=True)
    first_day, last_day = _days(contract)
    row = {
        "worker_id": worker_id,
        "reference": reference,
        "name": _name(user, data),
        "email": _email(data),
        "vendor": contract.text("vendor") or enterprise.text("organization") or settings.vendor,
        "sponsor": contract.text("sponsor") or _manager(enterprise),
        "role": contract.text("role") or user.text("title"),
        "site": contract.text("site"),
        "zone": _zone(contract.text("timeZone") or user.text("timezone")),
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "status": contract.text("status") or RUNNING,
    }
    if not row["vendor"]:
        raise PersonUnusable(f"{CONTRACT}:vendor: expected the staffing company; it is missing")
    if not (row["zone"] or row["site"] or settings.zone):
        raise PersonUnusable(f"{CONTRACT}:timeZone: a day means nothing without a time zone; it is missing")
    return Pushed(worker_id, row)


@dataclass(frozen=True, slots=True)
class _Part:
    """An object of the document, and where it stands."""

    values: Mapping[str, Any]
    where: str = ""

    def text(self, name: str) -> str:
        value = self.values.get(name.lower())
        if value is None:
            return ""
        if not isinstance(value, str):
            raise PersonUnusable(f"{self.where}{name}: expected text")
        if len(value) > LONGEST:
            raise PersonUnusable(f"{self.where}{name}: expected at most {LONGEST} characters, found {len(value)}")
        if UNSAFE.search(value):
            raise PersonUnusable(f"{self.where}{name}: holds characters that cannot be seen or that reorder the text")
        return " ".join(value.split())

    def need(self, name: str, what: str) -> str:
        if found := self.text(name):
            return found
        raise PersonUnusable(f"{self.where}{name}: expected {what}; it is missing")

    def day(self, name: str, what: str) -> date:
        found = self.need(name, f"{what}, as 2026-03-31")
        try:
            day = date.fromisoformat(found)
        except ValueError:
            day = None
        if day is None or day.isoformat() != found:  # weeks and shorter ways to write a day are no calendar days
            raise PersonUnusable(f"{self.where}{name}: expected a calendar day such as 2026-03-31, found {found!r}")
        return day


def _part(data: Mapping[str, Any], urn: str) -> _Part:
    found = data.get(urn.lower())
    if found is not None and not isinstance(found, Mapping):
        raise PersonUnusable(f"{urn}: expected an object")
    return _Part(found or {}, f"{urn}:")


def _days(contract: _Part) -> tuple[date, date]:
    first_day = contract.day("firstDay", "the contract's first day")
    last_day = contract.day("lastDay", "the contract's last day")
    if last_day < first_day:
        raise PersonUnusable(f"{CONTRACT}:lastDay: {last_day} is before the first day, {first_day}")
    return first_day, last_day


def _active(data: Mapping[str, Any]) -> bool:
    """Read ``active``; some clients send it as text, and without it somebody is active."""
    said = data.get("active", True)
    said = {"true": True, "false": False}.get(said.strip().casefold()) if isinstance(said, str) else said
    if said is None and data["active"] is None:
        return True
    if not isinstance(said, bool):
        raise PersonUnusable("active: expected true or false")
    return said


def _name(user: _Part, data: Mapping[str, Any]) -> str:
    if shown := user.text("displayName"):
        return shown
    name = data.get("name")
    if name is not None and not isinstance(name, Mapping):
        raise PersonUnusable("name: expected an object")
    part = _Part(name or {}, "name.")
    found = f"{part.text('givenName')} {part.text('familyName')}".strip() or part.text("formatted")
    if not found:
        raise PersonUnusable("displayName: expected a name; it is missing")
    return found


def _email(data: Mapping[str, Any]) -> str:
    """Choose the primary address, else the one at work, else the first."""
    said = data.get("emails")
    addresses = said if isinstance(said, list) else [] if said is None else [said]
    if any(not isinstance(address, Mapping) for address in addresses):
        raise PersonUnusable("emails: expected objects with a value")
    ranked = sorted(addresses, key=lambda a: (a.get("primary") is not True, a.get("type") != "work"))
    return _Part(ranked[0], "emails.").text("value") if ranked else ""


def _manager(enterprise: _Part) -> str:
    """Return who answers for the person: some clients send the manager as an object, some as plain text."""
    manager = enterprise.values.get("manager")
    if isinstance(manager, Mapping):
        return _Part(manager, f"{ENTERPRISE}:manager.").text("value")
    return enterprise.text("manager")


def _zone(name: str) -> str:
    if name and name not in _zones():
        raise PersonUnusable(f"timezone: expected an IANA zone such as Europe/Berlin, found {name!r}")
    return name


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())

"""Layouts that come with the product. Some lack what only the customer knows: the vendor, or the zone of days."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

FIELDGLASS: Mapping[str, str] = MappingProxyType(
    {
        "worker_id": "Person ID",
        "reference": "Work Order ID",
        "first_name": "First Name",
        "last_name": "Last Name",
        "email": "Worker Email",
        "vendor": "Vendor Name",
        "sponsor": "Owner Employee ID",
        "role": "Job Posting Title",
        "site": "Site Code",
        "first_day": "Start Date",
        "last_day": "End Date",
        "status": "Status",
    }
)
"""
SAP Fieldglass, Active Worker (Single Line) Download. The days are those of the work order, and it is the work order
that is extended; a worker's number there is one of a seat, a person's number stays.
"""

SHIPPED: Mapping[str, Mapping[str, Any]] = {
    "fieldglass-active": {
        "title": "SAP Fieldglass, active workers",
        "source": "fieldglass",
        "columns": dict(FIELDGLASS),
        "scope": "full",
        "date_format": "%m/%d/%Y",
    },
    "fieldglass-delta": {
        "title": "SAP Fieldglass, changes only",
        "source": "fieldglass",
        "columns": dict(FIELDGLASS),
        "scope": "delta",
        "date_format": "%m/%d/%Y",
    },
    "wand-fill": {
        "title": "PRO Unlimited WAND, fill",
        "source": "wand",
        "columns": {
            "worker_id": "WAND Worker ID",
            "reference": "Engagement ID",
            "first_name": "Worker First Name",
            "last_name": "Worker Last Name",
            "email": "Worker Email Address",
            "first_day": "Start Date",
            "last_day": "Estimated End Date",
        },
        "scope": "delta",
        "date_format": "%m/%d/%Y",
    },
    "wand-edit": {
        "title": "PRO Unlimited WAND, edit",
        "source": "wand",
        "columns": {
            "worker_id": "WAND Worker ID",
            "reference": "Engagement ID",
            "sponsor": "Manager GUID",
            "last_day": "Estimated End Date",
        },
        "scope": "delta",
        "partial": True,
        "date_format": "%m/%d/%Y",
    },
    "wand-close": {
        "title": "PRO Unlimited WAND, close",
        "source": "wand",
        # why a contract was closed is no status: whatever the reason, it ends on the day stated
        "columns": {
            "reference": "Engagement ID",
            "first_name": "Worker First Name",
            "last_name": "Worker Last Name",
            "actual_last_day": "Actual End Date",
        },
        "scope": "delta",
        "partial": True,
        "date_format": "%m/%d/%Y",
    },
    "workday": {
        "title": "Workday, contingent workers",
        "columns": {
            "worker_id": "ContingentWorkerID",
            "first_name": "FirstName",
            "last_name": "LastName",
            "sponsor": "ManagerReference",
            "first_day": "StatusHireDate",
            "last_day": "StatusEndEmploymentDate",
            "actual_last_day": "StatusTerminationLastDayOfWork",
            "status": "Active",
        },
        "scope": "full",
    },
    "entra-csv2scim": {
        "title": "Microsoft Entra CSV2SCIM",
        "columns": {
            "worker_id": "WorkerID",
            "name": "FullName",
            "vendor": "Company",
            "sponsor": "ManagerID",
            "role": "JobTitle",
            "site": "Location",
            "first_day": "HireDate",
            "status": "WorkerStatus",
            "worker_type": "WorkerType",
        },
        "scope": "full",
    },
    "plain": {
        "title": "Plain",
        "columns": {
            "worker_id": "Worker ID",
            "reference": "Contract",
            "name": "Name",
            "email": "E-mail",
            "vendor": "Vendor",
            "sponsor": "Sponsor",
            "role": "Role",
            "site": "Site",
            "zone": "Time zone",
            "first_day": "First day",
            "last_day": "Last day",
            "status": "Status",
        },
        "scope": "full",
    },
}
"""Name to what `lifecycle.settings.rosters.ProfileSettings` takes, perhaps with ``vendor`` or ``zone`` to be added."""

EXAMPLE = (
    {
        "Worker ID": "W-1001", "Contract": "C-5001", "Name": "Ada Byron", "E-mail": "ada.byron@northgate.example",
        "Vendor": "Northgate", "Sponsor": "grace.hopper@example.com", "Role": "Support specialist", "Site": "Berlin",
        "Time zone": "Europe/Berlin", "First day": "2026-01-12", "Last day": "2027-01-11", "Status": "Active",
    },
    {
        "Worker ID": "W-1002", "Contract": "C-5002", "Name": "Zoë Ångström", "E-mail": "zoe@brightline.example",
        "Vendor": "Brightline", "Sponsor": "grace.hopper@example.com", "Role": "Analyst", "Site": "Manila",
        "Time zone": "Asia/Manila", "First day": "2026-02-02", "Last day": "2026-12-31", "Status": "Active",
    },
    {
        "Worker ID": "W-1003", "Contract": "C-5003", "Name": "Linus Berg", "E-mail": "linus@northgate.example",
        "Vendor": "Northgate", "Sponsor": "ada.lovelace@example.com", "Role": "Engineer", "Site": "Berlin",
        "Time zone": "Europe/Berlin", "First day": "2025-07-01", "Last day": "2026-03-31", "Status": "Closed",
    },
)  # fmt: skip


def example() -> bytes:
    """Return a file in the plain layout, as spreadsheet programs open it best: UTF-8 with its mark, CR LF."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(SHIPPED["plain"]["columns"].values()))
    writer.writeheader()
    writer.writerows(EXAMPLE)
    return text.getvalue().encode("utf-8-sig")


def fitting(header: Sequence[str]) -> list[str]:
    """Return the shipped layouts all of whose columns are in *header* once, those with most columns first."""
    fits = [
        name
        for name, layout in SHIPPED.items()
        if all(header.count(column) == 1 for column in layout["columns"].values())
    ]
    return sorted(fits, key=lambda name: -len(SHIPPED[name]["columns"]))


def best_fitting(header: Sequence[str]) -> list[str]:
    """Return those of `fitting` that say most about *header*; several where only people can tell them apart."""
    fits = fitting(header)
    return [name for name in fits if len(SHIPPED[name]["columns"]) == len(SHIPPED[fits[0]]["columns"])]


def lacks(name: str) -> tuple[str, ...]:
    """Return what the customer must add to a shipped layout: ``vendor``, ``zone``, both or nothing."""
    layout = SHIPPED[name]
    if layout.get("partial"):
        return ()
    columns = layout["columns"]
    says = {"vendor": "vendor" in columns, "zone": "zone" in columns or "site" in columns}
    return tuple(field for field, said in says.items() if not said)

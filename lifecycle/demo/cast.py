"""Who is in the demo. All of them are invented, and their days are counted from the day it is started."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

from lifecycle.domain.role import Role

TOOLS: dict[str, tuple[str, ...]] = {
    "console": ("god-mode", "lead", "agent", "viewer"),
    "billing": ("refund-any", "refund-small", "read"),
    "moderation": ("remove-content", "flag-content", "read"),
}
VENDORS = ("Northgate Staffing", "Brightline", "Codeworks", "Adeptus People", "Harbour & Vine")
SITES = ("dublin", "berlin", "san-francisco", "new-york", "manila", "auckland", "honolulu")
ROLES = ("Support agent", "Support agent", "Support lead", "Billing clerk", "Trust and safety", "Platform engineer")
SPONSORS = (
    "hannah.osei@example.com",
    "tomas.iglesias@example.com",
    "ravi.menon@example.com",
    "ines.duarte@example.com",
)
NAMES = """
Marek Dvořák|Priya Raman|Yuki Tanabe|Luis Ferreira|Adaeze Nwosu|Jonas Lindqvist
Sofia Marchetti|Tariq Haddad|Emma Kowalska|Chen Wei|Olga Petrenko|Ben Achterberg
Amara Diallo|Nils Aalto|Rosa Delgado|Kenji Mori|Leila Farhadi|Oisín Byrne
Mei-Ling Chou|Pavel Horák|Grace Mbeki|Hugo Lambert|Ana Sofía Ríos|Dmitri Volkov
Fatima Zahra|Liam O'Neill|Sanna Korhonen|Tomás Prieto|Wanjiru Kamau|Elif Yıldız
Björn Eriksson|Chiara Conti|Samuel Okafor|Nadia Rahman|Mateo Vargas|Ingrid Solberg
Arjun Patel|Zuzana Nováková|Peter van Dijk|Hana Suzuki|Kwame Boateng|Marta Lis
Youssef Amrani|Clara Fuchs|Diego Paredes|Thandi Nkosi|Viktor Hansen|Ayşe Demir
Julian Frost|Noor Bakker|Rui Almeida|Katya Ivanova|Omar Sayegh|Lucía Ferrer
Anders Holm|Malia Kealoha|Tane Wiremu|Josefa Reyes|Ewa Zielińska|Idris Bello
"""
STAGE_DAYS = (
    -40, -12, -3, -1, 0, 1, 1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12,
    13, 14, 14, 16, 18, 20, 22, 24, 26, 28, 29, 30, 33, 36, 40, 44, 48, 55, 60, 66,
    71, 80, 88, 95, 101, 110, 120, 133, 140, 155, 162, 170, 188, 200, 215, 230, 244, 260, 290, 310,
)  # fmt: skip
"""Days from today to each last day: over, today, in every window, and far away. The last two have not begun."""


@dataclass(frozen=True)
class Contractor:
    """One invented contractor."""

    number: int
    name: str
    role: str
    vendor: str
    site: str
    sponsor: str
    first_day: date
    last_day: date
    stage_days: int

    @property
    def worker_id(self) -> str:
        """As on the roster."""
        return f"CW-{self.number:04d}"

    @property
    def login(self) -> str:
        """Account name in the tools."""
        first, *rest = self.name.lower().split()
        return f"{first[0]}{''.join(rest)}".replace("'", "").replace("-", "")

    @property
    def email(self) -> str:
        """As on the roster."""
        return f"{self.worker_id.lower()}@example.com"

    @property
    def has_accounts(self) -> bool:
        """One joiner's accounts have not been made yet."""
        return self.number != 1030


@dataclass(frozen=True)
class Employee:
    """Somebody who signs in to the demo."""

    login: str
    name: str
    roles: tuple[Role, ...]
    supervisor: str = ""

    @property
    def email(self) -> str:
        """As the roster names sponsors."""
        return SPONSOR_OF.get(self.login, f"{self.login}@example.com")


SPONSOR_OF = dict(zip(("hannah", "tomas", "ravi", "ines"), SPONSORS, strict=True))
EMPLOYEES = (
    Employee("petra", "Petra Lang", (Role.IT_ADMINISTRATOR,)),
    Employee("oskar", "Oskar Wirth", (Role.IT_OPERATOR,), "petra"),
    Employee("hannah", "Hannah Osei", (Role.MANAGER,), "ines.duarte@example.com"),
    Employee("tomas", "Tomás Iglesias", (Role.MANAGER,), "ines.duarte@example.com"),
    Employee("ravi", "Ravi Menon", (Role.MANAGER,), "ines.duarte@example.com"),
    Employee("ines", "Ines Duarte", (Role.MANAGER,)),
    Employee("nora", "Nora Blum", (Role.HR,)),
    Employee("audrey", "Audrey Finch", (Role.AUDITOR,)),
)
CONTRACTORS_WHO_SIGN_IN = ("CW-1024", "CW-1018", "CW-1013")


@dataclass(frozen=True)
class Asked:
    """Something that a sponsor has asked for, and who approved it."""

    worker_id: str
    entitlement: str
    hours: int
    reason: str
    approved_by: tuple[str, ...] = ()
    at_once: bool = True


ASKED = (
    Asked("CW-1024", "console.god-mode", 4, "Account recovery backlog", ("oskar", "petra")),
    Asked("CW-1036", "console.god-mode", 7, "Incident 5512, on call", ("oskar", "petra")),
    Asked("CW-1018", "console.god-mode", 8, "Migration of suspended accounts", ("ravi", "petra")),
    Asked("CW-1048", "console.god-mode", 2, "Duplicate accounts clean-up", ("oskar", "petra")),
    Asked("CW-1013", "console.god-mode", 3, "Hand over the recovery tool to Pavel", ("ines", "oskar")),
    Asked("CW-1033", "console.god-mode", 6, "Incident 5519, second line", ("oskar",)),
    Asked("CW-1040", "billing.refund-any", 72, "Refund run for the outage in March"),
    Asked("CW-1024", "moderation.remove", 24, "Weekend cover for trust and safety", ("oskar",), at_once=False),
)
"""Approved and running, waiting for a second person, waiting for the first, approved and to be activated."""


def contractors(today: date) -> list[Contractor]:
    """Cast everybody, counted from *today*."""
    names = [name for row in NAMES.split("\n") for name in row.split("|") if name]
    return [_contractor(n, name, days, today) for n, (name, days) in enumerate(zip(names, STAGE_DAYS, strict=True))]


def _contractor(n: int, name: str, days: int, today: date) -> Contractor:
    last_day = today + timedelta(days=days)
    not_begun = n >= len(STAGE_DAYS) - 2
    first_day = today + timedelta(days=5) if not_begun else min(last_day, today) - timedelta(days=200 - n)
    return Contractor(
        number=1001 + n,
        name=name,
        role=ROLES[n % len(ROLES)],
        vendor=VENDORS[n % len(VENDORS)],
        site=SITES[n % len(SITES)],
        sponsor=SPONSORS[n % len(SPONSORS)],
        first_day=first_day,
        last_day=last_day,
        stage_days=days,
    )


def roster_csv(people: list[Contractor]) -> str:
    """Write everybody as the staffing companies would."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        ["Contract", "Worker ID", "Name", "Email", "Vendor", "Sponsor", "Role", "Site", "First day", "Last day"]
    )
    for p in people:
        days = (p.first_day.isoformat(), p.last_day.isoformat())
        contract = f"WO-{p.number}-1"
        writer.writerow([contract, p.worker_id, p.name, p.email, p.vendor, p.sponsor, p.role, p.site, *days])
    return out.getvalue()

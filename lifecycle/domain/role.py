"""What people are here."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """One of the hats somebody wears; a person can have several, and rights are checked when they are used."""

    HR = "hr"
    MANAGER = "manager"
    IT_OPERATOR = "it-operator"
    IT_ADMINISTRATOR = "it-administrator"
    AUDITOR = "auditor"
    CONTRACTOR = "contractor"
    """Never configured: whoever is on the roster has it, and loses it with the contract."""

    @property
    def label(self) -> str:
        """As pages write it."""
        return TITLES[self]


TITLES = {
    Role.HR: "HR",
    Role.MANAGER: "Manager",
    Role.IT_OPERATOR: "IT operator",
    Role.IT_ADMINISTRATOR: "IT administrator",
    Role.AUDITOR: "Auditor",
    Role.CONTRACTOR: "Contractor",
}
IT = frozenset({Role.IT_OPERATOR, Role.IT_ADMINISTRATOR})

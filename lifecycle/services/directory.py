"""The configured directory, asked whether a password is right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.base import ConnectorError
from connectors.ldap_login import LoginAttributes, check_password
from connectors.ldap_wire import LdapOptions
from lifecycle.services.admission import DIRECTORY, Vouched
from lifecycle.services.signin import DirectoryDown
from lifecycle.settings import DirectorySignInSettings


@dataclass
class Directory:
    """Vouches for people by LDAP bind."""

    settings: DirectorySignInSettings
    folder: Path

    def vouch(self, login: str, password: str) -> Vouched | None:
        """
        Say who *login* is if *password* is right; None if it is not.

        Raises:
            DirectoryDown: If the directory does not answer, or refuses our own account.
        """
        settings = self.settings
        options = LdapOptions(
            url=settings.url,
            bind_dn=settings.bind_dn,
            accounts_base=settings.people_base,
            groups_base=settings.groups_base,
            password=settings.password.read(self.folder),
            ca_file=str(self.folder / settings.ca_file) if settings.ca_file else "",
        )
        where = LoginAttributes(
            people_base=settings.people_base,
            login=settings.login_attribute,
            name=settings.name_attribute,
            email=settings.email_attribute,
            employee_id=settings.employee_attribute,
            supervisor=settings.supervisor_attribute,
            groups_base=settings.groups_base,
            group_member=settings.group_member_attribute,
        )
        try:
            found = check_password(options, where, login, password)
        except ConnectorError as exc:
            words = f"The directory cannot be asked just now ({exc}). Local accounts still work."
            raise DirectoryDown(words) from exc
        if found is None:
            return None
        return Vouched(
            DIRECTORY, found.native_id, found.login, found.name, found.email, found.employee_id, found.supervisor,
            found.groups,
        )  # fmt: skip

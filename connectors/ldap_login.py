"""Checking a password by LDAP bind, and reading what the directory says about its owner."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.base import TargetRefused
from connectors.ldap_wire import (
    BASE,
    Entry,
    InvalidCredentials,
    LdapOptions,
    LdapSession,
    escaped,
)


@dataclass(frozen=True, slots=True)
class LoginAttributes:
    """Where the directory keeps what is asked about people."""

    people_base: str
    login: str = "uid"
    name: str = "cn"
    email: str = "mail"
    employee_id: str = "employeeNumber"
    supervisor: str = "manager"
    groups_base: str = ""
    group_member: str = "member"


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """Somebody whose password was right. ``native_id`` is the entryUUID (OpenLDAP) or the objectGUID."""

    native_id: str
    login: str
    name: str
    email: str
    employee_id: str
    supervisor: str
    """E-mail address of the supervisor, empty where none is known."""
    groups: tuple[str, ...]


def check_password(options: LdapOptions, where: LoginAttributes, login: str, password: str) -> DirectoryPerson | None:
    """
    Bind as *login* with *password* and describe who that is.

    Returns:
        None if nobody or more than one is called so, or the password is wrong. An empty password is wrong: a bind
        with one succeeds anonymously on many servers.

    Raises:
        TargetUnavailable: If the directory gives no answer.
        TargetRefused: If the service account itself is refused.
    """
    if not password or not login:
        return None
    session = LdapSession(options)
    try:
        wanted = ["entryUUID", "objectGUID", where.login, where.name, where.email, where.employee_id, where.supervisor]
        found = session.search(where.people_base, f"({where.login}={escaped(login)})", wanted)
        if len(found) != 1 or not _may_bind(options, found[0].dn, password):
            return None
        return _describe(session, where, found[0])
    finally:
        session.close()


def _may_bind(options: LdapOptions, dn: str, password: str) -> bool:
    own = LdapSession(replace(options, bind_dn=dn, password=password))
    try:
        own.bind()
    except InvalidCredentials:
        return False
    finally:
        own.close()
    return True


def _describe(session: LdapSession, where: LoginAttributes, entry: Entry) -> DirectoryPerson:
    guid = entry.values.get("objectguid") or ()
    native_id = entry.text("entryUUID") or (guid[0].hex() if guid else "")
    if not native_id:
        raise TargetRefused(f"the directory shows neither entryUUID nor objectGUID of {entry.dn}")
    groups = []
    if where.groups_base:
        filter_ = f"({where.group_member}={escaped(entry.dn)})"
        groups = [group.text("cn") for group in session.search(where.groups_base, filter_, ["cn"])]
    return DirectoryPerson(
        native_id=native_id,
        login=entry.text(where.login),
        name=entry.text(where.name),
        email=entry.text(where.email),
        employee_id=entry.text(where.employee_id),
        supervisor=_supervisor(session, where, entry),
        groups=tuple(sorted(groups)),
    )


def _supervisor(session: LdapSession, where: LoginAttributes, entry: Entry) -> str:
    dn = entry.text(where.supervisor)
    found = session.search(dn, "(objectClass=*)", [where.email], scope=BASE) if "=" in dn else []
    return found[0].text(where.email) if found else ""

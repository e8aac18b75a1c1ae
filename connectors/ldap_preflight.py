"""What would make a directory fail at the worst moment, looked for while there is time. Nothing is changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress

from ldap3 import MODIFY_DELETE

from connectors.base import ConnectorError, Finding, IncompleteRead, Severity, TargetRefused
from connectors.ldap_wire import NO_RIGHTS, NO_SUCH_ATTRIBUTE, LdapSession, common_base, normal_dn

CONFIG = "cn=config"


def look(session: LdapSession, has_policy: bool) -> list[Finding]:
    """
    List what is there and what is missing, each with a remedy.

    Rights are tried by deleting a value that cannot exist: a server that would permit the write answers "no such
    value" (16), one that would not answers "no rights" (50).

    Args:
        session: Connected as the service account.
        has_policy: Whether the server announces the password policy control.

    Raises:
        ConnectorError: If the directory cannot be asked at all.
    """
    return [
        *_transport(session),
        *_accounts(session),
        *_groups(session),
        *_policy(session, has_policy),
        *_referential_integrity(session),
    ]


def _transport(session: LdapSession) -> Iterator[Finding]:
    options = session.options
    if options.plaintext:
        yield Finding(
            "encryption",
            Severity.ERROR,
            "passwords and changes travel in clear",
            "Use ldaps:// or StartTLS and remove plaintext = true.",
        )
    elif not options.verify:
        yield Finding(
            "encryption",
            Severity.ERROR,
            "the server's certificate is not verified",
            "Set ca_file to the directory's CA certificate and remove verify = false.",
        )
    else:
        yield Finding("encryption", Severity.OK, "TLS with a verified certificate")


def _accounts(session: LdapSession) -> Iterator[Finding]:
    options = session.options
    try:
        entries = session.search(options.accounts_base, options.account_filter, ["entryUUID"])
    except IncompleteRead as exc:
        yield Finding(
            "size limit",
            Severity.ERROR,
            str(exc),
            f'Let the service account read everything: limits dn.exact="{options.bind_dn}" size=unlimited.',
        )
        return
    if not entries:
        yield Finding(
            "accounts",
            Severity.ERROR,
            f"no account matches {options.account_filter} under {options.accounts_base}",
            "Check accounts_base and account_filter, and that the service account may read there.",
        )
        return
    without_id = sum(not entry.text("entryUUID") for entry in entries)
    if without_id:
        yield Finding(
            "accounts",
            Severity.ERROR,
            f"{without_id} of {len(entries)} accounts show no entryUUID",
            "Let the service account read the operational attribute entryUUID.",
        )
    else:
        yield Finding("accounts", Severity.OK, f"{len(entries)} accounts, read completely")


def _groups(session: LdapSession) -> Iterator[Finding]:
    options = session.options
    member = options.member_attribute
    groups = session.search(options.groups_base, f"({member}=*)", ["entryUUID"])
    if not groups:
        yield Finding(
            "groups",
            Severity.ERROR,
            f"no group under {options.groups_base} shows any {member}",
            f"Check groups_base, and that the service account may read {member}.",
        )
        return
    refused = [group.dn for group in groups if not _may_delete(session, group.dn, member, f"cn={uuid.uuid4()}")]
    if refused:
        yield Finding(
            "right to revoke",
            Severity.ERROR,
            f"{member} may not be written in {len(refused)} of {len(groups)} groups, first {refused[0]}",
            f'Give it: access to dn.subtree="{options.groups_base}" attrs={member} '
            f'by dn.exact="{options.bind_dn}" write.',
        )
    else:
        yield Finding("right to revoke", Severity.OK, f"{member} may be written in all {len(groups)} groups")


def _policy(session: LdapSession, has_policy: bool) -> Iterator[Finding]:
    if not has_policy:
        yield Finding(
            "native expiry",
            Severity.WARNING,
            "the password policy overlay is missing: accounts cannot be disabled here or end by themselves",
            "Load the overlay ppolicy on the database that holds the accounts.",
        )
        return
    yield from _policy_in_force(session)
    options = session.options
    account = session.search(options.accounts_base, options.account_filter, ["pwdEndTime"])
    if account and not _may_delete(session, account[0].dn, "pwdEndTime", "19000101000000Z"):
        yield Finding(
            "native expiry",
            Severity.ERROR,
            "pwdEndTime may not be written",
            f'Give it: access to dn.subtree="{options.accounts_base}" attrs=pwdEndTime,pwdAccountLockedTime '
            f'by dn.exact="{options.bind_dn}" manage.',
        )
    else:
        yield Finding("native expiry", Severity.OK, "the password policy overlay is there and may be used")


def _policy_in_force(session: LdapSession) -> Iterator[Finding]:
    """Without a policy entry that applies, slapd ignores pwdEndTime and the lock, and every bind succeeds."""
    base = common_base(session.options.accounts_base, session.options.groups_base)
    policies = {normal_dn(e.dn): e for e in session.search(base, "(objectClass=pwdPolicy)", ["pwdLockout"])}
    default = ""
    with suppress(ConnectorError):
        overlays = session.search(CONFIG, "(objectClass=olcPPolicyConfig)", ["olcPPolicyDefault"])
        default = next((overlay.text("olcPPolicyDefault") for overlay in overlays), "")
    if not policies or (default and normal_dn(default) not in policies):
        name = f"its default policy {default} does not exist" if default else "no password policy entry can be read"
        yield Finding(
            "password policy",
            Severity.ERROR,
            f"{name}: where no policy applies, slapd ignores the end time and the lock, and every login succeeds",
            "Add a pwdPolicy entry with pwdLockout TRUE and name it in olcPPolicyDefault.",
        )
    elif not any(policy.text("pwdLockout").upper() == "TRUE" for policy in policies.values()):
        yield Finding(
            "password policy",
            Severity.WARNING,
            "no password policy has pwdLockout TRUE: the lock beside the end time is ignored",
            "Set pwdLockout TRUE in the policy that applies to contractors.",
        )
    else:
        yield Finding("password policy", Severity.OK, "a policy with pwdLockout TRUE exists")


def _referential_integrity(session: LdapSession) -> Iterator[Finding]:
    try:
        databases = session.search(CONFIG, "(olcSuffix=*)", ["1.1"])
        overlays = session.search(CONFIG, "(objectClass=olcRefintConfig)", ["1.1"])
    except ConnectorError:
        databases, overlays = [], []
    if overlays:
        yield Finding("referential integrity", Severity.OK, "the overlay refint is there")
    elif databases:
        yield Finding(
            "referential integrity",
            Severity.WARNING,
            "the overlay refint is missing: a renamed account keeps its old name in groups, and whoever gets "
            "that name next inherits them",
            "Load the overlay refint with refint_attributes member.",
        )
    else:
        yield Finding(
            "referential integrity",
            Severity.WARNING,
            "cn=config may not be read, so it is unknown whether the overlay refint is there",
            "Load the overlay refint, and let the service account read cn=config to have it shown here.",
        )


def _may_delete(session: LdapSession, dn: str, attribute: str, absent: str) -> bool:
    try:
        code = session.modify(dn, {attribute: [(MODIFY_DELETE, [absent])]}, NO_SUCH_ATTRIBUTE, NO_RIGHTS)
    except TargetRefused:
        return False
    return code == NO_SUCH_ATTRIBUTE

"""The contract on a real OpenLDAP, and what is particular to directories."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import ldap3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.dn import escape_rdn

from connectors.base import (
    AccountRef,
    EntitlementRef,
    IncompleteRead,
    NoSuchEntitlement,
    Outcome,
    Severity,
    TargetRefused,
    TargetUnavailable,
)
from connectors.ldap import LdapConnector
from connectors.ldap_wire import LdapOptions, common_base, normal_dn
from connectors.testing import ConnectorContract
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.slapd import GROUPS, PEOPLE, POLICY, SERVICE, SERVICE_PASSWORD, SUFFIX, Slapd


def options_for(server: Slapd, **changes: object) -> LdapOptions:
    options = LdapOptions(
        url=server.url,
        bind_dn=SERVICE,
        password=SERVICE_PASSWORD,
        accounts_base=PEOPLE,
        groups_base=GROUPS,
        ca_file=str(server.certificates.ca),
    )
    return replace(options, **changes)  # type: ignore[arg-type]


class LdapTarget:
    def __init__(self, server: Slapd, **changes: object) -> None:
        self.server = server
        self.admin = server.admin()
        self.opened: list[LdapConnector] = []
        self.connector = self.another(**changes)

    def another(self, **changes: object) -> LdapConnector:
        """Make one more connector, closed with the target."""
        self.opened.append(LdapConnector("corp", options_for(self.server, **changes)))
        return self.opened[-1]

    def add_account(self, name: str) -> AccountRef:
        return AccountRef(self.server.add_person(self.admin, name, f"E-{name}"))

    def match(self, name: str) -> dict[str, str]:
        return {"employeeNumber": f"E-{name}", "uid": name}

    def add_entitlement(self, name: str) -> tuple[EntitlementRef, str]:
        dn = f"cn={escape_rdn(name)},{GROUPS}"
        self.admin.add(dn, "groupOfNames", {"cn": name, "member": "cn=nobody"})
        return EntitlementRef(self.server.entry_uuid(self.admin, dn)), dn

    def dn_of(self, account: AccountRef) -> str:
        self.admin.search(SUFFIX, f"(entryUUID={account.native_id})", attributes=["1.1"])
        return str(self.admin.response[0]["dn"])

    def rename_account(self, account: AccountRef, name: str) -> None:
        self.admin.modify_dn(self.dn_of(account), f"uid={escape_rdn(name)}")
        deadline = time.monotonic() + 5  # refint rewrites the groups shortly after
        while not self.connector.held_by(account) and time.monotonic() < deadline:
            time.sleep(0.02)

    def remove_account(self, account: AccountRef) -> None:
        self.admin.delete(self.dn_of(account))

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.admin.unbind()
        self.server.stop()
        yield
        self.server.start()
        self.admin = self.server.admin()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        able, self.connector = self.connector, self.another(bind_dn="", password="")
        yield
        self.connector = able

    def open_session(self, account: AccountRef) -> None:
        raise AssertionError("directories show no sessions")

    def wipe(self) -> None:
        for base in (PEOPLE, GROUPS):
            self.admin.search(base, "(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))", attributes=["1.1"])
            for entry in self.admin.response:
                self.admin.delete(entry["dn"])
        self.admin.unbind()
        for connector in self.opened:
            connector.close()


class TestLdap(ConnectorContract):
    @pytest.fixture(params=["StartTLS", "LDAPS"])
    def target(self, slapd: Slapd, request: pytest.FixtureRequest) -> Iterator[LdapTarget]:
        target = LdapTarget(slapd, url=slapd.url if request.param == "StartTLS" else slapd.tls_url)
        yield target
        target.wipe()


@pytest.fixture
def target(slapd: Slapd) -> Iterator[LdapTarget]:
    target = LdapTarget(slapd)
    yield target
    target.wipe()


@pytest.fixture
def plain(plain_slapd: Slapd) -> Iterator[LdapTarget]:
    target = LdapTarget(plain_slapd)
    yield target
    target.wipe()


def can_bind(target: LdapTarget, account: AccountRef) -> bool:
    server = ldap3.Server("127.0.0.1", port=target.server.port, get_info=ldap3.NONE)
    connection = ldap3.Connection(server, target.dn_of(account), "secret")
    try:
        return bool(connection.bind())
    finally:
        connection.unbind()


def test_a_disabled_account_cannot_bind_and_an_enabled_one_can(target: LdapTarget) -> None:
    ada = target.add_account("ada")
    assert can_bind(target, ada)
    target.connector.disable(ada)
    assert not can_bind(target, ada)
    target.admin.modify(target.dn_of(ada), {"userPassword": [(ldap3.MODIFY_REPLACE, ["secret"])]})
    assert not can_bind(target, ada)  # a password reset clears the lock, not the end time
    target.connector.enable(ada)
    assert can_bind(target, ada)
    target.connector.set_expiry(ada, datetime(2020, 1, 1, tzinfo=UTC))
    assert not can_bind(target, ada)


def test_an_account_moved_elsewhere_is_not_taken_for_gone(target: LdapTarget) -> None:
    ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
    target.connector.grant(ada, admins)
    target.admin.modify_dn(target.dn_of(ada), "uid=ada", new_superior=f"ou=services,{SUFFIX}")
    target.rename_account(ada, "ada2")

    assert target.connector.held_by(ada) == {admins}
    assert target.connector.revoke(ada, admins) is Outcome.CHANGED
    target.admin.modify_dn(target.dn_of(ada), "uid=ada2", new_superior=PEOPLE)


def test_a_group_moved_elsewhere_is_still_the_same_right(target: LdapTarget) -> None:
    ada, (admins, dn) = target.add_account("ada"), target.add_entitlement("admins")
    target.connector.grant(ada, admins)
    target.admin.modify_dn(dn, "cn=administrators")
    assert target.connector.revoke(ada, admins) is Outcome.CHANGED


def test_a_group_outside_groups_base_is_read_all_the_same(target: LdapTarget) -> None:
    """Else a revoke there would be taken for proven while the membership is still shown."""
    ada = target.add_account("ada")
    target.add_entitlement("agents")
    dn = f"cn=super,ou=services,{SUFFIX}"
    target.admin.add(dn, "groupOfNames", {"cn": "super", "member": target.dn_of(ada)})
    try:
        right = target.connector.entitlement(dn)
        assert target.connector.held_by(ada) == {right}
        assert target.connector.holders_of([right])[right] == {ada}
    finally:
        target.admin.delete(dn)
    with pytest.raises(NoSuchEntitlement, match="does not lie below"):
        target.connector.entitlement("cn=super,dc=elsewhere")


def test_another_certificate_authority_is_refused(target: LdapTarget, tmp_path: object) -> None:
    other: Certificates = make_certificates(tmp_path)  # type: ignore[arg-type]
    for url in (target.server.url, target.server.tls_url):
        connector = target.another(url=url, ca_file=str(other.ca))
        with pytest.raises(TargetRefused, match="certificate"):
            connector.preflight()


def test_a_wrong_password_is_refused_and_never_shown(target: LdapTarget) -> None:
    connector = target.another(password="wrong-secret")
    with pytest.raises(TargetRefused, match="rejects the password") as caught:
        connector.held_by(AccountRef("x"))
    assert "wrong-secret" not in str(caught.value) + repr(connector.options)


def test_a_read_cut_off_by_the_size_limit_proves_nothing(plain: LdapTarget) -> None:
    accounts = [plain.add_account(f"person {n}") for n in range(60)]
    right, _ = plain.add_entitlement("admins")
    for account in accounts:
        plain.connector.grant(account, right)
    with pytest.raises(IncompleteRead, match="size limit"):
        plain.connector.holders_of([right])
    assert any(f.topic == "size limit" and f.severity is Severity.ERROR for f in plain.connector.preflight())


def test_members_that_may_not_be_read_prove_nothing(target: LdapTarget) -> None:
    ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
    target.connector.grant(ada, admins)
    with target.server.members_hidden():
        with pytest.raises(IncompleteRead):
            target.connector.held_by(ada)
        with pytest.raises(IncompleteRead):
            target.connector.holders_of([admins])
        with pytest.raises(IncompleteRead):
            target.connector.revoke(ada, admins)
    assert target.connector.held_by(ada) == {admins}


def test_preflight_names_what_is_missing(plain: LdapTarget) -> None:
    plain.add_account("ada")
    plain.add_entitlement("admins")
    findings = {f.topic: f for f in plain.connector.preflight()}
    assert findings["native expiry"].severity is Severity.WARNING
    assert "ppolicy" in findings["native expiry"].remedy
    assert findings["referential integrity"].severity is Severity.WARNING
    assert "refint" in findings["referential integrity"].message
    assert plain.connector.capabilities() == frozenset()


def test_preflight_sees_missing_rights_and_open_transport(target: LdapTarget) -> None:
    target.add_account("ada")
    target.add_entitlement("admins")
    connector = target.another(bind_dn="", password="", plaintext=True)
    wrong = {f.topic for f in connector.preflight() if f.severity is Severity.ERROR}
    assert wrong == {"encryption", "right to revoke", "native expiry"}
    unverified = target.another(verify=False)
    assert "encryption" in {f.topic for f in unverified.preflight() if f.severity is Severity.ERROR}


def test_preflight_sees_that_no_password_policy_is_in_force(target: LdapTarget) -> None:
    """Tried on OpenLDAP 2.5: without the policy entry an account that ended in 1970 can bind."""
    ada = target.add_account("ada")
    target.add_entitlement("admins")
    target.connector.disable(ada)
    target.admin.delete(POLICY)
    try:
        assert can_bind(target, ada)
        assert "password policy" in {f.topic for f in target.connector.preflight() if f.severity is Severity.ERROR}
    finally:
        values = {"cn": "default", "pwdAttribute": "userPassword", "pwdLockout": "TRUE"}
        target.admin.add(POLICY, ["device", "pwdPolicy"], values)


def test_a_server_that_never_answers_is_given_up(target: LdapTarget) -> None:
    ada = target.add_account("ada")
    connector = target.another(receive_timeout=1, deadline=2)
    target.add_entitlement("admins")
    assert connector.held_by(ada) == frozenset()
    target.server.pause()
    began = time.monotonic()
    try:
        with pytest.raises(TargetUnavailable):
            connector.held_by(ada)
    finally:
        target.server.resume()
    assert time.monotonic() - began < 4


def test_an_answer_that_drips_is_cut_at_the_deadline(target: LdapTarget) -> None:
    """Each byte arrives within the receive timeout, so only the deadline over the whole request helps."""
    listener, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()
    thread = threading.Thread(target=dripping_proxy, args=(listener, target.server.port, stop))
    thread.start()
    url = f"ldap://127.0.0.1:{listener.getsockname()[1]}"
    connector = target.another(url=url, plaintext=True, deadline=2)
    began = time.monotonic()
    try:
        with pytest.raises(TargetUnavailable, match="in time"):
            connector.preflight()
        assert time.monotonic() - began < 4
    finally:
        stop.set()
        thread.join(timeout=5)


def dripping_proxy(listener: socket.socket, upstream_port: int, stop: threading.Event) -> None:
    with closing(listener):
        listener.settimeout(5)
        client, _ = listener.accept()
        upstream = socket.create_connection(("127.0.0.1", upstream_port))
        for sock in (client, upstream):
            sock.settimeout(0.05)
        with closing(client), closing(upstream), suppress(OSError):
            while not stop.is_set():
                with suppress(TimeoutError):
                    upstream.sendall(client.recv(65536))
                with suppress(TimeoutError):
                    client.sendall(upstream.recv(1))
                time.sleep(0.3)


def test_two_administrators_at_once_lose_nothing(target: LdapTarget) -> None:
    """Somebody removes half of the members while we remove all of ours: value by value, never the whole attribute."""
    accounts = [target.add_account(f"p{n}") for n in range(40)]
    right, dn = target.add_entitlement("admins")
    for account in accounts:
        target.connector.grant(account, right)
    outsider = f"uid=outsider,{PEOPLE}"
    target.server.add_person(target.admin, "outsider")
    members = [target.dn_of(account) for account in accounts]

    def other_administrator() -> None:
        connection = target.server.admin()
        connection.modify(dn, {"member": [(ldap3.MODIFY_ADD, [outsider])]})
        for member in members[::2]:
            with suppress(ldap3.core.exceptions.LDAPNoSuchAttributeResult):
                connection.modify(dn, {"member": [(ldap3.MODIFY_DELETE, [member])]})
        connection.unbind()

    thread = threading.Thread(target=other_administrator)
    thread.start()
    target.connector.revoke_many(accounts, right)
    thread.join()
    assert target.server.members(target.admin, dn) == {"cn=nobody", outsider}


def test_the_search_base_is_what_accounts_and_groups_share() -> None:
    assert normal_dn(common_base(f"ou=a,ou=b,{SUFFIX}", f"ou=c, OU=B, {SUFFIX}")) == f"ou=b,{SUFFIX}"
    assert common_base("dc=a", "dc=b") == "dc=a"


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(lambda s: s == s.strip()))
def test_a_dn_is_the_same_however_it_is_escaped(value: str) -> None:
    plainly = f"cn={escape_rdn(value)},{SUFFIX}"
    in_hex = "cn=" + "".join(f"\\{octet:02x}" for octet in value.encode()) + f" , {SUFFIX.upper()}"
    assert normal_dn(plainly) == normal_dn(in_hex)

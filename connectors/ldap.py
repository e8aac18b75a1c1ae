"""OpenLDAP: accounts by entryUUID, rights as groupOfNames, the end of an account through the ppolicy overlay."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from ldap3 import BASE, MODIFY_ADD, MODIFY_DELETE

from connectors import ldap_preflight
from connectors.base import (
    AccountRef,
    AccountState,
    AmbiguousAccount,
    Capability,
    EntitlementRef,
    Finding,
    IncompleteRead,
    NoSuchAccount,
    NoSuchEntitlement,
    Outcome,
    TargetUnavailable,
    described,
)
from connectors.ldap_wire import (
    NO_SUCH_ATTRIBUTE,
    OBJECT_CLASS_VIOLATION,
    SUCCESS,
    VALUE_EXISTS,
    Entry,
    LdapOptions,
    LdapSession,
    common_base,
    escaped,
    normal_dn,
)

T = TypeVar("T")
PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105 - the OID that says the overlay is active
LOCKED_FOR_GOOD = "000001010000Z"
ENDED = "19700101000000Z"
"""``pwdEndTime`` of a disabled account. It needs no clock, and unlike the lock it survives a password reset."""
GENERALIZED_TIME = "%Y%m%d%H%M%SZ"
FILTER_TERMS = 100
DELETE_VALUES = 500
ATTEMPTS_TOGETHER = 3
SWEEP_FROM = 50
"""From this many unknown members on, reading all accounts once is cheaper than asking one by one."""


class LdapConnector:
    """
    A directory with groupOfNames. Accounts and groups are kept by entryUUID, so a rename dodges nothing.

    Accounts are looked for in the whole tree above both bases, so that one moved elsewhere is not taken for gone.
    """

    def __init__(self, name: str, options: LdapOptions) -> None:
        self.name = name
        self.options = options
        self.session = LdapSession(options)
        self._base = common_base(options.accounts_base, options.groups_base)
        self._capabilities: frozenset[Capability] | None = None

    def close(self) -> None:
        """Drop the connection; the next call opens another."""
        self.session.close()

    def resolve(self, attributes: Mapping[str, str]) -> AccountRef:
        """See `Connector.resolve`; attributes are those of the account's entry."""
        found = self.resolve_many([attributes])[0]
        if isinstance(found, NoSuchAccount):
            raise found
        return found

    def resolve_many(self, wanted: Sequence[Mapping[str, str]]) -> Sequence[AccountRef | NoSuchAccount]:
        """See `BulkReader.resolve_many`."""
        names = sorted({name for attributes in wanted for name in attributes})
        found: list[tuple[AccountRef, Entry]] = []
        for chunk in _chunks([w for w in wanted if w and all(w.values())], FILTER_TERMS):
            terms = "".join(_all_of(attributes) for attributes in chunk)
            entries = self.session.search(
                self.options.accounts_base,
                f"(&{self.options.account_filter}(|{terms}))",
                ["entryUUID", self.options.login_attribute, *names],
            )
            found += [(self._ref(entry), entry) for entry in entries]
        index: dict[tuple[str, str], set[AccountRef]] = {}
        for ref, entry in found:
            for name in names:
                for value in entry.values.get(name.lower(), ()):
                    index.setdefault((name, value.decode(errors="replace").casefold()), set()).add(ref)
        return [_the_one(attributes, index) for attributes in wanted]

    def entitlement(self, locator: str) -> EntitlementRef:
        """See `Connector.entitlement`; the locator is the group's DN, below what accounts and groups share."""
        if not f",{normal_dn(locator)}".endswith(f",{normal_dn(self._base)}"):
            raise NoSuchEntitlement(f"{locator} does not lie below {self._base}; move groups_base up so that it does")
        found = self.session.search(locator, "(objectClass=*)", ["entryUUID"], scope=BASE)
        if not found:
            raise NoSuchEntitlement(f"there is no group {locator}, or it may not be read")
        return EntitlementRef(found[0].text("entryUUID"))

    def held_by(self, account: AccountRef) -> frozenset[EntitlementRef]:
        """See `Connector.held_by`: the groups that list the account, asked of the groups themselves."""
        entry = self._account(account)
        if entry is None:
            return frozenset()
        # Asked of the whole tree: a group outside groups_base that is listed all the same must not read as not held.
        member = self.options.member_attribute
        groups = self.session.search(self._base, f"({member}={escaped(entry.dn)})", ["entryUUID"])
        if not groups and not self.session.any_match(self._base, f"({member}=*)"):
            raise IncompleteRead(f"no group under {self._base} shows any {member}: rights are missing")
        return frozenset(EntitlementRef(group.text("entryUUID")) for group in groups)

    def holders_of(self, entitlements: Collection[EntitlementRef]) -> Mapping[EntitlementRef, frozenset[AccountRef]]:
        """See `Connector.holders_of`. Members whose entry does not exist (placeholders) hold nothing."""
        members = {e: self._members(self._group(e)) for e in entitlements}
        every = {normal_dn(dn): dn for dns in members.values() for dn in dns}
        accounts = self._accounts_at(every)
        return {
            e: frozenset(accounts[key] for key in map(normal_dn, dns) if key in accounts) for e, dns in members.items()
        }

    def state_of(self, account: AccountRef) -> AccountState:
        """See `Connector.state_of`."""
        entry = self._existing(account)
        return self._state(entry)

    def states_of(self, accounts: Collection[AccountRef]) -> Mapping[AccountRef, AccountState]:
        """See `BulkReader.states_of`."""
        return {ref: self._state(entry) for ref, entry in self._entries(accounts).items()}

    def holdings_of(
        self, accounts: Collection[AccountRef], entitlements: Collection[EntitlementRef]
    ) -> Mapping[AccountRef, frozenset[EntitlementRef]]:
        """See `BulkReader.holdings_of`: each group is read once, however many accounts are asked about."""
        by_dn = {normal_dn(entry.dn): ref for ref, entry in self._entries(accounts).items()}
        held: dict[AccountRef, set[EntitlementRef]] = {account: set() for account in accounts}
        for entitlement in entitlements:
            for dn in self._members(self._group(entitlement)):
                if account := by_dn.get(normal_dn(dn)):
                    held[account].add(entitlement)
        return {account: frozenset(found) for account, found in held.items()}

    def grant(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """See `Connector.grant`."""
        dn, group = self._existing(account).dn, self._group(entitlement)
        step = {self.options.member_attribute: [(MODIFY_ADD, [dn])]}
        code = self.session.modify(group.dn, step, VALUE_EXISTS)
        return Outcome.CHANGED if code == SUCCESS else Outcome.UNCHANGED

    def revoke(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """See `Connector.revoke`."""
        return self.revoke_many([account], entitlement)[account]

    def revoke_many(
        self, accounts: Collection[AccountRef], entitlement: EntitlementRef
    ) -> Mapping[AccountRef, Outcome]:
        """
        See `BulkChanger.revoke_many`: one write a group instead of one a person.

        What is deleted is read first and taken in the server's own spelling; when somebody else was faster, the
        whole modify fails and changes nothing (error 16), so the group is read again and what remains is deleted.
        """
        outcomes = dict.fromkeys(accounts, Outcome.UNCHANGED)
        try:
            group = self._group(entitlement)
        except NoSuchEntitlement:
            return outcomes
        present: dict[str, str] = {}
        by_dn = {normal_dn(entry.dn): ref for ref, entry in self._entries(accounts).items()}
        for _ in range(ATTEMPTS_TOGETHER):
            present = {key: dn for dn in self._members(group) if (key := normal_dn(dn)) in by_dn}
            if not present:
                return outcomes
            if self._delete_members(group, list(present.values())):
                outcomes |= {by_dn[key]: Outcome.CHANGED for key in present}
                return outcomes
        for (
            key,
            dn,
        ) in present.items():  # somebody else keeps removing members: one value at a time cannot lose that race
            if self._delete_members(group, [dn]):
                outcomes[by_dn[key]] = Outcome.CHANGED
        return outcomes

    def _delete_members(self, group: Entry, dns: list[str]) -> bool:
        """Delete *dns*; False when one was already gone and the rest must be looked at again."""
        member = self.options.member_attribute
        for chunk in _chunks(dns, DELETE_VALUES):
            step: list[tuple[str, list[str]]] = [(MODIFY_DELETE, chunk)]
            code = self.session.modify(group.dn, {member: step}, NO_SUCH_ATTRIBUTE, OBJECT_CLASS_VIOLATION)
            if code == OBJECT_CLASS_VIOLATION:  # the last member of a groupOfNames: put the placeholder in its stead
                step = [(MODIFY_ADD, [self.options.placeholder]), (MODIFY_DELETE, chunk)]
                code = self.session.modify(group.dn, {member: step}, NO_SUCH_ATTRIBUTE)
            if code == NO_SUCH_ATTRIBUTE:
                return False
        return True

    def disable(self, account: AccountRef) -> Outcome:
        """See `AccountDisabler.disable`: an end time in the past, and the lock beside it."""
        entry = self._account(account)
        if entry is None:
            return Outcome.UNCHANGED
        return self._set(entry, {"pwdEndTime": ENDED, "pwdAccountLockedTime": LOCKED_FOR_GOOD})

    def enable(self, account: AccountRef) -> Outcome:
        """See `AccountDisabler.enable`: a lock of another kind (too many bad passwords) is left alone."""
        entry = self._existing(account)
        wanted = {}
        if entry.text("pwdEndTime") == ENDED:
            wanted["pwdEndTime"] = ""
        if entry.text("pwdAccountLockedTime") == LOCKED_FOR_GOOD:
            wanted["pwdAccountLockedTime"] = ""
        return self._set(entry, wanted)

    def set_expiry(self, account: AccountRef, at: datetime | None) -> Outcome:
        """See `NativeExpiry.set_expiry`: ``pwdEndTime``, in whole seconds, from which on no bind succeeds."""
        stamp = at.astimezone(UTC).strftime(GENERALIZED_TIME) if at else ""
        return self._set(self._existing(account), {"pwdEndTime": stamp})

    def _set(self, entry: Entry, wanted: Mapping[str, str]) -> Outcome:
        """Set single-valued attributes (an empty string removes one) that differ, if the overlay has them."""
        changes = {name: _swap(entry.text(name), value) for name, value in wanted.items() if entry.text(name) != value}
        if not changes:
            return Outcome.UNCHANGED
        if self.session.modify(entry.dn, changes, NO_SUCH_ATTRIBUTE, VALUE_EXISTS) != SUCCESS:
            raise TargetUnavailable(f"{entry.dn} was changed by somebody else at the same moment")
        return Outcome.CHANGED

    def capabilities(self) -> frozenset[Capability]:
        """See `Connector.capabilities`: disabling and expiry need the password policy overlay."""
        if self._capabilities is None:
            controls = self.session.root("supportedControl").values.get("supportedcontrol", ())
            has_policy = PASSWORD_POLICY.encode() in controls
            able = {Capability.DISABLE, Capability.NATIVE_EXPIRY} if has_policy else set()
            self._capabilities = frozenset(able)
        return self._capabilities

    def preflight(self) -> Sequence[Finding]:
        """See `Connector.preflight`."""
        return ldap_preflight.look(self.session, Capability.NATIVE_EXPIRY in self.capabilities())

    def _ref(self, entry: Entry) -> AccountRef:
        return AccountRef(entry.text("entryUUID"), entry.text(self.options.login_attribute) or entry.dn)

    def _account(self, account: AccountRef) -> Entry | None:
        return self._entries([account]).get(account)

    def _existing(self, account: AccountRef) -> Entry:
        entry = self._account(account)
        if entry is None:
            raise NoSuchAccount(f"account {account.name or account.native_id} is gone from {self.name}")
        return entry

    def _entries(self, accounts: Collection[AccountRef]) -> dict[AccountRef, Entry]:
        attributes = ["entryUUID", self.options.login_attribute, "pwdEndTime", "pwdAccountLockedTime"]
        found: dict[AccountRef, Entry] = {}
        for chunk in _chunks(list(accounts), FILTER_TERMS):
            terms = "".join(f"(entryUUID={escaped(ref.native_id)})" for ref in chunk)
            entries = self.session.search(self._base, f"(|{terms})", attributes)
            found |= {self._ref(entry): entry for entry in entries}
        return found

    def _state(self, entry: Entry) -> AccountState:
        if Capability.DISABLE not in self.capabilities():
            return AccountState()
        end = entry.text("pwdEndTime")
        disabled = end == ENDED or entry.text("pwdAccountLockedTime") == LOCKED_FOR_GOOD
        return AccountState(disabled, _instant(end) if end and end != ENDED else None)

    def _group(self, entitlement: EntitlementRef) -> Entry:
        """Find a group by its entryUUID, wherever below the bases it has been moved."""
        filter_ = f"(entryUUID={escaped(entitlement.native_id)})"
        found = self.session.search(self._base, filter_, ["entryUUID"])
        if not found:
            raise NoSuchEntitlement(f"group {entitlement.native_id} is gone from {self.name}, or may not be read")
        return found[0]

    def _members(self, group: Entry) -> list[str]:
        """Read the members of a group. A groupOfNames without any cannot be: then they may not be read."""
        name = self.options.member_attribute.lower()
        found = self.session.search(group.dn, "(objectClass=*)", [name, "objectClass"], scope=BASE)
        values = found[0].values if found else {}
        must_have_one = {b"groupofnames", b"groupofuniquenames"} & {v.lower() for v in values.get("objectclass", ())}
        if not values.get(name) and (must_have_one or not values.get("objectclass")):
            raise IncompleteRead(f"the members of {group.dn} may not be read")
        if any(key.startswith(f"{name};range=") for key in values):
            raise IncompleteRead(f"the server shows the members of {group.dn} in ranges")
        return [value.decode(errors="backslashreplace") for value in values.get(name, ())]

    def _accounts_at(self, dns: Mapping[str, str]) -> dict[str, AccountRef]:
        """Map normalised DNs to accounts; those at which there is no entry are left out."""
        found: dict[str, AccountRef] = {}
        attributes = ["entryUUID", self.options.login_attribute]
        if len(dns) >= SWEEP_FROM:
            for entry in self.session.search(self._base, self.options.account_filter, attributes):
                found[normal_dn(entry.dn)] = self._ref(entry)
        for key in dns.keys() - found.keys():
            if not key or key == normal_dn(self.options.placeholder):
                continue
            for entry in self.session.search(dns[key], "(objectClass=*)", attributes, scope=BASE):
                if not entry.text("entryUUID"):
                    raise IncompleteRead(f"{entry.dn} shows no entryUUID")
                found[key] = self._ref(entry)
        return found


def _swap(old: str, new: str) -> list[tuple[str, list[str]]]:
    """Delete exactly the value that was seen and add the new one, so that no other writer is overwritten."""
    return [(MODIFY_DELETE, [old])] * bool(old) + [(MODIFY_ADD, [new])] * bool(new)


def _all_of(attributes: Mapping[str, str]) -> str:
    return "(&" + "".join(f"({name}={escaped(value)})" for name, value in attributes.items()) + ")"


def _the_one(
    attributes: Mapping[str, str], index: Mapping[tuple[str, str], set[AccountRef]]
) -> AccountRef | NoSuchAccount:
    if not attributes or not all(attributes.values()):
        return NoSuchAccount(f"nothing to match an account by: {described(attributes)}")
    sets = [index.get((name, value.casefold()), set()) for name, value in attributes.items()]
    fits = set.intersection(*sets)
    if len(fits) == 1:
        return fits.pop()
    return (AmbiguousAccount if fits else NoSuchAccount)(
        f"{'no' if not fits else 'more than one'} account has {described(attributes)}"
    )


def _instant(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp.split(".")[0].rstrip("Z") + "Z", GENERALIZED_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk

"""
One LDAP connection: opened safely, bounded in time, read to the end.

ldap3 has defaults that a revoke must not depend on (no timeouts, no certificate check, referrals followed with the
password, searches that end silently at a size limit). They are all decided here, once.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from connectors.base import ConnectorError, IncompleteRead, TargetRefused, TargetUnavailable

PAGED_RESULTS = "1.2.840.113556.1.4.319"
_BLANKS = re.compile(r"\s*([,=+])\s*")
_DN_PARTS = re.compile(r"(?:\\.|[^\\,+])+|[,+]", re.DOTALL)
_TRIMMED = re.compile(r"\s*((?:\\.|[^\\])*?)\s*", re.DOTALL)
"""Blanks around a value do not count, except an escaped one at its end."""
_ESCAPED = re.compile(r"((?:\\[0-9a-fA-F]{2})+)|\\(.)", re.DOTALL)
IDLE_SECONDS = 30.0
"""A connection unused for longer is opened anew: firewalls and servers drop idle ones without a word."""

SUCCESS, TIME_LIMIT, SIZE_LIMIT, COMPARE_FALSE, COMPARE_TRUE = 0, 3, 4, 5, 6
REFERRAL, INVALID_DN = 10, 34
ADMIN_LIMIT, NO_SUCH_ATTRIBUTE, VALUE_EXISTS, NO_SUCH_OBJECT = 11, 16, 20, 32
INVALID_CREDENTIALS, NO_RIGHTS, OBJECT_CLASS_VIOLATION = 49, 50, 65
TRY_AGAIN = frozenset({1, 2, TIME_LIMIT, 51, 52, 53, 80})
"""operationsError, protocolError (a cut stream), timeLimitExceeded, busy, unavailable, unwillingToPerform, other."""


BASE = ldap3.BASE
"""Scope of a search for one entry."""


class InvalidCredentials(TargetRefused):
    """The password is wrong, or the account may not bind."""


@dataclass(frozen=True, slots=True)
class LdapOptions:
    """How to reach a directory and where its accounts and groups lie. Times in seconds."""

    url: str
    """``ldaps://host[:port]``, or ``ldap://host[:port]`` which is secured with StartTLS."""
    bind_dn: str
    accounts_base: str
    groups_base: str
    password: str = ""
    ca_file: str = ""
    """CA certificates to trust; empty for those of the system."""
    verify: bool = True
    """False accepts any certificate; preflight keeps complaining about it."""
    plaintext: bool = False
    """True speaks ``ldap://`` without TLS; preflight keeps complaining about it."""
    account_filter: str = "(objectClass=inetOrgPerson)"
    login_attribute: str = "uid"
    member_attribute: str = "member"
    placeholder: str = "cn=nobody"
    """DN that keeps a groupOfNames alive when its last member goes."""
    connect_timeout: int = 3
    receive_timeout: int = 5
    deadline: int = 15
    """Longest time for one request, however slowly its answer drips in."""
    page_size: int = 500

    def __repr__(self) -> str:
        return f"LdapOptions({self.url}, {self.bind_dn})"  # never the password


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its DN and the raw values of the attributes asked for, under lower-case names."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def text(self, attribute: str) -> str:
        """Return the first value of *attribute*, or an empty string."""
        found = self.values.get(attribute.lower()) or ()
        return found[0].decode(errors="backslashreplace") if found else ""


def escaped(value: str) -> str:
    """Make *value* safe inside a search filter."""
    return str(escape_filter_chars(value))


def normal_dn(dn: str) -> str:
    """Return *dn* in a form that is equal for spellings that differ in case, in blanks and in how they escape."""
    if "\\" not in dn:
        return _BLANKS.sub(r"\1", dn.strip()).casefold()
    return "".join(part if part in ",+" else _normal_part(part) for part in _DN_PARTS.findall(dn)).casefold()


def _normal_part(part: str) -> str:
    kind, _, value = part.partition("=")
    trimmed = _TRIMMED.fullmatch(value)
    return f"{kind.strip()}={escape_rdn(_unescaped(trimmed[1] if trimmed else value))}"


def _unescaped(value: str) -> str:
    """Undo the two ways in which RFC 4514 escapes: a backslash before the character, or before its UTF-8 in hex."""
    return _ESCAPED.sub(
        lambda found: found[2] or bytes.fromhex(found[1].replace("\\", "")).decode(errors="backslashreplace"),
        value,
    )


def common_base(first: str, second: str) -> str:
    """Return the longest DN that both lie under; *first* when they share none."""
    shared: list[str] = []
    for one, other in zip(reversed(_rdns(first)), reversed(_rdns(second)), strict=False):
        if normal_dn(one) != normal_dn(other):
            break
        shared.insert(0, one)
    return ",".join(shared) or first


def _rdns(dn: str) -> list[str]:
    parts = [""]
    for part in _DN_PARTS.findall(dn):
        if part == ",":
            parts.append("")
        else:
            parts[-1] += part
    return [part.strip() for part in parts]


class LdapSession:
    """A connection that is opened when first needed and dropped at the first sign of trouble."""

    def __init__(self, options: LdapOptions) -> None:
        self.options = options
        self._connection: Any = None
        self._socket: socket.socket | None = None
        self._used_at = 0.0

    def close(self) -> None:
        """Forget the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        sock, self._socket = self._socket, None
        if connection is not None:
            with suppress(LDAPException, OSError):
                connection.unbind()
        if sock is not None:  # ldap3 forgets its socket without closing it when something went wrong
            sock.close()

    def bind(self) -> None:
        """
        Connect and bind now.

        Raises:
            InvalidCredentials: If the password is wrong.
            TargetUnavailable: If there is no answer.
        """
        with self._request():
            pass

    def search(self, base: str, filter_: str, attributes: Sequence[str], *, scope: str = ldap3.SUBTREE) -> list[Entry]:
        """
        Read every matching entry. A base that does not exist holds none.

        Raises:
            IncompleteRead: If the server cut the answer off.
        """
        entries: list[Entry] = []
        for page in self._pages(base, filter_, attributes, scope):
            entries.extend(page)
        return entries

    def _pages(self, base: str, filter_: str, attributes: Sequence[str], scope: str) -> Iterator[list[Entry]]:
        cookie: bytes | None = None
        while True:
            with self._request() as connection:
                connection.search(
                    base,
                    filter_,
                    scope,
                    attributes=list(attributes),
                    paged_size=None if scope == ldap3.BASE else self.options.page_size,
                    paged_cookie=cookie,
                )
                result, response = connection.result, connection.response or []
            code = result["result"]
            # a member such as cn=dummy,o=whatever, or one that is no DN at all
            elsewhere = code in {REFERRAL, INVALID_DN} and scope == ldap3.BASE
            if (code == NO_SUCH_OBJECT and cookie is None) or elsewhere:
                return
            if code in {SIZE_LIMIT, ADMIN_LIMIT}:
                raise IncompleteRead(f"{base}: the server's size limit cut the answer off ({_words(result)})")
            _expect(result, SUCCESS)
            yield [_entry(item) for item in response if item.get("type") == "searchResEntry"]
            control = (result.get("controls") or {}).get(PAGED_RESULTS)
            cookie = control["value"]["cookie"] if control else None
            if not cookie:
                return

    def any_match(self, base: str, filter_: str) -> bool:
        """Say whether at least one entry matches, without reading more than one."""
        with self._request() as connection:
            connection.search(base, filter_, ldap3.SUBTREE, attributes=["1.1"], size_limit=1)
            result, response = connection.result, connection.response or []
        _expect(result, SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT)
        return any(item.get("type") == "searchResEntry" for item in response)

    def modify(self, dn: str, changes: Mapping[str, Sequence[tuple[str, Sequence[str]]]], *expected: int) -> int:
        """
        Send one modify request and return its result code.

        Args:
            dn: Entry to change.
            changes: Attribute to a list of (``ldap3.MODIFY_ADD`` or ``ldap3.MODIFY_DELETE``, values).
            expected: Codes beside success that the caller knows how to take.
        """
        with self._request() as connection:
            connection.modify(dn, {name: list(steps) for name, steps in changes.items()})
            result = connection.result
        return _expect(result, SUCCESS, *expected)

    def root(self, *attributes: str) -> Entry:
        """Read attributes of the server's root entry."""
        found = self.search("", "(objectClass=*)", attributes, scope=ldap3.BASE)
        if not found:
            raise TargetRefused("the server does not show its root entry")
        return found[0]

    @contextmanager
    def _request(self) -> Iterator[Any]:
        """Lend the connection for one request under the deadline; drop it when anything goes wrong."""
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
        expired = threading.Event()
        timer = threading.Timer(self.options.deadline, self._cut, args=(expired,))
        timer.daemon = True
        timer.start()
        try:
            with _translated(self.options.url, expired):
                if self._connection is None:
                    self._open()
                yield self._connection
        except ConnectorError:
            self.close()
            raise
        finally:
            timer.cancel()
        self._used_at = time.monotonic()

    def _cut(self, expired: threading.Event) -> None:
        expired.set()
        sock = self._socket
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _open(self) -> None:
        options = self.options
        parts = urlsplit(options.url)
        secure = parts.scheme == "ldaps"
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED if options.verify else ssl.CERT_NONE,
            ca_certs_file=options.ca_file or None,
        )
        server = ldap3.Server(
            parts.hostname or "",
            port=parts.port or (636 if secure else 389),
            use_ssl=secure,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=options.connect_timeout,
        )
        connection = ldap3.Connection(
            server,
            user=options.bind_dn,
            password=options.password,
            client_strategy=ldap3.SYNC,
            auto_referrals=False,
            receive_timeout=options.receive_timeout,
            check_names=False,
            raise_exceptions=False,
        )
        self._connection = connection
        try:
            connection.open(read_server_info=False)
        finally:
            self._socket = connection.socket
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not secure and not options.plaintext:
            if not connection.start_tls(read_server_info=False):
                raise TargetRefused(f"StartTLS was refused: {_words(connection.result)}")
            self._socket = connection.socket
        if not connection.bind(read_server_info=False):
            if connection.result["result"] == INVALID_CREDENTIALS:
                raise InvalidCredentials(f"the directory rejects the password of {options.bind_dn}")
            _expect(connection.result, SUCCESS)


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(item["dn"], {name.lower(): values for name, values in item["raw_attributes"].items()})


def _words(result: Mapping[str, Any]) -> str:
    message = f": {result['message']}" if result.get("message") else ""
    return f"{result['description']} {result['result']}{message}"


def _expect(result: Mapping[str, Any], *codes: int) -> int:
    """Return the code if it is one of *codes*, else raise what it means."""
    code = int(result["result"])
    if code in codes:
        return code
    if code in TRY_AGAIN:
        raise TargetUnavailable(f"the directory answered {_words(result)}")
    raise TargetRefused(f"the directory answered {_words(result)}")


@contextmanager
def _translated(url: str, expired: threading.Event) -> Iterator[None]:
    """Let no driver exception escape: everything the network does is "unavailable", a bad certificate "refused"."""
    try:
        yield
    except ConnectorError:
        raise
    except LDAPSASLPrepError as exc:
        raise InvalidCredentials(f"no directory has such a password: {exc}") from exc
    except (LDAPException, OSError, AttributeError, TypeError) as exc:
        # ldap3 raises AttributeError or TypeError when its socket is closed under it by the deadline
        if expired.is_set():
            raise TargetUnavailable(f"{url} gave no complete answer in time") from exc
        if isinstance(exc, AttributeError | TypeError):
            raise TargetUnavailable(f"{url} broke the connection: {exc!r}") from exc
        if "certificate" in str(exc).lower() or isinstance(exc, ssl.SSLCertVerificationError):
            raise TargetRefused(f"{url}: its certificate cannot be verified: {exc}") from exc
        raise TargetUnavailable(f"{url}: {exc}") from exc

"""Signing in with a password: local accounts, the first of them made with a one-time code, and the directory."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.party import is_address, key_of
from lifecycle.domain.role import Role
from lifecycle.services.admission import DIRECTORY, LOCAL, Vouched, admit
from lifecycle.services.authorisation import Actor
from lifecycle.services.secrets import SHORTEST_PASSWORD, Passwords, Slowdown, digest, is_acceptable
from lifecycle.services.sessions import Browser, Sessions
from lifecycle.settings import SignInSettings
from lifecycle.store import members, state
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.unit import Store, Unit

CODE_LASTS = timedelta(hours=1)
INVITATION_LASTS = timedelta(days=3)


class SignInRefused(LifecycleError):
    """Wrong name, password or code. The message does not say which."""

    code = "sign-in-refused"


class DirectoryDown(LifecycleError):
    """The directory cannot say whether a password is right."""

    code = "directory-down"


Verify = Callable[[str, str], Vouched | None]
"""Asks the directory whether name and password belong together; None if not. Raises `DirectoryDown`."""


@dataclass
class SignIn:
    """Everything about passwords. Reads the wall clock: a demo's clock must not end anybody's session."""

    sessions: Sessions
    settings: SignInSettings
    ask_directory: Verify | None = None
    slowdown: Slowdown = field(default_factory=Slowdown)
    passwords: Passwords = field(default_factory=Passwords)
    _device_secret: str = ""

    @property
    def store(self) -> Store:
        """Where members are kept."""
        return self.sessions.store

    @property
    def wall(self) -> Callable[[], datetime]:
        """The wall clock."""
        return self.sessions.wall

    def needs_setup(self) -> bool:
        """Say whether nobody can sign in yet."""
        with self.store.read() as unit:
            return not members.count(unit)

    def new_setup_code(self) -> str:
        """Make the code that lets the first administrator in, once, within an hour; an earlier one is void."""
        code = _new_code()
        with self.store.write() as unit:
            expires = (self.wall() + CODE_LASTS).timestamp()
            state.put(unit, state.SETUP_CODE, {"digest": digest(code), "expires": expires})
        return code

    def set_up(
        self, *, code: str, login: str, name: str, password: str, address: str, agent: str = "", email: str = ""
    ) -> str:
        """
        Make the first administrator and sign them in.

        Returns:
            The session token.

        Raises:
            SignInRefused: Wrong, used or expired code; weak password; somebody was faster.
            TooManyAttempts: After too many wrong codes.
        """
        self.slowdown.check("setup", address)
        login, name, email = login.strip(), name.strip(), email.strip()
        if email and not is_address(email):
            raise SignInRefused("An e-mail address has one @ and no blanks, or leave it empty.")
        if not login or not is_acceptable(password):
            raise SignInRefused(f"A name to sign in with, and a password of at least {SHORTEST_PASSWORD} characters.")
        hashed, now = self.passwords.hash(password), self.wall()
        with self.store.write() as unit:
            stored = state.locked(unit, state.SETUP_CODE) or {}
            if not _fits(stored, code, now) or members.count(unit):
                self.slowdown.failed("setup", address)
                raise SignInRefused(
                    "The code is wrong, used or older than an hour. Start the server again for a new one."
                )
            roles = [Role.IT_ADMINISTRATOR.value]
            member = new_local(login, name, roles, now)
            member.password_hash, member.email, member.email_key = hashed, email, key_of(email)
            unit.session.add(member)
            unit.session.flush()
            state.put(unit, state.SETUP_CODE, {})
            unit.audit(
                at=now, actor="setup-code", action="member-added", object_=f"member:{member.id}",
                after={"login": login, "roles": roles},
            )  # fmt: skip
            return self.sessions.open(unit, member, "password", Browser(address, agent))

    def invite(self, unit: Unit, member: MemberRow, by: str) -> str:
        """
        Return a code with which a local member sets a password, once, within three days; earlier ones are void.

        Args:
            unit: A unit that writes.
            member: Who is invited.
            by: Id of whoever will see the code: for a while they could be the one who uses it.
        """
        code = _new_code()
        expires = (self.wall() + INVITATION_LASTS).timestamp()
        stored = {"digest": digest(code), "expires": expires, "member": member.id, "by": by}
        state.put(unit, _invitation(member.login), stored)
        return code

    def is_invited(self, code: str, login: str) -> bool:
        """
        Say whether *code* would be accepted for *login*.

        Nothing is counted: a page that is only looked at could be opened by other sites, and codes are too long to
        be guessed.
        """
        with self.store.read() as unit:
            stored, member = state.get(unit, _invitation(login)) or {}, members.by_subject(unit, LOCAL, key_of(login))
        return _fits(stored, code, self.wall()) and member is not None and stored.get("member") == member.id

    def accept(self, *, code: str, login: str, password: str, address: str, agent: str = "") -> str:
        """
        Set the password of an invited member and sign them in.

        Raises:
            SignInRefused: Wrong, used or expired code; weak password.
            TooManyAttempts: After too many wrong codes.
        """
        name = key_of(login)
        self.slowdown.check(f"invitation {name}", address)
        if not is_acceptable(password):
            raise SignInRefused(f"A password needs at least {SHORTEST_PASSWORD} characters.")
        hashed, now = self.passwords.hash(password), self.wall()
        with self.store.write() as unit:
            stored = state.locked(unit, _invitation(login)) or {}
            member = members.by_subject(unit, LOCAL, name)
            if member is None or not _fits(stored, code, now) or stored.get("member") != member.id:
                self.slowdown.failed(f"invitation {name}", address)
                raise SignInRefused("The code is wrong, used or older than three days. Ask for a new one.")
            member.password_hash = hashed
            member.invited_by, member.invited_at = str(stored.get("by", "")), now  # see `Party.invited`
            unit.session.add(member)
            state.put(unit, _invitation(login), {})
            members.end_sessions(unit, now, member_ids=[member.id])
            unit.audit(at=now, actor=f"member:{member.login}", action="password-set", object_=f"member:{member.id}")
            return self.sessions.open(unit, member, "password", Browser(address, agent))

    def sign_in(self, *, login: str, password: str, address: str, agent: str = "", device: str = "") -> str:
        """
        Check a password, here first and then in the directory, and open a session.

        Args:
            login: Name.
            password: Password.
            address: Where the browser is.
            agent: What the browser says it is.
            device: What `new_device` gave this browser when the same person signed in before.

        Returns:
            The session token; only its digest is stored.

        Raises:
            SignInRefused: Wrong name or password.
            TooManyAttempts: After too many of them.
            DirectoryDown: If it would have to be asked and does not answer.
            NotSignedIn: Right password, but the member is disabled or their contract is over.
        """
        vouched_or_member = self._prove(login, password, address, device=self._device(login, device))
        with self.store.write() as unit:
            if isinstance(vouched_or_member, Vouched):
                member = admit(unit, vouched_or_member, self.settings, self.wall())
            else:
                member = vouched_or_member
            return self.sessions.open(unit, member, "password", Browser(address, agent))

    def confirm(self, actor: Actor, token: str, password: str, address: str) -> str:
        """
        Show again who one is, with the password one signed in with.

        Returns:
            The session's new token.

        Raises:
            SignInRefused, TooManyAttempts, DirectoryDown: As `sign_in`.
        """
        # others' guesses must not keep out whoever has a session already: it counts by itself
        proven = self._prove(actor.login, password, address, device=f"session {digest(token)}")
        with self.store.read() as unit:
            member = members.get(unit, actor.id)
        subject = (proven.provider, proven.subject)
        if member is None or subject != (member.provider, member.subject):
            raise SignInRefused("Wrong password.")
        return self.sessions.renew(token)

    def has_password(self, actor: Actor) -> bool:
        """Say whether the actor can confirm who they are with a password."""
        with self.store.read() as unit:
            member = members.get(unit, actor.id)
        return member is not None and member.provider in {LOCAL, DIRECTORY}

    def new_device(self, login: str) -> str:
        """Return what a browser keeps after its owner has signed in: others' guesses do not keep that browser out."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._device_mark(login, nonce)}"

    def _device(self, login: str, device: str) -> str:
        nonce, _, mark = device.partition(".")
        return nonce if mark and hmac.compare_digest(mark, self._device_mark(login, nonce)) else ""

    def _device_mark(self, login: str, nonce: str) -> str:
        if not self._device_secret:
            with self.store.write() as unit:
                stored = state.get(unit, state.DEVICE_KEY)
                if not stored:
                    stored = secrets.token_hex(32)
                    state.put(unit, state.DEVICE_KEY, stored)
            self._device_secret = str(stored)
        return hmac.new(self._device_secret.encode(), f"{nonce}\n{key_of(login)}".encode(), "sha256").hexdigest()

    def _prove(self, login: str, password: str, address: str, *, device: str) -> MemberRow | Vouched:
        name = key_of(login)
        self.slowdown.check(name, address, device=device)
        with self.store.read() as unit:
            member = members.by_subject(unit, LOCAL, name)
        if self.passwords.fits(member.password_hash if member else None, password) and member is not None:
            self.slowdown.succeeded(name, address, device=device)
            return member
        vouched = self.ask_directory(login.strip(), password) if self.ask_directory and member is None else None
        if vouched is None:
            self.slowdown.failed(name, address, device=device)
            self._record_failure(name, address)
            raise SignInRefused("Wrong name or password.")
        self.slowdown.succeeded(name, address, device=device)
        return vouched

    def _record_failure(self, name: str, address: str) -> None:
        """Record a failure, once a minute; a name that is nobody's may be a password typed into the wrong field."""
        with self.store.read() as unit:
            known = members.by_keys(unit, [name])
        whom = f"member:{known[0].id}" if known else "sign-in"
        if self.slowdown.is_news(whom, address):
            with self.store.write() as unit:
                unit.audit(
                    at=self.wall(), actor="nobody", action="sign-in-refused", object_=whom,
                    after={"address": address, "known": bool(known)},
                )  # fmt: skip


def new_local(login: str, name: str, roles: list[str], now: datetime) -> MemberRow:
    """Make a local member without a password; nobody can sign in as such until one is set."""
    return MemberRow(
        id=str(uuid.uuid4()),
        provider=LOCAL,
        subject=key_of(login),
        login=login,
        login_key=key_of(login),
        name=name or login,
        roles=sorted(roles),
        roles_since=now,
        created_at=now,
    )


def _new_code() -> str:
    return "-".join(secrets.token_hex(3) for _ in range(3))


def _invitation(login: str) -> str:
    return f"invitation:{key_of(login)}"


def _fits(stored: dict[str, object], code: str, now: datetime) -> bool:
    expires = stored.get("expires", 0)
    in_time = isinstance(expires, int | float) and expires >= now.timestamp()
    return hmac.compare_digest(str(stored.get("digest", "")), digest(code.strip())) and in_time

"""Signing in: one bootstrap operator made with a one-time code, argon2 passwords, sessions kept in the store."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import func, select, update

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.authorisation import Actor, Role
from lifecycle.services.clock import elapsed_seconds, wall_clock
from lifecycle.store import state
from lifecycle.store.tables import OperatorRow, SessionRow
from lifecycle.store.unit import Store, Unit

CODE_LASTS = timedelta(hours=1)
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 512
FREE_ATTEMPTS = 5
LONGEST_WAIT = 900.0


class NotSignedIn(LifecycleError):
    """Who asks is not known, or no longer."""

    code = "not-signed-in"


class SignInRefused(LifecycleError):
    """Wrong name, password or code. The message does not say which."""

    code = "sign-in-refused"


class TooManyAttempts(LifecycleError):
    """Wait before trying again."""

    code = "too-many-attempts"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many attempts. Try again in {max(1, round(seconds))} s.")
        self.seconds = seconds


@dataclass
class Slowdown:
    """
    Makes guessing slow: after five failures each further one doubles the wait, up to fifteen minutes.

    It slows down one name from one address and never locks an account: an administrator elsewhere still gets in.
    """

    elapsed: Callable[[], float] = elapsed_seconds
    _failures: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, login: str, address: str) -> None:
        """
        Refuse while the wait lasts.

        Raises:
            TooManyAttempts: With the seconds left.
        """
        with self._lock:
            count, at = self._failures.get((login, address), (0, 0.0))
        wait = min(LONGEST_WAIT, 2.0 ** (count - FREE_ATTEMPTS)) if count >= FREE_ATTEMPTS else 0.0
        left = at + wait - self.elapsed()
        if left > 0:
            raise TooManyAttempts(left)

    def failed(self, login: str, address: str) -> None:
        """Count a failure."""
        now = self.elapsed()
        with self._lock:
            if len(self._failures) > 10_000:
                self._failures = {k: v for k, v in self._failures.items() if now - v[1] < LONGEST_WAIT}
            self._failures[login, address] = (self._failures.get((login, address), (0, 0.0))[0] + 1, now)

    def succeeded(self, login: str, address: str) -> None:
        """Forget failures."""
        with self._lock:
            self._failures.pop((login, address), None)


@dataclass
class SignIn:
    """Operators and their sessions. Reads the wall clock: a demo's clock must not end anybody's session."""

    store: Store
    idle: timedelta
    longest: timedelta
    wall: Callable[[], datetime] = wall_clock
    slowdown: Slowdown = field(default_factory=Slowdown)
    _hasher: PasswordHasher = field(default_factory=PasswordHasher)

    def __post_init__(self) -> None:
        """Make a hash that no password fits, so that an unknown name takes as long as a wrong password."""
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def needs_setup(self) -> bool:
        """Say whether nobody can sign in yet."""
        with self.store.read() as unit:
            return not unit.session.scalar(select(func.count()).select_from(OperatorRow))

    def new_setup_code(self) -> str:
        """Make the code that lets the first operator in, once, within an hour; an earlier one is void."""
        code = "-".join(secrets.token_hex(3) for _ in range(3))
        expires_at = self.wall() + CODE_LASTS
        with self.store.write() as unit:
            state.put(unit, state.SETUP_CODE, {"digest": _digest(code), "expires": expires_at.timestamp()})
        return code

    def set_up(self, *, code: str, login: str, name: str, password: str, address: str) -> str:
        """
        Make the first operator and sign them in.

        Returns:
            The session token.

        Raises:
            SignInRefused: Wrong, used or expired code; weak password; somebody was faster.
            TooManyAttempts: After too many wrong codes.
        """
        self.slowdown.check("setup", address)
        login, name = login.strip(), name.strip()
        if not login or not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise SignInRefused(f"A name to sign in with, and a password of at least {SHORTEST_PASSWORD} characters.")
        hashed = self._hasher.hash(password)
        now = self.wall()
        with self.store.write() as unit:
            stored = state.get(unit, state.SETUP_CODE) or {}
            fits = hmac.compare_digest(stored.get("digest", ""), _digest(code.strip()))
            taken = unit.session.scalar(select(func.count()).select_from(OperatorRow))
            if not fits or taken or stored.get("expires", 0) < now.timestamp():
                self.slowdown.failed("setup", address)
                raise SignInRefused(
                    "The code is wrong, used or older than an hour. Start the server again for a new one."
                )
            operator = OperatorRow(
                id=str(uuid.uuid4()),
                login=login,
                name=name or login,
                role=Role.IT_ADMINISTRATOR.value,
                password_hash=hashed,
                created_at=now,
            )
            unit.session.add(operator)
            unit.session.flush()
            state.put(unit, state.SETUP_CODE, {})
            unit.audit(
                at=now,
                actor="setup-code",
                action="operator-added",
                object_=f"operator:{login}",
                after={"role": operator.role},
            )
            return self._open_session(unit, operator, now)

    def sign_in(self, *, login: str, password: str, address: str) -> str:
        """
        Check a password and open a session.

        Returns:
            The session token; only its digest is stored.

        Raises:
            SignInRefused: Wrong name or password.
            TooManyAttempts: After too many of them.
        """
        self.slowdown.check(login, address)
        with self.store.read() as unit:
            operator = self._operator(unit, login)
        hashed = operator.password_hash if operator else self._nobody
        try:
            self._hasher.verify(hashed, password[:LONGEST_PASSWORD])
        except VerificationError:
            operator = None
        if operator is None or operator.disabled_at is not None:
            self.slowdown.failed(login, address)
            raise SignInRefused("Wrong name or password.")
        self.slowdown.succeeded(login, address)
        now = self.wall()
        with self.store.write() as unit:
            unit.audit(at=now, actor=f"operator:{login}", action="signed-in", object_=f"operator:{login}")
            return self._open_session(unit, operator, now)

    @staticmethod
    def _operator(unit: Unit, login: str) -> OperatorRow | None:
        return unit.session.scalars(select(OperatorRow).where(OperatorRow.__table__.c.login == login)).one_or_none()

    @staticmethod
    def _open_session(unit: Unit, operator: OperatorRow, now: datetime) -> str:
        token = secrets.token_urlsafe(32)
        unit.session.add(
            SessionRow(
                token_hash=_digest(token), operator_id=operator.id, created_at=now, seen_at=now, authenticated_at=now
            )
        )
        return token

    def actor(self, token: str) -> Actor:
        """
        Say who holds *token*, and keep the session alive.

        Raises:
            NotSignedIn: No such session, ended, idle or open for too long, or the operator is disabled.
        """
        now = self.wall()
        with self.store.read() as unit:
            session = unit.session.get(SessionRow, _digest(token))
            operator = unit.session.get(OperatorRow, session.operator_id) if session else None
        if session is None or operator is None or session.ended_at is not None or operator.disabled_at is not None:
            raise NotSignedIn("Please sign in.")
        if now - session.seen_at > self.idle or now - session.created_at > self.longest:
            raise NotSignedIn("Your session has ended. Please sign in again.")
        if now - session.seen_at > self.idle / 10:
            with self.store.write() as unit:
                unit.session.execute(_session(token).values(seen_at=now))
        return Actor(operator.id, operator.login, operator.name, Role(operator.role))

    def sign_out(self, token: str) -> None:
        """End a session; one that is not there has ended already."""
        with self.store.write() as unit:
            unit.session.execute(_session(token).values(ended_at=self.wall()))


def _session(token: str) -> Any:
    return update(SessionRow).where(SessionRow.__table__.c.token_hash == _digest(token))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

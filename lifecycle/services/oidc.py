"""
Signing in at an OpenID provider: authorisation code flow with PKCE, state and nonce.

Authlib speaks OAuth and joserfc checks signatures. What is accepted is decided here: the issuer exactly as configured,
this client as the audience, the nonce of this very sign-in, a signature of the allow-list, and ``(iss, sub)`` as the
key of a person. Nothing that a browser brings back is believed without the stored other half.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.httpx_client import OAuthError as AuthlibError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from sqlalchemy import delete, select

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.admission import Vouched, admit
from lifecycle.services.secrets import digest, new_token
from lifecycle.services.sessions import LONG_AGO, Browser, Sessions
from lifecycle.settings import OidcSettings, SignInSettings
from lifecycle.store import members
from lifecycle.store.people_tables import PendingSignInRow

LASTS = timedelta(minutes=10)
METADATA_SECONDS = 600.0
TIMEOUT_SECONDS = 10.0
LEEWAY_SECONDS = 60
FRESH_SECONDS = 120
"""How old the provider's own authentication may be when somebody confirms who they are."""
TEXT = 512


class ProviderRefused(LifecycleError):
    """The provider, or what came back from it, cannot be believed; or it does not answer."""

    code = "provider-refused"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send a browser, and the secret it keeps meanwhile."""

    url: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A browser that has come back: its session and the page it wanted."""

    token: str
    target: str


@dataclass
class Oidc:
    """One configured provider."""

    sessions: Sessions
    settings: SignInSettings
    provider: OidcSettings
    redirect_uri: str
    client_secret: str | None = None
    folder: Path = Path()
    _metadata: tuple[float, dict[str, Any], KeySet] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def depart(self, target: str, *, session_token: str = "") -> Departure:
        """
        Begin a sign-in, or a confirmation by whoever holds *session_token*.

        Raises:
            ProviderRefused: If the provider does not answer.
        """
        metadata, _ = self._known()
        secret, state, nonce, verifier = new_token(), new_token(), new_token(), generate_token(64)
        extra = {"nonce": nonce, "code_verifier": verifier}
        if session_token:
            extra |= {"prompt": "login", "max_age": "0"}
        with self._client() as client:
            url, _ = client.create_authorization_url(metadata["authorization_endpoint"], state=state, **extra)
        now = self.sessions.wall()
        with self.sessions.store.write() as unit:
            old = PendingSignInRow.__table__.c.created_at < now - LASTS
            unit.session.execute(delete(PendingSignInRow).where(old))
            unit.session.add(
                PendingSignInRow(
                    state_hash=digest(state),
                    browser_hash=digest(secret),
                    nonce=nonce,
                    verifier=verifier,
                    target=target,
                    session_hash=digest(session_token) if session_token else "",
                    created_at=now,
                )
            )
        return Departure(url, secret)

    def arrive(
        self, answer: Mapping[str, str], browser_secret: str, browser: Browser, session_token: str = ""
    ) -> Arrival:
        """
        Finish what `depart` began.

        Args:
            answer: Parameters of the address the provider sent the browser to.
            browser_secret: What this browser was given when it left.
            browser: Where it comes from.
            session_token: Its session, where it left to confirm who its owner is.

        Raises:
            ProviderRefused: Naming what does not fit. Each departure is good for one return.
            NotSignedIn: If the member is disabled or their contract is over.
        """
        pending = self._take(answer.get("state", ""), browser_secret)
        if "error" in answer:
            words = (answer.get("error_description") or answer["error"])[:TEXT]
            raise ProviderRefused(f"{self.provider.title} did not sign you in: {words}")
        if answer.get("iss", self.provider.issuer) != self.provider.issuer:
            raise ProviderRefused("The answer comes from another provider than was asked.")
        confirming = bool(pending.session_hash)
        claims = self._claims(answer.get("code", ""), pending, confirming=confirming)
        vouched = self._vouched(claims)
        if confirming:
            return Arrival(self._confirm(vouched, pending, session_token), pending.target)
        with self.sessions.store.write() as unit:
            member = admit(unit, vouched, self.settings, self.sessions.wall())
            proven_at = _instant(claims.get("auth_time")) or LONG_AGO
            token = self.sessions.open(unit, member, self.provider.title, browser, proven_at=proven_at)
        return Arrival(token, pending.target)

    def _confirm(self, vouched: Vouched, pending: PendingSignInRow, session_token: str) -> str:
        with self.sessions.store.read() as unit:
            session = members.session(unit, pending.session_hash)
            member = members.get(unit, session.member_id) if session else None
        same_browser = hmac.compare_digest(digest(session_token), pending.session_hash)
        if (
            member is None
            or not same_browser
            or (member.provider, member.subject) != (vouched.provider, vouched.subject)
        ):
            raise ProviderRefused("Somebody else signed in than whose session this is.")
        return self.sessions.renew(session_token)

    def _take(self, state: str, browser_secret: str) -> PendingSignInRow:
        """Return the departure that fits, and make sure that nobody returns from it again."""
        with self.sessions.store.write() as unit:
            one = select(PendingSignInRow).where(PendingSignInRow.__table__.c.state_hash == digest(state))
            pending: PendingSignInRow | None = unit.session.scalars(unit.lock(one)).one_or_none()
            if pending is not None:
                unit.session.delete(pending)
        if pending is None or self.sessions.wall() - pending.created_at > LASTS:
            raise ProviderRefused("This sign-in was finished already, or took longer than ten minutes. Begin again.")
        if not hmac.compare_digest(pending.browser_hash, digest(browser_secret)):
            raise ProviderRefused("This sign-in was begun in another browser. Begin again.")
        return pending

    def _claims(self, code: str, pending: PendingSignInRow, *, confirming: bool) -> CodeIDToken:
        metadata, keys = self._known()
        try:
            with self._client() as client:
                token = client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=pending.verifier,
                )
        except (AuthlibError, httpx2.HTTPError, ValueError) as exc:
            raise ProviderRefused(f"{self.provider.title} did not confirm the sign-in: {str(exc)[:TEXT]}") from exc
        try:
            claims = self._checked(str(token.get("id_token", "")), token, keys, pending.nonce)
        except (JoseError, ValueError, KeyError) as exc:
            self._metadata = None  # keys may have been rotated; the next sign-in reads them anew
            raise ProviderRefused(f"The answer of {self.provider.title} cannot be believed: {exc}") from exc
        if confirming:
            proven_at = _instant(claims.get("auth_time")) or LONG_AGO
            age = time.time() - proven_at.timestamp()
            if not -LEEWAY_SECONDS <= age <= FRESH_SECONDS:
                raise ProviderRefused(f"{self.provider.title} did not ask who you are again.")
        return claims

    def _checked(self, id_token: str, token: Mapping[str, Any], keys: KeySet, nonce: str) -> CodeIDToken:
        registry = JWSRegistry(algorithms=list(self.provider.algorithms), strict_check_header=False)
        decoded = jwt.decode(id_token, keys, registry=registry)
        options = {
            "iss": {"essential": True, "value": self.provider.issuer},
            "aud": {"essential": True, "value": self.provider.client_id},
            "nonce": {"essential": True, "value": nonce},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": self.provider.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(now=time.time(), leeway=LEEWAY_SECONDS)
        audience = claims["aud"]
        others = [a for a in audience if a != self.provider.client_id] if isinstance(audience, list) else []
        if others and claims.get("azp") != self.provider.client_id:
            raise ValueError("it was issued for another client")
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise ValueError("it names nobody")
        return claims

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        def text(claim: str) -> str:
            value = claims.get(claim, "") if claim else ""
            return str(value)[:TEXT] if isinstance(value, str | int) else ""

        groups = claims.get(self.provider.groups_claim) or ()
        return Vouched(
            provider=self.provider.issuer,
            subject=claims["sub"],
            login=text("preferred_username") or text("email") or claims["sub"],
            name=text("name") or text("preferred_username") or text("email") or claims["sub"],
            email=text("email") if claims.get("email_verified") in (True, "true") else "",
            claimed_email=text("email"),
            employee_id=text(self.provider.employee_claim),
            supervisor=text(self.provider.supervisor_claim),
            groups=tuple(str(g) for g in groups) if isinstance(groups, list | tuple) else (str(groups),),
        )

    def _client(self) -> OAuth2Client:
        verify = str(self.folder / self.provider.ca_file) if self.provider.ca_file else True
        return OAuth2Client(
            client_id=self.provider.client_id,
            client_secret=self.client_secret,
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
            scope=" ".join(self.provider.scopes),
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            verify=verify,
            timeout=TIMEOUT_SECONDS,
        )

    def _known(self) -> tuple[dict[str, Any], KeySet]:
        """Return the provider's metadata and keys, at most ten minutes old."""
        with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata[0] > METADATA_SECONDS:
                metadata, keys = self._discover()
                self._metadata = (time.monotonic(), metadata, keys)
            return self._metadata[1:]

    def _discover(self) -> tuple[dict[str, Any], KeySet]:
        issuer = self.provider.issuer
        verify = str(self.folder / self.provider.ca_file) if self.provider.ca_file else True
        try:
            with httpx2.Client(verify=verify, timeout=TIMEOUT_SECONDS) as client:
                found = client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
                if found.get("issuer") != issuer:
                    raise ProviderRefused(f"{issuer} says that it is {str(found.get('issuer'))[:TEXT]}.")
                _check_endpoints(found, issuer)
                keys = KeySet.import_key_set(client.get(found["jwks_uri"]).raise_for_status().json())
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError, JoseError) as exc:
            words = f"{self.provider.title} cannot be reached or understood ({str(exc)[:TEXT]})."
            raise ProviderRefused(f"{words} Local accounts still work.") from exc
        return found, keys


def _instant(seconds: object) -> datetime | None:
    """Read an instant as tokens write it; None for anything that is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 4e9:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _check_endpoints(metadata: Mapping[str, Any], issuer: str) -> None:
    """Refuse endpoints that would send codes or secrets in the clear where the issuer itself does not."""
    scheme = issuer.split(":", 1)[0]
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not str(metadata.get(name, "")).startswith((f"{scheme}://", "https://")):
            raise ProviderRefused(f"{issuer}: its {name} is missing or not protected.")
    with suppress(KeyError):
        if "S256" not in metadata["code_challenge_methods_supported"]:
            raise ProviderRefused(f"{issuer} does not offer PKCE with S256.")

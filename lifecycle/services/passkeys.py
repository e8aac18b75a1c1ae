"""Passkeys: registered by their owner, and asked for when something needs a fresh proof of who is acting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.services.authorisation import Actor
from lifecycle.services.secrets import digest
from lifecycle.services.sessions import NotSignedIn, Sessions
from lifecycle.store import members
from lifecycle.store.people_tables import PasskeyRow
from lifecycle.store.unit import Unit

NAME = "Lifecycle"
MOST_PASSKEYS = 10


class PasskeyRefused(LifecycleError):
    """The passkey's answer does not prove who is there."""

    code = "passkey-refused"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Under what address the browser sees these pages: what a passkey is bound to."""

    origin: str
    host: str


@dataclass
class Passkeys:
    """Keeps public keys, and challenges in the session that they were made for; each is good for one answer."""

    sessions: Sessions

    def list(self, actor: Actor) -> list[Passkey]:
        """List the actor's passkeys."""
        with self.sessions.store.read() as unit:
            return [Passkey(row.id, row.name, row.created_at, row.used_at) for row in _of(unit, actor.id)]

    def begin_registration(self, actor: Actor, token: str, place: Place) -> str:
        """Return the options for the browser, as JSON."""
        with self.sessions.store.read() as unit:
            known = _of(unit, actor.id)
        if len(known) >= MOST_PASSKEYS:
            raise PasskeyRefused(f"{MOST_PASSKEYS} passkeys are enough; remove one first.")
        options = generate_registration_options(
            rp_id=place.host,
            rp_name=NAME,
            user_name=actor.login,
            user_id=actor.id.encode(),
            user_display_name=actor.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(row.id)) for row in known],
        )
        self._remember(token, options.challenge)
        return options_to_json(options)

    def register(self, actor: Actor, token: str, place: Place, answer: str, name: str) -> Passkey:
        """
        Keep a new passkey.

        Raises:
            PasskeyRefused: If the answer does not fit the challenge, the address or the user's verification.
        """
        challenge = self._take_challenge(token)
        try:
            verified = verify_registration_response(
                credential=_json(answer),
                expected_challenge=challenge,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as exc:
            raise PasskeyRefused(f"The passkey was not accepted: {exc}") from exc
        now = self.sessions.wall()
        key = bytes_to_base64url(verified.credential_id)
        row = PasskeyRow(
            id=key,
            member_id=actor.id,
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            name=name.strip()[:80] or "Passkey",
            created_at=now,
        )
        with self.sessions.store.write() as unit:
            if unit.session.get(PasskeyRow, key) is not None:
                raise PasskeyRefused("This passkey is registered already.")
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="passkey-added", object_=f"member:{actor.id}",
                after={"name": row.name},
            )  # fmt: skip
        return Passkey(row.id, row.name, row.created_at, None)

    def remove(self, actor: Actor, key: str) -> None:
        """
        Forget one of the actor's passkeys.

        Raises:
            NotFound: If it is not theirs.
        """
        table = PasskeyRow.__table__.c
        with self.sessions.store.write() as unit:
            statement = delete(PasskeyRow).where(table.id == key, table.member_id == actor.id)
            result: Any = unit.session.execute(statement)
            if not result.rowcount:
                raise NotFound("There is no such passkey.")
            unit.audit(
                at=self.sessions.wall(), actor=actor.trail_name, action="passkey-removed", object_=f"member:{actor.id}"
            )

    def begin_confirmation(self, actor: Actor, token: str, place: Place) -> str:
        """
        Return the options for the browser, as JSON.

        Raises:
            NotFound: If the actor has no passkey.
        """
        with self.sessions.store.read() as unit:
            known = _of(unit, actor.id)
        if not known:
            raise NotFound("You have no passkey.")
        options = generate_authentication_options(
            rp_id=place.host,
            allow_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(row.id)) for row in known],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        self._remember(token, options.challenge)
        return options_to_json(options)

    def confirm(self, actor: Actor, token: str, place: Place, answer: str) -> str:
        """
        Check the answer of one of the actor's passkeys.

        Returns:
            The session's new token.

        Raises:
            PasskeyRefused: If it does not fit, was seen before, or lacks the user's verification.
        """
        challenge = self._take_challenge(token)
        credential = _json(answer)
        with self.sessions.store.write() as unit:
            row = unit.session.get(PasskeyRow, str(credential.get("id", "")))
            if row is None or row.member_id != actor.id:
                raise PasskeyRefused("This passkey is not one of yours.")
            try:
                verified = verify_authentication_response(
                    credential=credential,
                    expected_challenge=challenge,
                    expected_rp_id=place.host,
                    expected_origin=place.origin,
                    credential_public_key=base64url_to_bytes(row.public_key),
                    credential_current_sign_count=row.sign_count,
                    require_user_verification=True,
                )
            except (WebAuthnException, ValueError, KeyError, TypeError) as exc:
                raise PasskeyRefused(f"The passkey was not accepted: {exc}") from exc
            row.sign_count, row.used_at = verified.new_sign_count, self.sessions.wall()
            unit.session.add(row)
        return self.sessions.renew(token)

    def _remember(self, token: str, challenge: bytes) -> None:
        with self.sessions.store.write() as unit:
            members.change_session(unit, digest(token), challenge=bytes_to_base64url(challenge))

    def _take_challenge(self, token: str) -> bytes:
        with self.sessions.store.write() as unit:
            session = members.locked_session(unit, digest(token))
            if session is None or session.ended_at is not None:
                raise NotSignedIn("Please sign in.")
            challenge = session.challenge
            members.change_session(unit, digest(token), challenge="")
        if not challenge:
            raise PasskeyRefused("That was answered already. Please try again.")
        return base64url_to_bytes(challenge)


def _of(unit: Unit, member_id: str) -> list[PasskeyRow]:
    table = PasskeyRow.__table__.c
    return list(unit.session.scalars(select(PasskeyRow).where(table.member_id == member_id).order_by(table.created_at)))


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise PasskeyRefused("The browser's answer cannot be read.") from exc
    if not isinstance(found, dict):
        raise PasskeyRefused("The browser's answer cannot be read.")
    return found

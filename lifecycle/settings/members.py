"""Settings of who signs in and how: an OpenID provider, a directory, and which groups mean which role."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from lifecycle.domain.role import Role
from lifecycle.settings.base import Model, SecretReference

SAFE_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class OidcSettings(Model):
    """An OpenID provider."""

    issuer: str
    """Exactly as the provider writes it; https, or http on loopback."""
    client_id: str
    client_secret: SecretReference | None = None
    """Left out for a public client, which has PKCE alone."""
    title: str = "Company sign-in"
    """What the button says."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    algorithms: tuple[str, ...] = SAFE_ALGORITHMS
    """Signatures that are accepted: those made with a private key; never ``none`` and no shared secrets."""
    ca_file: str = ""
    groups_claim: str = "groups"
    employee_claim: str = ""
    """Claim that holds the employee or worker id."""
    supervisor_claim: str = ""
    """Claim that holds the supervisor's e-mail address."""

    @field_validator("issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError(f"issuer = {value!r}: use https")
        if parts.query or parts.fragment:
            raise ValueError(f"issuer = {value!r}: an issuer has no query and no fragment")
        return value

    @field_validator("algorithms")
    @classmethod
    def _safe_algorithms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unsafe = sorted(set(value) - set(SAFE_ALGORITHMS))
        if unsafe or not value:
            raise ValueError(f"algorithms: {', '.join(unsafe) or 'none'} is not safe; use {', '.join(SAFE_ALGORITHMS)}")
        return value

    @model_validator(mode="after")
    def _openid(self) -> OidcSettings:
        if "openid" not in self.scopes:
            raise ValueError("scopes: openid is missing")
        return self


class DirectorySignInSettings(Model):
    """An LDAP directory that checks passwords by bind."""

    url: str
    """``ldaps://…``, or ``ldap://…`` with StartTLS."""
    ca_file: str = ""
    bind_dn: str
    """Whoever may look people up."""
    password: SecretReference
    people_base: str
    login_attribute: str = "uid"
    name_attribute: str = "cn"
    email_attribute: str = "mail"
    employee_attribute: str = "employeeNumber"
    supervisor_attribute: str = "manager"
    """Holds the supervisor's DN."""
    groups_base: str = ""
    """Where groups are that mean roles; their ``cn`` is looked up in ``sign_in.roles``."""
    group_member_attribute: str = "member"
    title: str = "Directory"


class SignInSettings(Model):
    """How people sign in. Local accounts are always there, for the first operator and for break-glass."""

    oidc: OidcSettings | None = None
    directory: DirectorySignInSettings | None = None
    roles: dict[str, tuple[Role, ...]] = Field(default_factory=dict)
    """Group of the provider or the directory to roles here; whoever is in none of them may do nothing."""
    contractors_by: Literal["email", "worker_id"] = "email"
    """Which fact, vouched for by the provider, says who on the roster somebody is."""

    @field_validator("roles")
    @classmethod
    def _no_contractor(cls, value: dict[str, tuple[Role, ...]]) -> dict[str, tuple[Role, ...]]:
        for group, roles in value.items():
            if Role.CONTRACTOR in roles:
                raise ValueError(f"{group}: contractor is no role to give; it comes with the roster")
        return value

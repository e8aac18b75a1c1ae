"""Errors that name a broken rule. They carry a code for interfaces and never an HTTP status."""

from __future__ import annotations

from typing import ClassVar


class LifecycleError(Exception):
    """Something was asked that the rules refuse; the message says what and why."""

    code: ClassVar[str] = "refused"


class InvalidEngagement(LifecycleError):
    """The contract's own facts contradict each other."""

    code = "invalid-engagement"


class InvalidPolicy(LifecycleError):
    """The offboarding policy could let access grow inside a window, or cannot be placed in time."""

    code = "invalid-policy"


class InvalidCatalogue(LifecycleError):
    """An entitlement or a baseline rule names something that does not exist or could widen access."""

    code = "invalid-catalogue"


class InvalidSettings(LifecycleError):
    """The configuration cannot be used; the message names file, key and reason."""

    code = "invalid-settings"


class NotFound(LifecycleError):
    """The person, target or record asked for is not known here."""

    code = "not-found"


class NotPermitted(LifecycleError):
    """This actor may not do this to that object."""

    code = "not-permitted"


class RosterRefused(LifecycleError):
    """The roster changes nothing, because it cannot be trusted or is not the one that was shown."""

    code = "roster-refused"


class NotLeading(LifecycleError):
    """Another process leads; what was planned here was rolled back."""

    code = "not-leading"

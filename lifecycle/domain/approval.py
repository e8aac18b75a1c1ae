"""
Requests and reviews: who may review what, and when a request is approved.

Two people means two different people, neither the requester nor the beneficiary, at least one an employee, not both
of one vendor, none inside an offboarding window. It is checked when a review is given and again when it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.party import Party


class Kind(StrEnum):
    """What is asked for."""

    NEW = "new"
    EXTEND = "extend"
    """More time, asked for in the last part of a grant that runs."""
    RENEW = "renew"
    """The same again, after a grant has ended."""
    BRIDGE = "bridge"
    """Up to fourteen days of the last working day's access past the contract's end."""
    RESUME = "resume"
    """To give back what a contract gave before it was extended, too late."""
    CUT_OFF = "cut-off"
    """To end somebody's access now, where one person has done so to many already."""


SECOND_PERSON = frozenset({Kind.BRIDGE, Kind.RESUME, Kind.CUT_OFF})
"""What one person has decided and another one must agree to."""
TWO_PEOPLE = 2


class Resolution(StrEnum):
    """How a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def words(self) -> str:
        """How people call it."""
        return "withdrawn" if self is Resolution.CANCELLED else self.value


class Verdict(StrEnum):
    """What a reviewer says."""

    APPROVE = "approve"
    DENY = "deny"


class ReviewRefused(LifecycleError):
    """This review does not count; the subclass says which rule it breaks."""

    code = "review-refused"


class RequestClosed(ReviewRefused):
    """It was approved, denied, withdrawn, or nobody answered in time."""

    code = "request-closed"


class RequestChanged(ReviewRefused):
    """It is no longer what the reviewer was shown."""

    code = "request-changed"


class SelfReview(ReviewRefused):
    """The reviewer asked for it, or it is for them, by whatever account."""

    code = "self-review"


class DuplicateReview(ReviewRefused):
    """The reviewer has reviewed it already."""

    code = "duplicate-review"


class NotAReviewer(ReviewRefused):
    """Neither owner of the entitlement, nor in the sponsor's line, nor IT."""

    code = "not-a-reviewer"


class ReviewerDependent(ReviewRefused):
    """The reviewer reports to the requester or to the beneficiary."""

    code = "reviewer-dependent"


class ReviewerUnfit(ReviewRefused):
    """The reviewer's own contract stands against it: vendor, offboarding window, god mode, or its end."""

    code = "reviewer-unfit"


class RequesterGone(ReviewRefused):
    """Whoever asked could not ask it any more."""

    code = "requester-gone"


class ReasonMissing(ReviewRefused):
    """A denial, and any word on god mode, needs its reason."""

    code = "reason-missing"


class ApprovalVoid(ReviewRefused):
    """What was approved cannot be used: an approver would not count any more, or the terms have changed."""

    code = "approval-void"


@dataclass(frozen=True, slots=True)
class Review:
    """One person's verdict on one revision of a request."""

    reviewer: Party
    verdict: Verdict
    at: datetime
    note: str = ""
    longest: timedelta | None = None
    """The reviewer allows no more than this; None: what was asked."""
    terms: str = ""
    """`Request.terms` as the reviewer was shown them."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    What was asked, and what has been said about it.

    ``expires_at`` is exclusive: at that very instant no review counts any more.
    """

    id: str
    kind: Kind
    requester: Party
    beneficiary: Party
    entitlement: str
    """Key in the catalogue; empty where no single right is asked for."""
    asked: timedelta
    reason: str
    approvals_needed: int
    god: bool
    created_at: datetime
    expires_at: datetime
    terms: str
    """Digest of everything a reviewer is shown, see `digest`."""
    resolution: Resolution = Resolution.PENDING
    reviews: tuple[Review, ...] = ()

    @property
    def approvals(self) -> tuple[Review, ...]:
        """The approvals so far."""
        return tuple(r for r in self.reviews if r.verdict is Verdict.APPROVE)

    @property
    def allowed(self) -> timedelta:
        """How long it would be: what was asked, or less where a reviewer allows less."""
        return min([self.asked, *(r.longest for r in self.approvals if r.longest is not None)])

    def is_open_at(self, now: datetime) -> bool:
        """Say whether a review counts at *now* (aware)."""
        return self.resolution is Resolution.PENDING and now < self.expires_at


def digest(terms: Mapping[str, Any]) -> str:
    """Return SHA-256 of *terms* (JSON values) in canonical form: what an approval is bound to."""
    return hashlib.sha256(json.dumps(terms, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def shown_digest(request: Request) -> str:
    """Return what a reviewer's answer is bound to: the terms, and what others have said until now."""
    said = [[r.reviewer.id, r.verdict.value, _seconds(r.longest)] for r in request.reviews]
    return digest({"terms": request.terms, "said": said, "request": request.id})


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def check_open(request: Request, now: datetime) -> None:
    """
    Refuse what can no longer be reviewed, edited or withdrawn.

    Raises:
        RequestClosed: Saying how it ended.
    """
    if request.resolution is not Resolution.PENDING:
        raise RequestClosed(f"Request {request.id} is {request.resolution.words} already.")
    if now >= request.expires_at:
        raise RequestClosed(f"Request {request.id} has expired: nobody answered in time.")


def check_reviewer(request: Request, reviewer: Party, *, in_pool: bool) -> None:
    """
    Refuse a reviewer whose word would not count.

    Args:
        request: With the reviews so far.
        reviewer: As they stand now.
        in_pool: Whether they own the entitlement, stand in the sponsor's line, or are IT.

    Raises:
        SelfReview, DuplicateReview, NotAReviewer, ReviewerDependent, ReviewerUnfit: Naming the rule.
    """
    for party, words in ((request.requester, "asked for this"), (request.beneficiary, "would receive this")):
        if reviewer.is_same_as(party):
            raise SelfReview(f"You {words}; somebody else must review it.")
    if any(reviewer.is_same_as(r.reviewer) for r in request.reviews):
        raise DuplicateReview("You have reviewed this already; it needs somebody else's word.")
    if not in_pool:
        raise NotAReviewer("Only the owner of the entitlement, the sponsor's line and IT review this.")
    check_independence(request, reviewer)


def check_independence(request: Request, reviewer: Party) -> None:
    """
    Refuse a reviewer who depends on a party to the request, or whose own contract stands against it.

    Raises:
        ReviewerDependent, ReviewerUnfit: Naming the rule.
    """
    for party, words in ((request.requester, "whoever asked"), (request.beneficiary, "whoever would receive it")):
        if reviewer.is_below(party):
            raise ReviewerDependent(f"{reviewer.name} reports to {words}; somebody independent must review it.")
    if not reviewer.active:
        raise ReviewerUnfit(f"{reviewer.name} may no longer review anything here.")
    if reviewer.invited and (request.approvals_needed >= TWO_PEOPLE or request.kind in SECOND_PERSON):
        raise ReviewerUnfit(f"{reviewer.name} was invited only lately: whoever invited them could be who reviews.")
    if reviewer.employee:
        return
    if request.god:
        raise ReviewerUnfit("Only those known to be employees review god mode.")
    if reviewer.in_window:
        raise ReviewerUnfit(f"The contract of {reviewer.name} is in its offboarding window.")
    if reviewer.vendors & request.beneficiary.vendors:
        raise ReviewerUnfit(f"{reviewer.name} works for the same vendor as {request.beneficiary.name}.")


def add_review(request: Request, review: Review, *, in_pool: bool) -> Request:
    """
    Return *request* with *review* counted, and resolved where that settles it. Any denial denies.

    Raises:
        RequestClosed: If it is no longer pending at the review's instant.
        RequesterGone: If it would be approved and whoever asked could not ask it any more.
        ReasonMissing: A denial without a reason, or any verdict on god mode without one.
        ReviewRefused: If the reviewer's word would not count, see `check_reviewer`.
    """
    check_open(request, review.at)
    check_reviewer(request, review.reviewer, in_pool=in_pool)
    if not review.note.strip() and (review.verdict is Verdict.DENY or request.god):
        raise ReasonMissing("Please say why; the reason goes into the trail.")
    reviewed = replace(request, reviews=(*request.reviews, review))
    if review.verdict is Verdict.APPROVE:
        check_requester(request)
    if review.verdict is Verdict.DENY:
        return replace(reviewed, resolution=Resolution.DENIED)
    if len(reviewed.approvals) < request.approvals_needed:
        return reviewed
    _check_mix([r.reviewer for r in reviewed.approvals], request.approvals_needed)
    return replace(reviewed, resolution=Resolution.APPROVED)


def check_requester(request: Request) -> None:
    """
    Refuse what nobody stands for any more.

    Raises:
        RequesterGone: If whoever asked was disabled, has lost the role, or does not answer for the person any more.
    """
    if not request.requester.active:
        raise RequesterGone(f"{request.requester.name}, who asked for this, may not ask it any more.")


def check_use(request: Request, approvers: Sequence[Party], terms: str) -> None:
    """
    Refuse to use an approval that would not be given today.

    Args:
        request: Approved.
        approvers: Those who approved, as they stand now.
        terms: What a reviewer would be shown now.

    Raises:
        ApprovalVoid: Naming what has changed.
    """
    if any(r.terms != terms for r in request.approvals):
        raise ApprovalVoid("What was approved has changed since; please ask again.")
    try:
        check_requester(request)
        for approver in approvers:
            check_independence(request, approver)
            if approver.is_same_as(request.requester) or approver.is_same_as(request.beneficiary):
                raise SelfReview(f"{approver.name} is a party to the request.")
        if len(approvers) < request.approvals_needed:
            raise ReviewerUnfit("Not everybody who approved would be counted any more.")
        distinct = [a for n, a in enumerate(approvers) if not any(a.is_same_as(b) for b in approvers[:n])]
        if len(distinct) < request.approvals_needed:
            raise DuplicateReview("the approvals come from one person.")
        _check_mix(distinct, request.approvals_needed)
    except ReviewRefused as exc:
        raise ApprovalVoid(f"The approval can no longer be used: {exc} Please ask again.") from exc


def _check_mix(approvers: Sequence[Party], needed: int) -> None:
    if needed < TWO_PEOPLE:
        return
    if not any(approver.employee for approver in approvers):
        raise ReviewerUnfit("At least one of the two must be an employee.")
    vendors = [vendor for approver in approvers for vendor in approver.vendors]
    if len(set(vendors)) < len(vendors):
        raise ReviewerUnfit("Two people of one vendor are not enough.")

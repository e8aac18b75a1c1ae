"""Storing what came of work items: the item, what was seen, and the audit row, in the caller's one unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.base import AccountState, TargetRefused
from lifecycle.domain.drift import Verb
from lifecycle.services.outcomes import NO_ACCOUNT, UNSUPPORTED, Done, Failed, Seen
from lifecycle.store import observations, people, work
from lifecycle.store.observations import StoredAccount
from lifecycle.store.unit import Unit
from lifecycle.store.work import WorkItem

AMBIGUOUS_WAIT = timedelta(minutes=5)


@dataclass
class Settlement:
    """Writes results within one unit."""

    unit: Unit
    owner: str
    target: str
    now: datetime
    accounts: Mapping[str, StoredAccount]
    """Known accounts in ``target`` by identity, for all results of this unit; one query instead of one a result."""

    def done(self, result: Done) -> None:
        """Store a proven change, unless the lease was lost or the item was redirected meanwhile."""
        item = result.item
        taken = self._taken(item, result.seen)
        if taken:
            self.failed(Failed(item, TargetRefused(taken)), self.now + AMBIGUOUS_WAIT, wanted=True)
            return
        if not work.finish(self.unit, item, owner=self.owner, at=self.now, outcome=result.outcome):
            self._superseded(item)
            return
        if result.seen is not None:
            self._observed(item, result.seen)
            return
        account = self.accounts[item.identity_id]
        match item.verb:
            case Verb.REVOKE:
                observations.note_gone(self.unit, account.id, item.aspect, self.now)
            case Verb.GRANT:
                observations.note_held(self.unit, account.id, item.aspect, self.now)
            case _ if result.state is not None:
                self._note_state(account, item, result.state)
        if result.outcome == UNSUPPORTED:
            self._unsupported(account, item)
        self._audit(item, account, result.outcome)

    def _taken(self, item: WorkItem, seen: Seen | None) -> str:
        """Say why an account cannot be this person's: two people match it, nobody is guessed, the first keeps it."""
        owner = observations.owner_of(self.unit, self.target, seen.account.native_id) if seen else None
        if seen is None or owner in {None, item.identity_id}:
            return ""
        return f"the account {seen.account.name} belongs to somebody else already (identity {owner})"

    def _superseded(self, item: WorkItem) -> None:
        """Somebody decided otherwise while we worked: release, say nothing, and look at the account anew."""
        work.release(self.unit, item, owner=self.owner, retry_at=self.now)
        disabling = item.verb is Verb.DISABLE
        observations.forget_observation(self.unit, item.identity_id, self.target, disabling=disabling)
        people.make_due(self.unit, self.now, [item.identity_id])

    def _observed(self, item: WorkItem, seen: Seen) -> None:
        before = self.accounts.get(item.identity_id)
        account_id = observations.link_account(
            self.unit, item.identity_id, self.target, seen.account.native_id, seen.account.name
        )
        held_before = before.held if before else frozenset()
        for key in seen.held - held_before:
            observations.note_held(self.unit, account_id, key, self.now)
        for key in held_before - seen.held:
            observations.note_gone(self.unit, account_id, key, self.now)
        values: dict[str, Any] = {"disabled": None if seen.state.disabled is None else int(seen.state.disabled)}
        if seen.state.disabled is False:  # whoever disables it next is not us
            values["disabled_here"] = 0
        observations.note_state(self.unit, account_id, self.now, expires_at=seen.state.expires_at, **values)
        people.make_due(self.unit, self.now, [item.identity_id])
        self.unit.shows()
        if before is None or held_before != seen.held:
            self.unit.audit(
                at=self.now,
                actor="scheduler",
                action="account-observed",
                object_=f"identity:{item.identity_id}",
                before={"held": sorted(held_before)},
                after={"target": self.target, "account": seen.account.name, "held": sorted(seen.held)},
            )

    def _note_state(self, account: StoredAccount, item: WorkItem, seen: AccountState) -> None:
        values: dict[str, Any] = {"disabled": None if seen.disabled is None else int(seen.disabled)}
        values["expires_at"] = seen.expires_at
        if item.verb is Verb.DISABLE:
            values["disabled_here"] = 1
        elif item.verb is Verb.ENABLE:
            values["disabled_here"] = 0
        observations.note_state(self.unit, account.id, self.now, **values)

    def _unsupported(self, account: StoredAccount, item: WorkItem) -> None:
        """Remember that the target cannot, so that it is not asked again at every tick."""
        if item.verb is Verb.SET_EXPIRY:
            observations.note_state(self.unit, account.id, self.now, expires_at=item.expires_at)
        else:
            observations.note_state(self.unit, account.id, self.now, disabled=None)

    def _audit(self, item: WorkItem, account: StoredAccount, outcome: str) -> None:
        after: dict[str, Any] = {
            "target": self.target,
            "account": account.native_id,
            "outcome": outcome,
            "cause": item.cause,
            "due_at": item.due_at.isoformat(timespec="seconds"),
            "seconds_late": round((self.now - item.due_at).total_seconds(), 3),
            "attempts": item.attempts,
        }
        if not item.aspect.startswith("@"):
            after["entitlement"] = item.aspect
        if item.expires_at is not None:
            after["expires_at"] = item.expires_at.isoformat(timespec="seconds")
        self.unit.audit(
            at=self.now,
            actor="scheduler",
            action=item.verb.value,
            object_=f"identity:{item.identity_id}",
            before={"held": item.verb is Verb.REVOKE} if "entitlement" in after else {},
            after=after,
            request=f"work:{item.id}",
        )

    def failed(self, result: Failed, retry_at: datetime, wanted: bool) -> None:
        """Store that an attempt failed and when the next one is due; *wanted* False gives an observation up."""
        item = result.item
        if not wanted:
            work.finish(self.unit, item, owner=self.owner, at=self.now, outcome=NO_ACCOUNT)
            return
        ours = work.fail(
            self.unit,
            item,
            owner=self.owner,
            at=self.now,
            retry_at=retry_at,
            error=str(result.error),
            kind=result.kind,
        )
        if not ours:
            self._superseded(item)
        elif item.error_kind != result.kind:  # the first failure of its kind is recorded, its repetitions are counted
            self.unit.audit(
                at=self.now,
                actor="scheduler",
                action=f"{item.verb.value}-failed",
                object_=f"identity:{item.identity_id}",
                after={"target": self.target, "aspect": item.aspect, "kind": result.kind, "error": str(result.error)},
                request=f"work:{item.id}",
            )

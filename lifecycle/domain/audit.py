"""The hash chain of the trail: what a record's digest covers, and how a chain is checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
"""``prev`` of the first record."""
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""Writes the same value as the same text, so that what was hashed is what is stored."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that happened. ``before`` and ``after`` hold JSON values and never a secret."""

    seq: int
    """Counts from 1 without a gap."""
    at: datetime
    """Aware; hashed as UTC with microseconds."""
    actor: str
    action: str
    object: str
    on_behalf: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    request: str
    """What it belongs to: a roster import, a work item, a request."""
    prev: str
    """Digest of the record before, in lower-case hex."""


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first record at which a chain does not hold, and why."""

    seq: int
    reason: str


def digest_of(record: AuditRecord) -> str:
    """
    Hash one record, its predecessor's digest included.

    Source:
        SHA-256 over a zero byte (RFC 6962's leaf prefix) and canonical JSON: keys sorted, no blanks, UTF-8.
    """
    body = {
        "seq": record.seq,
        "at": record.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": record.actor,
        "on_behalf": record.on_behalf,
        "action": record.action,
        "object": record.object,
        "before": dict(record.before),
        "after": dict(record.after),
        "request": record.request,
        "prev": record.prev,
    }
    return hashlib.sha256(b"\x00" + CANONICAL.encode(body).encode()).hexdigest()


def find_fault(chain: Iterable[tuple[AuditRecord, str]], head: tuple[int, str] | None = None) -> ChainFault | None:
    """
    Return the first fault of *chain*, or None when it holds.

    Args:
        chain: Records with the digest stored beside each, in the order of ``seq``.
        head: Sequence number and digest the chain must end with, kept apart from it.
    """
    seq, prev = 0, GENESIS
    for record, stored in chain:
        if record.seq != seq + 1:
            return ChainFault(seq + 1, f"missing: the next record stored is {record.seq}")
        if record.prev != prev:
            return ChainFault(record.seq, "does not follow from the record before it")
        if digest_of(record) != stored:
            return ChainFault(record.seq, "was changed after it was written")
        seq, prev = record.seq, stored
    if head is not None and head != (seq, prev):
        return ChainFault(seq + 1, f"the trail ends at {seq}, its head says {head[0]}")
    return None

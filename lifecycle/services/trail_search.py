"""Searching the trail in people's own words: names become ids first, and only ids are looked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

from lifecycle.domain.audit import AuditRecord
from lifecycle.domain.identity import Identity
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.clock import Clock
from lifecycle.services.names import ENGAGEMENT, IDENTITY, MEMBER, folded, names_of_actors, objects_called
from lifecycle.services.trail import record_of
from lifecycle.store import members, people, trail
from lifecycle.store.trail import Wanted
from lifecycle.store.unit import Store, Unit

MOST_PEOPLE = 20
"""So many people one search is about; more words say which of them."""
EXPORTED_AT_ONCE = 1_000
ACTOR_KINDS = ("member", "token", "cli", "provider")
OBJECT_KINDS = ("identity", "engagement", "member", "request", "target", "token", "profile")
HEADING = (
    "seq", "at", "actor", "actor_name", "on_behalf", "action", "object", "object_name", "request", "before", "after",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is a formula to a spreadsheet, whoever wrote it."""


@dataclass(frozen=True)
class Question:
    """What is looked for, as somebody wrote it; what is empty may be anything."""

    actor: str = ""
    """Sign-in name, name, or what the trail says: ``member:tomas``."""
    action: str = ""
    """An action, or part of some."""
    object: str = ""
    """A person's name, e-mail address, worker id or id, or what the trail says: ``target:console``."""
    request: str = ""
    since: date | None = None
    """First day, in UTC, inclusive."""
    until: date | None = None
    """Last day, in UTC, inclusive."""

    @property
    def asked(self) -> dict[str, str]:
        """What is looked for, without what may be anything."""
        return {name: str(value) for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class NamedRecord:
    """A record, with what people call those whom it names."""

    record: AuditRecord
    actor: str
    """Name of who did it; empty where no person did, or nobody knows which."""
    on_behalf: str
    about: str
    """Name of whom it is about; empty if nobody."""
    identity_id: str
    """Whose page tells more; empty for nobody on the roster."""

    @property
    def request_id(self) -> str:
        """The request it belongs to; empty where it is none of people's."""
        return self.record.request if self.record.request.startswith("GR-") else ""


@dataclass(frozen=True)
class Findings:
    """One page of records."""

    records: tuple[NamedRecord, ...]
    more: int | None
    """The page after this begins before this sequence number; None where there is none."""
    notes: tuple[str, ...]
    """How the words were understood, where that is not obvious."""


@dataclass
class TrailSearch:
    """Answers questions about the trail."""

    store: Store
    clock: Clock
    hidden_from: Callable[[Actor], Collection[str]] = lambda _: ()
    """Requests that somebody must not read about: see `lifecycle.services.reviews.Reviews.hidden_from`."""

    def actions(self) -> list[str]:
        """List the actions that were ever recorded."""
        with self.store.read() as unit:
            return trail.actions(unit)

    def page(self, actor: Actor, question: Question, *, before: int | None = None, limit: int = 50) -> Findings:
        """
        Find the newest records that fit, newest first.

        Raises:
            NotPermitted: If the trail is not for the actor.
        """
        hidden = self._hidden(actor)
        with self.store.read() as unit:
            wanted, notes = understand(unit, question, hidden)
            found = _find(unit, wanted, before, limit + 1)
            records = _named(unit, found[:limit])
        more = found[limit - 1].seq if len(found) > limit else None
        return Findings(tuple(records), more, tuple(notes))

    def export(self, actor: Actor, question: Question) -> Iterator[list[str]]:
        """
        Record that the actor takes everything that fits along, and give it line by line, newest first.

        Returns:
            Cells, the heading first; none of them a formula. Read as they are asked for, up to what is newest now.

        Raises:
            NotPermitted: If the trail is not for the actor.
        """
        hidden = self._hidden(actor)
        with self.store.write() as unit:
            wanted, _ = understand(unit, question, hidden)
            newest = trail.last(unit)
            unit.audit(
                at=self.clock.now(), actor=actor.trail_name, action="trail-exported", object_="trail",
                after=question.asked,
            )  # fmt: skip
        return self._lines(wanted, newest + 1)

    def _hidden(self, actor: Actor) -> Collection[str]:
        authorize(actor, Action.SEE_TRAIL)
        return self.hidden_from(actor)

    def _lines(self, wanted: Wanted, before: int) -> Iterator[list[str]]:
        yield list(HEADING)
        while True:
            with self.store.read() as unit:
                found = _find(unit, wanted, before, EXPORTED_AT_ONCE)
                records = _named(unit, found)
            yield from (_cells(named) for named in records)
            if len(found) < EXPORTED_AT_ONCE:
                return
            before = found[-1].seq


def _find(unit: Unit, wanted: Wanted, before: int | None, limit: int) -> list[AuditRecord]:
    return [record_of(row) for row in trail.find(unit, wanted, before=before, limit=limit)]


def understand(unit: Unit, question: Question, hidden: Collection[str] = ()) -> tuple[Wanted, list[str]]:
    """Turn words into what the trail says, and say how they were understood."""
    values: dict[str, Collection[str]] = {}
    notes: list[str] = []
    for name, look_up in (("actor", _actors), ("action", _actions), ("object", _objects), ("request", _requests)):
        words = getattr(question, name).strip()
        if words:
            values[name], note = look_up(unit, words)
            notes += [note] if note else []
    if question.since and question.until and question.until < question.since:
        notes.append("The first day is after the last.")
    return Wanted(values, _midnight(question.since), _midnight(question.until, days=1), hidden), notes


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """Return the instant at which *day* begins, or *days* later, in UTC; None for no bound."""
    if day is None or (days and day == date.max):
        return None
    return datetime.combine(day + timedelta(days=days), time(), tzinfo=UTC)


def _actors(unit: Unit, words: str) -> tuple[list[str], str]:
    exact = trail.known(unit, "actor", [words, *(f"{kind}:{words}" for kind in ACTOR_KINDS)])
    if exact:
        return exact, ""
    people_called = _members(unit, words)
    names = dict.fromkeys(name or login for _, login, name in people_called)
    return [f"{MEMBER}{login}" for _, login, _ in people_called], _note(words, names)


def _members(unit: Unit, words: str, *, spelt_otherwise: bool = True) -> list[tuple[str, str, str]]:
    """
    List id, sign-in name and name of members whom *words* name: wholly, or else in part.

    Args:
        unit: Any unit.
        words: A name, sign-in name or address.
        spelt_otherwise: Also look for them without accents where nobody is spelt so, among everybody.
    """
    wanted = folded(words)
    if not wanted:
        return []
    every = [(row.id, row.login, row.name, row.email) for row in members.search(unit, words, MOST_PEOPLE)]
    if not every and spelt_otherwise:
        listed = [tuple(row) for row in members.listed(unit)]
        every = [row for row in listed if all(word in folded(row[2]) for word in wanted.split())][:MOST_PEOPLE]
    whole = [row for row in every if wanted in {folded(name) for name in row[1:]}]
    return [row[:3] for row in whole or every]


def _actions(unit: Unit, words: str) -> tuple[list[str], str]:
    every, part = trail.actions(unit), "-".join(words.casefold().split())
    found = [part] if part in every else [action for action in every if part in action]
    return found, "" if found else f"No action has “{words}” in its name."


def _objects(unit: Unit, words: str) -> tuple[list[str], str]:
    exact = trail.known(unit, "object", [words, *(f"{kind}:{words}" for kind in OBJECT_KINDS)])
    persons = people.identities(unit, [words]) or {p.id: p for p in _persons(unit, words)}
    if exact and not persons:
        return exact, ""
    called = _members(unit, words, spelt_otherwise=not persons)
    objects = [*exact, *objects_called(unit, persons), *(f"{MEMBER}{member_id}" for member_id, _, _ in called)]
    names = dict.fromkeys([*(p.name for p in persons.values()), *(name or login for _, login, name in called)])
    return list(dict.fromkeys(objects)), _note(words, names)


def _persons(unit: Unit, words: str) -> list[Identity]:
    found = people.search_identities(unit, words, MOST_PEOPLE)
    wanted = words.casefold()
    whole = [p for p in found if wanted in {p.worker_id.casefold(), p.name.casefold(), p.email.casefold()}]
    return whole or found


def _requests(_: Unit, words: str) -> tuple[list[str], str]:
    return list({words, words.upper()}), ""


def _note(words: str, names: Collection[str]) -> str:
    if not names:
        return f"Nobody and nothing here is called “{words}”."
    if {folded(name) for name in names} == {folded(words)}:
        return ""
    more = f"; there may be more than these {MOST_PEOPLE}, so say more" if len(names) >= MOST_PEOPLE else ""
    return f"“{words}” is understood as {', '.join(names)}{more}."


def _named(unit: Unit, records: Collection[AuditRecord]) -> list[NamedRecord]:
    """Add names to some records, a few queries for all of them."""
    actors = {r.actor for r in records} | {f"{MEMBER}{r.on_behalf}" for r in records if r.on_behalf}
    named = names_of_actors(unit, actors)
    ids = {r.object.removeprefix(IDENTITY) for r in records if r.object.startswith(IDENTITY)}
    contracts = {r.object.removeprefix(ENGAGEMENT) for r in records if r.object.startswith(ENGAGEMENT)}
    owners = {f"{ENGAGEMENT}{e.id}": e.identity_id for e in people.engagements(unit, contracts).values()}
    persons = people.identities(unit, ids | set(owners.values()))
    about = {f"{IDENTITY}{i}": person for i, person in persons.items()}
    about |= {contract: persons[owner] for contract, owner in owners.items() if owner in persons}
    member_ids = {r.object.removeprefix(MEMBER) for r in records if r.object.startswith(MEMBER)}
    others = {f"{MEMBER}{i}": row.name or row.login for i, row in members.by_ids(unit, member_ids).items()}
    return [
        NamedRecord(
            record=r,
            actor=named.get(r.actor, ""),
            on_behalf=named.get(f"{MEMBER}{r.on_behalf}", r.on_behalf),
            about=about[r.object].name if r.object in about else others.get(r.object, ""),
            identity_id=about[r.object].id if r.object in about else "",
        )
        for r in records
    ]


def _cells(named: NamedRecord) -> list[str]:
    r = named.record
    before, after = (json.dumps(dict(d), sort_keys=True, ensure_ascii=False) if d else "" for d in (r.before, r.after))
    cells = [str(r.seq), r.at.isoformat(), r.actor, named.actor, r.on_behalf, r.action, r.object, named.about]
    return [harmless(cell) for cell in (*cells, r.request, before, after)]


def harmless(cell: str) -> str:
    """Return *cell* so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell

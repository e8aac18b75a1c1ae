"""Which contract a row without a number speaks of: the first day says, else the days and the vendor."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.comparison import Change, Comparing, Kind, compare_worker
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.roster import Cause, Choice, Repairs, RosterRow, Standing

TODAY = date(2026, 3, 2)
ADA = Identity(IdentityId("i1"), "Ada Amber", "w1", "s", "")
RUNS = date(2026, 1, 5), date(2026, 6, 30)
DAYS = st.dates(date(2026, 1, 1), date(2026, 6, 30))


def row(first: date | None, last: date, line: int = 2, **more: str) -> RosterRow:
    facts = {"worker_id": "w1", "name": "Ada Amber", "vendor": "Northgate", "zone": "UTC", **more}
    return RosterRow(line, reference="", first_day=first, last_day=last, **facts)  # type: ignore[arg-type]


def known(first: date = RUNS[0], last: date = RUNS[1], vendor: str = "Northgate") -> StoredContract:
    id_ = EngagementId(f"e-{first}")
    return StoredContract(Engagement(id_, ADA.id, "s", f"w1/{first}", first, last, "UTC", vendor), ADA)


def compare(rows: list[RosterRow], stored: list[StoredContract], repairs: Repairs | None = None) -> list[Change]:
    comparing = Comparing("s", lambda _: TODAY, lambda e: e.last_day < TODAY, repairs=repairs or Repairs())
    return list(compare_worker(rows, stored, {}, comparing))


def told(changes: list[Change]) -> list[tuple[Kind, str, str]]:
    """Kind and days of what becomes of each row."""
    return [(c.kind, str(c.after and c.after.first_day), str(c.after and c.after.last_day)) for c in changes]


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        # begun, and carried on from a later day: it is never interrupted
        (row(RUNS[1], date(2026, 12, 31)), (Kind.LATER, "2026-01-05", "2026-12-31")),
        (row(date(2026, 4, 1), date(2026, 12, 31)), (Kind.LATER, "2026-01-05", "2026-12-31")),
        # corrected
        (row(date(2026, 1, 12), RUNS[1]), (Kind.CHANGED, "2026-01-12", "2026-06-30")),
        (row(date(2025, 12, 1), date(2026, 3, 20)), (Kind.SOONER, "2025-12-01", "2026-03-20")),
        (row(None, date(2026, 3, 20)), (Kind.SOONER, "2026-01-05", "2026-03-20")),
        # another one: before it, after it, or of another vendor
        (row(date(2025, 3, 1), date(2025, 9, 30)), (Kind.NEW, "2025-03-01", "2025-09-30")),
        (row(date(2026, 7, 1), date(2026, 12, 31)), (Kind.NEW, "2026-07-01", "2026-12-31")),
        (row(date(2026, 4, 1), date(2026, 12, 31), vendor="Brightline"), (Kind.NEW, "2026-04-01", "2026-12-31")),
    ],
)
def test_a_row_with_another_first_day(said: RosterRow, becomes: tuple[Kind, str, str]) -> None:
    assert told(compare([said], [known()])) == [becomes]


def test_a_contract_that_has_not_begun_begins_when_the_row_says() -> None:
    future = known(date(2026, 4, 1), date(2026, 9, 30))
    later = row(date(2026, 5, 1), date(2026, 12, 31))
    assert told(compare([later], [future])) == [(Kind.LATER, "2026-05-01", "2026-12-31")]


@pytest.mark.parametrize("vendor", ["Northgate", "Brightline"])
def test_what_another_row_states_is_not_spoken_of_by_a_second_one(vendor: str) -> None:
    ends = row(RUNS[0], date(2026, 3, 20))
    follows = row(date(2026, 3, 10), date(2026, 12, 31), 3, vendor=vendor)
    found = told(compare([ends, follows], [known()]))
    assert found == [(Kind.SOONER, "2026-01-05", "2026-03-20"), (Kind.NEW, "2026-03-10", "2026-12-31")]


def test_an_end_without_a_first_day_is_about_the_contract_that_runs() -> None:
    """Beside a row that states the contract it was about none, and was swallowed."""
    ended = row(None, date(2026, 2, 27), 3)._replace(standing=Standing.ENDED)
    stated = row(*RUNS)
    both = compare([stated, ended], [known()])
    assert {change.complaint.cause for change in both if change.complaint} == {Cause.DUPLICATE}
    follows = known(date(2026, 7, 1), date(2026, 12, 31))
    [change] = compare([ended], [known(), follows])
    assert (change.kind, change.stored) == (Kind.SOONER, known()), "the one that follows has not begun"


def test_what_never_began_is_not_what_a_row_speaks_of_while_another_runs() -> None:
    withdrawn = known(date(2026, 2, 2), date(2026, 12, 31))
    withdrawn = replace(withdrawn, engagement=replace(withdrawn.engagement, standing=Standing.WITHDRAWN))
    [change] = compare([row(date(2026, 1, 12), RUNS[1])], [withdrawn, known()])
    assert change.stored == known()


def test_new_contracts_whose_numbers_differ_in_case_are_one() -> None:
    rows = [row(*RUNS)._replace(reference="C-7"), row(*RUNS, 3)._replace(reference="c-7")]
    found = compare(rows, [])
    assert {change.complaint.cause for change in found if change.complaint} == {Cause.DUPLICATE}


def test_whose_name_nobody_knows_takes_over_nothing_without_an_address() -> None:
    for first in (RUNS[0], date(2026, 1, 12)):
        [change] = compare([row(first, RUNS[1], name="Bob Brown")], [known()])
        assert change.complaint is not None
        assert change.complaint.cause is Cause.RENAMED
    [change] = compare([row(RUNS[0], RUNS[1], name="Ada Brown")], [known()])
    assert change.kind is Kind.CHANGED, "a name of which one word is known is hers"


@given(st.lists(st.tuples(DAYS, DAYS, st.sampled_from(["Northgate", "Brightline"])), max_size=4))
def test_what_was_applied_says_nothing_new(drawn: list[tuple[date, date, str]]) -> None:
    rows = [row(min(a, b), max(a, b), n, vendor=v) for n, (a, b, v) in enumerate(drawn, start=2)]
    repairs, stored = Repairs(choice=Choice.LAST_ROW), [known()]
    for times in range(2):
        found = compare(rows, stored, repairs)
        if times:
            assert {change.kind for change in found} <= {Kind.SAME}
        by_id = {s.engagement.id: s for s in stored}
        for change in found:
            if change.after is not None:
                id_ = change.after.id or EngagementId(f"e-{change.after.first_day}-{change.after.vendor}")
                by_id[id_] = StoredContract(_with(change.after, id_), ADA)
        stored = list(by_id.values())


@given(DAYS, DAYS)
def test_no_row_of_one_vendor_interrupts_what_has_begun_by_ending_later(first: date, last: date) -> None:
    first, last = min(first, last), max(first, last)
    if first <= RUNS[0] or last <= RUNS[1]:
        return
    for change in compare([row(first, last)], [known()]):
        assert change.after is not None
        runs_now = change.after.first_day <= TODAY or change.kind is Kind.NEW
        assert runs_now


def _with(engagement: Engagement, id_: EngagementId) -> Engagement:
    e = engagement
    return Engagement(id_, ADA.id, "s", e.reference, e.first_day, e.last_day, e.zone, e.vendor)

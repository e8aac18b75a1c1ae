"""Rows between reading and comparing: worker by worker, and nothing of them lost; and the names of what is new."""

from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.comparison import Change, Kind
from lifecycle.domain.roster import RosterRow, Standing
from lifecycle.services import staging
from lifecycle.services.ids import Ids
from lifecycle.services.staging import StagedRows
from lifecycle.services.tally import Tally

CHANGE = Change(Kind.SAME)
words = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8)
days = st.none() | st.dates(min_value=date(1900, 1, 1))
workers = st.none() | st.sampled_from(["", "w1", "w 1", "w10", "W1", "Ω", "ŵ"])
facts = st.tuples(
    workers, st.none() | words, *[st.none() | words] * 7, days, days, st.sampled_from(Standing), st.booleans()
)


def rows_of(found: list[tuple[object, ...]]) -> list[RosterRow]:
    return [RosterRow._make((line, *facts)) for line, facts in enumerate(found, start=2)]


@given(st.lists(facts, max_size=30), st.integers(1, 5))
def test_rows_come_out_as_they_went_in_those_of_one_worker_on_one_page(
    found: list[tuple[object, ...]], at_once: int
) -> None:
    rows, staged = rows_of(found), StagedRows()
    for n, row in enumerate(rows):
        staged.add(n, row, f"{n:032x}")
    before, staging.ROWS_AT_ONCE = staging.ROWS_AT_ONCE, at_once
    try:
        pages = list(staged.pages())
    finally:
        staging.ROWS_AT_ONCE = before
    out = [one for page in pages for one in page]
    assert sorted((one.n, one.row, int(one.digest, 16)) for one in out) == [(n, r, n) for n, r in enumerate(rows)]
    workers = [{one.worker_id for one in page} for page in pages]
    assert all(a.isdisjoint(b) for a, b in pairwise(workers))
    assert all(a.n < b.n for a, b in pairwise(out) if a.worker_id == b.worker_id)


def test_rows_that_name_no_worker_stand_with_whoever_has_the_contract() -> None:
    staged = StagedRows()
    for n, (worker, reference) in enumerate([(None, "c2"), ("w1", "c1"), ("", "c3"), ("w2", "c9")]):
        staged.add(n, RosterRow(n + 2, worker, reference), "00" * 16)
    assert sorted(staged.references) == ["c2", "c3"]
    staged.name_workers({"c2": "w2"})
    [page] = staged.pages()
    assert [(one.worker_id, one.row.worker_id, one.row.reference) for one in page] == [
        ("", "", "c3"), ("w1", "w1", "c1"), ("w2", None, "c2"), ("w2", "w2", "c9"),
    ]  # fmt: skip


def test_a_contract_number_of_several_workers_is_contested() -> None:
    staged = StagedRows()
    for n, (worker, reference) in enumerate([("w1", "c1"), ("w2", "c1"), ("w1", "c2"), ("w1", "c2"), ("w3", None)]):
        staged.add(n, RosterRow(n + 2, worker, reference), "00" * 16)
    assert staged.contested() == {"c1"}


@given(st.permutations(["a", "b", "b", "c"]))
def test_what_a_confirmation_is_bound_to_does_not_depend_on_the_order_of_rows(order: list[str]) -> None:
    digests = []
    for bounds in (["a", "b", "b", "c"], order, ["a", "b", "c"]):
        tally = Tally(7)
        for bound in bounds:
            tally.add(CHANGE, bound)
        digests.append(tally.digest(["rules"]))
    assert digests[0] == digests[1] != digests[2]


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)), st.integers(0, 2**32 - 1))  # noqa: DTZ001
def test_names_of_new_things_are_uuids_in_the_order_of_their_numbers(now: datetime, number: int) -> None:
    ids = Ids(now)
    name = ids.of(number)
    assert (str(UUID(name)), UUID(name).version, UUID(name).variant) == (name, 7, RFC_4122)
    assert int(name.replace("-", "")[:12], 16) == int(now.timestamp() * 1000)
    assert ids.of(number) == name
    assert number == 0 or ids.of(number - 1) < name
    assert Ids(now).of(number) != name

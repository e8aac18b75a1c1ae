"""Laws of comparing rosters with what is stored."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.comparison import Change, Comparing, Kind, compare_absent, compare_worker
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.guard import Feed, Limits, Surprise, check_feed, check_surprise
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.merging import merge
from lifecycle.domain.roster import Choice, Repairs, RosterRow, Standing
from lifecycle.domain.row_digest import digest_of

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAYS = st.dates(date(2026, 1, 1), date(2026, 6, 30))
TEXTS = st.sampled_from(["a", "b", "ä", ""])


@st.composite
def rows(draw: st.DrawFn, line: int = 2, worker: str = "w1") -> RosterRow:
    first, last = sorted([draw(DAYS), draw(DAYS)])
    return RosterRow(
        line, worker, draw(st.sampled_from(["C1", "C2"])), "Ada", draw(TEXTS), "V", draw(TEXTS), draw(TEXTS), "berlin",
        "UTC", first, last, draw(st.sampled_from([Standing.RUNNING, Standing.ENDED])), draw(st.booleans()),
    )  # fmt: skip


def comparing(**more: object) -> Comparing:
    return Comparing("s", lambda _: TODAY, lambda e: e.last_day < TODAY, says_standing=True, **more)  # type: ignore[arg-type]


def stored(change: Change, number: int) -> StoredContract:
    """What is stored once *change* was applied."""
    assert change.after is not None
    assert change.row is not None
    after = change.after
    id_ = after.id or EngagementId(f"e{number}")
    made = Engagement(
        id_, IdentityId("i1"), "s", after.reference, after.first_day, after.last_day, after.zone, after.vendor,
        after.sponsor, after.role, after.site, standing=after.standing, actual=after.actual,
    )  # fmt: skip
    return StoredContract(made, Identity(IdentityId("i1"), "Ada", "w1", "s", change.row.email or ""))


def compare(batch: list[RosterRow], known: list[StoredContract], **more: object) -> list[Change]:
    return list(compare_worker(batch, known, {}, comparing(**more)))


@given(st.lists(rows(), max_size=4))
def test_what_was_applied_says_nothing_new(drawn: list[RosterRow]) -> None:
    batch = [row._replace(line=n, email="") for n, row in enumerate(drawn, start=2)]
    first = compare(batch, [], repairs=Repairs(choice=Choice.LAST_ROW))
    known = [stored(change, n) for n, change in enumerate(first) if change.after is not None]
    again = compare(batch, known, repairs=Repairs(choice=Choice.LAST_ROW))
    assert {change.kind for change in again} <= {Kind.SAME}


@given(st.lists(rows(), max_size=5))
def test_no_row_is_lost_and_none_counts_twice(drawn: list[RosterRow]) -> None:
    batch = [row._replace(line=n) for n, row in enumerate(drawn, start=2)]
    found = compare(batch, [])
    lines = [change.row.line for change in found if change.row]
    assert len(lines) == len(set(lines))
    references = [c.after.reference for c in found if c.after is not None]
    assert len(references) == len(set(references))


@given(rows(), rows())
def test_a_fact_that_is_not_stated_stays(row: RosterRow, before: RosterRow) -> None:
    closed = before.standing is Standing.ENDED
    known = stored(Change(Kind.NEW, before, after=_engagement(before._replace(actual=closed))), 1).engagement
    silent = row._replace(sponsor=None, role=None, site=None, zone=None, vendor=None, first_day=None, last_day=None)
    silent = silent._replace(standing=Standing.RUNNING, actual=False)
    after = merge(silent, known, lambda _: TODAY, False)
    assert after == Engagement(**{**_facts(known), "line": row.line})


@given(rows(), rows())
def test_an_expected_end_never_moves_an_actual_one(row: RosterRow, before: RosterRow) -> None:
    known = stored(Change(Kind.NEW, before, after=_engagement(before._replace(actual=True))), 1).engagement
    expected = row._replace(actual=False, standing=Standing.RUNNING, first_day=known.first_day)
    assert merge(expected, known, lambda _: TODAY, False).last_day == known.last_day


@given(rows(), rows())
def test_closed_is_never_later_than_yesterday_nor_than_before(row: RosterRow, before: RosterRow) -> None:
    known = _engagement(before._replace(standing=Standing.RUNNING))
    after = merge(row._replace(standing=Standing.ENDED, first_day=None), known, lambda _: TODAY, True)
    if after.standing is Standing.ENDED:
        assert after.last_day < TODAY
        again = merge(row._replace(standing=Standing.ENDED, first_day=None), after, lambda _: date(2026, 5, 1), True)
        assert again.last_day <= after.last_day


@given(rows(), st.timedeltas(timedelta(), timedelta(days=3)))
def test_a_first_absence_ends_nothing(row: RosterRow, since: timedelta) -> None:
    known = stored(Change(Kind.NEW, row, after=_engagement(row._replace(standing=Standing.RUNNING))), 1)
    first = compare_absent(known, comparing(), NOW, timedelta(hours=24))
    assert first is None or (first.kind is Kind.MISSING and first.after == known.engagement)
    again = compare_absent(
        StoredContract(known.engagement, known.identity, NOW - since), comparing(), NOW, timedelta(hours=24)
    )
    assert again is None or again.kind is Kind.MISSING or since >= timedelta(hours=24)


@given(rows(), rows())
def test_rows_share_a_digest_only_when_they_state_the_same(one: RosterRow, other: RosterRow) -> None:
    assert (digest_of(one, "x") == digest_of(other._replace(line=9), "x")) == (one[1:] == other[1:])
    assert digest_of(one, "x") != digest_of(one, "y")


COUNTS = st.integers(0, 60)


@given(COUNTS, COUNTS, COUNTS)
def test_more_surprise_never_passes_where_less_was_held(people: int, more: int, active: int) -> None:
    limits = Limits()
    less = check_surprise(Surprise(people, people + active), limits)
    bigger = check_surprise(Surprise(people + more, people + active + more), limits)
    assert bool(less) <= bool(bigger) or people == 0


@given(COUNTS, COUNTS, COUNTS)
def test_fewer_rows_never_pass_where_more_were_held(rows_: int, fewer: int, before: int) -> None:
    limits = Limits()
    held = check_feed(Feed(rows=rows_ + fewer, rows_before=before), limits)
    assert bool(held) <= bool(check_feed(Feed(rows=rows_, rows_before=before), limits))


def test_a_file_that_may_be_cut_off_is_held() -> None:
    assert check_feed(Feed(rows=5), Limits()) == ()
    (finding,) = check_feed(Feed(rows=5, cut_off=True), Limits())
    assert (finding.scope, finding.words.endswith("it may be cut off")) == ("feed", True)


def _engagement(row: RosterRow) -> Engagement:
    assert row.first_day is not None
    assert row.last_day is not None
    return Engagement(
        EngagementId("e1"), IdentityId("i1"), "s", row.reference or "", row.first_day, row.last_day, row.zone or "",
        row.vendor or "", row.sponsor or "", row.role or "", row.site or "", standing=row.standing, actual=row.actual,
    )  # fmt: skip


def _facts(engagement: Engagement) -> dict[str, object]:
    return {name: getattr(engagement, name) for name in Engagement.__dataclass_fields__}

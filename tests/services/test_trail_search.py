"""The trail answers in people's own words, on exactly the days asked for, and what is taken along is harmless."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from lifecycle.domain.errors import NotPermitted
from lifecycle.domain.role import Role
from lifecycle.services.trail_search import Findings, Question, harmless
from lifecycle.store import schema, trail
from lifecycle.store.trail import Wanted
from lifecycle.store.unit import Store
from tests.services.team import Staff
from tests.services.world import utc


def find(staff: Staff, **words: object) -> Findings:
    return staff.world.runtime.trail_search.page(staff.petra, Question(**words), limit=100)  # type: ignore[arg-type]


def said(findings: Findings) -> list[str]:
    return [n.record.action for n in findings.records]


def test_people_are_found_by_what_they_are_called(staff: Staff) -> None:
    with staff.world.runtime.store.write() as unit:
        unit.session.execute(text("UPDATE member SET name = 'Tomás Iglesias' WHERE login = 'tomas'"))
    staff.world.sign_in("tomas")
    tomas = staff.tomas
    for who in ("tomas", "TOMAS", "Tomás Iglesias", "tomas iglesias", "iglesias", "tomas@example.com", "member:tomas"):
        found = find(staff, actor=who)
        assert said(found) == ["signed-in"], who
        assert (found.records[0].actor, found.records[0].about) == ("Tomás Iglesias", "Tomás Iglesias")
    assert said(find(staff, object=tomas.id)) == said(find(staff, object="Tomás Iglesias")) == ["signed-in"]
    assert "understood as Tomás Iglesias" in find(staff, actor="iglesias").notes[0]
    assert find(staff, actor="nobody").notes == ("Nobody and nothing here is called “nobody”.",)
    assert said(find(staff, actor="nobody")) == said(find(staff, object="nobody")) == []


def test_contractors_are_found_with_their_contracts_and_requests(staff: Staff) -> None:
    world = staff.world
    request, carl = staff.approved(), world.person("w1")
    everything = said(find(staff, object="Carl Jones"))
    assert {"request-made", "grant-activated", "engagement-added"} <= set(everything)
    for words in ("carl jones", "w1", "w1@example.com", carl, "jones"):
        assert said(find(staff, object=words)) == everything, words
    assert set(said(find(staff, object=f"identity:{carl}"))) == set(everything) - {"engagement-added"}
    found = find(staff, object="w1", action="request", actor="mia").records
    assert [(n.record.action, n.about, n.identity_id, n.request_id, n.actor) for n in found] == [
        ("request-made", "Carl Jones", carl, request, "Mia")
    ]
    assert said(find(staff, action="request")) == ["request-reviewed", "request-reviewed", "request-made"]
    assert said(find(staff, request=request.lower())) == ["grant-activated", *said(find(staff, action="request"))]
    assert "No action" in find(staff, action="nothing").notes[0]
    assert {"request-made", "engagement-added"} <= set(world.runtime.trail_search.actions())


def test_days_are_inclusive_and_in_utc_and_pages_follow_one_another(staff: Staff) -> None:
    clock = staff.world.clock
    wanted = []
    for at in (utc(2026, 3, 3, 23, 59), utc(2026, 3, 4), utc(2026, 3, 5, 23, 59), utc(2026, 3, 6)):
        clock.move(to=at)
        staff.ask(right="tool.power", hours=1) if at.hour else staff.ask(right="tool.power", hours=1, worker="w2")
        with staff.world.runtime.store.write() as unit:
            unit.session.execute(text("UPDATE access_request SET resolution = 'cancelled'"))
        wanted.append(at)
    days = {"since": date(2026, 3, 4), "until": date(2026, 3, 5)}
    for words in ({}, {"actor": "mia"}, {"action": "request-made", "actor": "mia"}):
        assert [n.record.at for n in find(staff, **days, **words).records] == [wanted[2], wanted[1]]
    assert [n.record.at for n in find(staff, since=date(2026, 3, 6)).records] == [wanted[3]]
    assert find(staff, since=date(2026, 3, 5), until=date(2026, 3, 4)).notes == ("The first day is after the last.",)
    assert find(staff, until=date.max, since=date.min).records
    search = staff.world.runtime.trail_search
    newest = search.page(staff.petra, Question(actor="mia"), limit=3)
    older = search.page(staff.petra, Question(actor="mia"), before=newest.more, limit=3)
    assert [n.record.at for n in (*newest.records, *older.records)] == wanted[::-1]
    assert older.more is None


def test_an_export_is_what_was_found_and_is_recorded(staff: Staff) -> None:
    staff.ask(reason='=HYPERLINK("http://evil")', right="tool.power", hours=1)
    staff.world.member("=2+3", Role.MANAGER)
    staff.world.sign_in("=2+3")
    search, runtime = staff.world.runtime.trail_search, staff.world.runtime
    with pytest.raises(NotPermitted):
        search.export(staff.mia, Question())
    with pytest.raises(NotPermitted):
        search.page(staff.oskar, Question())
    lines = list(search.export(staff.petra, Question(actor="mia", since=date(2026, 3, 1))))
    assert [line[5] for line in lines] == ["action", "request-made"]
    record = runtime.trail.search(limit=1)[0]
    assert (record.action, record.actor) == ("trail-exported", "member:petra")
    assert record.after == {"actor": "mia", "since": "2026-03-01"}
    every = list(search.export(staff.petra, Question()))
    assert len(every) == 1 + runtime.trail.verify().records - 1, "all but its own record"
    assert not [cell for line in every for cell in line if cell.startswith(("=", "+", "-", "@"))]
    assert any(line[3] == "'=2+3" for line in every)


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless(f"x{cell}") == f"x{cell}"


def test_long_exports_are_read_piece_by_piece(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.services.trail_search.EXPORTED_AT_ONCE", 3)
    for _ in range(5):
        staff.world.sign_in("mia")
    lines = list(staff.world.runtime.trail_search.export(staff.petra, Question(action="signed-in")))
    assert len(lines) == 6
    assert [int(line[0]) for line in lines[1:]] == sorted((int(line[0]) for line in lines[1:]), reverse=True)


def test_every_search_walks_an_index(tmp_path: Path) -> None:
    """Also without statistics, which a SQLite database has not."""
    store, day = Store(f"sqlite:///{tmp_path}/trail.db"), utc(2026, 3, 2)
    schema.prepare(store)
    with store.write() as unit:
        unit.audit(at=day, actor="a", action="x", object_="b")
    statements: list[str] = []
    with store.read() as unit:
        connection = unit.session.connection()
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.set_trace_callback(statements.append)
        for leading in ("actor", "action", "object", "request"):
            others = {"action" if leading != "action" else "actor": ["x", "y"]}
            for values in ({leading: ["a", "b"]}, {leading: ["a", "b"], **others}):
                trail.find(unit, Wanted(values, day, day + timedelta(days=1)), before=5, limit=2)
                trail.find(unit, Wanted(values), before=None, limit=2)
        raw.set_trace_callback(None)
        assert len(statements) > 20
        for statement in [s for s in statements if "FROM audit" in s]:
            plan = " ".join(str(row[3]) for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}"))
            assert "SCAN audit" not in plan, statement
            assert "TEMP B-TREE" not in plan, statement
    store.close()

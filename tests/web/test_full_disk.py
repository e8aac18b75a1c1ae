"""A disk that is full, as browsers and programs see it: a page or an error of their own kind, and reads go on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from lifecycle.services.room import NoRoom
from lifecycle.store.people_tables import ServiceTokenRow
from tests.full_disk import fill, no_file_beyond, small_disk
from tests.web.conftest import Site, get
from tests.web.pushing import Peer, make_peer, person
from tests.web.roster_files import demo_roster, upload

USERS = "/scim/v2/Users"
ERROR = ["urn:ietf:params:scim:api:messages:2.0:Error"]


def refuse_writes(peer: Peer) -> None:
    """Have the database refuse each change as one without room does, at the driver."""
    full: Any = Exception("database or disk is full")
    full.sqlite_errorname = "SQLITE_FULL"

    def refuse(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.split()[0] in {"INSERT", "UPDATE", "DELETE"}:
            raise OperationalError(statement, {}, full)

    event.listen(peer.store.engine, "before_cursor_execute", refuse)


def bulk_of(*people: dict[str, Any]) -> dict[str, Any]:
    operations = [{"method": "POST", "path": "/Users", "bulkId": "1", "data": data} for data in people]
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}


def check_unavailable(answer: Any, words: str = "no room on the disk") -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60"), answer.text
    assert answer.content_type == "application/scim+json"
    body = answer.get_json(force=True)
    assert (body["schemas"], body["status"]) == (ERROR, "503")
    assert words in body["detail"]


def test_programs_are_told_to_come_back(peer: Peer) -> None:
    user = peer.call("POST", USERS, person()).get_json(force=True)["id"]
    refuse_writes(peer)
    check_unavailable(peer.push(person("W-2")))
    check_unavailable(peer.call("POST", USERS, person("W-2")))
    check_unavailable(peer.call("DELETE", f"{USERS}/{user}"))
    answer = peer.call("POST", "/scim/v2/Bulk", bulk_of(person("W-2")))
    (operation,) = answer.get_json(force=True)["Operations"]
    assert (answer.status_code, operation["status"], operation["response"]["status"]) == (200, "503", "503")


def test_reading_needs_no_room_for_the_note_that_a_token_was_used(peer: Peer) -> None:
    pushed = peer.push(person())
    user = peer.call("POST", USERS, person()).get_json(force=True)["id"]
    peer.clock.move(minutes=5)
    refuse_writes(peer)
    for path in (USERS, f"{USERS}/{user}", pushed.headers["Location"]):
        assert peer.call("GET", path).status_code == 200, path


def test_a_small_disk_that_is_really_full(tmp_path: Path, migrated: Callable[[str], str]) -> None:
    with small_disk(tmp_path / "disk", 8 * 1024) as disk:
        shutil.copy(make_url(migrated("sqlite")).database or "", disk / "lifecycle.db")
        peer = make_peer(f"sqlite:///{disk}/lifecycle.db", calls_per_second=1000)
        pushed = peer.push(person())
        peer.clock.move(minutes=5)
        used = peer.tokens.sessions.wall()
        filler = fill(disk)
        check_unavailable(peer.push(person("W-2")))
        check_unavailable(peer.call("POST", USERS, person("W-3")))
        assert peer.call("GET", USERS).status_code == 200
        assert peer.call("GET", pushed.headers["Location"]).status_code == 200
        with peer.store.read() as unit:
            noted = unit.session.scalars(select(ServiceTokenRow)).first()
        assert noted is not None and noted.used_at != used, "there was no room for that either"
        filler.unlink()
        assert peer.push(person("W-2")).status_code == 202
        peer.store.close()


def test_a_push_that_meets_a_full_disk_later_is_tried_again(peer: Peer) -> None:
    answer = peer.push(person())
    peer.intake.failure = NoRoom("There is no room on the disk for this file; nothing was kept.")
    peer.pushes.run()
    assert [operation["state"] for operation in peer.outcome(answer)] == ["waiting"]
    peer.intake.failure = None
    peer.clock.move(minutes=11)
    peer.pushes.run()
    assert [operation["state"] for operation in peer.outcome(answer)] == ["applied"]


def test_a_browser_is_shown_a_page(moving_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    nora, uploads = moving_site.client("nora"), moving_site.runtime.uploads
    roster = demo_roster(moving_site) + "\n" * 300_000
    kept = uploads.files.folder
    before = sorted(path.name for path in kept.iterdir()) if kept.exists() else []
    with small_disk(moving_site.runtime.settings.folder / "small", 64) as disk:
        monkeypatch.setattr(uploads, "files", replace(uploads.files, folder=disk / "rosters"))
        answer = upload(nora, roster)
        assert (answer.status_code, list((disk / "rosters").iterdir())) == (507, [])
        assert "There is no room on the disk for this file; nothing was kept." in answer.text
    assert (sorted(path.name for path in kept.iterdir()) if kept.exists() else []) == before


def test_a_page_says_that_the_database_has_no_room(moving_site: Site) -> None:
    nora = moving_site.client("nora")
    assert get(nora, "/rosters").status_code == 200
    before = list(moving_site.runtime.uploads.files.folder.glob("*"))
    with no_file_beyond(4096):
        answer = upload(nora, b"Worker ID,Name\nW-1,Ada\n")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "The database cannot be used just now; nothing was kept." in answer.text
    assert list(moving_site.runtime.uploads.files.folder.glob("*")) == before, "nor is the file"


def test_an_interface_that_only_reads_says_so_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("server closed the connection: secret"))

    monkeypatch.setattr(site.runtime.tokens, "_find", gone)
    answer = site.app.test_client().get("/api/v1/trail", base_url="https://localhost")
    assert (answer.status_code, answer.get_json()["error"], answer.headers["Retry-After"]) == (503, "unavailable", "60")
    assert "secret" not in answer.text

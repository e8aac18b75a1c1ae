"""From a file to an applied roster without a line of script: every step, who may take it, and what goes wrong."""

import csv
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from lifecycle.domain.comparison import Kind
from lifecycle.services.trail_search import harmless
from lifecycle.services.upload_views import State
from lifecycle.web import roster_words
from tests.web.conftest import PASSWORD, Site, get, post, served, token
from tests.web.roster_files import (
    MATCHED,
    ODD,
    a_third_leaves,
    demo_roster,
    faulty,
    field,
    follow,
    one_leaves_later,
    opened,
    repaired,
    send_file,
    upload,
)
from tests.web.test_stepup import make_stale


@pytest.fixture
def site(moving_site: Site) -> Site:
    return moving_site


def apply(client: FlaskClient, upload_id: str, page: Any, **form: str) -> tuple[str, Any]:
    return follow(client, post(client, f"/rosters/{upload_id}/apply", digest=field(page, "digest"), **form))


def test_a_roster_is_uploaded_reviewed_and_applied(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, demo_roster(site, one_leaves_later))
    assert path == f"/rosters/{upload_id}/review"
    assert "Apply 1 change" in page.text
    assert "You can confirm this yourself" in page.text
    assert "1 Mar 2029" in page.text
    path, page = apply(nora, upload_id, page, note="Weekly roster")
    assert path == f"/rosters/{upload_id}/result"
    found = site.runtime.uploads.find(upload_id)
    assert found.state is State.APPLIED
    for words in ("It is done", "Nora Blum", found.import_id, "“Weekly roster”", found.sha256):
        assert words in page.text


def test_the_same_file_again_shows_the_first_result(site: Site, nora: FlaskClient) -> None:
    first, _, page = opened(nora, demo_roster(site, one_leaves_later))
    apply(nora, first, page)
    again, path, page = opened(nora, demo_roster(site, one_leaves_later), "again.csv")
    assert path == f"/rosters/{again}/result"
    assert "This very file was applied before" in page.text
    assert site.runtime.uploads.find(first).import_id in page.text


def test_each_cause_is_repaired_once_for_all_its_rows(site: Site, nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, demo_roster(site, faulty))
    assert "cannot be used yet" in page.text
    before = site.runtime.uploads.find(upload_id).unusable
    page = repaired(nora, upload_id, "date-order", order="day-first")
    assert site.runtime.uploads.find(upload_id).unusable == before - 3
    assert "3 Apr 2027" in page.text
    page = repaired(nora, upload_id, "short-year")
    page = repaired(nora, upload_id, "no-last-day", last_day="2027-06-30")
    page = repaired(nora, upload_id, "unknown-zone", **{"value-1": "Lagos", "meant-1": "Africa/Lagos"})
    assert "Lagos lies in Africa/Lagos" in page.text
    page = repaired(nora, upload_id, "duplicate", **{"value-1": "contract:WO-1011-1", "meant-1": "12"})
    page = repaired(
        nora, upload_id, "sponsor", **{"value-1": "hanah.osei@example.com", "meant-1": "hannah.osei@example.com"}
    )
    assert "Sponsor not found" not in page.text
    causes = {p.cause for p in site.runtime.uploads.problems(upload_id) if p.blocks}
    assert not causes & {"date-order", "short-year", "no-last-day", "unknown-zone", "duplicate"}
    _, page = follow(nora, post(nora, f"/rosters/{upload_id}/repair", take_back="date_order"))
    assert "Date is not clear" in page.text


def test_days_in_several_formats_are_read_as_they_are_written_once_somebody_says_so(
    site: Site, nora: FlaskClient
) -> None:
    written = {3: "1 Feb 2027", 4: "Feb 28, 2027", 5: "28/02/2027 00:00", 6: "02/28/2027", 7: "01/02/2027"}
    roster = demo_roster(site, lambda n, row: {**row, "Last day": written.get(n, row["Last day"])})
    upload_id, _, page = opened(nora, roster)
    assert "Read them as they are written" in page.text
    page = repaired(nora, upload_id, "date-format")
    assert "Days that can be read in one way only are read as they are written." in page.text
    assert "Date is written otherwise" not in page.text
    assert [(p.cause, p.rows) for p in site.runtime.uploads.problems(upload_id) if p.blocks] == [("date-order", 1)]
    _, page = follow(nora, post(nora, f"/rosters/{upload_id}/repair", take_back="clear_days"))
    assert "Read them as they are written" in page.text


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"cause": "unknown-zone", "value-1": "Lagos", "meant-1": "Africa/Lagoss"}, 422, "is no time zone"),
        ({"cause": "unknown-zone"}, 422, "Say what at least one of them means"),
        ({"cause": "no-last-day", "last_day": ""}, 422, "Give the day"),
        ({"cause": "no-last-day", "last_day": "soon"}, 400, "is not a day"),
        ({"cause": "date-order", "order": "week-first"}, 400, "the day comes first, or the month"),
        ({"cause": "duplicate", "choice": "best"}, 400, "no way to choose"),
        ({"cause": "duplicate"}, 422, "Say what at least one of them means"),
        ({"cause": "unknown-status", "value-1": "x", "meant-1": "y"}, 400, "A status means one of"),
        ({"cause": "conversion"}, 422, "Choose those who have become employees"),
        ({"cause": "width"}, 400, "repaired in the file"),
        ({"cause": "nonsense"}, 400, "no such cause"),
        ({"take_back": "nonsense"}, 400, "Nothing of that name"),
        ({"take_back": "__class__"}, 400, "Nothing of that name"),
    ],
)
def test_a_repair_that_says_nothing_is_asked_for_again(
    site: Site, nora: FlaskClient, form: dict[str, str], status: int, words: str
) -> None:
    upload_id, _, _ = opened(nora, demo_roster(site, faulty))
    repairs = site.runtime.uploads.find(upload_id).repairs
    answer = post(nora, f"/rosters/{upload_id}/repair", **form)
    assert answer.status_code == status
    assert words in answer.text
    assert site.runtime.uploads.find(upload_id).repairs == repairs


def test_unusable_rows_are_left_out_only_when_somebody_says_so(site: Site, nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, demo_roster(site, lambda n, row: {**row, "Last day": "never"} if n == 8 else row))
    answer = post(nora, f"/rosters/{upload_id}/apply", digest=field(page, "digest"))
    assert answer.status_code == 409
    assert "cannot be used" in answer.text
    assert site.runtime.uploads.find(upload_id).state is State.READY
    apply(nora, upload_id, page, leave_out="1")
    assert site.runtime.uploads.find(upload_id).state is State.APPLIED


def test_only_what_was_shown_is_confirmed(site: Site, nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, demo_roster(site, one_leaves_later))
    answer = post(nora, f"/rosters/{upload_id}/apply", digest="another")
    assert answer.status_code == 409
    assert "not what was shown" in answer.text
    assert site.runtime.uploads.find(upload_id).state is State.READY
    first = field(page, "digest")
    apply(nora, upload_id, page)
    path, page = follow(nora, post(nora, f"/rosters/{upload_id}/apply", digest=first))
    assert path == f"/rosters/{upload_id}/result", "sent twice, it is applied once"


def test_an_old_sign_in_is_asked_before_anything_is_applied(site: Site, nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, demo_roster(site, one_leaves_later))
    make_stale(site)
    asked = post(nora, f"/rosters/{upload_id}/apply", digest=field(page, "digest"), note="kept")
    assert asked.status_code == 403
    assert "Confirm that it is you" in asked.text
    assert 'value="kept"' in asked.text
    assert site.runtime.uploads.find(upload_id).state is State.READY
    answer = post(nora, "/confirm", resume=f"/rosters/{upload_id}/apply", again="1", confirm_password=PASSWORD)
    assert answer.status_code == 307


def held(site: Site, nora: FlaskClient) -> tuple[str, Any]:
    upload_id, _, page = opened(nora, demo_roster(site, a_third_leaves))
    assert "Send to two other people" in page.text
    path, _ = apply(nora, upload_id, page, note="Is this so?")
    assert path == f"/rosters/{upload_id}/held"
    return upload_id, get(site.client("petra"), path)


def test_what_the_guard_holds_two_other_people_let_go(site: Site, nora: FlaskClient) -> None:
    upload_id, page = held(site, nora)
    assert "“Is this so?”" in page.text
    assert "people of" in page.text
    number, digest = site.runtime.uploads.find(upload_id).changing, field(page, "digest")
    form = {"digest": digest, "verdict": "approve", "note": "Asked the vendor"}
    for wrong in ("", str(number + 1), "many"):
        answer = post(site.client("petra"), f"/rosters/{upload_id}/held", number=wrong, **form)
        assert answer.status_code == 422, wrong
        assert "Asked the vendor" in answer.text, "what was typed is kept"
    own = post(nora, f"/rosters/{upload_id}/held", number=str(number), **form)
    assert own.status_code == 409
    path, page = follow(
        site.client("petra"), post(site.client("petra"), f"/rosters/{upload_id}/held", number=str(number), **form)
    )
    assert path == f"/rosters/{upload_id}/held"
    assert "“Asked the vendor”" in page.text
    assert site.runtime.uploads.find(upload_id).state is State.HELD
    oskar = site.client("oskar")
    path, page = follow(oskar, post(oskar, f"/rosters/{upload_id}/held", number=f"{number:,}", **form))
    assert path == f"/rosters/{upload_id}/result"
    assert "It is done" in page.text
    assert site.runtime.uploads.find(upload_id).state is State.APPLIED


def test_a_rejection_freezes_the_source_until_somebody_thaws_it(site: Site, nora: FlaskClient) -> None:
    upload_id, page = held(site, nora)
    petra = site.client("petra")
    form = {"digest": field(page, "digest"), "verdict": "deny"}
    assert post(petra, f"/rosters/{upload_id}/held", note=" ", **form).status_code == 422
    path, page = follow(petra, post(petra, f"/rosters/{upload_id}/held", note="The vendor sent rubbish", **form))
    assert path == f"/rosters/{upload_id}/result"
    assert "The vendor sent rubbish" in page.text
    assert "frozen until somebody thaws it" in page.text
    page = get(petra, "/sources/agencies")
    assert "Frozen" in page.text
    assert "Petra Lang" in page.text
    assert post(petra, "/sources/agencies/thaw", why=" ").status_code == 422
    make_stale(site)
    assert "Confirm that it is you" in post(petra, "/sources/agencies/thaw", why="They sent another").text
    assert "Frozen" in get(petra, "/sources").text
    fresh = site.client("petra")
    _, page = follow(fresh, post(fresh, "/sources/agencies/thaw", why="They sent another"))
    assert "Thawed" in page.text
    assert "Freeze this source" in page.text
    _, page = follow(fresh, post(fresh, "/sources/agencies/freeze", why="Not yet"))
    assert "“Not yet”" in page.text


def test_columns_are_matched_once_and_days_are_never_guessed(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, ODD.encode("cp1252"), "Agency week 47.csv")
    assert path == f"/rosters/{upload_id}/columns"
    assert '<option value="%d/%m/%Y">' in page.text, "offered and not chosen: both orders read these days"
    assert "Zoë, Müller" in page.text
    assert 'value="agency-week"' in page.text
    form = {f"column-{name}": header for name, header in MATCHED.items()}
    form |= {"delimiter": ",", "profile": "acme", "save": "1"}
    for said, words in (
        ({}, "how days are written"),
        ({"date_format": "%d/%m/%Y"}, "somebody is not in this file"),
        ({"scope": "delta"}, "words with accents"),
        ({"encoding": "windows-1252", "column-vendor": "Location"}, "stands for two fields"),
        ({"column-vendor": "Agency", "column-first_day": ""}, "Say which column holds: First day."),
        ({"column-first_day": "Start Date", "zone": "Europe/Nowhere"}, "zone"),
    ):
        form |= said
        answer = post(nora, f"/rosters/{upload_id}/columns", **form)
        assert answer.status_code == 422
        assert words in answer.text, answer.text.split('id="error"')[-1][:300]
        assert 'value="acme"' in answer.text, "what was typed is kept"
    path, page = follow(nora, post(nora, f"/rosters/{upload_id}/columns", **{**form, "zone": ""}))
    assert path == f"/rosters/{upload_id}/review"
    assert "Zoë Müller" in page.text
    assert "3 Apr 2026 to 5 Jun 2027" in page.text
    other, path, _ = opened(nora, ODD.replace("P1", "P2").encode("cp1252"), "Agency week 48.csv")
    assert path == f"/rosters/{other}/review", "the profile is recognised by its header"
    assert site.runtime.uploads.find(other).profile == "acme"


def test_a_word_of_status_is_explained_and_a_conversion_confirmed(site: Site, nora: FlaskClient) -> None:
    def roster(status: str) -> str:
        first, second = ODD.replace("Zoë", "Zoe").replace("03/04/2026", "23/04/2026").strip().split("\n")
        return f"{first},Status\n{second},{status}\n"

    upload_id, _, page = opened(nora, roster("Active"))
    form = {"date_format": "%d/%m/%Y", "scope": "full", "encoding": "utf-8", "profile": "acme", "save": "1"}
    form |= {f"column-{name}": header for name, header in MATCHED.items()} | {
        "column-status": "Status",
        "delimiter": ",",
    }
    _, page = follow(nora, post(nora, f"/rosters/{upload_id}/columns", **form))
    apply(nora, upload_id, page)
    assert site.runtime.uploads.find(upload_id).state is State.APPLIED
    upload_id, _, page = opened(nora, roster("Gone native"))
    assert "Status is not known" in page.text
    page = repaired(nora, upload_id, "unknown-status", **{"value-1": "Gone native", "meant-1": "converted"})
    assert "Has become an employee" in page.text
    assert "Zoe Müller" in page.text
    page = repaired(nora, upload_id, "conversion", worker="P1")
    assert "P1 has become an employee." in page.text
    assert "cannot be used yet" not in page.text
    assert site.runtime.uploads.find(upload_id).counts[Kind.SOONER] == 1


def test_one_worker_id_of_two_people_is_given_to_one_of_them(site: Site, nora: FlaskClient) -> None:
    def shared(number: int, row: dict[str, str]) -> Any:
        return [row, {**row, "Name": "Somebody Else", "Contract": "WO-X"}] if number == 21 else row

    upload_id, _, page = opened(nora, demo_roster(site, shared))
    assert "One worker id, two people" in page.text
    assert "Says what is confirmed already" in page.text, "the row of the one who is known can be chosen as well"
    page = repaired(nora, upload_id, "shared-id", choice="first-row")
    assert "the first row counts" in page.text
    assert site.runtime.uploads.find(upload_id).unusable == 0


def test_a_changed_header_asks_and_begins_with_the_profile_it_comes_closest_to(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, demo_roster(site).replace("Last day", "End date"), "agencies.csv")
    assert path == f"/rosters/{upload_id}/columns"
    assert "This looks like agencies, with another header" in page.text
    assert "“Last day” is now called “End date”" in page.text
    assert 'name="source" value="agencies"' in page.text, "or everybody would be new"
    fresh = get(nora, f"/rosters/{upload_id}/columns?start=")
    assert "This looks like" not in fresh.text


def test_a_file_that_is_no_table_is_refused_with_a_reason(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, "")
    assert path == f"/rosters/{upload_id}/result"
    assert "The file is empty" in page.text
    assert "Nothing was changed" in page.text
    assert upload(nora, "x", "").status_code == 422


def test_rejected_rows_are_taken_along_as_they_stand_and_none_is_a_formula(site: Site, nora: FlaskClient) -> None:
    text = demo_roster(site, faulty)
    upload_id, _, _ = opened(nora, text)
    answer = get(nora, f"/rosters/{upload_id}/unusable.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="week-47-not-usable.csv"'
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == site.runtime.uploads.find(upload_id).unusable
    sent = dict(enumerate(csv.DictReader(io.StringIO(text)), start=2))
    for row in rows:
        own = {name: cell for name, cell in row.items() if name not in {"line", "why", "what to do"}}
        assert own == {name: harmless(cell) for name, cell in sent[int(row["line"])].items()}
        assert row["what to do"]
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {"'-31/31/2027", "'=HYPERLINK(1)"} <= set(cells)


def test_names_are_text_wherever_they_are_shown(site: Site, nora: FlaskClient) -> None:
    name = "<img src=x onerror=alert(1)>.csv"
    upload_id, path, page = opened(nora, demo_roster(site, faulty), name)
    for address in (path, "/rosters", f"/rosters/{upload_id}/columns", f"{path}?q=%3Cscript%3E&show=%22%3E%3Cb"):
        text = get(nora, address).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text
    assert "&lt;script&gt;alert(1)" in page.text


def test_rows_are_found_and_paged_by_the_server(site: Site, nora: FlaskClient) -> None:
    def later(_: int, row: dict[str, str]) -> dict[str, str]:
        return {**row, "Role": "Support lead of all"}

    upload_id, path, page = opened(nora, demo_roster(site, later))
    changed = site.runtime.uploads.find(upload_id).counts[Kind.CHANGED]
    assert f"Rows 1 to 50 of {changed}" in page.text
    following = page.text.split('rel="next" href="', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    second = get(nora, following)
    assert f"Rows 51 to {changed} of {changed}" in second.text
    found = get(nora, f"{path}?q=marek")
    assert "Marek Dvořák" in found.text
    assert "Priya Raman" not in found.text
    assert "No row here fits" in get(nora, f"{path}?q=nobody-at-all").text
    assert "No row of this kind" in get(nora, f"{path}?show=sooner").text
    for odd in ("after=x", "after=99999999999999999999", "show=nonsense", "after=-1", "from=²"):
        assert get(nora, f"{path}?{odd}").status_code == 200, odd


def test_a_discarded_roster_comes_to_nothing(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, demo_roster(site, one_leaves_later))
    where, listed = follow(nora, post(nora, f"/rosters/{upload_id}/discard", why="Wrong week"))
    assert where == "/rosters"
    assert "is discarded" in listed.text
    assert follow(nora, get(nora, path))[0] == f"/rosters/{upload_id}/result"
    _, page = follow(nora, post(nora, f"/rosters/{upload_id}/discard"))
    assert "discarded already" in page.text
    for action in ("apply", "repair"):
        assert follow(nora, post(nora, f"/rosters/{upload_id}/{action}", cause="short-year"))[1].status_code == 200
    assert site.runtime.uploads.find(upload_id).state is State.DISCARDED


def test_the_list_leads_back_to_each_step_with_what_is_held_first(site: Site, nora: FlaskClient) -> None:
    columns, _, _ = opened(nora, ODD, "odd.csv")
    stopped, _ = held(site, nora)
    review, _, _ = opened(nora, demo_roster(site, one_leaves_later), "later.csv")
    text = get(nora, "/rosters").text
    places = [text.index(f"/rosters/{i}/{p}") for i, p in ((stopped, "held"), (review, "review"), (columns, "columns"))]
    assert places == sorted(places)
    assert f"/rosters/{columns}/result" in get(site.client("petra"), "/rosters").text, "columns are HR's to match"


def test_others_look_and_change_nothing(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, demo_roster(site, faulty))
    for who in ("petra", "audrey"):
        client = site.client(who)
        shown = get(client, path)
        assert shown.status_code == 200
        for words in ("Day first", "Apply 1", "Discard this upload"):
            assert words not in shown.text
        assert post(client, f"/rosters/{upload_id}/apply", digest=field(page, "digest")).status_code == 403
        assert post(client, f"/rosters/{upload_id}/repair", cause="short-year").status_code == 403
        assert post(client, f"/rosters/{upload_id}/discard").status_code == 403
        assert upload(client, "x").status_code == 403
    for who in ("hannah", "dmitri"):
        assert get(site.client(who), path).status_code == 403


def test_large_files_are_read_in_the_background(site: Site, nora: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(roster_words, "AT_ONCE", 0)
    monkeypatch.setattr(site.runtime.intake, "start", started.append)
    upload_id, path, page = opened(nora, demo_roster(site, one_leaves_later))
    assert path == f"/rosters/{upload_id}/progress"
    assert started == [upload_id]
    assert "It waits for its turn" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    live = get(nora, f"/rosters/{upload_id}/live").json
    assert live["next"] == ""
    site.runtime.intake.advance(upload_id)
    assert get(nora, f"/rosters/{upload_id}/live").json["next"] == f"/rosters/{upload_id}/review"
    assert follow(nora, get(nora, path))[0] == f"/rosters/{upload_id}/review"


@pytest.fixture
def small_site(demo: Path, tmp_path: Path) -> Iterator[Site]:
    """A demo that takes files of one MiB at the most."""
    with served(demo, tmp_path / "small", more="\n[rosters]\nlargest_mib = 1\n") as small:
        yield small


def test_what_is_too_large_is_refused_and_not_kept(small_site: Site) -> None:
    nora = small_site.client("nora")
    head, line = "Worker ID,Name\n", "W-1,Somebody with a name of some length\n"
    most = 2**20
    fits = (head + line * (most // len(line)))[: most - 1]
    assert upload(nora, fits).status_code == 303, "beside a form's own limit of 64 KiB, files have theirs"
    kept = set((small_site.runtime.settings.folder / "var/rosters").iterdir())
    for size, words in ((most + 1, "1 MiB at the most"), (most * 2, "1 MiB at the most")):
        answer = upload(nora, b"x" * size)
        assert answer.status_code == 413, size
        assert words in answer.text, answer.text.split('id="error"')[-1][:300]
    assert set((small_site.runtime.settings.folder / "var/rosters").iterdir()) == kept
    for who, status in (("petra", 413), ("hannah", 413)):
        assert upload(small_site.client(who), b"x" * most).status_code == status, "nobody else's file is taken in"
    stranger = small_site.client(signed_in=False)
    answer = send_file(stranger, b"x" * most, "x.csv", csrf_token=token(stranger))
    assert answer.status_code == 413
    assert post(nora, "/rosters/x/discard", why="x" * 2**17).status_code == 413, "other forms stay small"


def test_a_small_file_waits_for_a_large_one_and_the_page_does_not(site: Site, nora: FlaskClient) -> None:
    """Each small file held one of the server's threads until the large one was read, minutes later."""
    busy, let_go = threading.Event(), threading.Event()

    def large() -> None:
        with site.runtime.intake._busy:
            busy.set()
            let_go.wait(60)

    reader = threading.Thread(target=large)
    reader.start()
    busy.wait()
    upload_id, path, page = opened(nora, demo_roster(site, one_leaves_later))
    assert path.endswith("/progress")
    assert "It waits for its turn; one roster is read at a time." in page.text
    let_go.set()
    reader.join()
    for _ in range(100):
        if site.runtime.uploads.find(upload_id).state is State.READY:
            break
        time.sleep(0.1)
    _, page = follow(nora, get(nora, f"/rosters/{upload_id}"))
    assert "Review before applying" in page.text

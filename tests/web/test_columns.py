"""Which layout a file looks like, what is asked about it, and what is kept of the answer."""

import csv
import io
import zipfile
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
import xlsxwriter
from flask.testing import FlaskClient

from lifecycle.feed.layouts import SHIPPED, example
from lifecycle.services.upload_views import State
from tests.feed.reading import workbook
from tests.feed.test_layouts import FIELDGLASS_HEADER, fieldglass
from tests.web.conftest import Site, get, post
from tests.web.roster_files import demo_roster, follow, opened

ACTIVE, DELTA = "shipped:fieldglass-active", "shipped:fieldglass-delta"
CLOSE = "Engagement ID,Worker First Name,Worker Last Name,Actual End Date,Closed Status Reason\n"
FILL = (
    "Engagement ID,Worker GUID,WAND Worker ID,Worker First Name,Worker Last Name,Legal First Name,Legal Last Name,"
    "Phone Number,Worker Email Address,Start Date,Estimated End Date\n"
    "E9,G1,5501,Zoe,Berg,Zoe,Berg,,zoe@northgate.example,02/01/2026,01/31/2027\n"
)


@pytest.fixture
def site(moving_site: Site) -> Site:
    return moving_site


class Form(HTMLParser):
    """What a browser would send of the form in which columns are matched, nothing being changed in it."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select = ""
        self._inside = False
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("name") or ""
        if tag == "form":
            self._inside = values.get("method") == "post" and "columns" in (values.get("class") or "")
        if not self._inside:
            return
        if tag == "input" and values.get("type") in {"checkbox", "radio"}:
            if "checked" in values:
                self.sent[name] = values.get("value") or ""
        elif tag == "input":
            self.sent[name] = values.get("value") or ""
        elif tag == "select":
            self._select, self.sent[name] = name, ""
        elif tag == "option" and "selected" in values:
            self.sent[self._select] = values.get("value") or "\0"

    def handle_data(self, data: str) -> None:
        if self._select and self.sent.get(self._select) == "\0":
            self.sent[self._select] = data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def form_of(page: Any) -> dict[str, str]:
    sent = Form(page).sent
    sent.pop("csrf_token")
    return sent


def active(person: str = "P1") -> str:
    return FIELDGLASS_HEADER + "\n" + fieldglass(person, "Active", f"WO-{person}", "01/15/2026", "12/31/2026")


def begun(client: FlaskClient, upload_id: str, start: str) -> Any:
    return get(client, f"/rosters/{upload_id}/columns?start={start}")


def read_so(client: FlaskClient, upload_id: str, page: Any, **changes: str) -> tuple[str, Any]:
    """Send the form as it stands, with *changes*."""
    return follow(client, post(client, f"/rosters/{upload_id}/columns", **{**form_of(page), **changes}))


def saved_active(client: FlaskClient, person: str = "P1", **changes: str) -> None:
    """Match a first file as that of active workers, and keep that."""
    upload_id, _, _ = opened(client, active(person))
    path, page = read_so(client, upload_id, begun(client, upload_id, ACTIVE), zone="Europe/Dublin", **changes)
    assert path.endswith("/review"), page.text.split('id="error"')[-1][:300]


def test_a_shipped_layout_that_fits_stands_before_a_profile_that_only_resembles(site: Site, nora: FlaskClient) -> None:
    upload_id, path, page = opened(nora, example())
    assert path.endswith("/columns")
    assert "This looks like Plain" in page.text
    assert "with another header" not in page.text
    assert "If it is a file of agencies whose header has changed" in page.text
    form = form_of(page)
    assert (form["start"], form["profile"], form["source"], form["save"]) == ("shipped:plain", "plain", "", "1")
    path, page = read_so(nora, upload_id, page)
    assert path.endswith("/review")
    assert site.runtime.uploads.find(upload_id).source == "plain"


@pytest.mark.parametrize(("text", "layout"), [(CLOSE, "wand-close"), (FILL, "wand-fill")])
def test_files_of_one_vendor_speak_of_the_same_contracts(nora: FlaskClient, text: str, layout: str) -> None:
    _, _, page = opened(nora, text + "E9,Zoe,Berg,03/31/2026,Done\n" * (text == CLOSE))
    assert f"This looks like {SHIPPED[layout]['title']}" in page.text
    form = form_of(page)
    assert (form["start"], form["source"], form["scope"]) == (f"shipped:{layout}", "wand", "delta")
    assert ('class="need"' in page.text) is (layout == "wand-fill"), "a close file needs nothing that it lacks"


def test_between_layouts_with_one_header_nothing_is_assumed(nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, active(), "weekly.csv")
    assert "Two layouts have this header: “SAP Fieldglass, active workers” and “SAP Fieldglass, changes only”. " in (
        unescape(page.text)
    )
    assert "Say which one it is: everybody, or changes only?" in page.text
    form = form_of(page)
    assert "scope" not in form
    assert (form["source"], form["profile"], form["column-worker_id"]) == ("fieldglass", "weekly", "Person ID")
    assert form["date_format"] == "%m/%d/%Y", "what both of them say"
    answer = post(nora, f"/rosters/{upload_id}/columns", **{**form, "zone": "Europe/Dublin"})
    assert "Say what it means when somebody is not in this file." in answer.text
    chosen = begun(nora, upload_id, DELTA)
    assert "Two layouts have this header" not in chosen.text
    assert form_of(chosen)["scope"] == "delta"


def test_a_delta_is_not_read_as_a_full_roster_without_a_word(site: Site, nora: FlaskClient) -> None:
    saved_active(nora)
    upload_id, path, page = opened(nora, active("P2"))
    assert path.endswith("/columns")
    assert "“fieldglass-active” and “SAP Fieldglass, changes only”" in page.text
    assert "scope" not in form_of(page)
    path, page = read_so(nora, upload_id, begun(nora, upload_id, DELTA), zone="Europe/Dublin")
    assert path.endswith("/review")
    assert "Read as fieldglass-delta. Changes only: nothing is said of who is not in it." in page.text
    upload = site.runtime.uploads.find(upload_id)
    assert (upload.source, upload.profile) == ("fieldglass", "fieldglass-delta")
    _, path, page = opened(nora, active("P3"))
    assert path.endswith("/columns"), "of two profiles with one header, one is never taken"
    assert "“fieldglass-active” and “fieldglass-delta”. Say which one it is: everybody, or changes only?" in page.text


def test_who_has_been_asked_once_is_not_asked_again(site: Site, nora: FlaskClient) -> None:
    saved_active(nora)
    upload_id, _, _ = opened(nora, active("P2"))
    page = begun(nora, upload_id, "fieldglass-active")
    assert (form_of(page)["profile"], form_of(page)["save"]) == ("fieldglass-active", "1")
    read_so(nora, upload_id, page)
    upload_id, path, page = opened(nora, active("P3"))
    assert path.endswith("/review")
    assert "Read as fieldglass-active. Everybody: who is not in it is noted." in page.text
    assert site.runtime.uploads.find(upload_id).profile == "fieldglass-active"


def test_whoever_says_which_it_is_when_sending_is_not_asked(nora: FlaskClient) -> None:
    saved_active(nora)
    _, path, _ = opened(nora, active("P2"), profile="fieldglass-active")
    assert path.endswith("/review")


def test_a_profile_with_another_header_is_replaced_only_on_purpose(site: Site, nora: FlaskClient) -> None:
    saved_active(nora)
    changed = active().replace("Site Name", "Name of the site")
    _, path, page = opened(nora, changed.replace("End Date", "Last Date"))
    assert path.endswith("/columns")
    assert "This looks like SAP Fieldglass, active workers, with another header" in page.text
    form = form_of(page)
    assert (form["profile"], form["source"]) == ("fieldglass-active", "fieldglass")
    assert "save" not in form
    assert "Files of fieldglass-active have another header. Saved under its name, this one replaces it." in page.text
    _, _, page = opened(nora, changed)
    assert "Two layouts come close to this header: “fieldglass-active” and “SAP Fieldglass, changes only”." in page.text
    assert "scope" not in form_of(page), "it has all columns of the other as well"
    _, _, page = opened(nora, demo_roster(site).replace("Last day", "End date"))
    form = form_of(page)
    assert (form["start"], form["source"], form["profile"]) == ("agencies", "agencies", "agencies-2")
    assert "save" not in form


def test_a_shipped_layout_is_not_saved_over_a_profile_of_its_name(nora: FlaskClient) -> None:
    saved_active(nora)
    upload_id, _, _ = opened(nora, active("P2"))
    assert form_of(begun(nora, upload_id, ACTIVE))["profile"] == "fieldglass-active-2"


def odd(encoding: str) -> bytes:
    text = "Personnel No;Worker;Start Date;End Date;Agency;Location\nP1;{};2026-04-03;2027-06-05;Acme;dublin\n"
    return text.format("Zoe" if encoding == "ascii" else "Zoë").encode(encoding)


def test_a_known_header_written_otherwise_says_so(site: Site, nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, odd("cp1252"), "acme.csv")
    path, _ = read_so(nora, upload_id, page, encoding="windows-1252", scope="delta")
    assert path.endswith("/review")
    for encoding, words in (
        ("utf-8", "The header is that of “acme”, but its files are Windows-1252 and this one is UTF-8."),
        ("utf-16", "The header is that of “acme”, but its files are Windows-1252 and this one is UTF-16."),
    ):
        _, path, page = opened(nora, odd(encoding))
        assert path.endswith("/columns")
        assert words in page.text
        assert "This looks like acme, written otherwise" in page.text
        form = form_of(page)
        assert (form["start"], form["profile"], form["encoding"]) == ("acme", "acme", encoding)
    _, path, page = opened(nora, odd("cp1252").replace(b";", b","))
    assert "parted by semicolons and those of this one by commas" in page.text
    upload_id, path, _ = opened(nora, odd("ascii"))
    assert path.endswith("/review"), "without an accent it is the same in every encoding"
    assert site.runtime.uploads.find(upload_id).state is State.READY


def test_a_file_of_another_family_of_encodings_is_not_read_silently(site: Site, nora: FlaskClient) -> None:
    """What is Jörg Müller on an old Mac is Jšrg MŸller on Windows, and both are text."""
    text = "Personnel No;Worker;Start Date;End Date;Agency;Location\nP1;Jörg Müller;2026-04-03;2027-06-05;Acme;dublin\n"
    upload_id, _, page = opened(nora, text.encode("cp1252"), "acme.csv")
    read_so(nora, upload_id, page, encoding="windows-1252", scope="delta")
    upload_id, path, page = opened(nora, text.encode("mac_roman"))
    assert path.endswith("/columns")
    assert "its files are Windows-1252, and read so this one has words that look wrong: “MŸller”." in page.text
    assert "encoding" not in form_of(page), "neither is assumed"
    assert "Say which of the words with accents read right." in post(
        nora, f"/rosters/{upload_id}/columns", **form_of(page)
    ).text  # fmt: skip
    path, page = read_so(nora, upload_id, page, encoding="mac-roman", save="")
    assert path.endswith("/review")
    assert "Jörg Müller" in page.text
    _, path, _ = opened(nora, text.replace("P1", "P2").encode("cp1252"))
    assert path.endswith("/review"), "the profile is as it was"


def test_whoever_answers_for_an_encoding_is_not_asked_every_week(site: Site, nora: FlaskClient) -> None:
    """A program that raises plain letters only writes MUñOZ, which looks wrong in Windows-1252 and is right."""
    header = "Personnel No;Worker;Start Date;End Date;Agency;Location\n"
    text = f"{header}P1;MUñOZ GARCíA;2026-04-03;2027-06-05;Acme;dublin\n"
    upload_id, _, page = opened(nora, text.replace("ñ", "n").replace("í", "i").encode("cp1252"), "acme.csv")
    read_so(nora, upload_id, page, encoding="windows-1252", scope="delta")
    upload_id, path, page = opened(nora, text.encode("cp1252"))
    assert path.endswith("/columns")
    path, _ = read_so(nora, upload_id, page, encoding="windows-1252")
    assert path.endswith("/review")
    _, path, _ = opened(nora, text.replace("P1", "P2").encode("cp1252"))
    assert path.endswith("/review")


def test_blank_cells_beside_a_header_change_nothing(site: Site, nora: FlaskClient) -> None:
    lines = demo_roster(site).splitlines()
    upload_id, path, _ = opened(nora, "\n".join(f"{line},," for line in lines))
    assert path.endswith("/review")
    assert "" not in site.runtime.uploads.find(upload_id).header
    _, _, page = opened(nora, "\n".join(f"{line},," for line in lines).replace("Last day", "End date"))
    assert "“End date”" in page.text
    assert "“” is new" not in page.text


def test_a_workbook_of_which_no_sheet_can_be_seen_is_read_once_somebody_has_seen_that(
    site: Site, nora: FlaskClient
) -> None:
    """It was refused with the words to name the sheet, and no page let anybody do so."""
    lines = csv.reader(io.StringIO(demo_roster(site)))

    def fill(book: xlsxwriter.Workbook) -> None:
        page = book.add_worksheet("Roster")
        for number, cells in enumerate(lines):
            page.write_row(number, 0, cells)

    shown, hidden = zipfile.ZipFile(io.BytesIO(workbook(fill))), io.BytesIO()
    mark = b'<sheet name="Roster"'
    with zipfile.ZipFile(hidden, "w") as copy:
        for name in shown.namelist():
            copy.writestr(name, shown.read(name).replace(mark, mark + b' state="hidden"'))
    upload_id, path, page = opened(nora, hidden.getvalue(), "week.xlsx")
    assert (path, "Roster (hidden)" in page.text) == (f"/rosters/{upload_id}/columns", True)
    path, page = follow(nora, post(nora, f"/rosters/{upload_id}/columns", **Form(page).sent))
    assert path == f"/rosters/{upload_id}/review", page.text
    assert "everything is confirmed already" in page.text

"""Rows that cannot be used, as those get them who correct them."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from lifecycle.feed import csv_file
from lifecycle.feed.cells import as_it_stands
from lifecycle.feed.table import Cell, Spoilt
from lifecycle.feed.xlsx_parts import MERGED
from lifecycle.services import rejected as module
from lifecycle.services.rejected import rejected
from lifecycle.services.upload_views import Upload
from lifecycle.services.uploads import Uploads
from tests.feed.reading import sheet, workbook
from tests.services.rosters import take
from tests.services.world import World

COLUMNS = {
    "worker_id": "Personnel No", "reference": "WO", "first_name": "Given", "last_name": "Family", "vendor": "Agency",
    "site": "Place", "first_day": "From", "last_day": "Until",
}  # fmt: skip
HEADER = "Personnel No,WO,Given,Family,Agency,Place,From,Until,Rate"
OF_A_SHEET = {
    "worker_id": "Worker ID", "reference": "Contract", "name": "Name", "vendor": "Vendor", "site": "Site",
    "first_day": "First day", "last_day": "Last day",
}  # fmt: skip


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    profiles = {
        "odd": {"columns": COLUMNS, "date_format": "%d/%m/%Y"},
        "sheet": {"columns": OF_A_SHEET, "date_format": "%d/%m/%Y"},
    }
    world = World(ready_url, changes={"profiles": profiles})
    yield world
    world.close()


def row(worker: str, *, contract: str = "", given: str = "Ada", last: str = "31/12/2026", more: str = "") -> str:
    return f"{worker},{contract or f'C-{worker}'},{given},Byron,V, berlin,01/01/2026,{last},-12.50{more}"


def take_in(world: World, *rows: str) -> Upload:
    return take(world.runtime, "\n".join([HEADER, *rows, ""]).encode(), profile="odd")


def table(uploads: Uploads, upload: Upload) -> list[dict[Any, Any]]:
    """The rows by the header; what stands behind it under None."""
    found = rejected(uploads, upload)
    return [{**dict(zip(found.header, cells, strict=False)), None: cells[len(found.header) :]} for cells in found.rows]


def test_a_row_is_one_line_with_its_own_cells_and_all_reasons(world: World) -> None:
    wrong = row("w1", last="soon").replace("01/01/2026", "32/01/2026").replace("berlin", "atlantis")
    upload = take_in(world, row("w2"), wrong, row("w3"))
    (found,) = table(world.runtime.uploads, upload)
    assert rejected(world.runtime.uploads, upload).header == [*HEADER.split(","), "line", "why", "what to do"]
    assert [found[name] for name in HEADER.split(",")] == wrong.split(","), "blanks, unmapped columns and all"
    assert found["line"] == "3"
    reasons = found["why"].split("; ")
    assert [reason.split(":")[0] for reason in reasons] == ["From", "Until", "Place"]
    assert "Until: found soon, expected a day as DD/MM/YYYY" in reasons
    assert "Say in which time zone it lies." in found["what to do"]


def test_reasons_name_columns_as_the_file_does(world: World) -> None:
    upload = take_in(
        world,
        row("w1", contract="C1"),
        row("w1", contract="C1", last="30/11/2026"),
        row("w2", given="Grace", contract="C2"),
        row("w2", contract="C3"),
        row("w3").replace("Ada,Byron", ","),
    )
    found = table(world.runtime.uploads, upload)
    assert [(r["line"], r["why"].split(":")[0]) for r in found] == [
        ("2", "Until"),
        ("3", "Until"),
        ("4", "Personnel No"),
        ("5", "Personnel No"),
        ("6", "Given and Family"),
    ]


def test_rows_come_in_the_order_of_the_file_whatever_found_them_wanting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "FIRST_LINES", 1)
    monkeypatch.setattr(csv_file, "BLOCK_LINES", 3)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    rows = [row("w1", last="soon" if n % 2 else f"{n:02}/12/2026") for n in range(1, 20)]
    found = table(world.runtime.uploads, take_in(world, row("w0"), *rows))
    assert [r["line"] for r in found] == [str(n) for n in range(3, 22)]
    assert [r["Until"] for r in found] == [text.split(",")[7] for text in rows]


def test_rows_too_short_or_too_long_keep_all_their_cells(world: World) -> None:
    upload = take_in(world, "w1,C1", row("w2", more=",x,,y"))
    short, long = table(world.runtime.uploads, upload)
    assert (short["Personnel No"], short["WO"], short["Rate"], short[None]) == ("w1", "C1", "", [])
    assert short["why"] == "found 2 fields, expected 9 fields as in the header"
    assert (long["Rate"], long["line"], long[None]) == ("-12.50", "3", ["x", "", "y"])


def test_where_the_file_is_gone_what_is_stored_is_left(world: World) -> None:
    upload = take_in(world, row("w1", last="soon"), row("w2"))
    world.runtime.roster_files.delete(upload.id)
    (found,) = table(world.runtime.uploads, upload)
    assert list(found.items())[:4] == [
        ("Personnel No", "w1"),
        ("Given and Family", "Ada Byron"),
        ("WO", "C-w1"),
        ("line", "2"),
    ]
    assert found["why"].startswith("Until: found soon")


def test_a_file_that_breaks_since_gives_what_is_stored(world: World) -> None:
    upload = take_in(world, *(row(f"w{n}", last="soon") for n in range(100)))
    path = world.runtime.roster_files.path(upload.id)
    path.write_text("\n".join(path.read_text().splitlines()[:80]) + '\n"')
    found = table(world.runtime.uploads, upload)
    assert [r["Personnel No"] for r in found] == [f"w{n}" for n in range(100)]
    assert (found[0]["Rate"], found[99]["Rate"]) == ("-12.50", "")


def test_records_and_typed_cells_can_be_sent_again(world: World) -> None:
    header = dict(zip(HEADER.split(","), row("w1", last="soon").split(","), strict=True))
    upload = take(world.runtime, json.dumps([header]).encode(), profile="odd")
    (found,) = table(world.runtime.uploads, upload)
    assert {name: found[name] for name in header} == header
    assert found["line"] == "1"
    cells: list[object] = [1001, "C1", "Ada", "V", "berlin", date(2026, 1, 1), "soon"]
    upload = take(world.runtime, workbook(lambda book: sheet(book, cells)), profile="sheet")
    (found,) = table(world.runtime.uploads, upload)
    assert [found[name] for name in OF_A_SHEET.values()] == [
        "1001", "C1", "Ada", "V", "berlin", "01/01/2026", "soon",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" x ", " x "),
        (1001.0, "1001"),
        (12.5, "12.5"),
        (date(2026, 3, 31), "31.03.2026"),
        (datetime(2026, 3, 31), "31.03.2026"),  # noqa: DTZ001
        (datetime(2026, 3, 31, 17, 30), "2026-03-31 17:30:00"),  # noqa: DTZ001
        (Spoilt("#REF!", "Correct it."), "#REF!"),
        (MERGED, ""),
    ],
)
def test_a_cell_is_written_so_that_it_can_be_read_again(cell: Cell, text: str) -> None:
    assert as_it_stands(cell, "%d.%m.%Y") == text

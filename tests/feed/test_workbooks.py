"""Workbooks as people make them: typed days, merged and formula cells, several sheets."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from lifecycle.domain.roster import Cause
from lifecycle.feed import xlsx_archive
from lifecycle.feed.matching import look
from tests.feed.reading import HEADER, ROW, read, sheet, workbook


def test_a_workbook_with_typed_days() -> None:
    reading = read(workbook(lambda book: sheet(book, ROW) and None))
    assert reading.complaints == []
    (row,) = reading.rows
    assert (row.worker_id, row.last_day, row.line) == ("1001", date(2026, 3, 31), 2)


def test_days_are_typed_whatever_the_layout_says_of_text() -> None:
    reading = read(workbook(lambda book: sheet(book, ROW) and None), date_format="%d/%m/%Y")
    assert reading.rows[0].last_day == date(2026, 3, 31)


def test_a_workbook_that_counts_from_1904() -> None:
    reading = read(workbook(lambda book: sheet(book, ROW) and None, date_1904=True))
    assert reading.rows[0].last_day == date(2026, 3, 31)


def test_a_moment_is_its_day() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        moment = datetime(2026, 3, 31, 17, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
        sheet(book, ROW[:6]).write_datetime(1, 6, moment, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))

    assert read(workbook(fill)).rows[0].last_day == date(2026, 3, 31)


def test_a_table_may_begin_anywhere_on_the_sheet() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        page, as_date = book.add_worksheet(), book.add_format({"num_format": "dd.mm.yyyy"})
        page.write(0, 0, "Roster of March")
        page.write_row(3, 2, HEADER.split(","))
        page.write_row(5, 2, ROW[:5])
        for column in (7, 8):
            page.write_datetime(5, column, datetime(2026, 3, column), as_date)  # noqa: DTZ001

    (row,) = read(workbook(fill)).rows
    assert (row.line, row.first_day, row.last_day) == (6, date(2026, 3, 7), date(2026, 3, 8))


def test_a_number_is_read_with_the_zeros_that_the_sheet_shows() -> None:
    """Whoever made the sheet sees 012345 and was read as 12345: another worker."""

    def fill(book: xlsxwriter.Workbook) -> None:
        page = sheet(book, *[ROW] * 4)
        padded, plain = book.add_format({"num_format": "000000"}), book.add_format({"bold": True})
        for line, number in enumerate((12345, 1234567, 0.5, 7), start=1):
            page.write_number(line, 0, number, plain if number == 7 else padded)

    reading = read(workbook(fill))
    assert [row.worker_id for row in reading.rows] == ["012345", "1234567", "7"]
    assert [complaint.line for complaint in reading.complaints] == [4]


def test_a_bare_number_is_no_day() -> None:
    (complaint,) = read(workbook(lambda book: sheet(book, [*ROW[:6], 46112]) and None)).complaints
    assert "format the column as a date" in complaint.remedy


def test_a_merged_cell_counts_for_its_first_row_only() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        page = sheet(book, ROW, [1002, "C2", "Grace", "", *ROW[4:]], [1003, "C3", "Zoë", "W", *ROW[4:]])
        page.merge_range("D2:D3", "V")

    reading = read(workbook(fill))
    assert [row.worker_id for row in reading.rows] == ["1001", "1003"]
    complaint = reading.complaints[0]
    assert (complaint.line, complaint.column, complaint.worker_id) == (3, "Vendor", "1002")
    assert "Unmerge" in complaint.remedy


def test_a_merged_title_above_the_table_disturbs_nobody() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        page = book.add_worksheet()
        page.merge_range("A1:G1", "Roster of March")
        page.write_row(2, 0, HEADER.split(","))
        page.write_row(3, 0, [*ROW[:5], "2026-01-01", "2026-03-31"])

    reading = read(workbook(fill))
    assert (len(reading.rows), reading.complaints) == (1, [])


@pytest.mark.parametrize(
    ("formula", "value", "found"),
    [
        ("=A1&B1", "", "without a result"),
        ("=1/0", "#DIV/0!", "#DIV/0!"),
        ("=VLOOKUP(A2,X!A:B,2,0)", "#N/A", "#N/A"),
        ("=INDIRECT(A9)", "Ada", "changes by itself"),
    ],
)
def test_a_formula_counts_by_its_result_if_it_has_one(formula: str, value: str, found: str) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, ROW).write_formula(1, 2, formula, None, value)

    (complaint, *_) = read(workbook(fill)).complaints
    assert (complaint.column, complaint.cause) == ("Name", Cause.OTHER)
    assert found in complaint.value


def test_a_formula_with_a_result_is_that_result() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        page = sheet(book, ROW)
        page.write_formula(1, 2, '=B2&" Byron"', None, "Ada Byron")
        page.write_formula(1, 6, "=F2+89", book.add_format({"num_format": "yyyy-mm-dd"}), 46112)

    (row,) = read(workbook(fill)).rows
    assert (row.name, row.last_day) == ("Ada Byron", date(2026, 3, 31))


def test_a_formula_in_a_column_that_is_dropped_disturbs_nobody() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        page = sheet(book, ROW)
        page.write(0, 7, "Cost")
        page.write_formula(1, 7, "=1/0", None, "#DIV/0!")

    assert len(read(workbook(fill)).rows) == 1


def test_several_sheets_need_a_name() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, ROW)
        book.add_worksheet("Notes")

    content = workbook(fill)
    assert "single sheet" in read(content).complaints[0].expected
    assert read(content, sheet="Roster").rows[0].name == "Ada"
    assert "called 'Other'" in read(content, sheet="Other").complaints[0].expected


def test_a_hidden_sheet_is_read_only_when_it_is_named(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("Notes").write(0, 0, "Nothing here")
        sheet(book, ROW).hide()

    content = workbook(fill)
    assert read(content).rows == []
    assert len(read(content, sheet="Roster").rows) == 1
    path = tmp_path / "roster"
    path.write_bytes(content)
    assert [(found.name, found.visible) for found in look(path).sheets] == [("Notes", True), ("Roster", False)]


def test_the_one_visible_sheet_is_read_beside_hidden_ones() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, ROW)
        sheet(book, [1002, *ROW[1:]], name="Old").very_hidden()

    assert [row.worker_id for row in read(workbook(fill)).rows] == ["1001"]


def test_cells_that_are_only_formatted_do_not_count_as_far_away() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, ROW).write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))

    assert len(read(workbook(fill)).rows) == 1


def test_truth_and_long_numbers_are_text() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, [123456789012345, 77, *ROW[2:]])

    (row,) = read(workbook(fill)).rows
    assert (row.worker_id, row.reference) == ("123456789012345", "77")


def rewritten(change: Callable[[str], str]) -> bytes:
    """Return a good workbook whose sheet another program might have written."""
    made = io.BytesIO(workbook(lambda book: sheet(book, ROW, [1002, *ROW[1:]]) and None))
    out = io.BytesIO()
    with zipfile.ZipFile(made) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, change(content.decode()) if name.endswith("sheet1.xml") else content)
    return out.getvalue()


def test_places_of_cells_need_not_be_written() -> None:
    reading = read(rewritten(lambda page: re.sub(r'(<(?:c|row)) r="[A-Z0-9]+"', r"\1", page)))
    assert ([row.worker_id for row in reading.rows], reading.complaints) == (["1001", "1002"], [])


def test_empty_text_from_a_formula_is_empty_text() -> None:
    def emptied(page: str) -> str:
        return re.sub(r'<c r="B2"[^>]*>.*?</c>', '<c r="B2" t="str"><f>IF(A2,"","")</f><v></v></c>', page)

    first, second = read(rewritten(emptied)).rows
    assert (first.reference, second.reference) == ("", "C1")


SHARED = re.compile(r'(<c r="C3" t="s">)<v>\d+</v>')
"""The name of the second worker, as the number of a text that the workbook keeps apart."""


@pytest.mark.parametrize(
    "value",
    ["<v>-1</v>", "<v>7 6</v>", "<v>abc</v>", f"<v>{'9' * 23}</v>", "<v></v>", "<v/>", "<v>+7</v>", "<v> 7</v>",
     "<v>7.0</v>", "<v>\uff17</v>", "<v>99999</v>", "<v>&#55;</v>", "<v><![CDATA[7]]></v>", "<v>7<!-- -->6</v>",
     "<v>6</v><v>7</v>"],
)  # fmt: skip
def test_a_text_whose_number_is_broken_is_no_other_text(value: str) -> None:
    reading = read(rewritten(lambda page: SHARED.sub(rf"\1{value}", page)))
    (complaint,) = reading.complaints
    assert (reading.rows, complaint.cause) == ([], Cause.FILE)
    assert "damaged" in complaint.remedy


def test_a_text_without_a_number_is_an_empty_cell() -> None:
    first, *others = read(rewritten(lambda page: SHARED.sub(r"\1", page))).rows
    assert (first.worker_id, others) == ("1001", [])


def test_the_number_of_a_text_may_lie_across_two_pieces_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_archive, "CHUNK", 1)
    assert [row.name for row in read(rewritten(lambda page: page)).rows] == ["Ada", "Ada"]

"""Where reading stops, and that memory has a bound."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.roster import Cause
from lifecycle.feed.read import FileLimits, Unreadable, read_roster
from tests.feed.reading import COLUMNS, GOOD, HEADER, OK, ROW, Reading, lines, profile, read, sheet, workbook

WHOLE = read(GOOD).rows
BOOK = workbook(lambda book: sheet(book, ROW, [1002, "C2", "Grace", *ROW[3:]]) and None)
BOOKED = read(BOOK).rows


def test_a_row_too_many_is_refused() -> None:
    text = lines(*[OK] * 7)
    assert len(read(text, limits=FileLimits(most_rows=7)).rows) == 7
    (complaint,) = read(text, limits=FileLimits(most_rows=6)).complaints
    assert (complaint.cause, complaint.value) == (Cause.FILE, "more than 6 rows")


def test_a_byte_too_many_is_refused() -> None:
    content = GOOD.encode()
    assert len(read(content, limits=FileLimits(largest_bytes=len(content))).rows) == 2
    (complaint,) = read(content, limits=FileLimits(largest_bytes=len(content) - 1)).complaints
    assert (complaint.cause, "bytes" in complaint.value) == (Cause.FILE, True)


def test_a_file_that_grows_while_it_is_read_is_refused_as_well(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_text(lines(*[OK] * 10_000), encoding="utf-8")
    size = path.stat().st_size
    reader = read_roster(path, profile(), limits=FileLimits(largest_bytes=size))
    with path.open("a") as file:
        file.write(f"{OK}\n")
    with pytest.raises(Unreadable, match=f"at most {size:,} bytes"):
        list(reader.batches())


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "roster"

    def peak(rows: int) -> int:
        path.write_text(
            lines(*[OK.replace("C1", f"C{n}").replace("Ada", f"Ada {n}") for n in range(rows)]), encoding="utf-8"
        )
        tracemalloc.start()
        for _ in read_roster(path, profile()).batches():
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1_000)
    assert peak(60_000) < 1.5 * peak(20_000)


def is_part(reading: Reading, whole: list[object]) -> bool:
    return all(row in whole for row in reading.rows)


def test_every_prefix_of_a_good_file() -> None:
    """A file cut inside its last field is the only one that may read as something else: nothing marks its end."""
    content = GOOD.encode()
    for length in range(len(content)):
        reading = read(content[:length])
        assert reading.complaints or reading.rows
        ended = content[length - 1 : length] == b"\n" or content[length : length + 1] == b"\n"
        assert all(row in WHOLE for row in (reading.rows if ended else reading.rows[:-1]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "windows-1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_a_cut_file_says_otherwise_stands_in_a_last_line_without_an_end(
    tmp_path: Path, encoding: str, newline: str
) -> None:
    rows = [f'{OK},"a ""note"",\nof two lines",bo{n}@example.com' for n in range(3)]
    text = lines(*rows).replace(HEADER, f"{HEADER},Note,Sponsor").replace("\n", newline)
    content, path = text.encode(encoding), tmp_path / "roster.csv"
    columns = {**COLUMNS, "sponsor": "Sponsor"}
    layout = profile(columns=columns, encoding="utf-16" if "utf-16" in encoding else encoding)
    read_of = {True: [], False: []}
    for length in range(1, len(content) + 1):
        path.write_bytes(content[:length])
        try:
            reader = read_roster(path, layout)
            found = [row for batch in reader.batches() for row in batch.rows]
        except Unreadable:
            continue
        assert reader.is_ended is not None
        assert not (reader.is_ended and reader.complained)
        read_of[reader.is_ended].append(found)
    *_, whole = read_of[True]
    assert [row.sponsor for row in whole] == ["bo0@example.com", "bo1@example.com", "bo2@example.com"]
    assert all(found == whole[: len(found)] for found in read_of[True])
    assert any(row.sponsor == "bo2@examp" for found in read_of[False] for row in found)


def test_every_prefix_of_a_good_workbook() -> None:
    for length in range(len(BOOK)):
        reading = read(BOOK[:length])
        assert reading.rows == []
        assert reading.complaints[0].remedy.endswith(".")


@given(st.integers(0, len(BOOK) - 1), st.integers(1, 255))
def test_a_workbook_with_one_byte_changed(at: int, by: int) -> None:
    changed = bytearray(BOOK)
    changed[at] ^= by
    reading = read(bytes(changed))
    assert reading.rows == BOOKED or (reading.complaints and not reading.rows)


EDITS = st.lists(
    st.tuples(
        st.integers(0, len(GOOD)), st.integers(0, 6), st.sampled_from([*',;"\n\r\t\0=-@1E', "\u202e", "", "ä", "2026"])
    ),
    max_size=4,
)


@given(EDITS)
def test_a_file_edited_anywhere_yields_rows_or_reasons(edits: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for at, length, put in edits:
        text = text[:at] + put + text[at + length :]
    reading = read(text.encode())
    assert reading.rows or reading.complaints
    for row in reading.rows:
        assert all(fact is None or str(fact) in text or name in {"zone", "standing", "actual", "line"}
                   for name, fact in row._asdict().items())  # fmt: skip

"""Lines that are known are recalled; a file then says exactly what it says when every line is read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecycle.domain.roster import Choice, Repairs, RosterRow, Standing
from lifecycle.feed import decoding
from lifecycle.feed.read import FileLimits, Reader, Unreadable, read_roster
from tests.feed.reading import HEADER, OK, profile

PADDING = [f"P{n},C-P{n},Pat,V,berlin,2026-01-01,2026-03-31" for n in range(60)]
"""So that what follows is not among the first lines, which are always read."""
LINES = [
    OK,
    'W2,C2,"Zoë, the second",V,manila,2026-02-01,2026-12-31',
    'W3,C3,"first half',
    'second half",V,berlin,2026-01-01,2026-03-31',
    'W4,C4,5" pipe,V,berlin,2026-01-01,2026-03-31',
    'W5,C5,"said ""no""",V,berlin,2026-01-01,2026-03-31',
    'W6,C6,"open for ever,V,berlin,2026-01-01,2026-03-31',
    "W7,C7,Ada,V,berlin,not a day,2026-03-31",
    "W8,C8,too few",
    "",
    " , ,",
    '"',
]
texts = st.lists(st.sampled_from(LINES), max_size=12)
ends = st.sampled_from(["\n", "\r\n", "\r"])


class _Memory:
    """What lines have meant, as a caller would keep it."""

    def __init__(self) -> None:
        self.rows: list[RosterRow] = []
        self.known: dict[bytes, int] = {}

    def read(self, path: Path, *, recalling: bool = True) -> tuple[list[RosterRow], list[str], int, int] | str:
        """Return rows in the order of lines, complaints, and counts; or why the file cannot be read."""
        rows: list[RosterRow] = []
        complaints: list[str] = []
        try:
            reader = read_roster(path, profile())
            for batch in reader.batches(dict(self.known) if recalling else None):
                rows += batch.rows
                complaints += map(str, batch.complaints)
                for number, token in zip(batch.recalled.numbers, batch.recalled.tokens, strict=True):
                    rows.append(self.rows[token]._replace(line=number))
                for row in batch.rows:
                    if key := batch.keys.get(row.line):
                        self.known.setdefault(key, len(self.rows))
                        self.rows.append(row)
        except Unreadable as exc:
            return str(exc.complaint)
        return sorted(rows, key=lambda row: row.line), sorted(complaints), reader.lines, reader.aside


def _write(path: Path, lines: list[str], end: str) -> Path:
    path.write_bytes((end.join([HEADER, *PADDING, *lines]) + end).encode())
    return path


@settings(max_examples=100)
@given(texts, texts, ends, st.sampled_from([1, 40, 200, 2**18]))
@example([OK], ['W3,C3,"first half', OK, 'second half",V,berlin,2026-01-01,2026-03-31'], "\n", 40)
@example([OK], ['W3,C3,"first half', OK, 'second half",V,berlin,2026-01-01,2026-03-31'], "\n", 2**18)
@example([OK, LINES[4]], [LINES[4], OK, OK], "\n", 1)
def test_a_file_says_the_same_whether_its_lines_are_recalled_or_read(
    earlier: list[str], later: list[str], end: str, piece: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as name:
        folder = Path(name)
        patch.setattr(decoding, "PIECE", piece)
        memory = _Memory()
        memory.read(_write(folder / "earlier.csv", earlier, end))
        path = _write(folder / "later.csv", later, end)
        assert memory.read(path) == memory.read(path, recalling=False)


def test_a_known_line_is_recalled_and_one_within_a_cell_is_not(tmp_path: Path) -> None:
    memory = _Memory()
    memory.read(_write(tmp_path / "earlier.csv", [OK], "\n"))
    inside = ['W3,C3,"first half', OK, 'second half",V,berlin,2026-01-01,2026-03-31']
    batches = list(read_roster(_write(tmp_path / "later.csv", [*inside, OK], "\n"), profile()).batches(memory.known))
    first = 2 + len(PADDING)
    recalled = [number for batch in batches for number in batch.recalled.numbers]
    assert recalled[-1:] == [first + 3]
    assert first + 1 not in recalled
    assert [c.line for batch in batches for c in batch.complaints] == [first]  # a name over three lines


def test_a_recalled_file_has_its_limits_too(tmp_path: Path) -> None:
    memory = _Memory()
    path = _write(tmp_path / "roster.csv", [OK], "\n")
    memory.read(path)
    reader = read_roster(path, profile(), limits=FileLimits(most_rows=len(PADDING)))
    with pytest.raises(Unreadable, match="rows"):
        list(reader.batches(memory.known))


@pytest.mark.parametrize(
    "repairs",
    [
        Repairs(short_years=True),
        Repairs(clear_days=True),
        Repairs(zones={"berlin": "Europe/Vienna"}),
        Repairs(statuses={"gone": Standing.ENDED.value}),
        Repairs(sponsors={"a": "b"}),
    ],
)
def test_lines_are_not_recalled_once_something_is_said_of_what_they_mean(tmp_path: Path, repairs: Repairs) -> None:
    path = _write(tmp_path / "roster.csv", [OK], "\n")
    assert read_roster(path, profile(), repairs).interpretation != read_roster(path, profile()).interpretation


def test_the_interpretation_is_that_of_the_layout_and_the_header_and_not_of_rows_that_count(tmp_path: Path) -> None:
    def reader(text: str, repairs: Repairs = Repairs(), **changes: object) -> Reader:  # noqa: B008 - frozen
        path = tmp_path / "roster.csv"
        path.write_text(text)
        return read_roster(path, profile(**changes), repairs)

    same = reader(f"{HEADER}\n{OK}\n").interpretation
    other_columns = HEADER.replace("Name,Vendor", "Vendor,Name")
    assert reader(f"{other_columns}\n{OK}\n").interpretation != same
    assert reader(f"{HEADER}\n{OK}\n", vendor="Northgate").interpretation != same
    counting = Repairs(choice=Choice.LAST_ROW, lines={"contract:C1": 2}, converted=frozenset({"W1"}))
    assert reader(f"{HEADER}\n{OK}\n", counting).interpretation == same

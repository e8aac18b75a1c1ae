"""Text from Windows, old Macs and elsewhere: read as declared, shown for choosing, and never half right."""

from pathlib import Path

import pytest

from lifecycle.domain.roster import Cause
from lifecycle.feed.decoding import PIECE
from lifecycle.feed.matching import look
from tests.feed.reading import GOOD, HEADER, OK, read


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("windows-1252", "windows-1252"),
        ("iso-8859-1", "iso-8859-1"),
        ("mac-roman", "mac_roman"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_declared_encoding_is_used(encoding: str, codec: str, newline: str) -> None:
    reading = read(GOOD.replace("\n", newline).encode(codec), encoding=encoding)
    assert [row.name for row in reading.rows] == ["Ada Byron", "Zoë Ångström"]


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-1", "mac-roman"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig"])
def test_utf_8_is_not_read_as_gibberish(encoding: str, codec: str) -> None:
    (complaint,) = read(GOOD.encode(codec), encoding=encoding).complaints
    assert complaint.cause is Cause.FILE
    assert "UTF-8" in complaint.value


def test_plain_ascii_is_everything() -> None:
    text = GOOD.replace("ë", "e").replace("Å", "A").replace("ö", "o")
    for encoding in ("utf-8", "windows-1252", "iso-8859-1", "mac-roman"):
        assert len(read(text, encoding=encoding).rows) == 2


def test_a_character_or_line_end_cut_in_two_is_whole_again() -> None:
    """Whatever octet of a line a piece of the file ends with."""
    cut = "W0,C0,Zoë,V,berlin,2026-01-01,2026-03-31\r\n".encode()
    head = f"{HEADER}\r\n".encode()
    for into in range(len(cut) + 1):
        left = PIECE - into - len(head)
        filler = f"{OK}\r\n".encode()
        count = left // len(filler) - 1
        first = OK.replace("Ada", "A" * (3 + left - (count + 1) * len(filler))) + "\r\n"
        content = head + first.encode() + filler * count + cut + filler
        assert content.index(b"W0") == PIECE - into
        reading = read(content)
        assert (reading.complaints, len(reading.rows)) == ([], count + 3)
        assert (reading.rows[-2].name, reading.rows[-1].line) == ("Zoë", count + 4)


def test_where_it_is_wrong_is_said_even_far_down() -> None:
    lines = GOOD.encode().splitlines(keepends=True)
    content = lines[0] + lines[1] * 20_000 + "é".encode("latin-1") + lines[1]
    (complaint,) = read(content).complaints
    assert (complaint.line, complaint.value[:8]) == (20_002, "bytes E9")


@pytest.mark.parametrize(
    ("codec", "encoding"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "")]
)
def test_what_can_be_told_is_told(tmp_path: Path, codec: str, encoding: str) -> None:
    path = tmp_path / "roster"
    path.write_bytes(GOOD.encode(codec))
    seen = look(path)
    assert (seen.encoding, seen.header[0], len(seen.rows)) == (encoding, "Worker ID", 2)


@pytest.mark.parametrize(
    ("text", "codec", "ascii_only"), [("Zoe", "ascii", True), ("Zoe", "utf-16", False), ("Zoë", "utf-8", False)]
)
def test_what_has_no_accent_is_every_encoding(tmp_path: Path, text: str, codec: str, ascii_only: bool) -> None:
    path = tmp_path / "roster"
    path.write_bytes(f"Worker ID,Name\nW1,{text}\n".encode(codec))
    assert look(path).ascii_only is ascii_only


@pytest.mark.parametrize(("codec", "encoding"), [("windows-1252", "windows-1252"), ("mac_roman", "mac-roman")])
def test_what_cannot_is_shown_for_choosing(tmp_path: Path, codec: str, encoding: str) -> None:
    path = tmp_path / "roster"
    path.write_bytes(GOOD.encode(codec))
    seen = look(path)
    assert seen.encoding == ""
    assert seen.samples[encoding] == ("Zoë", "Ångström")
    assert len(set(seen.samples.values())) > 1
    chosen = look(path, encoding=encoding)
    assert (chosen.encoding, chosen.rows[1][2]) == (encoding, "Zoë Ångström")

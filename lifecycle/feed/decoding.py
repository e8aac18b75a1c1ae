"""Bytes as text: piece by piece, counted, in the one encoding that was declared, without NUL."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from lifecycle.feed.table import FileLimits, refuse, too_large

PIECE = 2**18
LONGEST_LINE = 2**20
"""Characters; whoever writes more without a line break writes no roster."""
CODECS = {"utf-8": "utf-8-sig", "mac-roman": "mac_roman"}
UTF_8_MARK = codecs.BOM_UTF8


def codec_of(encoding: str, beginning: bytes = b"") -> str:
    """
    Return what Python calls *encoding*.

    Some programs write UTF-16 without its mark; then the first character, which is ASCII, tells the order.
    """
    if encoding == "utf-16" and not beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-be" if beginning.startswith(b"\0") else "utf-16-le"
    return CODECS.get(encoding, encoding)


class TextStream:
    """The text of one file."""

    def __init__(self, file: BinaryIO, encoding: str, limits: FileLimits) -> None:
        self.octets = 0
        self.is_ended = False
        """Whether what was handed out so far ends with the end of a line."""
        self._file = file
        self._encoding = encoding
        self._limits = limits
        self._codec = codec_of(encoding)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_utf_8 = _Suspicion() if encoding in {"windows-1252", "iso-8859-1", "mac-roman"} else None
        self._lines = 1
        """The line on which the text that comes next begins, for the words of an error."""

    def pieces(self) -> Iterator[io.StringIO]:
        """
        Hand out whole lines, ends kept; LF, CR LF and CR all end one.

        Raises:
            Unreadable: Wrong encoding, NUL, too many bytes, an endless line.
        """
        rest = ""
        for text in self.texts():
            text = rest + text
            # a CR at the very end may be the first half of CR LF
            cut = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
            rest = text[cut:]
            if len(rest) > LONGEST_LINE:
                remedy = "The file is no table of lines; ask the vendor to export it again."
                raise refuse(self._lines, f"more than {LONGEST_LINE:,} characters", "lines that end", remedy)
            if cut:
                yield io.StringIO(text[:cut], newline="")
        if rest:
            yield io.StringIO(rest, newline="")

    def texts(self) -> Iterator[str]:
        """
        Hand out the text as it comes.

        Raises:
            Unreadable: Wrong encoding, NUL, too many bytes.
        """
        ended = ""
        octets = self._file.read(PIECE)
        while octets:
            self._count(octets)
            text = self._decoded(octets)
            octets = self._file.read(PIECE)
            if not octets:
                text += self._decoded(b"")
            if text:
                yield text
                # CR LF that was cut in two is one end of a line
                self._lines += breaks(text) - (ended == "\r" and text[0] == "\n")
                ended = text[-1]
                self.is_ended = ended in "\r\n"
        if self._is_utf_8 is not None and self._is_utf_8.confirmed:
            raise self._utf_8()

    def _count(self, octets: bytes) -> None:
        first = self.octets == 0
        self.octets += len(octets)
        if self.octets > self._limits.largest_bytes:
            raise too_large(self.octets, self._limits)
        if self._is_utf_8 is not None:
            if first and octets.startswith(UTF_8_MARK):
                raise self._utf_8()
            self._is_utf_8.look(octets)

    def _decoded(self, octets: bytes) -> str:
        if self._decoder is None:
            self._codec = codec_of(self._encoding, octets)
            self._decoder = codecs.getincrementaldecoder(self._codec)("strict")
        try:
            text = self._decoder.decode(octets, final=not octets)
        except UnicodeDecodeError as exc:
            raise self._undecodable(exc) from exc
        nul = text.find("\0")
        if nul >= 0:
            line = self._lines + breaks(text[:nul])
            remedy = "The file is damaged, or UTF-16 that is not declared; ask the vendor to export it again."
            raise refuse(line, "NUL", "text without NUL characters", remedy)
        return text

    def _undecodable(self, exc: UnicodeDecodeError) -> Exception:
        before = exc.object[: exc.start].decode(self._codec, errors="ignore")
        found = " ".join(f"{octet:02X}" for octet in exc.object[exc.start : exc.start + 4])
        remedy = 'Save it as "CSV UTF-8", or say in the layout which encoding the vendor uses.'
        line = self._lines + breaks(before)
        return refuse(line, f"bytes {found}", f"{self._encoding} text", remedy)

    def _utf_8(self) -> Exception:
        remedy = "The file is UTF-8; say so in the layout, or names with accents become gibberish."
        return refuse(0, "UTF-8 text", f"{self._encoding} text", remedy)


class _Suspicion:
    """Whether bytes said to be of a one-byte encoding are UTF-8: text with accents is both only by design."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")("strict")
        self._seen = False

    def look(self, octets: bytes) -> None:
        if self._decoder is None or (octets.isascii() and not self._decoder.getstate()[0]):
            return
        self._seen = self._seen or not octets.isascii()
        try:
            self._decoder.decode(octets)
        except UnicodeDecodeError:
            self._decoder = None

    @property
    def confirmed(self) -> bool:
        return self._seen and self._decoder is not None and not self._decoder.getstate()[0]


def breaks(text: str) -> int:
    """Count the ends of lines in *text*: LF, CR LF and CR."""
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)

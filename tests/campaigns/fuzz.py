"""
Let a fuzzer look for a file that crashes the reading of rosters, guided by the code that each file reaches.

    python -m tests.campaigns.fuzz --seconds 60 [--keep folder] [-- libFuzzer's own options]

It begins with the hostile files of the tests. The first octet of each input says what the rest is: CSV in one of the
encodings, JSON, a workbook, or one part of a workbook that is packed anew. Whatever fails is written to the folder
given with ``--keep`` (by default a temporary one) and ends the run with an error.
"""

import argparse
import sys
import tempfile
import zipfile
from datetime import date
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lifecycle.feed", "json", "csv", "zipfile"]):
    from lifecycle.domain.roster import DateOrder, Repairs
    from lifecycle.feed.matching import look, suggest_columns, suggest_date_format
    from lifecycle.feed.profile import Profile
    from lifecycle.feed.read import FileLimits, Unreadable, read_roster

from tests.feed.corpus import corpus
from tests.feed.reading import COLUMNS, GOOD, HEADER, ROW, SITES, sheet, workbook

MOST_OCTETS = 2**16
ENCODINGS = ("utf-8", "windows-1252", "utf-16", "mac-roman", "iso-8859-1")
PARTS = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml")
WHOLE, PART = 16, 32
"""First octets below 16 are text in some encoding, below 32 whole files, from there on parts of a workbook."""
FULL = {
    **COLUMNS,
    "status": "Status",
    "worker_type": "Type",
    "email": "E-mail",
    "actual_last_day": "Ended",
    "zone": "Zone",
}
REPAIRS = Repairs(
    date_order=DateOrder.DAY_FIRST, short_years=True, last_day=date(2026, 12, 31), zones={"atlantis": "UTC"}
)
LIMITS = FileLimits(largest_bytes=2**20, most_rows=5_000)


class Target:
    """What is tried with each input."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "roster"
        book = folder / "good.xlsx"
        book.write_bytes(workbook(lambda made: sheet(made, ROW) and None))
        with zipfile.ZipFile(book) as archive:
            self._parts = {name: archive.read(name) for name in archive.namelist()}

    def seeds(self) -> list[bytes]:
        """Return inputs to begin with."""
        texts = [bytes([n % len(ENCODINGS)]) + GOOD.encode() for n in range(len(ENCODINGS))]
        full = (
            f"{HEADER},Status,Type,E-mail,Ended,Zone\n" + "W1,C1,Ada,V,berlin,1/2/2026,31/3/26,Closed,temp,a@b,,UTC\n"
        )
        files = [bytes([WHOLE]) + hostile.content for hostile in corpus() if len(hostile.content) < MOST_OCTETS]
        parts = [bytes([PART + n]) + self._parts[name] for n, name in enumerate(PARTS)]
        return [*texts, bytes([8]) + full.encode(), *files, *parts]

    def __call__(self, octets: bytes) -> None:
        if not octets:
            return
        choice, content = octets[0], octets[1:]
        encoding = ENCODINGS[choice % len(ENCODINGS)] if choice < WHOLE else "utf-8"
        if choice >= PART:
            self._pack(PARTS[choice % len(PARTS)], content)
        else:
            self._path.write_bytes(content)
        repaired = choice & 8
        profile = Profile(
            "fuzz",
            FULL if repaired else COLUMNS,
            encoding=encoding,
            date_format="%d/%m/%Y" if repaired else "%Y-%m-%d",
            site_zones=SITES,
            vendor="V",
            partial=choice % 7 == 6,
        )
        self._read(profile, REPAIRS if repaired else Repairs())
        self._look()

    def _pack(self, part: str, content: bytes) -> None:
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, good in self._parts.items():
                archive.writestr(name, content if name == part else good)

    def _read(self, profile: Profile, repairs: Repairs) -> None:
        rows, complaints = [], []
        try:
            reader = read_roster(self._path, profile, repairs, LIMITS)
            for batch in reader.batches():
                rows += batch.rows
                complaints += batch.complaints
        except Unreadable as exc:
            complaints = list(exc.complaints)
            assert complaints
        else:
            assert reader.lines == len(rows) + reader.complained + reader.aside
            assert reader.lines > 0
        lines = [row.line for row in rows]
        assert lines == sorted(set(lines))
        for complaint in complaints:
            assert complaint.remedy.endswith(".")
            assert complaint.value.isprintable()

    def _look(self) -> None:
        try:
            seen = look(self._path, limits=LIMITS)
        except Unreadable as exc:
            assert exc.complaint.remedy.endswith(".")
            return
        suggest_columns(seen.header)
        suggest_date_format([cell for row in seen.rows[:3] for cell in row])


def main() -> None:
    """Fuzz for as long as is asked; the process ends with 0 when nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("options", nargs="*")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    keep = asked.keep or folder
    keep.mkdir(parents=True, exist_ok=True)
    target = Target(folder)
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:03}").write_bytes(seed)
    options = [
        f"-max_total_time={asked.seconds}",
        f"-max_len={MOST_OCTETS}",
        f"-artifact_prefix={keep}/",
        "-timeout=20",
        "-rss_limit_mb=2048",
        *asked.options,
    ]
    atheris.Setup([sys.argv[0], *options, str(seeds)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

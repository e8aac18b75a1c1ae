"""stub"""

import csv
from dataclasses import dataclass
from lifecycle.feed.table import refuse


@dataclass
class Look:
    header: list[str]


def look(path):
    data = path.read_bytes()
    t = data.decode("utf-8-sig", "replace")
    rows = [r for r in csv.reader(t.splitlines()) if any(r)]
    if not rows:
        raise refuse(0, "", "a header", "Empty.")
    return Look([c.strip() for c in rows[0]])


def headers_match(profile, header):
    if profile.header:
        return list(profile.header) == list(header)
    return all(list(header).count(h) == 1 for h in profile.columns.values())

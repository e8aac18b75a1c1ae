"""Rosters made from that of the demo, changed row by row."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.web.conftest import Site, get, post, token

Row = dict[str, str]
MARK = "a-part-ends-here"
ODD = (
    "Personnel No,Worker,Start Date,End Date,Agency,Job title,Location,Cost centre\n"
    "P1,Zoë Müller,03/04/2026,05/06/2027,Acme,Support agent,dublin,4410\n"
)
"""Whoever reads it must say which number is the month, and in which encoding it is once it is not UTF-8."""
MATCHED = {
    "worker_id": "Personnel No", "name": "Worker", "first_day": "Start Date", "last_day": "End Date",
    "vendor": "Agency", "role": "Job title", "site": "Location",
}  # fmt: skip
"""Field to header of `ODD`."""


def demo_roster(site: Site, change: Callable[[int, Row], Row | list[Row] | None] = lambda _, row: row) -> str:
    """The demo's roster with *change* made to each row, which is told its number from 0."""
    with (Path(site.runtime.settings.folder) / "roster.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    changed: list[Row] = []
    for number, row in enumerate(rows):
        made = change(number, dict(row))
        changed += made if isinstance(made, list) else [made] if made else []
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(changed)
    return text.getvalue()


def faulty(number: int, row: Row) -> Row | list[Row] | None:
    """One row for most causes; the other rows stay as they are."""
    match number:
        case 3 | 4 | 5:
            row["Last day"] = "03/04/2027"
        case 6:
            row["Last day"] = "12/11/27"
        case 7:
            row["Last day"] = "Still in office"
        case 8:
            row["Last day"] = "2026-02-31"
        case 10:
            return [row, {**row, "Last day": "2027-01-15"}]
        case 11:
            row["Site"] = "Lagos"
        case 12:
            row |= {"Sponsor": "hanah.osei@example.com", "Role": "Support lead"}
        case 16:
            row["Name"] = "<script>alert(1)</script>"
        case 17:
            return None
        case 18:
            row |= {"Name": "O'Neil", "Email": "not an address", "Last day": "=HYPERLINK(1)"}
        case 20:
            row["Last day"] = "-31/31/2027"
    return row


def a_third_leaves(number: int, row: Row) -> Row:
    """More than one person may change alone."""
    return {**row, "Last day": "2026-01-31", "First day": "2025-02-01"} if number % 3 == 0 else row


def one_leaves_later(number: int, row: Row) -> Row:
    """One change that nobody minds."""
    return {**row, "Last day": "2029-03-01"} if number == 30 else row


def upload(client: FlaskClient, text: str | bytes, name: str = "week 47.csv", **form: str) -> Any:
    """Send a file as a browser without script does."""
    return send_file(client, text, name, csrf_token=token(client), **form)


def send_file(client: FlaskClient, text: str | bytes, name: str, **form: str) -> Any:
    """Send a file with a form, its fields before it."""
    content = text.encode() if isinstance(text, str) else text
    parts = [f'--{MARK}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form.items()]
    file = f'--{MARK}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    body = "".join([*parts, file]).encode() + b"Content-Type: text/csv\r\n\r\n" + content
    return client.post(
        "/rosters/upload", data=body + f"\r\n--{MARK}--\r\n".encode(), base_url="https://localhost",
        headers={"Referer": "https://localhost/"}, content_type=f"multipart/form-data; boundary={MARK}",
    )  # fmt: skip


def follow(client: FlaskClient, answer: Any) -> tuple[str, Any]:
    """Go where an answer leads; returns the path and the page there."""
    path = ""
    while answer.status_code in {302, 303}:
        path = answer.headers["Location"]
        answer = get(client, path)
    return path, answer


def opened(client: FlaskClient, text: str | bytes, name: str = "week 47.csv", **form: str) -> tuple[str, str, Any]:
    """Send a file and follow it; returns the id of the upload, the path and the page."""
    answer = upload(client, text, name, **form)
    assert answer.status_code == 303, answer.text
    path, page = follow(client, answer)
    return path.split("/")[2], path, page


def repaired(client: FlaskClient, upload_id: str, cause: str, **form: str) -> Any:
    """Say something about the rows of one cause; returns the page that is worked out anew."""
    path, page = follow(client, post(client, f"/rosters/{upload_id}/repair", cause=cause, **form))
    assert path == f"/rosters/{upload_id}/review"
    return page


def field(page: Any, name: str) -> str:
    """Read what a form would send."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, name
    return found[1]

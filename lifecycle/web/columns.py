"""*Match columns*: what the columns of a file mean, said once and kept for the files to come."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.errors import LifecycleError, RosterRefused
from lifecycle.feed.matching import Look, header_difference, suggest_columns
from lifecycle.services.authorisation import Action
from lifecycle.services.recognising import Recognised
from lifecycle.services.starts import Beginning, Start, agreed, begin, starts_for
from lifecycle.services.upload_views import State, Upload
from lifecycle.settings.rosters import FIELDS, REQUIRED
from lifecycle.web import errors, forms, roster_words
from lifecycle.web.days import choices
from lifecycle.web.rosters import go_on
from lifecycle.web.services import permitted, services

bp = Blueprint("columns", __name__, url_prefix="/rosters/<upload_id>/columns")
DAYS = ("first_day", "last_day", "actual_last_day")
ROWS = 8
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
TEXTS = ("vendor", "zone", "sheet", "source", "encoding", "delimiter", "date_format", "scope")
MAY_BE_EMPTY = frozenset({"vendor", "sheet", "source"})
UNPLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Draft:
    """What is said about the columns so far."""

    columns: Mapping[str, str]
    """Field to header."""
    suggested: frozenset[str]
    """Fields whose header is only a suggestion."""
    values: Mapping[str, str]
    """The rest of the form, by the names of `TEXTS`."""
    partial: bool
    profile: str
    """The name it is kept under."""
    save: bool


@bp.get("")
def show(upload_id: str) -> ResponseReturnValue:
    """Show the first rows, and what each column seems to mean."""
    permitted(Action.UPLOAD_ROSTER)
    return _page(upload_id)


def _page(upload_id: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    upload = services().uploads.find(upload_id)
    if upload.state not in {State.RECEIVED, State.READY}:
        return redirect(url_for("rosters.show", upload_id=upload_id), 303)
    try:
        seen = _look(upload)
    except RosterRefused as exc:
        context = {"nav": "rosters", "upload": upload, "why": str(exc), "words": roster_words}
        return render_template("rosters/unreadable.html", **context), 422
    starts = _starts(seen)
    beginning = _begin(upload, seen, starts)
    draft = _draft(upload, seen, starts, beginning)
    if request.method == "POST":
        draft = _said(_typed(), draft, seen)
    header = [name for name in dict.fromkeys(seen.header) if name]
    used = set(draft.columns.values())
    return render_template(
        "rosters/columns.html",
        nav="rosters",
        upload=upload,
        look=seen,
        rows=seen.rows[:ROWS],
        encodings=_told_apart(seen.samples),
        header=header,
        ignored=[name for name in header if name not in used],
        draft=draft,
        fields=[(name, *roster_words.FIELDS[name]) for name in FIELDS],
        starts=starts,
        begun=beginning,
        start=beginning.key,
        overwrites=_overwrites(draft, seen, starts),
        changes=_changes(upload, seen, starts.get(beginning.key)),
        days=choices(_samples(seen, draft.columns)),
        delimiters=DELIMITERS,
        zones=sorted(available_timezones()),
        error=error or (upload.error if upload.layout is not None else ""),
        can_upload=True,
        words=roster_words,
    ), status


def _starts(seen: Look) -> dict[str, Start]:
    use_cases = services()
    with use_cases.store.read() as unit:
        return starts_for(use_cases.uploads.layouts.all(unit), seen.header)


def _recognised(seen: Look) -> Recognised:
    use_cases = services()
    with use_cases.store.read() as unit:
        return use_cases.uploads.layouts.recognise(unit, seen)


def _begin(upload: Upload, seen: Look, starts: Mapping[str, Start]) -> Beginning:
    """Say what the page begins with: what somebody has chosen, or else what the file looks like."""
    if "start" in request.values or upload.layout is not None:
        return Beginning(request.values.get("start", "")[: forms.LONGEST_FIELD], chosen=True)
    return begin(_recognised(seen), seen.header, starts)


def _look(upload: Upload) -> Look:
    """Look at the file, with what was said about its encoding, delimiter and sheet."""
    layout = upload.layout
    said = {name: str(getattr(layout, name)) if layout else "" for name in ("sheet", "encoding", "delimiter")}
    said |= {name: value for name in said if (value := request.values.get(name, "")[: forms.LONGEST_FIELD])}
    try:
        return services().uploads.look(upload.id, **said)
    except RosterRefused:
        return services().uploads.look(upload.id)


def _told_apart(samples: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Leave out encodings that read the same words as one before: nobody could choose between them."""
    found: dict[tuple[str, ...], str] = {}
    for encoding, words in samples.items():
        found.setdefault(words, encoding)
    return {encoding: words for words, encoding in found.items()}


def _changes(upload: Upload, seen: Look, start: Start | None) -> list[str]:
    """Say how the header differs from the one that the profile knows."""
    if start is not None and not start.shipped:
        known, names = start.document.get("header"), list(start.document["columns"].values())
    elif start is None and upload.layout is not None and upload.error:
        known, names = upload.layout.header, list(upload.layout.columns.values())
    else:
        return []
    if known:
        return header_difference(known, seen.header).sentences()
    # nobody has said in which order they stand, nor what stands beside them
    found = header_difference(names, [name for name in names if name in seen.header] + _others(names, seen.header))
    return replace(found, moved=False, new=()).sentences()


def _others(names: Sequence[str], header: Sequence[str]) -> list[str]:
    return [name for name in header if name not in names]


def _overwrites(draft: Draft, seen: Look, starts: Mapping[str, Start]) -> str:
    """Return the name that is suggested if it is that of a profile with another header; else nothing."""
    ours = starts.get(draft.profile)
    return draft.profile if ours is not None and not ours.shipped and not _has_header(ours, seen) else ""


def _has_header(start: Start, seen: Look) -> bool:
    if not start.document.get("header"):
        return start.fits
    return list(filter(None, start.header)) == list(filter(None, seen.header))


def _draft(upload: Upload, seen: Look, starts: Mapping[str, Start], beginning: Beginning) -> Draft:
    """Say what holds so far: the layout it has, or one to start from, what several of them agree in, or suggestions."""
    start = starts.get(beginning.key)
    suggested = {field: header for field, header in suggest_columns(seen.header).items() if field in FIELDS}
    values = dict.fromkeys(TEXTS, "") | {
        "encoding": seen.encoding, "delimiter": seen.delimiter or ",", "sheet": seen.sheet,
        "date_format": seen.stated.format if seen.stated else "",
    }  # fmt: skip
    document = start.document if start else upload.layout.model_dump(mode="json") if upload.layout else None
    if document is None and beginning.is_open:
        document = agreed([starts[key].document for key in beginning.among])
    if document is None:
        values["date_format"] = values["date_format"] or _only_format(seen, suggested)
        return Draft(suggested, frozenset(suggested), values, False, _plain(upload.file_name.rpartition(".")[0]), True)
    columns = {field: header for field, header in document["columns"].items() if header in seen.header}
    more = {f: h for f, h in suggested.items() if f not in columns and h not in columns.values()}
    if seen.ascii_only:  # says nothing of how its like are written
        values["encoding"] = document.get("encoding") or seen.encoding
    how = {"encoding", "delimiter", "sheet", "date_format"}  # the file itself says how it is written, if it does
    known = {key: str(document[key]) for key in TEXTS if document.get(key) and not (key in how and values[key])}
    values |= {key: value for key, value in known.items() if key != "encoding" or value not in seen.doubted}
    values["date_format"] = values["date_format"] or _only_format(seen, {**columns, **more})
    name = start.name if start else upload.profile or _plain(upload.file_name.rpartition(".")[0])
    if name in services().settings.profiles and (start or upload.error):  # the configuration is not changed here
        values["source"] = values["source"] or name
        name = _free(name, starts)
    elif start is not None and start.shipped:
        name = _free(name, starts)
    ours = start is not None and not start.shipped
    # what is saved under the name of a profile with another header changes how its files are read
    save = upload.layout is None or bool(upload.error) if start is None else not ours or _has_header(start, seen)
    return Draft({**columns, **more}, frozenset(more), values, bool(document.get("partial")), name, save)


def _free(name: str, starts: Mapping[str, Start]) -> str:
    """Return *name*, with a number if a profile has it."""
    names = (name, *(f"{name}-{number}" for number in range(2, len(starts) + 2)))
    return next(free for free in names if free not in starts)


def _only_format(seen: Look, columns: Mapping[str, str]) -> str:
    """Return the one way in which all days can be read; empty when there is more than one, for nothing is guessed."""
    ways = choices(_samples(seen, columns)).fitting
    return ways[0].value if len(ways) == 1 else ""


def _samples(seen: Look, columns: Mapping[str, str]) -> list[str]:
    places = [seen.header.index(columns[name]) for name in DAYS if columns.get(name) in seen.header]
    return [row[place].strip() for row in seen.rows for place in places if place < len(row) and row[place].strip()]


def _plain(name: str) -> str:
    """Suggest a name for a profile: *name* without days and numbers."""
    words = UNPLAIN.sub("-", name.casefold()).split("-")
    return "-".join(word for word in words if word and not word.isdigit())[:40] or "roster"


def _said(typed: Draft, suggested: Draft, seen: Look) -> Draft:
    """Return what was typed; where another sheet or delimiter has brought another header, what that suggests."""
    if set(typed.columns.values()) & set(seen.header):
        return typed
    return replace(typed, columns=suggested.columns, suggested=suggested.suggested)


def _typed() -> Draft:
    columns = {name: chosen for name in FIELDS if (chosen := forms.optional(f"column-{name}"))}
    values = {name: request.form.get(name, "")[: forms.LONGEST_FIELD] for name in TEXTS}
    profile, save = forms.optional("profile").strip(), bool(forms.optional("save"))
    return Draft(columns, frozenset(), values, bool(forms.optional("partial")), profile, save)


@bp.post("")
def match(upload_id: str) -> ResponseReturnValue:
    """Take it as it is said, and read the file so."""
    actor = permitted(Action.UPLOAD_ROSTER)
    uploads, draft = services().uploads, _typed()
    upload = uploads.find(upload_id)
    try:
        document = _document(draft, upload, _look(upload))
        upload = uploads.lay_out(
            upload_id, document, actor=actor.trail_name, member_id=actor.id, profile=draft.profile, save=draft.save
        )  # fmt: skip
    except RosterRefused as exc:
        return _page(upload_id, str(exc), 422)
    except LifecycleError as exc:
        return _page(upload_id, str(exc), errors.status_here(exc))
    return go_on(upload)


def _left_open(draft: Draft) -> list[str]:
    """List what is still to be said, as sentences; what contradicts itself is left to `ProfileSettings`."""
    columns, values = draft.columns, draft.values
    needed = [] if draft.partial else [name for name in REQUIRED if name not in columns]
    if not draft.partial and "name" not in columns and not {"first_name", "last_name"} <= columns.keys():
        needed.append("name")
    headers = list(columns.values())
    twice = next((header for header in headers if headers.count(header) > 1), "")
    named = ", ".join(roster_words.field_words(name) for name in needed)
    asked = {
        f"Say which column holds: {named}.": bool(needed),
        f"The column “{twice}” stands for two fields; choose one of them.": bool(twice),
        "Say how days are written; they are never guessed.": not values["date_format"],
        "Say what it means when somebody is not in this file.": not values["scope"],
        "Say which of the words with accents read right.": not values["encoding"],
        "Name the vendor, or the column that does.": not (draft.partial or "vendor" in columns or values["vendor"]),
        "Name a time zone, or the column that names a zone or a site.": not (
            draft.partial or {"zone", "site"} & columns.keys() or values["zone"]
        ),
    }
    return [sentence for sentence, is_open in asked.items() if is_open]


def _document(draft: Draft, upload: Upload, seen: Look) -> dict[str, Any]:
    """
    Return what was said as a profile; what this page does not ask for stays as it was in the layout begun with.

    Raises:
        RosterRefused: If something that is never guessed was left open.
    """
    values, open_ = draft.values, _left_open(draft)
    if open_:
        raise RosterRefused(" ".join(open_))
    starts, header = _starts(seen), list(seen.header)
    start = starts.get(_begin(upload, seen, starts).key)
    before = start.document if start else upload.layout.model_dump(mode="json") if upload.layout else {}
    asked = len(_recognised(seen).rivals) > 1 if upload.layout is None else upload.layout.told_apart
    told_apart = asked or bool(before.get("told_apart") and before["header"] == header)
    said: dict[str, Any] = {key: value for key, value in values.items() if value or key in MAY_BE_EMPTY}
    said |= {"columns": dict(draft.columns), "header": header, "partial": draft.partial, "told_apart": told_apart}
    same = before.get("encoding") == values["encoding"]
    said["read_right"] = values["encoding"] in seen.doubted or bool(same and before.get("read_right"))
    return {**before, **said, "zone": values["zone"] or None}

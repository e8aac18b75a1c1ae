"""*Rosters*: what is on its way, sending a file in, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from lifecycle.domain.consequence import Weight
from lifecycle.domain.errors import LifecycleError
from lifecycle.feed.layouts import example
from lifecycle.services.authorisation import Action, may
from lifecycle.services.files import FileTooLarge
from lifecycle.services.numbers import whole
from lifecycle.services.sessions import NotSignedIn
from lifecycle.services.upload_views import OPEN, State, Upload
from lifecycle.services.uploads import UploadClosed
from lifecycle.web import errors, forms, roster_words
from lifecycle.web.services import permitted, services, signed_in

bp = Blueprint("rosters", __name__, url_prefix="/rosters")
MARGIN = 64 * 1024
"""What a form needs beside the file in it."""
BUFFER = 2**20
"""What the parser of forms holds of a file at a time, octets; the rest is on the disk."""
LISTED = 20
LATEST_MILLISECONDS = 10**13 - 1
NOTHING: Mapping[str, str] = {}


@bp.get("")
def index() -> ResponseReturnValue:
    """List what is under way, and what was applied last."""
    actor = permitted(Action.SEE_ROSTERS)
    use_cases = services()
    waiting = use_cases.uploads.listed(states=OPEN)
    waiting.sort(key=lambda upload: upload.state is not State.HELD)
    done = use_cases.uploads.listed(states=(State.APPLIED, State.REFUSED, State.DISCARDED), limit=LISTED)
    return render_template(
        "rosters/index.html",
        nav="rosters",
        waiting=waiting,
        done=done,
        sources=use_cases.sources.listed(),
        names=roster_words.called({upload.actor for upload in (*waiting, *done)}),
        address_of=lambda upload: roster_words.address_of(upload, actor),
        can_upload=may(actor, Action.UPLOAD_ROSTER),
        now=use_cases.clock.now(),
        words=roster_words,
    )


def largest_octets() -> int:
    """Return how large a file may be, inclusive."""
    return services().settings.rosters.largest_mib * 2**20


def allow_large_files() -> None:
    """
    Let whoever may send a roster send a large one, before anything looks at the form; of nobody else is it taken in.

    Raises:
        RequestEntityTooLarge: If it says of itself that it is too large.
    """
    if request.endpoint != "rosters.receive" or not _may_upload():
        return
    request.max_content_length = largest_octets() + MARGIN
    request.max_form_memory_size = BUFFER
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge(_too_large())


def _may_upload() -> bool:
    try:
        return may(signed_in(), Action.UPLOAD_ROSTER)
    except NotSignedIn:  # the view says so
        return False


def _too_large() -> str:
    most = services().settings.rosters.largest_mib
    return f"A roster may have {most} MiB at the most; nothing was kept. Split it by vendor, or ask IT to raise that."


@bp.get("/upload")
def upload() -> ResponseReturnValue:
    """Ask for a file."""
    permitted(Action.UPLOAD_ROSTER)
    return _upload_page()


def _upload_page(error: str = "", status: int = 200) -> ResponseReturnValue:
    use_cases = services()
    with use_cases.store.read() as unit:
        profiles = use_cases.uploads.layouts.all(unit)
    return render_template(
        "rosters/upload.html",
        nav="rosters",
        profiles={name: layout.title or name for name, layout in profiles.items()},
        chosen=request.form.get("profile", ""),
        limits=use_cases.settings.rosters,
        largest=largest_octets(),
        error=error,
    ), status


@bp.post("/upload")
def receive() -> ResponseReturnValue:
    """Take a file in, and read it as far as that needs no person."""
    actor = permitted(Action.UPLOAD_ROSTER)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _upload_page("Choose a file first.", 422)
    try:
        upload_id = services().uploads.receive(
            file.stream,  # type: ignore[arg-type] # a SpooledTemporaryFile reads as any other
            file_name=_printable(file.filename),
            way="browser",
            actor=actor.trail_name,
            member_id=actor.id,
            profile=forms.optional("profile"),
            as_of=_made(),
        )
    except LifecycleError as exc:
        return _upload_page(_too_large() if isinstance(exc, FileTooLarge) else str(exc), errors.status_here(exc))
    return go_on(services().uploads.find(upload_id))


def _made() -> datetime | None:
    """Return when the file was made, never later than now: as somebody says, or else as their machine does."""
    now, day, modified = services().clock.now(), forms.optional_day("made_on"), forms.optional("modified")
    if day is not None:
        return min(datetime.combine(day + timedelta(days=1), time(), UTC), now)
    milliseconds = whole(modified, LATEST_MILLISECONDS)
    return None if milliseconds is None else min(datetime.fromtimestamp(milliseconds / 1000, UTC), now)


def _printable(name: str) -> str:
    return "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())[:255] or "roster"


def go_on(upload: Upload, query: Mapping[str, str] = NOTHING) -> ResponseReturnValue:
    """Read a file, at once or in the background, and send the browser to the page on which it goes on."""
    intake = services().intake
    if upload.size >= roster_words.AT_ONCE or not intake.advance_at_once(upload.id):
        intake.start(upload.id)
    return redirect(url_for("rosters.show", upload_id=upload.id, **dict[str, Any](query)), 303)


@bp.get("/example.csv")
def template() -> ResponseReturnValue:
    """Send a file in the plain layout, to be filled in."""
    permitted(Action.UPLOAD_ROSTER)
    headers = {"Content-Disposition": 'attachment; filename="roster-example.csv"'}
    return Response(example(), mimetype="text/csv", headers=headers)


@bp.get("/<upload_id>")
def show(upload_id: str) -> ResponseReturnValue:
    """Go to the page on which this roster goes on."""
    actor = permitted(Action.SEE_ROSTERS)
    return redirect(_with_query(roster_words.address_of(services().uploads.find(upload_id), actor)), 303)


def _with_query(address: str) -> str:
    """Keep what of a review was looked at."""
    query = request.query_string.decode("ascii", "ignore")
    return f"{address}?{query}" if query else address


@bp.get("/<upload_id>/progress")
def progress(upload_id: str) -> ResponseReturnValue:
    """Say how far it is."""
    actor = permitted(Action.SEE_ROSTERS)
    found = services().uploads.find(upload_id)
    if not roster_words.goes_on(found):
        return redirect(_with_query(roster_words.address_of(found, actor)), 303)
    return render_template(
        "rosters/progress.html", nav="rosters", upload=found, told=_told(found), share=_share(found),
        can_upload=may(actor, Action.UPLOAD_ROSTER), words=roster_words,
    )  # fmt: skip


@bp.get("/<upload_id>/live")
def live(upload_id: str) -> ResponseReturnValue:
    """Say how far it is, to a script; ``next`` is where to go once it is done."""
    actor = permitted(Action.SEE_ROSTERS)
    found = services().uploads.find(upload_id)
    after = "" if roster_words.goes_on(found) else _with_query(roster_words.address_of(found, actor))
    return {"told": _told(found), "share": _share(found), "next": after}


def _share(upload: Upload) -> int:
    """Return how much of the file has been read, in percent."""
    return min(100, upload.octets * 100 // upload.size) if upload.size else 100


def _told(upload: Upload) -> str:
    if upload.state is State.APPLYING:
        return "Being applied. Either all of it takes effect or nothing does."
    if upload.state is State.RECEIVED:
        return "It waits for its turn; one roster is read at a time."
    if _share(upload) == 100:
        return f"{roster_words.counted(upload.lines, 'row')} read; they are compared with what is confirmed."
    return f"{roster_words.counted(upload.lines, 'row')} read so far."


@bp.post("/<upload_id>/start")
def start(upload_id: str) -> ResponseReturnValue:
    """Read it again, where reading was interrupted."""
    permitted(Action.UPLOAD_ROSTER)
    services().intake.start(services().uploads.find(upload_id).id)
    return redirect(url_for("rosters.show", upload_id=upload_id), 303)


@bp.post("/<upload_id>/discard")
def discard(upload_id: str) -> ResponseReturnValue:
    """Have nothing come of it."""
    actor = permitted(Action.UPLOAD_ROSTER)
    try:
        found = services().uploads.discard(upload_id, actor=actor.trail_name, why=forms.long_text("why"))
    except UploadClosed as exc:
        flash(str(exc))
        return redirect(url_for("rosters.show", upload_id=upload_id), 303)
    flash(f"{found.file_name} is discarded; nothing was changed.")
    return redirect(url_for("rosters.index"), 303)


@bp.get("/<upload_id>/result")
def result(upload_id: str) -> ResponseReturnValue:
    """Show what came of it."""
    actor = permitted(Action.SEE_ROSTERS)
    found = services().uploads.find(upload_id)
    confirmed = services().imports.find(found.import_id) if found.import_id else None
    return render_template(
        "rosters/result.html",
        nav="rosters",
        upload=found,
        confirmed=confirmed,
        names=roster_words.called({found.actor, *([confirmed.actor] if confirmed else [])}),
        repeated=confirmed is not None and confirmed.upload_id not in {"", found.id},
        can_upload=may(actor, Action.UPLOAD_ROSTER),
        now=services().clock.now(),
        words=roster_words,
        Weight=Weight,
    )

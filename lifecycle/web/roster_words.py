"""How rosters are told in words, and which page belongs to which state: one place decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from flask import url_for

from lifecycle.domain.comparison import WEIGHED, Kind
from lifecycle.domain.consequence import Weight
from lifecycle.domain.roster import Cause, Scope
from lifecycle.services.authorisation import Action, Actor, may
from lifecycle.services.names import names_of_actors
from lifecycle.services.upload_views import WORKING, State, Upload
from lifecycle.web.services import services

FIELDS: dict[str, tuple[str, str]] = {
    "worker_id": ("Worker id", "The number by which the staffing company knows the worker."),
    "reference": ("Contract", "The number of the contract, if it has one of its own."),
    "name": ("Name", "The whole name in one column."),
    "first_name": ("First name", ""),
    "last_name": ("Last name", ""),
    "email": ("E-mail", ""),
    "vendor": ("Vendor", "The staffing company."),
    "sponsor": ("Sponsor", "The employee who answers for the contract: e-mail address, number or name."),
    "role": ("Role", "Job title; what access a new worker begins with depends on it."),
    "site": ("Site", "Where they work. It tells the time zone and the holidays."),
    "zone": ("Time zone", "Such as Europe/Dublin."),
    "first_day": ("First day", ""),
    "last_day": ("Last day", "The day on which the contract is expected to end."),
    "actual_last_day": ("Actual last day", "The day on which it did end, where that is another column."),
    "status": ("Status", "Whether the contract runs, has ended, or was withdrawn."),
    "worker_type": ("Worker type", "Contractor or employee."),
}
"""Field of a roster to what people call it, and what it means."""
OTHER_WORDS = {"standing": "Status", "actual": "Ended for good"}

KINDS: dict[Kind, tuple[str, str, str]] = {
    Kind.NEW: ("New", "user-plus", "good"),
    Kind.SOONER: ("Leaves sooner", "calendar-minus", "bad"),
    Kind.LATER: ("Leaves later", "calendar-plus", "info"),
    Kind.CHANGED: ("Changed", "git-compare", ""),
    Kind.SAME: ("As it is", "check", ""),
    Kind.MISSING: ("Not in file", "user-minus", "warn"),
    Kind.GONE: ("Not in file again", "user-minus", "bad"),
    Kind.UNUSABLE: ("Not usable", "circle-alert", "bad"),
    Kind.NOTE: ("Worth a look", "circle-alert", "warn"),
}
"""What a row does, its icon and its colour."""

SEVERE = {
    Weight.REMOVED_NOW: "bad", Weight.GOD_SOONER: "bad", Weight.ENDS_SOONER: "warn",
    Weight.GOD_LATER: "info", Weight.ENDS_LATER: "info", Weight.GIVEN_NOW: "info", Weight.GIVEN_LATER: "info",
    Weight.CHANGES: "info",
}  # fmt: skip

SCOPES: dict[Scope, tuple[str, str]] = {
    Scope.FULL: ("Everybody", "who is not in it is noted"),
    Scope.DELTA: ("Changes only", "nothing is said of who is not in it"),
}
"""What a roster holds, and what that means for those whom it does not name."""

STATES: dict[State, tuple[str, str, str]] = {
    State.RECEIVED: ("Columns to match", "circle-dot", "warn"),
    State.READING: ("Being read", "hourglass", ""),
    State.READY: ("To be reviewed", "circle-dot", "warn"),
    State.APPLYING: ("Being applied", "hourglass", ""),
    State.HELD: ("Held for two people", "shield-alert", "bad"),
    State.APPLIED: ("Applied", "circle-check", "good"),
    State.DISCARDED: ("Discarded", "x", ""),
    State.REFUSED: ("Refused", "octagon-x", "bad"),
}

CAUSES: dict[Cause, str] = {
    Cause.DATE_ORDER: "Date is not clear",
    Cause.DATE_FORMAT: "Date is written otherwise",
    Cause.SHORT_YEAR: "Year has two digits",
    Cause.NO_SUCH_DAY: "No such day",
    Cause.NO_LAST_DAY: "No last day",
    Cause.DAYS_REVERSED: "Last day before the first",
    Cause.TOO_LONG: "Contract is too long",
    Cause.UNKNOWN_ZONE: "Time zone is not known",
    Cause.UNKNOWN_STATUS: "Status is not known",
    Cause.MISSING_VALUE: "A cell is empty",
    Cause.UNSAFE_TEXT: "Text that is not safe",
    Cause.SPOILT_ID: "Number spoilt by a spreadsheet",
    Cause.NO_ADDRESS: "No e-mail address",
    Cause.WIDTH: "Too many or too few cells",
    Cause.SHIFTED: "Cells have moved",
    Cause.SHARED_ID: "One worker id, two people",
    Cause.HELD_ID: "Worker id of somebody else",
    Cause.RENAMED: "Somebody else’s name on a contract",
    Cause.DUPLICATE: "Same contract twice",
    Cause.TAKEN: "Contract number of somebody else",
    Cause.NOT_KNOWN: "Contract is not known",
    Cause.OVERTAKEN: "A later file has said otherwise",
    Cause.CONVERSION: "Has become an employee",
    Cause.SPONSOR: "Sponsor not found",
    Cause.FILE: "File cannot be read",
    Cause.OTHER: "Something else",
}
AT_ONCE = 2 * 2**20
"""Files smaller than this many octets are read while the browser waits."""
WAYS = {
    "browser": "Uploaded here", "cli": "Command line", "folder": "Watched folder", "sftp": "SFTP", "https": "HTTPS",
    "push": "Pushed", "scim": "SCIM",
}  # fmt: skip


@dataclass(frozen=True)
class Tab:
    """One choice of rows to look at."""

    id: str
    words: str
    kinds: tuple[Kind, ...]


TABS = (
    Tab("all", "All changes", WEIGHED),
    Tab("sooner", "Leaves sooner", (Kind.SOONER,)),
    Tab("later", "Leaves later", (Kind.LATER,)),
    Tab("new", "New", (Kind.NEW,)),
    Tab("changed", "Other changes", (Kind.CHANGED,)),
    Tab("absent", "Not in file", (Kind.MISSING, Kind.GONE)),
    Tab("unusable", "Not usable", (Kind.UNUSABLE,)),
    Tab("note", "Worth a look", (Kind.NOTE,)),
)


def goes_on(upload: Upload) -> bool:
    """Say whether a roster goes on by itself: it is worked on, or its turn is still to come."""
    if upload.state is not State.RECEIVED or upload.error:
        return upload.state in WORKING
    unseen = not upload.header and upload.size >= AT_ONCE
    return upload.layout is not None or unseen or services().intake.waits(upload.id)


def address_of(upload: Upload, actor: Actor) -> str:
    """Return the address of the page on which a roster goes on for *actor*."""
    if goes_on(upload):
        return url_for("rosters.progress", upload_id=upload.id)
    page = {State.READY: "roster_review.show", State.HELD: "held.show"}.get(upload.state, "rosters.result")
    if upload.state is State.RECEIVED and may(actor, Action.UPLOAD_ROSTER):
        page = "columns.show"
    return url_for(page, upload_id=upload.id)


def rows_of(tab: Tab, upload: Upload) -> int:
    """Count the rows of a tab."""
    return sum(upload.counts.get(kind, 0) for kind in tab.kinds)


def field_words(name: str) -> str:
    """Return what people call a field of a roster."""
    return FIELDS[name][0] if name in FIELDS else OTHER_WORDS.get(name, name.replace("_", " ").capitalize())


def read_as(upload: Upload) -> str:
    """Say by which profile a roster was read, and what follows from its scope."""
    if upload.layout is None:
        return ""
    holds, meaning = SCOPES[upload.layout.scope]
    return f"Read as {upload.profile}. {holds}: {meaning}."


def value_words(value: str) -> str:
    """Return a fact as it is read: days in words."""
    try:
        return f"{date.fromisoformat(value):%-d %b %Y}" if len(value) == len("2026-03-31") else value
    except ValueError:
        return value


def called(actors: Collection[str]) -> Mapping[str, str]:
    """Return what to call whoever the trail names so; everybody is called something."""
    with services().store.read() as unit:
        names = names_of_actors(unit, actors)
    return {actor: names.get(actor) or actor.removeprefix("member:").replace(":", " ") for actor in actors}


def sentence(words: str) -> str:
    """Return a complaint about a file as a whole as a sentence."""
    words = words.removeprefix("file; ")
    return words[:1].upper() + words[1:]


def size_words(octets: int) -> str:
    """Return a size as people say it."""
    if octets < 2**20:
        return f"{max(1, round(octets / 2**10)) if octets else 0} KiB"
    return f"{octets / 2**20:.1f} MiB".replace(".0 ", " ")


def counted(number: int, one: str, several: str = "") -> str:
    """Return *number* with the word for it."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"

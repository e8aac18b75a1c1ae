"""*My access*: what a contractor has, when it changes and why, and who can help."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import About, Action
from lifecycle.web import forms
from lifecycle.web.services import permitted, services, signed_in
from lifecycle.web.told import Telling

bp = Blueprint("contractor", __name__, url_prefix="/my-access")


def _own(action: Action) -> None:
    permitted(action, About(identity_id=signed_in().identity_id))


@bp.get("")
def my_access() -> ResponseReturnValue:
    """Show the reader's own access."""
    _own(Action.SEE_OWN_ACCESS)
    own = services().team.own_access(signed_in())
    why_not_ask = services().team.why_not_ask(own.standing)
    lapses = services().resumptions.lapses(signed_in(), [own.standing])
    return render_template(
        "contractor/my_access.html", nav="my-access", own=own, why_not_ask=why_not_ask, lapses=lapses
    )


@bp.get("/record")
def record() -> ResponseReturnValue:
    """Show everything that is recorded about the reader's access."""
    _own(Action.SEE_OWN_ACCESS)
    own = services().team.own_access(signed_in())
    records = services().trail.about(list(own.objects), limit=200)
    contract = own.standing.contract
    zone = contract.engagement.zone if contract else "UTC"
    telling = Telling(zone, signed_in().login, services().trail.names(records))
    return render_template("contractor/record.html", nav="my-access", zone=zone, records=records, telling=telling)


@bp.post("/mistake")
def report_mistake() -> ResponseReturnValue:
    """Tell people that something is wrong."""
    _own(Action.REPORT_MISTAKE)
    services().team.report_mistake(signed_in(), forms.long_text("words"))
    flash("Thank you. Your sponsor, HR and IT have it, and a person will look at it.")
    return redirect(url_for("contractor.my_access"), 303)

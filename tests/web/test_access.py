"""Every route × every role: a route that nobody listed here fails, and so does one that lets the wrong people in."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from scim2_server.routing import ROUTES

from lifecycle.services.authorisation import Actor
from lifecycle.services.proposals import Draft
from lifecycle.services.sessions import actor_of
from lifecycle.store import decisions, members
from tests.web.conftest import Site, get, post, token

MACHINES = {"hr.push", "hr.show", "scim.fallback", *(f"scim.{route.name}" for route in ROUTES)}
"""Routes for programs: a token in each request, and never a cookie."""
OPEN = MACHINES | {
    "access.sign_in", "access.do_sign_in", "access.setup", "access.do_setup", "access.theme", "access.sign_out",
    "access.depart", "access.arrive", "access.invitation", "access.accept_invitation", "account.calendar",
    "api.holders", "api.access", "api.requests", "api.trail",
}  # fmt: skip
"""Routes that need nobody to be signed in: the ways in, secret addresses, and what tokens are for."""

EVERYBODY = {"petra", "oskar", "hannah", "tomas", "nora", "audrey", "dmitri", "amara"}
IT, HR, AUDITOR = {"petra", "oskar"}, {"nora"}, {"audrey"}
MANAGERS = {"hannah", "tomas"}
SPONSOR, OTHERS = "hannah", {"tomas", "dmitri"}
"""Amara Diallo is Hannah's contractor: Tomás, another manager, and Dmitri, another contractor, have no part in her."""
STAFF = IT | HR | AUDITOR
ALLOWED: dict[str, set[str]] = {
    "it.dashboard": EVERYBODY,  # whoever it is not for is sent to their own start page
    "it.live": IT | AUDITOR,
    "it.retry": IT,
    "it.move_clock": IT,
    "people.index": STAFF,
    "people.show": STAFF | {SPONSOR},
    "asking.ask": {SPONSOR, "amara"},
    "asking.send": {SPONSOR, "amara"},
    "asking.ask_for_several": MANAGERS,
    "asking.send_for_several": MANAGERS,
    "requests.index": EVERYBODY,
    "requests.show": STAFF | {SPONSOR, "amara"},
    "requests.review": IT | HR | {SPONSOR, "amara"},  # the two-person rule says the rest
    "requests.seen": IT | HR | {SPONSOR, "amara"},
    "requests.edit": {SPONSOR},
    "requests.withdraw": {SPONSOR},
    "requests.activate": {SPONSOR, "amara"},
    "requests.end_grant": IT | {SPONSOR, "amara"},
    "team.index": MANAGERS,
    "team.add_handover": {SPONSOR, "amara"},
    "team.finish_handover": {SPONSOR, "amara"},
    "team.resume": {SPONSOR, "amara"},
    "renewals.index": MANAGERS,
    "renewals.answer": {SPONSOR},
    "renewals.agree": {SPONSOR},
    "renewals.proposals": HR,
    "renewals.handle": HR,
    "rosters.index": STAFF,
    "rosters.upload": HR,
    "rosters.receive": HR,
    "rosters.template": HR,
    "rosters.show": STAFF,
    "rosters.progress": STAFF,
    "rosters.live": STAFF,
    "rosters.start": HR,
    "rosters.discard": HR,
    "rosters.result": STAFF,
    "columns.show": HR,
    "columns.match": HR,
    "roster_review.show": STAFF,
    "roster_review.repair": HR,
    "roster_review.again": STAFF,
    "roster_review.apply": HR,
    "roster_review.unusable": HR,  # with all cells of the file, also those of columns that nobody has matched
    "held.show": STAFF,
    "held.take_back": HR,
    "held.review": IT | HR,  # the guard's two people, neither the sender nor of the vendor: test_rosters.py
    "sources.index": STAFF,
    "sources.show": STAFF,
    "sources.freeze": IT | HR,
    "sources.thaw": IT | HR,
    "cutoff.show": IT | HR | {SPONSOR},
    "cutoff.live": IT | HR | {SPONSOR},
    "cutoff.end_now": IT | HR | {SPONSOR},
    "cutoff.undo": IT | HR | {SPONSOR},
    "contractor.my_access": {"dmitri", "amara"},
    "contractor.record": {"dmitri", "amara"},
    "contractor.report_mistake": {"dmitri", "amara"},
    "trail.index": {"petra", "audrey"},
    "trail.export": {"petra", "audrey"},
    "members.index": {"petra"},
    "members.invite": {"petra"},
    "members.invite_again": {"petra"},
    "members.set_roles": {"petra"},
    "members.disable": {"petra"},
    "members.enable": {"petra"},
    "members.make_employee": {"petra"},
    "members.forget_passkeys": {"petra"},
    "members.tokens": {"petra"},
    "members.make_token": {"petra"},
    "members.revoke_token": {"petra"},
    "account.show": EVERYBODY,
    "account.end_session": EVERYBODY,
    "account.end_other_sessions": EVERYBODY,
    "account.passkey_options": EVERYBODY,
    "account.add_passkey": EVERYBODY,
    "account.remove_passkey": EVERYBODY,
    "account.make_calendar": IT | HR,
    "account.revoke_calendar": EVERYBODY,
    "confirm.show": EVERYBODY,
    "confirm.by_password": EVERYBODY,
    "confirm.by_provider": EVERYBODY,
    "confirm.passkey_options": EVERYBODY,
    "confirm.by_passkey": EVERYBODY,
}


@dataclass
class Case:
    """Real things of Amara's that the routes are tried on."""

    paths: dict[str, str]


@pytest.fixture(scope="module")
def case(site: Site) -> Iterator[Case]:
    runtime = site.runtime
    amara = runtime.persons.find("CW-1013")
    with runtime.store.read() as unit:
        hannah = actor_of(members.by_keys(unit, ["hannah"])[0], runtime.sessions.wall())
    draft = Draft(amara, "billing.refund-small", timedelta(hours=24), "for the matrix")
    request = runtime.requests.ask(hannah, draft)
    runtime.team.add_handover(hannah, amara, "the matrix itself", "")
    with runtime.store.read() as unit:
        contracts = runtime.parties.contracts(unit, amara)
        handover = decisions.handover_of(unit, [c.engagement.id for c in contracts])[0].id
        questions = decisions.questions_for(unit, ["hannah.osei@example.com"], runtime.clock.now().date(), 100)
        renewal = next(q[0].id for q in questions if q[2] == "Amara Diallo")
    grant = next(g.id for c in contracts for g in c.grants)
    upload_id = runtime.uploads.receive(io.BytesIO(b"x\n"), file_name="x.csv", way="browser", actor="member:nora")
    yield Case(
        {
            "identity_id": str(amara),
            "engagement_id": str(contracts[0].engagement.id),
            "request_id": request,
            "grant_id": grant,
            "handover_id": str(handover),
            "renewal_id": str(renewal),
            "name": "console",
            "member_id": "no-such-member",
            "token_id": "no-such-token",
            "token": "no-such-calendar",
            "session_id": "no-such-session",
            "feed_id": "no-such-feed",
            "key": "no-such-key",
            "upload_id": upload_id,
            "push_id": "no-such-push",
            "resource_endpoint": "Users",
            "resource_id": "no-such-person",
            "path": "no-such-path",
        }
    )


def path_of(rule: Any, case: Case) -> str:
    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda found: case.paths[found[1]], rule.rule)


def rules(site: Site) -> list[Any]:
    app: Flask = site.app
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_route_is_listed_here(site: Site) -> None:
    assert {rule.endpoint for rule in rules(site)} == OPEN | ALLOWED.keys()


def test_every_other_route_asks_strangers_to_sign_in(site: Site, case: Case) -> None:
    client = site.client(signed_in=False)
    csrf = token(client)
    for rule in rules(site):
        if rule.endpoint in OPEN:
            continue
        path = path_of(rule, case)
        answer = send(client, rule, path, csrf)
        assert answer.status_code == 303, path
        assert "/sign-in" in answer.headers["Location"], path


def send(client: Any, rule: Any, path: str, csrf: str, **form: str) -> Any:
    if "POST" not in (rule.methods or ()):
        return get(client, path)
    return client.post(
        path, data={"csrf_token": csrf, **form}, base_url="https://localhost", headers={"Referer": "https://localhost/"}
    )


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_each_role_reaches_what_is_for_it_and_nothing_else(site: Site, case: Case, who: str) -> None:
    """Forms are sent empty, so that nothing happens: what is permitted is then unreadable, and not forbidden."""
    client = site.client(who)
    csrf = token(client, "/me")
    for rule in rules(site):
        if rule.endpoint in OPEN or rule.endpoint == "account.end_other_sessions":
            continue
        path = path_of(rule, case)
        form = {"verdict": "approve", "shown": "x"} if rule.endpoint == "requests.review" else {}
        form |= {"hours": "1", "reason": ""} if rule.endpoint == "requests.edit" else {}
        form |= {"answer": "extend"} if rule.endpoint == "renewals.answer" else {}
        form |= {"login": ""} if rule.endpoint.startswith("members.") else {}
        form |= {"whose": "all"} if rule.endpoint == "account.make_calendar" else {}
        form |= {"task": ""} if "handover" in rule.endpoint else {}
        if who in ALLOWED[rule.endpoint] and rule.endpoint in HARMFUL:
            continue
        answer = send(client, rule, path, csrf, **form)
        forbidden = answer.status_code == 403 and "That is not permitted" in answer.text
        assert answer.status_code < 500, f"{who} {path}: {answer.status_code}"
        assert forbidden is (who not in ALLOWED[rule.endpoint]), f"{who} {rule.endpoint}: {answer.status_code}"


HARMFUL = {"requests.withdraw", "requests.end_grant", "requests.activate", "team.finish_handover", "renewals.handle",
           "it.retry", "account.make_calendar", "requests.seen", "rosters.discard", "rosters.start"}  # fmt: skip
"""What would really happen even with an empty form; that these are permitted is shown where they are tested."""


def test_no_get_changes_anything_and_every_post_needs_its_token(site: Site, case: Case) -> None:
    client = site.client()
    for rule in rules(site):
        path = path_of(rule, case)
        if "POST" in (rule.methods or ()) and rule.endpoint not in MACHINES:
            answer = client.post(path, base_url="https://localhost", data={"step": "hour"})
            assert answer.status_code == 400, path
            assert "GET" not in (rule.methods or ()), "one address, one meaning"
    before = site.runtime.trail.verify().records
    for who in ("petra", "hannah", "amara"):
        client = site.client(who)
        signed = site.runtime.trail.verify().records
        for rule in rules(site):
            if "GET" in (rule.methods or ()):
                get(client, path_of(rule, case))
        assert site.runtime.trail.verify().records == signed
    assert before < signed


def test_no_session_opens_what_is_for_programs(site: Site, case: Case) -> None:
    client = site.client("petra")
    for rule in rules(site):
        if rule.endpoint in MACHINES:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                answer = client.open(path_of(rule, case), method=method, base_url="https://localhost", json={})
                assert answer.status_code == 401, f"{method} {rule.rule}"


@pytest.mark.parametrize("who", ["tomas", "dmitri"])
def test_another_managers_contractor_is_out_of_reach(site: Site, case: Case, who: str) -> None:
    client = site.client(who)
    amara, request = case.paths["identity_id"], case.paths["request_id"]
    for path in (f"/people/{amara}", f"/people/{amara}/ask", f"/people/{amara}/revoke", f"/requests/{request}"):
        answer = get(client, path)
        assert answer.status_code == 403, path
        assert "Amara" not in answer.text
    form = {"entitlement": "billing.refund-small", "hours": "24", "reason": "because", "typed": "Amara Diallo"}
    for path in (f"/people/{amara}/ask", f"/people/{amara}/revoke", f"/grants/{case.paths['grant_id']}/end"):
        assert post(client, path, **form).status_code == 403, path
    batch = post(client, "/team/ask", id=amara, **form)
    assert "may not ask" in batch.text or batch.status_code == 403


def test_a_link_that_is_only_opened_approves_nothing(site: Site, case: Case) -> None:
    """Mail scanners open every link."""
    client = site.client("oskar")
    get(client, f"/requests/{case.paths['request_id']}?verdict=approve&note=yes")
    assert get(client, f"/requests/{case.paths['request_id']}/reviews").status_code == 405


def test_tables_are_never_filled_from_forms(site: Site, case: Case) -> None:
    client = site.client("hannah")
    form = {"entitlement": "moderation.flag", "hours": "24", "reason": "mass assignment", "approvals_needed": "0"}
    post(client, f"/people/{case.paths['identity_id']}/ask", resolution="approved", god="0", **form)
    with site.runtime.store.read() as unit:
        cases = site.runtime.team.waiting(unit, case.paths["identity_id"], site.runtime.clock.now())
    asked = next(c for c in cases if c.row.entitlement == "moderation.flag")
    assert (asked.row.resolution, asked.row.approvals_needed) == ("pending", 1)


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "-1", "x"])
def test_numbers_that_name_nothing_are_not_found(site: Site, number: str) -> None:
    client = site.client("hannah")
    for path in (f"/renewals/{number}", f"/handover/{number}/done"):
        assert post(client, path, answer="lapse").status_code in {404, 405}, path


@pytest.mark.parametrize("hours", ["", "0", "-1", "x", "nan", "inf", "1e999", "1e308", "99999999", "0.0000001"])
def test_no_duration_breaks_anything(site: Site, case: Case, hours: str) -> None:
    client = site.client("hannah")
    amara, request = case.paths["identity_id"], case.paths["request_id"]
    query = (
        f"/people/{amara}/ask?entitlement=billing.refund-any&hours={hours}&other={hours}&window={hours}&kind={hours}"
    )
    assert get(client, query).status_code == 200
    assert post(client, f"/requests/{request}/edit", hours=hours, reason="because").status_code in {303, 400, 422}
    form = {"verdict": "approve", "shown": "x", "longest": hours}
    assert post(site.client("oskar"), f"/requests/{request}/reviews", **form).status_code in {400, 409}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "9999-99-99", "tomorrow", "2026-02-30"])
def test_no_day_breaks_anything(site: Site, case: Case, day: str) -> None:
    client = site.client("hannah")
    form = {"answer": "extend", "proposed_day": day, "bridge_until": day, "note": "because"}
    assert post(client, f"/renewals/{case.paths['renewal_id']}", **form).status_code in {400, 422}
    assert get(site.client("nora"), f"/people?last_day={day}").status_code in {200, 400}


def test_a_denial_without_a_reason_is_asked_for_it_on_the_same_page(site: Site, case: Case) -> None:
    client = site.client("oskar")
    request = next(c.row.id for c in site.runtime.inbox.pending(Actor("", "", "")) if not c.request.god)
    shown = get(client, f"/requests/{request}").text.split('name="shown" value="', 1)[1].split('"', 1)[0]
    answer = post(client, f"/requests/{request}/reviews", verdict="deny", shown=shown, note=" ")
    assert answer.status_code == 422
    assert "Please say why" in answer.text
    assert "Approve until" in answer.text


def test_strange_digits_and_nul_are_refused_and_not_stored(site: Site, case: Case) -> None:
    client, auditor = site.client("oskar"), site.client("audrey")
    path = f"/requests/{case.paths['request_id']}/reviews"
    assert post(client, path, verdict="approve", shown="x", longest="²").status_code == 400
    assert get(auditor, "/trail?before=²").status_code == 200
    assert post(site.client("petra"), "/tokens", name="x", days="²", scope="access:read").status_code == 422
    for path in ("/people?q=%00", "/people/a%00b", "/trail?actor=%00"):
        assert get(auditor, path).status_code == 400, path

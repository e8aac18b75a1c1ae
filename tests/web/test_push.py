"""``POST /hr/v1/bulk``: kept at once, handed on in order, told apart operation by operation; strangers get nothing."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.push_bulk import BulkRefused, Operation, TooManyOperations, read_bulk
from lifecycle.services.strict_json import JsonRefused, read
from lifecycle.services.ways.ports import NotNow
from lifecycle.settings import PushSettings, Settings
from lifecycle.store.people_tables import NoticeRow
from lifecycle.store.push_tables import PushRow
from lifecycle.store.tables import EngagementRow, IdentityRow
from tests.web.pushing import CONTRACT, ENTERPRISE, USER, Peer, bulk, make_peer, person

ENTRA = {
    "schemas": [USER, ENTERPRISE, "urn:contoso:employee"],
    "externalId": "701984",
    "userName": "bjensen@example.com",
    "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara"},
    "displayName": "Barbara Jensen",
    "emails": [{"value": "home@example.com", "type": "home"}, {"value": "bjensen@example.com", "type": "work"}],
    "addresses": [{"type": "work", "formatted": "100 Universal City Plaza\nHollywood", "country": "USA"}],
    "phoneNumbers": [{"value": "555-555-5555", "type": "work"}],
    "title": "Tour Guide",
    "timezone": "America/Los_Angeles",
    "active": True,
    ENTERPRISE: {"employeeNumber": "701984", "organization": "Universal Studios", "manager": {"value": "89607"}},
    "urn:contoso:employee": {"HireDate": "2021-05-01T00:00:00-05:00", "JobCode": "AB-1002"},
}
"""As Microsoft's examples have it: no contract of ours, and a schema of somebody else's."""
DAYS = {CONTRACT: {"firstDay": "2026-01-05", "lastDay": "2026-06-30"}}


def hire(peer: Peer, worker: str, *references: str, last: date = date(2026, 6, 30)) -> None:
    """Have somebody on the roster already."""
    now = peer.clock.now()
    with peer.store.write() as unit:
        unit.session.add(IdentityRow(id=f"id-{worker}", source="push", worker_id=worker, name="X", created_at=now))
        unit.session.flush()
        for reference in references:
            unit.session.add(
                EngagementRow(
                    id=reference, identity_id=f"id-{worker}", source="push", reference=reference,
                    first_day=date(2026, 1, 1), last_day=last, zone="Europe/Berlin", vendor="Northgate",
                )
            )  # fmt: skip


def test_a_push_is_kept_at_once_and_applied_later(peer: Peer) -> None:
    answer = peer.push(person())
    assert answer.status_code == 202
    assert peer.intake.deliveries == [], "nothing is done while the caller waits"
    assert [o["state"] for o in peer.outcome(answer)] == ["waiting"]
    peer.pushes.run()
    assert [(o["bulkId"], o["externalId"], o["state"]) for o in peer.outcome(answer)] == [("1", "W-1", "applied")]
    (made,) = peer.intake.deliveries
    assert (made.way, made.profile, made.as_of) == ("push", "push", peer.clock.now())
    assert made.rows == [
        {
            "worker_id": "W-1", "reference": "C-W-1", "name": "Person W-1", "email": "W-1@example.com",
            "vendor": "Northgate", "sponsor": "boss@example.com", "role": "agent", "site": "berlin",
            "zone": "Europe/Berlin", "first_day": "2026-01-05", "last_day": "2026-06-30", "status": "running",
        }
    ]  # fmt: skip


def test_what_entra_sends_lacks_the_days_and_is_not_guessed(peer: Peer) -> None:
    answer = peer.push(ENTRA, {**ENTRA, **DAYS})
    first, second = peer.outcome(answer)
    assert (first["state"], first["externalId"]) == ("refused", "701984")
    assert f"{CONTRACT}:firstDay" in first["reason"]
    assert second["state"] == "waiting"
    peer.pushes.run()
    (row,) = peer.intake.rows
    assert (row["name"], row["email"], row["vendor"]) == ("Barbara Jensen", "bjensen@example.com", "Universal Studios")
    assert (row["sponsor"], row["role"], row["zone"]) == ("89607", "Tour Guide", "America/Los_Angeles")


def test_nothing_is_stored_that_was_not_asked_for(peer: Peer) -> None:
    answer = peer.push({**ENTRA, **DAYS})
    with peer.store.read() as unit:
        stored = repr(unit.session.scalars(select(PushRow)).one().operations)
    assert "Barbara" in stored
    assert not [word for word in ("555-", "Hollywood", "AB-1002", "contoso") if word in stored]
    peer.pushes.run()
    assert peer.outcome(answer)[0]["state"] == "applied"
    with peer.store.read() as unit:
        assert "Barbara" not in repr(unit.session.scalars(select(PushRow)).one().operations), (
            "kept no longer than needed"
        )


def test_a_bulk_id_may_stand_twice_and_the_later_word_on_a_contract_counts(peer: Peer) -> None:
    request = bulk(person("A", displayName="Before"), person("B"), person("A", displayName="After"))
    for operation in request["Operations"]:
        operation["bulkId"] = "the same"
    answer = peer.call("POST", "/hr/v1/bulk", request)
    peer.pushes.run()
    assert [o["state"] for o in peer.outcome(answer)] == ["superseded", "applied", "applied"]
    assert [(row["worker_id"], row["name"]) for row in peer.intake.rows] == [("B", "Person B"), ("A", "After")]


def test_the_same_push_again_is_handed_on_again_and_never_taken_for_an_old_file(peer: Peer) -> None:
    """Ended, back, ended again: were the bytes equal, the second end would look like a file applied long ago."""
    for _ in range(2):
        peer.push(person())
        peer.pushes.run()
    first, second = peer.intake.deliveries
    assert first.rows == second.rows
    assert first.content != second.content


@pytest.mark.parametrize("said", [False, "False", "false", " FALSE "])
def test_whoever_is_not_active_loses_every_running_contract(peer: Peer, said: Any) -> None:
    hire(peer, "W-1", "C-1", "C-2")
    answer = peer.push({"externalId": "W-1", "active": said, "emails": "nonsense"})
    peer.pushes.run()
    assert peer.intake.deliveries[0].profile == "push-ends", "an end is never lost over another fact that is broken"
    assert peer.intake.rows == [
        {"worker_id": "W-1", "reference": "C-1", "status": "ended"},
        {"worker_id": "W-1", "reference": "C-2", "status": "ended"},
    ]
    assert peer.outcome(answer)[0]["state"] == "applied"


def test_an_end_names_its_contract_if_that_is_known_and_otherwise_ends_all(peer: Peer) -> None:
    hire(peer, "W-1", "C-1", "C-2")
    hire(peer, "W-2", "C-3")
    hire(peer, "W-3", "C-4", last=date(2026, 2, 1))
    answer = peer.push(
        person("W-1", active=False, contract={"contractNumber": "C-2"}),
        person("W-2", active=False, contract={"contractNumber": "never heard of"}),
        person("W-3", active=False),
        person("W-4", active=False),
    )
    peer.pushes.run()
    assert [row["reference"] for row in peer.intake.rows] == ["C-2", "C-3"]
    outcome = peer.outcome(answer)
    assert [o["state"] for o in outcome] == ["applied"] * 4
    assert "nothing to end" in outcome[2]["reason"]
    assert "nothing to end" in outcome[3]["reason"]


def test_ends_come_first_and_spare_what_the_same_push_starts(peer: Peer) -> None:
    hire(peer, "W-1", "C-1", "C-2")
    peer.push({"externalId": "W-1", "active": False}, person("W-1", contract={"contractNumber": "C-2"}))
    peer.pushes.run()
    assert [made.profile for made in peer.intake.deliveries] == ["push-ends", "push"]
    assert [row["reference"] for row in peer.intake.rows] == ["C-1", "C-2"]


def test_what_waits_for_people_says_so_until_they_have_decided(peer: Peer) -> None:
    peer.intake.next_state = "held"
    answers = [peer.push(person("A")), peer.push(person("B")), peer.push(person("C"), person("D"))]
    peer.pushes.run()
    assert [peer.outcome(answer)[0]["state"] for answer in answers] == ["held"] * 3
    peer.intake.next_state = "applied"
    later = peer.push(person("E"))
    peer.pushes.run()
    assert peer.outcome(later)[0]["state"] == "applied", "what waits for people holds up nobody else"
    for made, state in zip(peer.intake.deliveries, ("applied", "discarded", "applied"), strict=False):
        made.state = state
    peer.intake.complaints["upload-3"] = {2: "line 2: the sponsor is not known here"}
    for _ in range(2):  # asked before the scheduler has looked, and after
        assert [peer.outcome(answer)[0]["state"] for answer in answers] == ["applied", "refused", "applied"]
        assert peer.outcome(answers[2])[1] == {
            "bulkId": "2", "externalId": "D", "state": "refused", "reason": "line 2: the sponsor is not known here",
        }  # fmt: skip
        peer.pushes.run()


@pytest.mark.parametrize("decided", ["applied", "discarded"])
def test_an_end_waits_behind_a_beginning_that_people_still_look_at(peer: Peer, decided: str) -> None:
    """Or whoever has left meanwhile would be let in when the batch is released."""
    peer.intake.next_state = "held"
    peer.push(person("W-1"))
    peer.pushes.run()
    end = peer.push({"externalId": "W-1", "active": False}, {"externalId": "W-2", "active": False})
    peer.pushes.run()
    assert [o["state"] for o in peer.outcome(end)] == ["held", "applied"]
    assert "earlier" in peer.outcome(end)[0]["reason"]
    peer.intake.deliveries[0].state, peer.intake.next_state = decided, "applied"
    if decided == "applied":
        hire(peer, "W-1", "C-W-1")
    for _ in range(2):
        peer.pushes.run()
    assert [o["state"] for o in peer.outcome(end)] == ["applied", "applied"]
    ended = [row["reference"] for row in peer.intake.rows if row["status"] == "ended"]
    assert ended == (["C-W-1"] if decided == "applied" else [])


def test_what_was_handed_on_before_an_error_is_not_handed_on_twice(peer: Peer) -> None:
    hire(peer, "W-1", "C-1")
    answer = peer.push({"externalId": "W-1", "active": False}, person("W-2"))
    peer.intake.fails_for = "push"
    peer.pushes.run()
    peer.intake.fails_for = ""
    peer.clock.move(minutes=11)
    peer.pushes.run()
    assert [made.profile for made in peer.intake.deliveries] == ["push-ends", "push"]
    assert [o["state"] for o in peer.outcome(answer)] == ["applied", "applied"]


def test_a_file_refused_as_a_whole_refuses_its_operations(peer: Peer) -> None:
    peer.intake.next_state, peer.intake.next_error = "refused", "the source is frozen"
    told = peer.push(person())
    peer.pushes.run()
    assert peer.outcome(told)[0]["reason"] == "the source is frozen"
    peer.intake.failure = LifecycleError("there is no such profile")
    told = peer.push(person())
    peer.pushes.run()
    assert (peer.outcome(told)[0]["state"], peer.outcome(told)[0]["reason"]) == ("refused", "there is no such profile")


@pytest.mark.parametrize("failure", [OSError("the disk is full"), NotNow("another roster is being applied")])
def test_what_fails_for_now_is_tried_again_in_order_for_ever(peer: Peer, failure: Exception) -> None:
    answers = [peer.push(person("A")), peer.push(person("B"))]
    peer.intake.failure = failure
    for _ in range(6):
        peer.pushes.run()
        peer.clock.move(minutes=11)
    assert [peer.outcome(answer)[0]["state"] for answer in answers] == ["waiting"] * 2
    with peer.store.read() as unit:
        attempts = [row.attempts for row in unit.session.scalars(select(PushRow).order_by(PushRow.__table__.c.n))]
    assert attempts == [6, 0], "the second waits behind the first"
    peer.intake.failure = None
    peer.pushes.run()
    assert [row["worker_id"] for row in peer.intake.rows] == ["A", "B"]


def test_a_failure_is_not_repeated_before_its_time(peer: Peer) -> None:
    peer.push(person())
    peer.intake.failure = OSError("the disk is full")
    peer.pushes.run()
    peer.intake.failure = None
    peer.pushes.run()
    assert peer.intake.deliveries == []
    peer.clock.move(minutes=1)
    peer.pushes.run()
    assert len(peer.intake.deliveries) == 1


def test_a_push_is_told_to_its_own_token_only(peer: Peer) -> None:
    location = peer.push(person()).headers["Location"]
    assert peer.call("GET", location, token=peer.make_token("hr:push")).status_code == 404
    for other in ("/hr/v1/bulk/no-such-push", "/hr/v1/bulk/a%00b"):
        assert peer.call("GET", other).status_code == 404


def test_hr_is_told_once_a_day_and_it_when_it_keeps_failing(ready_url: str) -> None:
    peer = make_peer(ready_url, calls_per_second=1000)
    peer.pushes.notices.settings = peer.settings.notices.model_copy(update={"hr": ("hr@x.org",), "it": ("it@x.org",)})
    peer.push(ENTRA)
    peer.push(ENTRA)
    peer.push(person())
    peer.intake.failure = OSError("the disk is full")
    for _ in range(7):
        peer.pushes.run()
        peer.clock.move(minutes=11)
    with peer.store.read() as unit:
        told = {row.recipient: row for row in unit.session.scalars(select(NoticeRow))}
        assert len(list(unit.session.scalars(select(NoticeRow)))) == 2
    assert "701984" in told["hr@x.org"].body
    assert "the disk is full" in told["it@x.org"].body
    peer.store.close()


def test_what_became_of_a_push_is_forgotten_in_time(peer: Peer) -> None:
    location = peer.push(person()).headers["Location"]
    peer.pushes.run()
    peer.clock.move(days=29)
    peer.pushes.run()
    peer.token = peer.make_token("hr:push")  # the first one has ended by now; it is a new day
    with peer.store.read() as unit:
        assert unit.session.scalars(select(PushRow)).one().id in location
    peer.clock.move(days=2)
    peer.pushes.run()
    with peer.store.read() as unit:
        assert unit.session.scalars(select(PushRow)).all() == []


def test_errors_beyond_those_that_the_caller_puts_up_with_stop_the_rest(peer: Peer) -> None:
    answer = peer.push(person("A"), ENTRA, person("B"), failOnErrors=1)
    assert [o["state"] for o in peer.outcome(answer)] == ["waiting", "refused", "refused"]
    assert "failOnErrors" in peer.outcome(answer)[2]["reason"]


def test_fifty_are_taken_and_fifty_one_are_not(peer: Peer) -> None:
    assert peer.push(*(person(f"W-{n}") for n in range(50))).status_code == 202
    answer = peer.push(*(person(f"W-{n}") for n in range(51)))
    assert (answer.status_code, answer.get_json()["scimType"]) == (413, "tooMany")


def test_a_caller_in_a_hurry_is_told_when_to_come_back(ready_url: str) -> None:
    peer = make_peer(ready_url, calls_per_second=2)
    answers = [peer.push(person()) for _ in range(20)]
    late = [answer for answer in answers if answer.status_code == 429]
    assert late
    assert int(late[0].headers["Retry-After"]) >= 1
    assert peer.call("GET", "/hr/v1/bulk/x", token=peer.make_token("hr:push")).status_code == 404, "others are not late"
    peer.store.close()


def test_defaults_of_the_configuration_fill_what_a_feed_never_says(ready_url: str) -> None:
    peer = make_peer(ready_url, vendor="Northgate", zone="Europe/Berlin", source="workday")
    bare = {"externalId": "W", "displayName": "W", **DAYS}
    peer.push(bare)
    peer.pushes.run()
    (row,) = peer.intake.rows
    assert (row["vendor"], row["zone"]) == ("Northgate", "")
    whole, ends = peer.settings.push.profiles["push"], peer.settings.push.profiles["push-ends"]
    assert (whole.zone, whole.source, ends.source) == ("Europe/Berlin", "workday", "workday")
    assert set(row) == set(whole.columns)
    peer.store.close()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"externalId": ""}, "externalId"),
        ({"externalId": 7}, "externalId"),
        ({"externalId": "x" * 255}, "externalId"),
        ({"displayName": "A\u202eB"}, "displayName"),
        ({"displayName": "A\x00B"}, "displayName"),
        ({"displayName": "A\ud800B"}, "displayName"),
        ({"displayName": None}, "displayName"),
        ({"active": "maybe"}, "active"),
        ({"active": 0}, "active"),
        ({"emails": ["a@example.com"]}, "emails"),
        ({"emails": [{"value": 7}]}, "emails"),
        ({CONTRACT: "text"}, CONTRACT),
        ({"timezone": "Mars/Olympus", CONTRACT: {**DAYS[CONTRACT], "vendor": "N"}}, "timezone"),
        ({CONTRACT: {**DAYS[CONTRACT]}}, "vendor"),
        ({CONTRACT: {**DAYS[CONTRACT], "vendor": "N"}}, "timeZone"),
        *(
            ({CONTRACT: {"firstDay": "2026-01-05", "lastDay": day}}, "lastDay")
            for day in ("", None, "31.03.2026", "2026-02-30", "2026-W01-1", "20260331", "2026-01-04",
                        "2026-03-31T00:00:00Z", "٢٠٢٦-٠٣-٣١", 20260331, ["2026-03-31"])
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_alone_and_says_where(peer: Peer, change: dict[str, Any], where: str) -> None:
    answer = peer.push(person("good"), {**person("bad"), **change})
    good, bad = peer.outcome(answer)
    assert good["state"] == "waiting"
    assert bad["state"] == "refused"
    assert where in bad["reason"]
    assert "\u202e" not in json.dumps(bad, ensure_ascii=False)


@pytest.mark.parametrize(
    "operation",
    [None, "x", [], {}, {"method": "DELETE", "path": "/Users/1"}, {"method": "POST", "path": "/Groups", "data": {}},
     {"method": "POST", "path": "/Users", "data": None}, {"method": ["POST"], "path": {}, "bulkId": {}, "data": []},
     {"method": "POST", "path": "/Users", "bulkId": "\ud800", "data": {"externalId": "\u0000"}}],
)  # fmt: skip
def test_an_operation_that_is_none_is_refused(peer: Peer, operation: Any) -> None:
    answer = peer.call("POST", "/hr/v1/bulk", {**bulk(), "Operations": [operation]})
    assert [o["state"] for o in peer.outcome(answer)] == ["refused"]


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"schemas": [}', DEEP, b"[" * 100_000, b'{"a": NaN}', b"1" * 5000,
     json.dumps(bulk(failOnErrors="x")).encode(), json.dumps(bulk(failOnErrors=0)).encode(),
     json.dumps(bulk(failOnErrors=True)).encode(), json.dumps(bulk(Operations=[])).encode(),
     json.dumps(bulk(Operations={})).encode(), json.dumps(bulk(schemas=None)).encode(),
     json.dumps(bulk(schemas=["urn:x"])).encode(),
     json.dumps(bulk(person())).replace('"active": true', '"active": true, "active": false').encode(),
     json.dumps(bulk(person())).replace('"active": true', '"active": true, "Active": false').encode()],
)  # fmt: skip
def test_a_body_that_is_no_bulk_request_is_refused_whole(peer: Peer, body: bytes) -> None:
    answer = peer.call("POST", "/hr/v1/bulk", body)
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert answer.get_json()["status"] == "400"
    with peer.store.read() as unit:
        assert unit.session.scalars(select(PushRow)).all() == []


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x"])  # fmt: skip
def test_another_content_type_is_refused(peer: Peer, kind: str) -> None:
    answer = peer.call("POST", "/hr/v1/bulk", bulk(person()), **{"Content-Type": kind})
    assert (answer.status_code, answer.get_json()["status"]) == (415, "415")


def test_a_body_may_be_larger_than_a_form_but_not_without_end(peer: Peer) -> None:
    padded = person(nickName="x" * 500_000)
    assert peer.push(padded).status_code == 202
    answer = peer.push(person(nickName="x" * 2**20))
    assert (answer.status_code, answer.get_json()["status"]) == (413, "413")
    assert peer.call("POST", "/hr/v1/bulk", bulk(person()), **{"Content-Type": "application/json"}).status_code == 202


def test_strangers_learn_nothing_and_other_tokens_may_not(peer: Peer) -> None:
    reader = peer.make_token("access:read")
    for method, path in (("POST", "/hr/v1/bulk"), ("GET", "/hr/v1/bulk/x")):
        for stranger in ("", "x", "lcy_" + "0" * 56):
            answer = peer.call(method, path, b"{", token=stranger, **{"Content-Type": "text/plain"})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.get_json()["detail"] == "This token is not valid."
        assert peer.call(method, path, b"{", token=reader).status_code == 403


def test_pages_of_other_sites_change_nothing_but_the_same_headers_do_no_harm_to_a_token(peer: Peer) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Cookie": "sid=whatever"}
    assert peer.call("POST", "/hr/v1/bulk", bulk(person()), token="", **headers).status_code == 401
    assert peer.call("POST", "/hr/v1/bulk", bulk(person()), **headers).status_code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_named_as_missing(peer: Peer, method: str) -> None:
    answer = peer.call(method, "/hr/v1/bulk")
    assert (answer.status_code, answer.get_json()["status"]) == (405, "405")
    assert "POST" in answer.headers["Allow"]
    assert peer.call("GET", "/hr/v1/nothing").get_json()["status"] == "404"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["2026-01-05", "POST", "Users"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["externalId", "active", "name", "emails", "value", "manager", "firstDay", "lastDay", "data",
                         "method", "path", "bulkId", CONTRACT, ENTERPRISE]) | st.text(max_size=5),
        inner, max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(people=st.lists(VALUES, min_size=1, max_size=4), whole=st.booleans())
def test_whatever_is_sent_becomes_operations_or_a_named_refusal(people: list[Any], whole: bool) -> None:
    document = bulk(*people) if whole else {**bulk(), "Operations": people}
    body = json.dumps(document).encode()
    try:
        operations = read_bulk(read(body), PushSettings())
    except (JsonRefused, BulkRefused, TooManyOperations):
        return
    assert len(operations) == len(people)
    for operation in operations:
        assert Operation.load(json.loads(json.dumps(operation.stored()))) == operation
        assert operation.open is (operation.row is not None)
        json.dumps(operation.stored(), ensure_ascii=False).encode()


def test_names_of_these_profiles_are_taken(peer: Peer) -> None:
    document = peer.settings.model_dump(exclude={"folder"})
    document["profiles"] = {"push": peer.settings.push.profiles["push"].model_dump()}
    with pytest.raises(ValueError, match=r"profiles\.push"):
        Settings.model_validate(document)


def test_a_token_that_has_ended_pushes_no_more(peer: Peer) -> None:
    peer.clock.move(days=31)
    assert peer.push(person()).status_code == 401

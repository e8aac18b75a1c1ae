"""``/scim/v2``: what the conformance tester asks, what Entra and Okta really send, and what reaches roster intake."""

from collections import Counter
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from sqlalchemy import select

from lifecycle.services import scim_users
from lifecycle.store.push_tables import PushRow, ScimUserRow
from lifecycle.store.tables import AuditRow, EngagementRow, IdentityRow
from tests.servers.pages import serving
from tests.web.pushing import CONTRACT, ENTERPRISE, USER, Peer, make_peer, person

PATCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
USERS = "/scim/v2/Users"


def create(peer: Peer, worker: str = "W-1", **changes: Any) -> str:
    answer = peer.call("POST", USERS, person(worker, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.get_json(force=True)["id"])


def patch(peer: Peer, user: str, *operations: dict[str, Any], **headers: str) -> Any:
    return peer.call("PATCH", f"{USERS}/{user}", {**PATCH, "Operations": list(operations)}, **headers)


def read(peer: Peer, user: str) -> Any:
    return peer.call("GET", f"{USERS}/{user}").get_json(force=True)


def handed_on(peer: Peer) -> list[dict[str, str]]:
    """Let what waits be handed on, and return it."""
    before = len(peer.intake.rows)
    peer.pushes.run()
    return peer.intake.rows[before:]


def hire(peer: Peer, worker: str, *references: str) -> None:
    """Have somebody on the roster already."""
    with peer.store.write() as unit:
        now = peer.clock.now()
        unit.session.add(IdentityRow(id=worker, source="push", worker_id=worker, name="X", created_at=now))
        unit.session.flush()
        for reference in references:
            unit.session.add(
                EngagementRow(
                    id=reference, identity_id=worker, source="push", reference=reference,
                    first_day=date(2026, 1, 1), last_day=date(2026, 6, 30), zone="Europe/Berlin", vendor="Northgate",
                )
            )  # fmt: skip


def test_the_conformance_tester_finds_nothing_wrong(peer: Peer) -> None:
    with serving(peer.app) as address:
        headers = {"Authorization": f"Bearer {peer.token}"}
        with httpx2.Client(base_url=f"{address}/scim/v2", headers=headers) as http:
            results = check_server(SyncSCIMClient(http))
    wrong = [(r.title, r.resource_type, r.reason) for r in results if r.status is not Status.SUCCESS]
    assert wrong == []
    assert len(results) >= 100
    assert Counter(r.title for r in results)["object_creation"]


@pytest.mark.parametrize("start", [2, 2**63 + 1, 10**20, 10**300])
@pytest.mark.parametrize("wanted", ["", 'userName eq "w-1@example.com"', "userName pr"])
def test_a_page_beyond_the_last_person_is_empty(peer: Peer, start: int, wanted: str) -> None:
    create(peer)
    query = {"startIndex": str(start), **({"filter": wanted} if wanted else {})}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **query, "startIndex": start}
    for answer in (
        peer.call("GET", f"{USERS}?{urlencode(query)}"),
        peer.call("POST", f"{USERS}/.search", body),
    ):
        assert answer.status_code == 200, answer.text
        page = answer.get_json(force=True)
        assert (page["totalResults"], page.get("Resources", []), page["startIndex"]) == (1, [], start)


def test_each_change_is_handed_on_and_what_changes_nothing_is_not(peer: Peer) -> None:
    user = create(peer)
    assert [row["last_day"] for row in handed_on(peer)] == ["2026-06-30"]
    later = {"op": "replace", "path": f"{CONTRACT}:lastDay", "value": "2026-09-30"}
    assert patch(peer, user, later).status_code in {200, 204}
    assert [row["last_day"] for row in handed_on(peer)] == ["2026-09-30"]
    patch(peer, user, later)
    assert handed_on(peer) == []
    replaced = peer.call("PUT", f"{USERS}/{user}", person(displayName="Renamed", id=user))
    assert replaced.status_code == 200, replaced.text
    (row,) = handed_on(peer)
    assert (row["name"], row["last_day"]) == ("Renamed", "2026-06-30")
    assert all(made.way == "scim" for made in peer.intake.deliveries)


def test_deleting_somebody_ends_every_contract_of_theirs(peer: Peer) -> None:
    user = create(peer)
    handed_on(peer)
    hire(peer, "W-1", "C-old", "C-W-1")
    assert peer.call("DELETE", f"{USERS}/{user}").status_code == 204
    assert handed_on(peer) == [
        {"worker_id": "W-1", "reference": "C-W-1", "status": "ended"},
        {"worker_id": "W-1", "reference": "C-old", "status": "ended"},
    ]
    assert peer.call("GET", f"{USERS}/{user}").status_code == 404
    assert peer.call("DELETE", f"{USERS}/{user}").status_code == 404
    assert create(peer) != user


def test_another_worker_id_ends_the_one_before(peer: Peer) -> None:
    user = create(peer)
    handed_on(peer)
    hire(peer, "W-1", "C-W-1")
    patch(peer, user, {"op": "replace", "path": "externalId", "value": "W-9"})
    rows = handed_on(peer)
    assert [(row["worker_id"], row["status"]) for row in rows] == [("W-1", "ended"), ("W-9", "running")]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "path": "active", "value": False},
        {"op": "Replace", "value": {"active": False}},
        {"op": "Add", "path": "active", "value": "False"},
        {"op": "REPLACE", "path": f"{USER}:active", "value": "false"},
        {"op": "replace", "value": {"Active": "False"}},
    ],
)
def test_every_way_in_which_entra_and_okta_disable_somebody_ends_the_contract(
    peer: Peer, operation: dict[str, Any]
) -> None:
    user = create(peer)
    handed_on(peer)
    hire(peer, "W-1", "C-W-1", "C-old")
    answer = patch(peer, user, operation)
    assert answer.status_code in {200, 204}, answer.text
    assert read(peer, user)["active"] is False
    assert [(row["reference"], row["status"]) for row in handed_on(peer)] == [("C-W-1", "ended"), ("C-old", "ended")]


def test_what_else_entra_and_okta_send(peer: Peer) -> None:
    quirky = {name[0].upper() + name[1:] if name[0] != "u" else name: value for name, value in person().items()}
    quirky["Active"] = "True"
    quirky["UserName"] = quirky.pop("userName")
    answer = peer.call("POST", USERS, quirky)
    assert answer.status_code == 201, answer.text
    user = answer.get_json(force=True)["id"]
    for operation in (
        {"op": "Replace", "value": {"name.givenName": "Ada", "name.familyName": "Byron"}},
        {"op": "Add", "path": f"{ENTERPRISE}:organization", "value": "Northgate"},
        {"op": "Add", "path": 'emails[type eq "other"].value', "value": "ada@home.example"},
        {"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": {"value": "mia@example.com"}},
        {"op": "Replace", "value": {f"{CONTRACT}:lastDay": "2026-07-31"}},
        {"op": "Remove", "path": "emails", "value": [{"value": "ada@home.example"}]},
        {"op": "Add", "path": "phoneNumbers", "value": [{"value": "555"}]},
    ):
        answer = patch(peer, user, operation)
        assert answer.status_code in {200, 204}, f"{operation}: {answer.text}"
    stored = read(peer, user)
    assert stored["name"] == {"givenName": "Ada", "familyName": "Byron"}
    assert stored[ENTERPRISE]["manager"]["value"] == "mia@example.com"
    assert stored[CONTRACT]["lastDay"] == "2026-07-31"
    assert [email["value"] for email in stored["emails"]] == ["W-1@example.com"]
    assert "phoneNumbers" not in stored


def test_a_manager_who_is_kept_here_is_named_by_address(peer: Peer) -> None:
    mia = create(peer, "M-1")
    sponsored = {ENTERPRISE: {"manager": {"value": mia}}, "contract": {"sponsor": None}}
    create(peer, "W-1", **sponsored)
    create(peer, "W-2", **{**sponsored, ENTERPRISE: {"manager": {"value": "4711"}}})
    assert [row["sponsor"] for row in handed_on(peer)] == ["boss@example.com", "M-1@example.com", "4711"]


def test_more_about_a_person_than_is_needed_is_not_kept(peer: Peer) -> None:
    surplus = {
        "phoneNumbers": [{"value": "555-5555"}], "addresses": [{"formatted": "Secret Street 1"}],
        "password": "t1meMa$heen", "nickName": "Babs", "urn:contoso:employee": {"Salary": "1"},
    }  # fmt: skip
    user = create(peer, schemas=[USER, CONTRACT, "urn:contoso:employee"], **surplus)
    with peer.store.read() as unit:
        row = unit.session.get(ScimUserRow, user)
        assert row is not None
        kept = repr(row.document) + repr([p.operations for p in unit.session.scalars(select(PushRow))])
    assert not [word for word in ("555", "Secret", "t1me", "Babs", "contoso", "Salary") if word in kept]
    assert "urn:contoso:employee" not in read(peer, user)["schemas"]


def test_one_user_name_and_one_worker_id_are_one_person(peer: Peer) -> None:
    user = create(peer, "W-1")
    other = create(peer, "W-2")
    taken = peer.call("POST", USERS, person("W-3", userName="w-1@EXAMPLE.com"))
    assert (taken.status_code, taken.get_json(force=True)["scimType"]) == (409, "uniqueness")
    assert peer.call("POST", USERS, person("W-1", userName="somebody.else")).status_code == 409
    assert patch(peer, other, {"op": "replace", "path": "externalId", "value": "W-1"}).status_code == 409
    assert read(peer, other)["externalId"] == "W-2"
    assert [row["worker_id"] for row in handed_on(peer)] == ["W-1", "W-2"], "what was refused is not handed on"
    assert read(peer, user)["meta"]["version"] == 'W/"1"'


def test_an_outdated_version_changes_nothing(peer: Peer) -> None:
    user = create(peer)
    change = {"op": "replace", "path": "title", "value": "Guide"}
    assert patch(peer, user, change, **{"If-Match": 'W/"1"'}).status_code in {200, 204}
    late = patch(peer, user, {"op": "replace", "path": "title", "value": "Other"}, **{"If-Match": 'W/"1"'})
    assert late.status_code == 412
    assert read(peer, user)["title"] == "Guide"


def test_people_are_found_by_what_clients_look_for(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    users = sorted(create(peer, f"W-{n}") for n in range(5))

    def found(query: str) -> Any:
        answer = peer.call("GET", f"{USERS}?{query}")
        assert answer.status_code == 200, answer.text
        return answer.get_json(force=True)

    monkeypatch.setattr(scim_users, "MOST_SCANNED", 0)
    for lookup in ('userName eq "w-3@EXAMPLE.com"', 'externalId eq "W-3"', f'{USER}:userName eq "w-3@example.com"'):
        page = found(f"filter={lookup}")
        assert [r["externalId"] for r in page["Resources"]] == ["W-3"], lookup
    assert found('filter=externalId eq "w-3"')["totalResults"] == 0, "worker ids have a case"
    assert found(f'filter=id eq "{users[0]}"')["totalResults"] == 1
    page = found("startIndex=2&count=2")
    assert (page["totalResults"], [r["id"] for r in page["Resources"]]) == (5, users[1:3])
    assert found("count=0")["totalResults"] == 5
    refused = peer.call("GET", f'{USERS}?filter=displayName sw "Person"')
    assert (refused.status_code, refused.get_json(force=True)["scimType"]) == (400, "tooMany")
    monkeypatch.undo()
    assert found('filter=displayName ew "W-4" or title pr')["totalResults"] == 1
    assert found(f'filter={CONTRACT}:lastDay lt "2026-07-01" and active eq true&count=1')["totalResults"] == 5
    assert found('filter=userName eq "a\\u0000b"')["totalResults"] == 0
    assert peer.call("GET", f"{USERS}?filter=((((").status_code == 400


def test_bulk_is_done_operation_by_operation(peer: Peer) -> None:
    def operation(method: str, path: str, data: Any = None, bulk_id: str = "") -> dict[str, Any]:
        return {"method": method, "path": path, "bulkId": bulk_id, "data": data}

    request = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}
    good, bad = operation("POST", "/Users", person("A"), "1"), operation("POST", "/Users", {"schemas": [USER]}, "2")
    answer = peer.call("POST", "/scim/v2/Bulk", {**request, "Operations": [good, bad]})
    assert [o["status"] for o in answer.get_json(force=True)["Operations"]] == ["201", "400"]
    assert [row["worker_id"] for row in handed_on(peer)] == ["A"]
    many = [operation("POST", "/Users", person(f"B-{n}"), f"{n}") for n in range(51)]
    assert peer.call("POST", "/scim/v2/Bulk", {**request, "Operations": many}).status_code == 413
    padded = operation("POST", "/Users", person("C", nickName="x" * 200_000), "1")
    assert peer.call("POST", "/scim/v2/Bulk", {**request, "Operations": [padded]}).status_code == 200
    assert peer.call("POST", USERS, padded["data"]).status_code == 413, "one person is no larger than a form"
    padded["data"]["nickName"] = "x" * 2**20
    assert peer.call("POST", "/scim/v2/Bulk", {**request, "Operations": [padded]}).status_code == 413


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{CONTRACT}:endDate", "2026-05-05"),
        (f"{CONTRACT}.lastDay", "2026-05-05"),
        (CONTRACT, {"endDate": "2026-05-05"}),
        ("", {f"{CONTRACT}:endDate": "2026-05-05"}),
        ("", {CONTRACT: {"lastDay": "2026-05-05", "endDate": "2026-05-05"}}),
        ("urn:contractor-lifecycle:schemas:2.0:Contract:lastDay", "2026-05-05"),
    ],
)
def test_what_a_contract_does_not_have_is_refused_and_not_dropped(peer: Peer, path: str, value: Any) -> None:
    """A client that misspelt the last day was answered as if the contract ended on it."""
    user = create(peer)
    answer = patch(peer, user, {"op": "replace", "value": value, **({"path": path} if path else {})})
    assert (answer.status_code, answer.get_json(force=True)["scimType"]) == (400, "invalidPath")
    spelt = {"op": "replace", "path": f"{CONTRACT.lower()}:LASTDAY", "value": "2026-05-05"}
    assert patch(peer, user, spelt).status_code in {200, 204}
    assert read(peer, user)[CONTRACT]["lastDay"] == "2026-05-05"


def test_what_others_have_of_contracts_in_schemas_of_their_own_is_dropped(peer: Peer) -> None:
    """One such attribute refused the whole change, with whoever was to be disabled by it."""
    user, foreign = create(peer), "urn:contoso:params:scim:schemas:extension:contractor:2.0:User"
    answer = patch(
        peer,
        user,
        {"op": "replace", "path": f"{foreign}:agency", "value": "Contoso"},
        {"op": "replace", "value": {foreign: {"agency": "Contoso"}, "active": False}},
    )
    assert answer.status_code in {200, 204}, answer.text
    assert read(peer, user)["active"] is False


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_nor_is_it_dropped_where_a_whole_person_is_sent(peer: Peer, method: str) -> None:
    user = create(peer)
    body = person("W-2" if method == "POST" else "W-1", contract={"endDate": "2026-05-05"})
    answer = peer.call(method, USERS if method == "POST" else f"{USERS}/{user}", body)
    assert answer.status_code == 400, answer.text
    assert "endDate" in answer.text


def test_who_lacks_what_a_contract_needs_is_kept_and_handed_on_once_it_is_there(peer: Peer) -> None:
    user = create(peer, contract={"lastDay": None})
    assert handed_on(peer) == []
    with peer.store.read() as unit:
        (operation,) = unit.session.scalars(select(PushRow)).one().operations
    assert operation["state"] == "refused"
    assert "lastDay" in operation["reason"]
    patch(peer, user, {"op": "add", "path": f"{CONTRACT}:lastDay", "value": "2026-03-31"})
    assert [row["last_day"] for row in handed_on(peer)] == ["2026-03-31"]


def test_a_person_without_its_push_cannot_exist(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    user = create(peer)

    def fail(*_: object) -> str:
        raise RuntimeError("the trail cannot be written")

    monkeypatch.setattr("lifecycle.store.unit.digest_of", fail)
    assert peer.call("POST", USERS, person("W-2")).status_code == 500
    assert peer.call("DELETE", f"{USERS}/{user}").status_code == 500
    monkeypatch.undo()
    with peer.store.read() as unit:
        assert [row.id for row in unit.session.scalars(select(ScimUserRow))] == [user]
        assert len(list(unit.session.scalars(select(PushRow)))) == 1


def test_every_change_is_in_the_trail(peer: Peer) -> None:
    user = create(peer)
    patch(peer, user, {"op": "replace", "path": "title", "value": "Guide"})
    peer.call("DELETE", f"{USERS}/{user}")
    with peer.store.read() as unit:
        records = [row for row in unit.session.scalars(select(AuditRow)) if row.object == f"scim-user:{user}"]
    assert [row.action for row in records] == ["scim-user-created", "scim-user-changed", "scim-user-deleted"]
    assert {row.actor for row in records} == {"token:a token"}


def test_strangers_learn_nothing_and_other_tokens_may_not(peer: Peer) -> None:
    reader = peer.make_token("access:read")
    paths = ["/scim/v2/ServiceProviderConfig", "/scim/v2/Schemas", USERS, f"{USERS}/{uuid4()}", "/scim/v2/x/y/z"]
    for path in paths:
        for method in ("GET", "POST", "DELETE"):
            answer = peer.call(method, path, b"{", token="")
            assert answer.status_code == 401, path
            assert answer.get_json(force=True)["detail"] == "This token is not valid."
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert peer.call(method, path, b"{", token=reader).status_code == 403
    late = make_peer(peer.settings.store.url, calls_per_second=1)
    answers = [late.call("GET", USERS, token=peer.token).status_code for _ in range(10)]
    assert 429 in answers
    late.store.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b'{"a":' * 4000 + b"1" + b"}" * 4000, 400),
        (b'{"schemas": ["' + USER.encode() + b'"], "userName": "a", "USERNAME": "b"}', 400),
        ({"schemas": [USER]}, 400),
        ({"schemas": [USER], "userName": ""}, 400),
        ({"schemas": [USER], "userName": 7}, 400),
        ({"schemas": [USER], "userName": ["a"]}, 400),
        ({"schemas": "x", "userName": "a"}, 400),
        ({"schemas": [USER], "userName": "x" * 255}, 400),
        ({"schemas": [USER], "userName": "x", "externalId": "x" * 255}, 400),
        ({"schemas": [USER], "userName": "x", "active": "perhaps"}, 400),
        ({"schemas": [USER], "userName": "a\u0000b"}, 400),
        ({"schemas": [USER], "userName": "a", "displayName": "\u202eb"}, 400),
        ({"schemas": [USER], "userName": "a", "displayName": "\ud800"}, 400),
        ({"schemas": [USER], "userName": "a", "emails": [{"value": "\u0000"}]}, 400),
        ({"schemas": [USER], "userName": "a", "emails": {"value": 1}}, 400),
        ({"schemas": [USER], "userName": "a", "displayName": "x" * 70_000}, 413),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(peer: Peer, body: Any, status: int) -> None:
    answer = peer.call("POST", USERS, body)
    assert answer.status_code == status, answer.text
    assert answer.get_json(force=True)["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    with peer.store.read() as unit:
        assert unit.session.scalars(select(ScimUserRow)).all() == []


def test_another_content_type_and_ids_that_are_none_are_refused(peer: Peer) -> None:
    answer = peer.call("POST", USERS, person(), **{"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert peer.call("POST", USERS, person(), **{"Content-Type": "application/json"}).status_code == 201
    for name in ("x", "a%00b", "%2e%2e", str(uuid4()), "' OR 1=1 --"):
        assert peer.call("GET", f"{USERS}/{name}").status_code == 404, name
    assert patch(peer, str(uuid4()), {"op": "replace", "path": "active", "value": False}).status_code == 404

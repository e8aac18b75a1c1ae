"""``/scim/v2``: changes of one person at the same instant."""

from collections import Counter
from typing import Any

import pytest
from scim2_models import PreconditionFailedException

from lifecycle.services.scim_users import ScimUsers
from tests.services.race import race
from tests.web.pushing import CONTRACT, ENTERPRISE, Peer, person

USERS = "/scim/v2/Users"
PATCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
CHANGES = {
    "title": "Analyst", "displayName": "Ada", f"{ENTERPRISE}:department": "R&D", f"{CONTRACT}:lastDay": "2026-09-30",
    f"{CONTRACT}:role": "lead", f"{ENTERPRISE}:division": "North",
}  # fmt: skip


def create(peer: Peer) -> str:
    return str(peer.call("POST", USERS, person()).get_json(force=True)["id"])


def patch(peer: Peer, user: str, path: str, value: str, **headers: str) -> Any:
    body = {**PATCH, "Operations": [{"op": "replace", "path": path, "value": value}]}
    return peer.call("PATCH", f"{USERS}/{user}", body, **headers)


def at_once(*calls: Any) -> Counter[int]:
    """Make the calls at once and count their statuses."""
    statuses: list[int] = []
    race(*(lambda call=call: statuses.append(call().status_code) for call in calls))
    return Counter(statuses)


def test_changes_at_once_all_happen(peer: Peer) -> None:
    user = create(peer)
    calls = [lambda p=path, v=value: patch(peer, user, p, v) for path, value in CHANGES.items()]
    assert at_once(*calls).keys() <= {200, 204}
    found = peer.call("GET", f"{USERS}/{user}").get_json(force=True)
    assert (found["title"], found["displayName"]) == ("Analyst", "Ada")
    assert found[ENTERPRISE] == {"department": "R&D", "division": "North"}
    assert (found[CONTRACT]["lastDay"], found[CONTRACT]["role"]) == ("2026-09-30", "lead")
    assert found["meta"]["version"] == f'W/"{1 + len(CHANGES)}"'


def test_of_changes_at_once_that_name_a_version_one_happens(peer: Peer) -> None:
    user = create(peer)
    version = {"If-Match": 'W/"1"'}
    calls = [lambda p=path, v=value: patch(peer, user, p, v, **version) for path, value in CHANGES.items()]
    statuses = at_once(*calls)
    assert statuses[412] == len(CHANGES) - 1
    assert peer.call("GET", f"{USERS}/{user}").get_json(force=True)["meta"]["version"] == 'W/"2"'


def test_replacing_at_once_and_in_bulk_happens_too(peer: Peer) -> None:
    user = create(peer)
    operation = {"method": "PATCH", "path": f"/Users/{user}", "data": {**PATCH, "Operations": [
        {"op": "replace", "path": "title", "value": "Bulk"}]}}  # fmt: skip
    bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
    in_bulk: list[str] = []

    def send_bulk() -> Any:
        answer = peer.call("POST", "/scim/v2/Bulk", bulk)
        in_bulk.append(answer.get_json(force=True)["Operations"][0]["status"])
        return answer

    replacing = [
        lambda n=n: peer.call("PUT", f"{USERS}/{user}", person(displayName=f"Person {n}", id=user)) for n in range(3)
    ]
    assert at_once(*replacing, send_bulk, send_bulk) == {200: 5}
    assert set(in_bulk) <= {"200", "204"}


def test_deleting_somebody_who_is_changed_at_once_happens(peer: Peer) -> None:
    user = create(peer)
    changes = [lambda p=path, v=value: patch(peer, user, p, v) for path, value in CHANGES.items()]
    statuses = at_once(*changes, lambda: peer.call("DELETE", f"{USERS}/{user}"))
    assert statuses.keys() <= {200, 204, 404}
    assert peer.call("GET", f"{USERS}/{user}").status_code == 404


def test_whoever_is_overtaken_for_ever_is_told_to_send_it_again(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*_: Any, **__: Any) -> Any:
        raise PreconditionFailedException

    user = create(peer)
    monkeypatch.setattr(ScimUsers, "update", overtaken)
    answer = patch(peer, user, "title", "Analyst")
    assert (answer.status_code, "send it again" in answer.get_json(force=True)["detail"]) == (409, True)

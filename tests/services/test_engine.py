"""What can go wrong between a due instant and a proven change, on both databases."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.base import Capability, NoSuchEntitlement, Outcome, TargetRefused, TargetUnavailable
from connectors.memory import MemoryConnector
from lifecycle.domain.comparison import Kind
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import NotFound, NotLeading, RosterRefused
from lifecycle.services.leadership import Leadership, is_dead
from lifecycle.services.promotion import Promotion
from lifecycle.services.upload_views import State, Upload
from lifecycle.store import observations, state, work
from lifecycle.store.unit import Unit
from tests.services.rosters import take
from tests.services.world import STAGES, World, line, roster_bytes, utc

NARROWING = utc(2026, 3, 23, 23)


def given(world: World, *workers: str, role: str = "god") -> None:
    """People who hold what their contract gives them."""
    for worker in workers:
        world.account(worker)
    world.roster(*(line(worker, role) for worker in workers))
    world.tick()


def fail_with(world: World, error: Exception, *names: str) -> None:
    def fail(*_: Any) -> None:
        raise error

    for name in names:
        setattr(world.tool, name, fail)


def heal(world: World, *names: str) -> None:
    for name in names:
        delattr(world.tool, name)


def open_items(world: World) -> list[work.WorkItem]:
    with world.runtime.store.read() as unit:
        return work.waiting(unit, 100)


def actions(world: World) -> list[str]:
    standing = world.runtime.persons.search("")[0]
    return [r.action for r in reversed(world.runtime.trail.about([f"identity:{standing.identity.id}"], 200))]


def test_an_outage_is_retried_for_ever_and_told_once(world: World) -> None:
    given(world, "w1")
    world.clock.move(NARROWING)
    fail_with(world, TargetUnavailable("down"), "revoke")
    for _ in range(12):
        world.tick()
        world.clock.move(minutes=10)
    assert world.held("w1") == {"god", "wiki"}
    items = open_items(world)
    assert max(item.attempts for item in items) >= 10
    assert all(item.retry_at - world.clock.at <= timedelta(seconds=300) for item in items)
    assert actions(world).count("revoke-failed") == 1
    heal(world, "revoke")
    world.tick()
    assert world.held("w1") == {"power", "wiki"}
    assert open_items(world) == []


def test_a_refusal_of_one_delays_no_other(world: World) -> None:
    given(world, "w1", "w2")
    revoke = world.tool.revoke

    def choosy(account: Any, right: Any) -> Outcome:
        if account.native_id == "id-w1":
            raise TargetRefused("not this one")
        return revoke(account, right)

    world.tool.revoke = choosy  # type: ignore[method-assign]
    world.clock.move(NARROWING)
    world.tick()
    assert world.held("w2") == {"power", "wiki"}
    assert world.held("w1") == {"god", "power", "wiki"}
    dashboard = world.runtime.overview.dashboard()
    assert any("Not this one" in alert.detail for alert in dashboard.alerts)


def test_a_connector_with_a_mistake_of_its_own_stops_nobody(world: World) -> None:
    given(world, "w1")
    fail_with(world, KeyError("oops"), "grant")
    world.clock.move(NARROWING)
    world.tick()
    assert world.held("w1") == {"wiki"}
    assert [i.error_kind for i in open_items(world)] == ["refused"]


def test_success_that_is_not_there_when_read_again_is_no_success(world: World) -> None:
    given(world, "w1")
    world.tool.revoke = lambda *_: Outcome.CHANGED  # type: ignore[method-assign]
    world.clock.move(NARROWING)
    world.tick()
    assert "revoke" not in actions(world)
    assert {i.error_kind for i in open_items(world)} == {"unproven"}


def test_a_revoke_ends_open_sessions(world: World) -> None:
    given(world, "w1")
    world.tool.accounts["id-w1"].sessions = 2
    world.clock.move(NARROWING)
    world.tick()
    assert world.tool.accounts["id-w1"].sessions == 0


def test_a_session_that_stays_open_leaves_the_revoke_undone(world: World) -> None:
    given(world, "w1")
    world.tool.accounts["id-w1"].sessions = 1
    world.tool.end_sessions = lambda _: Outcome.UNCHANGED  # type: ignore[method-assign]
    world.clock.move(NARROWING)
    world.tick()
    assert "revoke" not in actions(world)


def test_a_grant_waits_for_its_native_end(world: World) -> None:
    world.account("w1")
    fail_with(world, TargetRefused("no"), "set_expiry")
    world.roster(line("w1"))
    world.tick()
    assert world.held("w1") == set()
    heal(world, "set_expiry")
    world.clock.move(minutes=10)
    world.tick()
    assert world.held("w1") == {"god", "wiki"}


def test_a_target_without_native_expiry_or_disabling_still_loses_everything(world: World) -> None:
    world.tool.capabilities = lambda: frozenset[Capability]()  # type: ignore[method-assign]
    given(world, "w1")
    assert world.held("w1") == {"god", "wiki"}
    world.clock.move(utc(2026, 3, 31, 22))
    world.tick()
    assert world.held("w1") == set()
    assert not world.tool.accounts["id-w1"].disabled
    assert open_items(world) == []


def test_a_role_that_comes_back_while_the_revoke_is_under_way_wins_in_the_end(world: World) -> None:
    given(world, "w1", role="agent")
    revoke = world.tool.revoke

    def slow(account: Any, right: Any) -> Outcome:
        outcome = revoke(account, right)
        world.tool.revoke = revoke  # type: ignore[method-assign]
        world.roster(line("w1", "agent"))
        return outcome

    world.tool.revoke = slow  # type: ignore[method-assign]
    world.roster(line("w1", "clerk"))
    world.tick()
    world.tick()
    assert world.held("w1") == {"agent"}


def test_what_an_administrator_adds_by_hand_is_taken_away_and_told(world: World) -> None:
    given(world, "w1", role="agent")
    world.tool.members["god"].add("id-w1")
    report = world.runtime.reconciler.reconcile("tool", only=Tier.GOD, dry_run=True)
    assert [(d.entitlement, d.found) for d in report.differences] == [("tool.god", "extra")]
    world.tick()
    assert world.held("w1") == {"agent", "god"}  # a dry run stores nothing
    world.runtime.reconciler.reconcile("tool", only=Tier.GOD)
    world.tick()
    assert world.held("w1") == {"agent"}
    assert actions(world)[-2:] == ["drift-extra", "revoke"]


def test_an_account_enabled_by_hand_after_the_end_is_disabled_again(world: World) -> None:
    given(world, "w1")
    world.clock.move(utc(2026, 4, 1))
    world.tick()
    world.tool.accounts["id-w1"].disabled = False
    world.clock.move(minutes=20)
    world.runtime.reconciler.reconcile("tool")
    world.tick()
    assert world.tool.accounts["id-w1"].disabled


def test_an_account_that_others_disabled_is_not_enabled(world: World) -> None:
    world.account("w1")
    world.tool.accounts["id-w1"].disabled = True
    world.roster(line("w1"))
    world.tick()
    assert world.tool.accounts["id-w1"].disabled


def test_god_mode_of_nobody_known_is_shown_and_left_alone(world: World) -> None:
    given(world, "w1")
    world.tool.add_account("id-root", "break-glass")
    world.tool.members["god"].add("id-root")
    world.runtime.reconciler.reconcile("tool")
    world.tick()
    assert world.held("root") == {"god"}
    holders = world.runtime.holders.who(Tier.GOD)
    assert [(h.account, h.identity is None) for h in holders] == [("break-glass", True), ("w1", False)]
    world.tool.members["god"].discard("id-root")
    world.clock.move(minutes=5)
    world.runtime.reconciler.reconcile("tool")
    assert len(world.runtime.holders.who(Tier.GOD)) == 1


def test_a_read_that_is_empty_all_at_once_is_not_believed(world: World) -> None:
    workers = [f"w{n}" for n in range(6)]
    given(world, *workers, role="agent")
    world.tool.holders_of = lambda rights: dict.fromkeys(rights, frozenset())  # type: ignore[method-assign]
    report = world.runtime.reconciler.reconcile("tool")
    assert "not believed" in report.problem
    heal(world, "holders_of")
    world.clock.move(minutes=5)
    assert world.runtime.reconciler.reconcile("tool").differences == []
    world.tool.members["agent"].clear()  # an administrator has really emptied it
    assert len(world.runtime.reconciler.reconcile("tool").differences) == 6
    world.tick()
    assert world.held("w0") == {"agent"}


def test_who_held_god_mode_at_an_instant_in_the_past(world: World) -> None:
    given(world, "w1")
    world.clock.move(NARROWING)
    world.tick()
    world.clock.move(days=1)
    assert world.runtime.holders.who(Tier.GOD) == []
    before = world.runtime.holders.who(Tier.GOD, NARROWING - timedelta(minutes=1))
    assert [(h.identity.worker_id if h.identity else "", h.until) for h in before] == [("w1", NARROWING)]


def test_a_renamed_right_keeps_its_native_id(world: World) -> None:
    given(world, "w1")
    fail_with(world, NoSuchEntitlement("it was renamed"), "entitlement")
    world.start()
    world.clock.move(NARROWING)
    world.tick()
    assert "god" not in world.held("w1")


def test_two_people_are_never_given_one_account(world: World) -> None:
    world.account("w1")
    world.tool.resolve = lambda _: next(iter([MemoryConnector.resolve(world.tool, {"worker": "w1"})]))  # type: ignore[method-assign]
    world.roster(line("w1", "agent"), line("w2", "agent"))
    world.tick()
    with world.runtime.store.read() as unit:
        accounts = observations.accounts_in(unit, "tool")
    assert len(accounts) == 1
    assert any("belongs to somebody else" in item.error for item in open_items(world))


def test_an_account_made_anew_is_found_again(world: World) -> None:
    given(world, "w1", "w2")
    del world.tool.accounts["id-w1"]
    world.tool.members["god"].discard("id-w1")
    world.tool.add_account("new-w1", "w1", worker="w1")
    world.tool.members["god"].add("new-w1")
    world.clock.move(utc(2026, 4, 1))
    world.tick()
    world.runtime.reconciler.reconcile("tool")
    world.tick()
    assert "new-w1" not in world.tool.members["god"]
    assert world.tool.accounts["new-w1"].disabled


def test_a_right_made_anew_under_the_same_name_is_the_one_that_is_meant(world: World) -> None:
    given(world, "w1")
    world.tool.members["god-2"] = {"id-w1"}
    del world.tool.members["god"]
    names = {"god": "god-2"}
    found = world.tool.entitlement
    world.tool.entitlement = lambda locator: found(names.get(locator, locator))  # type: ignore[method-assign]
    world.clock.move(NARROWING)
    world.tick()
    assert world.tool.members["god-2"] == set()


def test_a_right_that_is_gone_blinds_nobody_for_the_others(world: World) -> None:
    given(world, "w1", role="agent")
    world.runtime.reconciler.reconcile("tool")
    del world.tool.members["wiki"]
    world.tool.members["god"].add("id-w1")
    world.clock.move(minutes=5)
    report = world.runtime.reconciler.reconcile("tool")
    assert "wiki" in report.problem
    assert [(d.entitlement, d.found) for d in report.differences] == [("tool.god", "extra")]


def test_an_account_that_others_disable_later_stays_disabled(world: World) -> None:
    given(world, "w1", role="agent")
    world.clock.move(utc(2026, 4, 1))
    world.tick()
    world.tool.accounts["id-w1"].disabled = False
    world.roster(line("w1", "agent", last=date(2026, 12, 31)))
    world.runtime.reconciler.reconcile("tool")
    world.tick()
    world.clock.move(days=20)
    world.tool.accounts["id-w1"].disabled = True
    world.runtime.reconciler.reconcile("tool")
    world.tick()
    assert world.tool.accounts["id-w1"].disabled


def complaints(world: World, upload: Upload) -> list[str]:
    return [item.said for item in world.runtime.uploads.items(upload.id, kinds=[Kind.UNUSABLE])]


def test_one_contract_number_is_one_contract(world: World) -> None:
    both = take(world.runtime, roster_bytes(line("w1", contract="C"), line("w2", contract="C")))
    assert "of several workers in this file" in complaints(world, both)[0]
    world.roster(line("w1", contract="C"))
    later = take(world.runtime, roster_bytes(line("w2", contract="C")))
    assert "worker w1, confirmed before" in complaints(world, later)[0]


def test_people_are_found_whatever_their_letters(world: World) -> None:
    world.roster(line("w1", name="Özge Łukasz"))
    assert world.runtime.persons.find("özge ŁUKASZ")


def test_nobody_is_said_to_hold_anything_in_the_future(world: World) -> None:
    with pytest.raises(NotFound, match="still to come"):
        world.runtime.holders.who(Tier.GOD, world.clock.at + timedelta(days=1))


def test_a_changed_policy_is_noticed_and_acts(world: World) -> None:
    given(world, "w1")
    stages = [dict(stage) for stage in STAGES]
    stages[3]["begins"] = "13 days before the last day"
    stages[2]["begins"] = "20 days before the last day"
    world.changes = {"policy": {"stages": stages}}
    world.clock.move(utc(2026, 3, 20))
    world.tick()
    assert world.held("w1") == {"god", "wiki"}
    world.runtime.leadership.give_up()
    world.start()
    world.tick()
    assert world.held("w1") == {"power", "wiki"}


def test_the_preview_binds_what_is_confirmed(world: World) -> None:
    first = roster_bytes(line("w1", "agent"))
    shown, other = take(world.runtime, first), take(world.runtime, roster_bytes(line("w2")))
    confirm = world.runtime.confirmations.confirm
    with pytest.raises(RosterRefused, match="not what was shown"):
        confirm(other.id, actor="hr", digest=shown.digest)
    assert confirm(shown.id, actor="hr", digest=shown.digest).state is State.APPLIED
    with pytest.raises(RosterRefused, match="has changed since it was shown"):
        confirm(other.id, actor="hr", digest=other.digest)
    again = take(world.runtime, first)
    assert (again.state, again.import_id) == (State.APPLIED, world.runtime.uploads.find(shown.id).import_id)
    with pytest.raises(NotFound, match="there are plain, delta"):
        take(world.runtime, first, profile="other")
    empty = take(world.runtime, b"")
    assert (empty.state, "empty" in empty.error) == (State.REFUSED, True)


def test_the_preview_says_what_it_does_to_access(world: World) -> None:
    given(world, "w1", "w2", "w3")
    content = roster_bytes(line("w1", last=date(2026, 2, 27)), line("w2", last=date(2026, 6, 30)), line("w4", "agent"))
    shown = take(world.runtime, content)
    words = {item.line: item.said for item in world.runtime.uploads.items(shown.id)}
    assert words[2] == "loses tool.god, tool.wiki at once"
    assert words[3] == (
        "access ends 2026-06-30 22:00 UTC instead of 2026-03-31 22:00 UTC; "
        "god mode still ends 2026-03-23 23:00 UTC unless the sponsor agrees"
    )
    assert words[4] == "gets tool.agent at once"
    assert shown.counts == {"sooner": 1, "later": 1, "new": 1, "missing": 1, "untouched": 0, "aside": 0, "lines": 3}


def test_a_delta_says_nothing_about_absence(world: World) -> None:
    world.roster(line("w1"), line("w2"), profile="delta")
    shown = take(world.runtime, roster_bytes(line("w3")), profile="delta")
    assert shown.counts.get("missing", 0) == 0


def test_a_worker_id_used_again_by_somebody_else_inherits_nothing(world: World) -> None:
    given(world, "w1", role="agent")
    world.clock.move(utc(2026, 5, 1))
    world.roster(line("w1", "agent", date(2026, 5, 1), date(2026, 9, 1), contract="C9", name="Somebody Else"))
    assert len({s.identity.id for s in world.runtime.persons.search("")}) == 2


def test_only_one_process_leads_and_a_paused_one_is_fenced(world: World) -> None:
    world.tick()
    now = [0.0]
    other = Leadership(world.runtime.store, 20, owner="elsewhere:1:1", elapsed=lambda: now[0])
    assert not other.try_to_lead()
    now[0] = 19
    assert not other.try_to_lead()
    world.runtime.leadership.try_to_lead()  # it lives
    now[0] = 39
    assert not other.try_to_lead()
    now[0] = 60
    assert other.try_to_lead()
    with pytest.raises(NotLeading):
        world.runtime.engine.tick()
    assert not world.runtime.leadership.leads
    other.give_up()
    assert world.runtime.leadership.try_to_lead()


def test_a_process_that_died_here_need_not_be_waited_for(world: World) -> None:
    world.tick()
    owner = world.runtime.leadership.owner
    host, pid, _ = owner.split(":")
    assert not is_dead(owner)
    assert is_dead(f"{host}:{pid}:123")
    assert is_dead(f"{host}:999999999:5")
    assert not is_dead("another-host:1:1")


def test_two_provisioners_never_do_one_item_twice(world: World) -> None:
    given(world, *(f"w{n}" for n in range(8)))
    calls: list[tuple[str, str]] = []
    revoke = world.tool.revoke

    def counted(account: Any, right: Any) -> Outcome:
        calls.append((account.native_id, right.native_id))
        return revoke(account, right)

    world.tool.revoke = counted  # type: ignore[method-assign]
    world.clock.move(NARROWING)
    with world.runtime.store.write() as unit:
        _promote(world, unit)
    threads = [threading.Thread(target=world.runtime.engine.provisioner.drain, args=("tool",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == len(set(calls)) == 8


def _promote(world: World, unit: Unit) -> None:
    Promotion(unit, world.runtime.rulebook, world.runtime.targets, world.clock.now()).run()


def test_the_watermark_is_kept(world: World) -> None:
    world.tick()
    with world.runtime.store.read() as unit:
        assert state.get_instant(unit, state.WATERMARK) == world.clock.at


def test_plan_and_explain(world: World) -> None:
    given(world, "w1")
    steps = [(step.at, [(m.before.key if m.before else None, m.after.key if m.after else None) for m in step.moves])
             for _, step in world.runtime.persons.plan(None, "w1") if step.moves]  # fmt: skip
    assert steps == [
        (NARROWING, [("tool.god", "tool.power")]),
        (utc(2026, 3, 30, 22), [("tool.power", "tool.agent")]),
        (utc(2026, 3, 31, 22), [("tool.agent", None), ("tool.wiki", None)]),
    ]
    assert len(world.runtime.persons.plan(date(2026, 3, 30), "w1")) == 2
    _, explanations = world.runtime.persons.explain("Person w1")
    god = explanations[0]
    assert (god.entitlement, god.held, god.until) == ("tool.god", True, NARROWING)
    assert god.because == "baseline 'gods'"
    assert god.roster.startswith("roster.csv line 2, confirmed 2026-03-02 by hr")
    with pytest.raises(NotFound, match="nobody is called"):
        world.runtime.persons.find("nobody")
    world.account("w11")
    world.roster(line("w1"), line("w11"))
    with pytest.raises(NotFound, match="fits several people"):
        world.runtime.persons.find("Person")

"""Extensions that come late or without the sponsor's word, contracts that are withdrawn, and people who stay on."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lifecycle.domain.approval import NotAReviewer, RequestChanged, Resolution, ReviewRefused, SelfReview
from lifecycle.domain.comparison import Change, Kind
from lifecycle.domain.eligibility import NotEligible
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.domain.grant import Grant
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.renewal import Answer, AnswerInvalid
from lifecycle.domain.roster import Standing
from lifecycle.services.extensions import Unagreed
from lifecycle.services.following import Following
from lifecycle.services.proposals import AlreadyAsked, Draft
from lifecycle.services.requests import RequestInvalid
from lifecycle.services.resumptions import Lapse
from lifecycle.services.sessions import NotSignedIn
from lifecycle.store import decisions, notices, people
from tests.services.team import Staff
from tests.services.world import World, line, record_grant, utc

SEPTEMBER = date(2026, 9, 30)
LATE = utc(2026, 4, 2, 9)
NARROWS = utc(2026, 3, 23, 23)  # seven days before 31 March, midnight in Berlin


def contract_of(world: World, worker: str = "w1") -> Engagement:
    identity_id = world.person(worker)
    with world.runtime.store.read() as unit:
        return people.engagements_of(unit, [identity_id])[IdentityId(identity_id)][0]


def bring(world: World, worker: str = "w1", *, last: date | None = None, **facts: Any) -> Engagement:
    """Store what a roster and the rules for it lead to."""
    before = contract_of(world, worker)
    decided = {name: facts.pop(name) for name in ("lapsed_at", "god_ends_at") if name in facts}
    after = replace(before, last_day=last or before.last_day, measures=replace(before.measures, **decided), **facts)
    with world.runtime.store.write() as unit:
        people.update_engagements(unit, [after], world.clock.now())
        if "lapsed_at" in decided:
            people.set_lapsed(unit, [after.id], decided["lapsed_at"])
        if "god_ends_at" in decided:
            people.set_god_ends(unit, [after.id], decided["god_ends_at"])
    return after


def lapse(staff: Staff, role: str = "agent") -> Engagement:
    """Let Carl's contract end, with all its access, and extend it two days later."""
    world = staff.world
    world.roster(line("w1", role=role, name="Carl Jones"))
    world.tick()
    world.clock.move(to=LATE)
    world.tick()
    assert world.held("w1") == set()
    after = bring(world, last=SEPTEMBER, lapsed_at=LATE)
    world.tick()
    assert world.held("w1") == set(), "nothing comes back by itself"
    assert world.tool.accounts["id-w1"].disabled
    with pytest.raises(NotSignedIn, match="your sponsor can ask for it back"):
        world.sign_in("carl")
    return after


def lapses(staff: Staff, by: str) -> list[Lapse]:
    runtime = staff.world.runtime
    return runtime.resumptions.lapses(staff.world.actor(by), [runtime.persons.standing(staff.world.person("w1"))])


def ask_back(staff: Staff, contract: Engagement, by: str = "mia", reason: str = "still needed") -> str:
    return staff.world.runtime.resumptions.ask(staff.world.actor(by), contract.identity_id, contract.id, reason)


def told(staff: Staff, topic: str) -> list[tuple[str, str, str]]:
    with staff.world.runtime.store.read() as unit:
        due = notices.due(unit, staff.world.clock.now() + timedelta(hours=1), 10_000)
    return [(n.recipient, n.subject, n.body) for n in due if n.topic == topic]


def test_one_other_person_gives_back_what_a_late_extension_did_not(staff: Staff) -> None:
    world, contract = staff.world, lapse(staff)
    offered = lapses(staff, "mia")
    assert [(o.name, o.pending, o.may_ask) for o in offered] == [("Carl Jones", None, True)]
    assert [o.may_ask for o in lapses(staff, "petra")] == [False], "IT looks, and asks for nobody"
    assert "after access had ended" in world.runtime.team.why_not_ask(
        world.runtime.persons.standing(contract.identity_id)
    )
    for nobody in ("tomas", "petra", "nora"):
        with pytest.raises(NotPermitted):
            ask_back(staff, contract, nobody)
    with pytest.raises(RequestInvalid):
        ask_back(staff, contract, reason=" no ")
    asked = ask_back(staff, contract)
    with pytest.raises(AlreadyAsked, match=asked):
        ask_back(staff, contract)
    pending = lapses(staff, "mia")[0]
    assert pending.pending is not None
    assert (pending.pending.id, pending.may_ask) == (asked, False)
    sheet = world.runtime.reviews.sheet(staff.oskar, asked)
    assert [right.key for right in sheet.given_back] == ["tool.agent"]
    with pytest.raises(SelfReview):
        staff.review("mia", asked)
    with pytest.raises(NotAReviewer):
        staff.review("nora", asked)
    assert ("oskar@example.com", "Please review: access back for Carl Jones") in {
        (who, subject) for who, subject, _ in told(staff, "review-wanted")
    }
    assert staff.review("oskar", asked).resolution is Resolution.APPROVED
    world.tick()
    assert world.held("w1") == {"agent"}
    assert not world.tool.accounts["id-w1"].disabled
    assert lapses(staff, "mia") == []
    assert {"resume-asked", "resumed"} <= {r.action for r in world.runtime.trail.search()}
    with pytest.raises(NotEligible):
        ask_back(staff, contract)


def test_somebody_above_the_sponsor_reviews_too(staff: Staff) -> None:
    asked = ask_back(staff, lapse(staff))
    assert staff.review("ines", asked).resolution is Resolution.APPROVED


def test_denied_is_denied_and_can_be_asked_again(staff: Staff) -> None:
    contract = lapse(staff)
    asked = ask_back(staff, contract)
    assert staff.review("petra", asked, deny=True).resolution is Resolution.DENIED
    staff.world.tick()
    assert staff.world.held("w1") == set()
    assert ask_back(staff, contract) != asked


def test_god_mode_comes_back_by_two_people_only(staff: Staff) -> None:
    world, contract = staff.world, lapse(staff, "god")
    asked = ask_back(staff, contract)
    assert [r.key for r in world.runtime.reviews.sheet(staff.petra, asked).given_back] == ["tool.power", "tool.wiki"]
    staff.review("petra", asked)
    world.tick()
    assert world.held("w1") == {"power", "wiki"}
    staff.approved(hours=2)
    world.tick()
    assert world.held("w1") == {"god", "power", "wiki"}
    world.clock.move(hours=2)
    world.tick()
    assert world.held("w1") == {"power", "wiki"}


def test_what_was_given_for_a_time_before_does_not_revive(staff: Staff) -> None:
    world = staff.world
    old = contract_of(world)
    given = Grant("old", old.id, "tool.viewer", utc(2026, 3, 31), utc(2026, 4, 30), "an old one")
    record_grant(world.runtime, given, old.identity_id)
    contract = bring(world, last=SEPTEMBER, lapsed_at=LATE)  # no tick has seen the end
    world.clock.move(to=LATE)
    staff.review("petra", ask_back(staff, contract))
    world.tick()
    assert world.held("w1") == {"agent"}
    record = next(r for r in world.runtime.trail.search() if r.action == "resumed")
    assert record.after["grants_ended"] == ["old"]


def test_a_tick_ends_what_was_given_on_a_contract_that_has_lapsed(staff: Staff) -> None:
    world = staff.world
    contract = lapse(staff)
    record_grant(
        world.runtime, Grant("old", contract.id, "tool.viewer", utc(2026, 3, 1), utc(2026, 4, 30)), contract.identity_id
    )
    world.tick()
    bring(world, lapsed_at=None)
    world.tick()
    assert world.held("w1") == {"agent"}


@pytest.mark.parametrize(
    "facts",
    [{"lapsed_at": None}, {"last": date(2026, 4, 1)}, {"standing": Standing.WITHDRAWN}],
    ids=["given back", "ended", "withdrawn"],
)
def test_what_is_approved_is_checked_again_when_it_is_used(staff: Staff, facts: dict[str, Any]) -> None:
    world = staff.world
    asked = ask_back(staff, lapse(staff))
    bring(world, **facts)
    with pytest.raises(NotEligible, match="nothing to ask back"):
        staff.review("petra", asked)
    assert world.runtime.reviews.sheet(staff.petra, asked).given_back == ()


def test_what_changes_while_it_is_looked_at_is_looked_at_again(staff: Staff) -> None:
    asked = ask_back(staff, lapse(staff))
    shown = staff.world.runtime.reviews.sheet(staff.petra, asked).shown
    bring(staff.world, last=date(2026, 12, 31))
    with pytest.raises(RequestChanged):
        staff.review("petra", asked, shown=shown)


def test_whoever_was_cut_off_is_given_nothing_back(staff: Staff) -> None:
    world, contract = staff.world, lapse(staff)
    asked = ask_back(staff, contract)
    world.runtime.cut_offs.end_now(staff.petra, contract.identity_id, typed="Carl Jones", reason="left in anger")
    with pytest.raises(ReviewRefused):
        staff.review("oskar", asked)
    assert lapses(staff, "mia") == []
    with pytest.raises(NotEligible):
        ask_back(staff, contract)


def test_whoever_works_on_another_contract_asks_for_themselves(staff: Staff) -> None:
    world, contract = staff.world, lapse(staff)
    world.roster(line("w1", role="agent", name="Carl Jones", contract="C-2", first=date(2026, 4, 1), last=SEPTEMBER))
    asked = ask_back(staff, contract, by="carl")
    with pytest.raises(SelfReview):
        staff.review("carl", asked)
    assert staff.review("mia", asked).resolution is Resolution.APPROVED


def test_the_sponsors_word_for_access_back_is_a_word_for_the_new_days(staff: Staff) -> None:
    contract = lapse(staff, "god")
    bring(staff.world, god_ends_at=NARROWS)
    staff.review("petra", ask_back(staff, contract))
    assert contract_of(staff.world).measures.god_ends_at is None
    staff.approved(hours=2)
    staff.world.tick()
    assert "god" in staff.world.held("w1")


def unproposed(staff: Staff, god_ends_at: datetime = NARROWS) -> Engagement:
    """Extend Carl, who holds god mode, without Mia's word."""
    world = staff.world
    world.roster(line("w1", role="god", name="Carl Jones"))
    world.tick()
    assert "god" in world.held("w1")
    return bring(world, last=SEPTEMBER, god_ends_at=god_ends_at)


def test_god_mode_keeps_its_end_when_the_sponsor_has_not_agreed(staff: Staff) -> None:
    world, contract = staff.world, unproposed(staff)
    world.tick()
    assert "god" in world.held("w1"), "what it is to end, it ends, and not before"
    draft = Draft(world.person("w1"), "tool.god", timedelta(hours=4), "incident 7")
    limit = world.runtime.proposals.proposal(staff.mia, draft).limit
    assert limit.until == NARROWS
    world.clock.move(to=NARROWS)
    world.tick()
    assert world.held("w1") == {"power", "wiki"}
    with pytest.raises(NotEligible, match="has not agreed"):
        staff.ask()
    found = world.runtime.extensions.unagreed(staff.mia)
    assert found == [Unagreed(contract_of(world), found[0].identity, NARROWS)]
    assert world.runtime.extensions.unagreed(staff.tomas) == []
    for nobody in ("tomas", "nora", "petra", "carl"):
        with pytest.raises(NotPermitted):
            world.runtime.extensions.agree(world.actor(nobody), contract.id)
    with pytest.raises(NotFound):
        world.runtime.extensions.agree(staff.mia, "none")
    world.runtime.extensions.agree(staff.mia, contract.id)
    world.tick()
    assert world.held("w1") == {"power", "wiki"}, "a step that was taken is not taken back"
    staff.approved(hours=2)
    world.tick()
    assert "god" in world.held("w1")
    with pytest.raises(AnswerInvalid, match="nothing to agree"):
        world.runtime.extensions.agree(staff.mia, contract.id)


def test_the_sponsors_word_in_time_lets_god_mode_follow_the_contract(staff: Staff) -> None:
    world, contract = staff.world, unproposed(staff)
    world.runtime.extensions.agree(staff.mia, contract.id)
    world.clock.move(to=NARROWS)
    world.tick()
    assert "god" in world.held("w1")
    assert world.runtime.extensions.unagreed(staff.mia) == []
    record = next(r for r in world.runtime.trail.search() if r.action == "extension-agreed")
    assert record.actor == "member:mia"
    assert record.after["god_mode"] == "follows the contract"


def test_whoever_wants_it_to_go_on_agrees_to_the_days_it_has(staff: Staff) -> None:
    world = staff.world
    unproposed(staff)
    bring(world, last=date(2026, 4, 1))  # extended by a day only, so that the question is due
    renewals = world.runtime.renewals
    renewals.run(world.clock.now())
    asked = next(q for q in renewals.questions(staff.mia) if q.name == "Carl Jones")
    renewals.answer(staff.mia, asked.row.id, Answer.LAPSE)
    assert contract_of(world).measures.god_ends_at == NARROWS
    renewals.answer(staff.mia, asked.row.id, Answer.EXTEND, proposed_day=SEPTEMBER)
    assert contract_of(world).measures.god_ends_at is None


def test_what_sponsors_propose_is_known_until_the_roster_moves_the_day(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    ids = {q.name: q.row.id for q in renewals.questions(staff.mia)}
    renewals.answer(staff.mia, ids["Carl Jones"], Answer.EXTEND, proposed_day=SEPTEMBER)
    renewals.answer(staff.mia, ids["Dana Fox"], Answer.CONVERT)
    contracts = [contract_of(world, worker).id for worker in ("w1", "w2")]
    with world.runtime.store.read() as unit:
        assert decisions.proposed_days(unit, contracts) == {contracts[0]: SEPTEMBER}
    bring(world, last=SEPTEMBER)
    with world.runtime.store.read() as unit:
        assert decisions.proposed_days(unit, contracts) == {}


def test_sponsors_are_told_once_about_all_of_theirs(staff: Staff) -> None:
    world, extensions = staff.world, staff.world.runtime.extensions
    ids = [contract_of(world, worker).id for worker in ("w1", "w2")]
    with world.runtime.store.write() as unit:
        extensions.tell_unagreed(unit, ids, world.clock.now())
        extensions.tell_lapsed(unit, ids[:1], world.clock.now())
        extensions.tell_lapsed(unit, [], world.clock.now())
    messages = told(staff, "extension")
    assert [(who, subject) for who, subject, _ in messages] == [
        ("boss@example.com", "2 contracts under your name were extended without your word"),
        ("boss@example.com", "A contract under your name was extended after access had ended"),
    ]
    assert "Carl Jones: to 31 Mar 2026" in messages[0][2]
    assert "Dana Fox" in messages[0][2]


def test_a_withdrawn_contract_gives_nothing_and_asks_nobody(staff: Staff) -> None:
    world = staff.world
    world.tick()
    assert world.held("w1") == {"agent"}
    staff.approved(right="tool.viewer", hours=100, by=("petra",))
    bring(world, standing=Standing.WITHDRAWN)
    world.tick()
    assert world.held("w1") == set()
    assert world.tool.accounts["id-w1"].disabled
    standing = world.runtime.persons.standing(world.person("w1"))
    assert (standing.stage, standing.steps, standing.lapsed) == ("withdrawn", (), [])
    world.runtime.renewals.run(world.clock.now())
    assert [q.name for q in world.runtime.renewals.questions(staff.mia)] == ["Dana Fox"]
    world.clock.move(to=utc(2026, 3, 20, 8))
    world.runtime.housekeeping.run()
    assert {who for who, _, _ in told(staff, "contract-window")} == {"w2@example.com"}
    with pytest.raises(NotEligible, match="withdrawn"):
        staff.ask(right="tool.viewer")
    bring(world, standing=Standing.RUNNING)
    world.tick()
    assert world.held("w1") == {"agent"}, "what was given for a time before does not revive"


def test_a_withdrawn_contract_takes_nothing_from_another_one(staff: Staff) -> None:
    world = staff.world
    world.tick()
    withdrawn = bring(world, standing=Standing.WITHDRAWN)
    world.roster(line("w1", role="agent", name="Carl Jones", contract="C-2", last=SEPTEMBER))
    world.tick()
    assert world.held("w1") == {"agent"}
    standing = world.runtime.persons.standing(withdrawn.identity_id)
    assert standing.contract is not None
    assert standing.contract.engagement.reference == "C-2"
    assert standing.stage_of(next(c for c in standing.contracts if c.engagement.id == withdrawn.id)) == "withdrawn"


def test_an_employee_keeps_the_account_and_loses_what_the_contract_gave(staff: Staff) -> None:
    world = staff.world
    world.roster(line("w1", role="god", name="Carl Jones"))
    world.tick()
    account = world.tool.accounts["id-w1"]
    assert account.expires_at == utc(2026, 3, 31, 22)
    with world.runtime.store.write() as unit:
        people.become_employee(unit, [world.person("w1")], world.clock.now())
        people.make_due(unit, world.clock.now(), [world.person("w1")])
    world.tick()
    assert (account.expires_at, account.disabled) == (None, False), "no contract's end cuts it off"
    assert "god" in world.held("w1")
    world.clock.move(to=utc(2026, 3, 31, 12))
    world.tick()
    assert "god" not in world.held("w1"), "god mode ends with the contract all the same"
    world.clock.move(to=LATE)
    world.tick()
    assert world.held("w1") == set()
    assert (account.expires_at, account.disabled) == (None, False)
    assert world.runtime.persons.standing(world.person("w1")).employee_since is not None
    world.runtime.cut_offs.end_now(staff.petra, world.person("w1"), typed="Carl Jones", reason="left in anger")
    world.tick()
    assert account.disabled, "whoever is cut off is cut off"


def agent(last: date, role: str = "agent") -> tuple[str, str]:
    return line("w1", role=role, name="Carl Jones", last=last), line("w2", role="agent", name="Dana Fox")


def test_a_roster_that_comes_too_late_gives_nothing_back(staff: Staff) -> None:
    world = staff.world
    world.tick()
    world.clock.move(to=LATE)
    world.tick()
    world.roster(*agent(SEPTEMBER))
    world.tick()
    assert world.held("w1") == set()
    contract = contract_of(world)
    assert contract.measures.lapsed_at == LATE
    staff.review("petra", ask_back(staff, contract))
    world.tick()
    assert world.held("w1") == {"agent"}
    world.clock.move(days=1)
    world.roster(*agent(date(2026, 12, 31)))
    world.tick()
    assert world.held("w1") == {"agent"}, "what was given back stays, and is extended like any other"


@pytest.mark.parametrize("proposed", [None, date(2026, 9, 29), SEPTEMBER])
def test_a_roster_moves_god_mode_only_where_the_sponsor_has_proposed_it(staff: Staff, proposed: date | None) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    world.roster(*agent(date(2026, 3, 31), "god"))
    world.tick()
    if proposed is not None:
        renewals.run(world.clock.now())
        asked = next(q for q in renewals.questions(staff.mia) if q.name == "Carl Jones")
        renewals.answer(staff.mia, asked.row.id, Answer.EXTEND, proposed_day=proposed)
    world.roster(*agent(SEPTEMBER, "god"))
    world.clock.move(to=NARROWS)
    world.tick()
    assert world.held("w1") == ({"god", "wiki"} if proposed == SEPTEMBER else {"power", "wiki"})
    assert len(world.runtime.extensions.unagreed(staff.mia)) == (0 if proposed == SEPTEMBER else 1)


def test_a_roster_inside_the_window_takes_no_step_back(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    world.roster(*agent(date(2026, 3, 31), "god"))
    renewals.run(world.clock.now())
    asked = next(q for q in renewals.questions(staff.mia) if q.name == "Carl Jones")
    renewals.answer(staff.mia, asked.row.id, Answer.EXTEND, proposed_day=SEPTEMBER)
    world.clock.move(to=utc(2026, 3, 31, 9))
    world.tick()
    assert world.held("w1") == {"agent", "wiki"}
    world.roster(*agent(SEPTEMBER, "god"))
    world.tick()
    assert world.held("w1") == {"power", "wiki"}, "base access follows, god mode needs two people"
    staff.approved(hours=2)
    world.tick()
    assert "god" in world.held("w1")


@pytest.mark.parametrize("standing", [Standing.RUNNING, Standing.CONVERTED])
def test_a_status_that_is_taken_back_is_an_extension_too(staff: Staff, standing: Standing) -> None:
    world = staff.world
    rulebook, now = world.runtime.rulebook, world.clock.now()
    withdrawn = replace(contract_of(world), standing=Standing.WITHDRAWN)
    person = Identity(withdrawn.identity_id, "Carl Jones", "w1", "plain")
    change = Change(Kind.CHANGED, stored=StoredContract(withdrawn, person), after=replace(withdrawn, standing=standing))
    after = Following(rulebook, now, {}).decide(change, rulebook.contract(withdrawn), []).after
    assert after is not None
    assert after.measures.lapsed_at == now
    assert not after.measures.god_withheld, "it gives no god mode, so it takes none"
    assert after.measures.employee_since == (now if standing is Standing.CONVERTED else None)

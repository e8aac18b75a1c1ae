"""One person is one person, by whatever account, however it is spelt, and whatever nobody vouches for."""

from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.domain.approval import Kind, Resolution, ReviewRefused, Verdict
from lifecycle.domain.eligibility import NotEligible
from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.domain.grant import NothingLeftToGrant
from lifecycle.domain.party import key_of
from lifecycle.domain.role import Role
from lifecycle.services.admission import Vouched, admit
from lifecycle.services.authorisation import Actor
from lifecycle.services.cutoff import SecondPersonNeeded
from lifecycle.services.membership import MemberInvalid
from lifecycle.services.proposals import AlreadyAsked, Draft
from lifecycle.services.sessions import NotSignedIn, actor_of
from lifecycle.services.tokens import TokenRefused
from lifecycle.services.trail_search import Question
from lifecycle.store import members, notices
from tests.services.team import Staff
from tests.services.world import PASSWORD, line, utc

ISSUER = "https://login.example.com"


def at_the_provider(staff: Staff, subject: str, *, groups: tuple[str, ...] = (), **facts: Any) -> Actor:
    """Sign somebody in through the provider."""
    runtime = staff.world.runtime
    settings = runtime.settings.sign_in.model_copy(
        update={"roles": {"it": (Role.IT_OPERATOR,), "boss": (Role.MANAGER,)}}
    )
    vouched = Vouched(ISSUER, subject, facts.pop("login", subject), subject, groups=groups, **facts)
    with runtime.store.write() as unit:
        member = admit(unit, vouched, settings, staff.world.wall.now())
        runtime.sessions.check_active(unit, member)
        return actor_of(member, staff.world.wall.now())


def review(staff: Staff, by: Actor, request: str) -> Any:
    reviews = staff.world.runtime.reviews
    shown = reviews.sheet(by, request).shown
    return reviews.review(by, request, verdict=Verdict.APPROVE, note="agreed", shown=shown)


@pytest.mark.parametrize(
    "facts", [{"claimed_email": "oskar@example.com"}, {"login": "Oskar@Example.com"}, {"email": "oskar@example.com"}]
)
def test_a_second_account_is_the_same_person_though_nobody_vouches_for_its_address(
    staff: Staff, facts: dict[str, str]
) -> None:
    again = at_the_provider(staff, "sub-1", groups=("it",), **{"claimed_email": "oskar@example.com", **facts})
    request = staff.ask(by="mia")
    staff.review("oskar", request)
    with pytest.raises(ReviewRefused):
        review(staff, again, request)


def test_whoever_names_a_contractors_address_is_taken_for_one_and_gains_nothing(staff: Staff) -> None:
    dana = at_the_provider(staff, "sub-2", groups=("it",), claimed_email="W2@example.com")
    assert dana.identity_id == ""
    with pytest.raises(NotPermitted):
        staff.world.runtime.team.own_access(dana)
    for_dana, for_carl = staff.ask(worker="w2", right="tool.power"), staff.ask()
    for request in (for_dana, for_carl):
        with pytest.raises(ReviewRefused):
            review(staff, dana, request)
    staff.world.clock.move(to=utc(2026, 4, 2))
    with pytest.raises(NotSignedIn):
        at_the_provider(staff, "sub-2", groups=("it",), claimed_email="w2@example.com")


def test_whoever_could_not_be_told_from_a_contractor_does_not_review_god_mode(staff: Staff) -> None:
    somebody = at_the_provider(staff, "sub-3", groups=("it",))
    with pytest.raises(ReviewRefused, match="known to be employees"):
        review(staff, somebody, staff.ask())


def test_a_local_account_is_recognised_when_its_owner_comes_onto_the_roster(staff: Staff) -> None:
    world = staff.world
    world.member("eve", Role.IT_OPERATOR, email="w9@example.com")
    token = world.sign_in("eve")
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("w9", role="agent", name="Eve Long"),
    )  # fmt: skip
    assert Role.CONTRACTOR in world.runtime.sessions.actor(token).roles
    with pytest.raises(ReviewRefused):
        staff.review("eve", staff.ask())
    world.runtime.cut_offs.end_now(staff.mia, world.person("w9"), typed="Eve Long", reason="left in anger")
    with pytest.raises(NotSignedIn):
        world.runtime.sessions.actor(token)
    with pytest.raises(MemberInvalid, match="worker id"):
        world.runtime.membership.invite(staff.petra, login="x", worker_id="nobody")


def test_an_invited_contractor_is_one_by_address_too(staff: Staff) -> None:
    staff.world.runtime.membership.invite(staff.petra, login="dana", email="w2@example.com", roles=["it-operator"])
    assert Role.CONTRACTOR in staff.world.actor("dana").roles
    with staff.world.runtime.store.read() as unit:
        due = notices.due(unit, staff.world.clock.now() + timedelta(hours=1), 10_000)
        told = {n.recipient for n in due if n.topic == "members"}
    assert told == {"w2@example.com", "it@example.com"}, "nobody acts in somebody's name behind their back"


def test_for_a_day_whoever_was_invited_may_be_whoever_invited_them(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime
    world.roster(
        line("w1", role="agent", name="Carl Jones", sponsor="puppet@example.com"), line("w2", role="agent", name="Dana")
    )
    invited = {"email": "puppet@example.com", "roles": ["manager", "it-operator"]}
    code = runtime.membership.invite(staff.petra, login="puppet", **invited)
    runtime.sign_in.accept(code=code, login="puppet", password=PASSWORD, address="petra's")
    request = staff.ask(by="puppet")
    with pytest.raises(ReviewRefused, match="asked for this"):
        staff.review("petra", request)
    runtime.cut_offs.end_now(staff.petra, world.person("w2"), typed="Dana", reason="on the phone")
    with pytest.raises(SecondPersonNeeded):
        runtime.cut_offs.undo(world.actor("puppet"), world.person("w2"), "a mistake")
    world.wall.move(hours=24)
    assert staff.review("petra", request).resolution is Resolution.PENDING


def test_the_sixth_is_counted_over_all_accounts_of_one_person(staff: Staff) -> None:
    world, cut_offs = staff.world, staff.world.runtime.cut_offs
    world.roster(*(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(7)))
    again = at_the_provider(staff, "sub-4", groups=("it",), claimed_email="oskar@example.com")
    for n in range(5):
        by = again if n % 2 else staff.oskar
        assert cut_offs.end_now(by, world.person(f"x{n}"), typed=f"Many {n}", reason="all of them") == ""
    for n, by in ((5, again), (6, staff.oskar)):
        assert cut_offs.end_now(by, world.person(f"x{n}"), typed=f"Many {n}", reason="all of them") != ""


def test_disabling_somebody_disables_every_account_of_theirs(staff: Staff) -> None:
    world, membership = staff.world, staff.world.runtime.membership
    again = at_the_provider(staff, "sub-5", groups=("it",), email="oskar@example.com")
    second = world.member("petra2", email="petra@example.com")
    with pytest.raises(MemberInvalid, match="your own"):
        membership.disable(staff.petra, second.id)
    membership.disable(staff.petra, staff.oskar.id)
    with world.runtime.store.read() as unit:
        row = members.get(unit, again.id)
        assert row is not None and row.disabled_at is not None
    with pytest.raises(ReviewRefused):
        review(staff, again, staff.ask())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mu\u0308ller AG", "Müller AG"),
        ("Ac\u200bme", "Acme"),
        ("ACME", "Acme"),
        ("Straße", "STRASSE"),
        ("ﬁrm", "firm"),
    ],
)
def test_spelling_does_not_make_two_vendors(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_what_nobody_stands_for_any_more_is_not_approved(staff: Staff) -> None:
    runtime = staff.world.runtime
    request, granted = staff.ask(), staff.approved(worker="w2", at_once=False)
    staff.review("ravi", request)
    runtime.membership.set_roles(staff.petra, staff.mia.id, [])
    assert "who asked for this" in runtime.reviews.sheet(staff.oskar, request).closed
    with pytest.raises(ReviewRefused, match="Mia, who asked for this"):
        staff.review("oskar", request)
    dana = staff.world.member("dana", worker="w2")
    with pytest.raises(ReviewRefused, match="Mia, who asked for this"):
        runtime.activation.activate(dana, granted)


def test_what_somebody_asked_for_others_ends_with_their_own_access(staff: Staff) -> None:
    world = staff.world
    world.member("dana", Role.MANAGER, worker="w2")
    world.roster(
        line("w1", role="agent", name="Carl Jones", sponsor="w2@example.com"), line("w2", role="agent", name="Dana Fox")
    )
    with world.runtime.store.write() as unit:
        row = members.by_subject(unit, "local", "dana")
        assert row is not None
        row.email = row.email_key = "w2@example.com"
        unit.session.add(row)
    request = staff.ask(by="dana")
    world.runtime.cut_offs.end_now(staff.petra, world.person("w2"), typed="Dana Fox", reason="fraud")
    assert world.runtime.reviews.sheet(staff.petra, request).request.resolution is Resolution.CANCELLED


def test_each_sponsor_gives_rights_on_their_own_contract(staff: Staff) -> None:
    world = staff.world
    world.roster(
        line("w1", role="agent", name="Carl Jones", contract="A", last=date(2026, 12, 31)),
        line("w1", role="agent", name="Carl Jones", contract="B", last=date(2026, 3, 20), sponsor="tomas@example.com"),
        line("w2", role="agent", name="Dana Fox", contract="C"),
        line("w2", role="agent", name="Dana Fox", contract="D", first=date(2026, 6, 1), last=date(2026, 12, 31),
             sponsor="tomas@example.com"),
    )  # fmt: skip
    staff.approved(by=("oskar",), right="tool.power", hours=24 * 60)
    mine = staff.approved(by=("oskar",), right="tool.wiki", hours=24 * 60, worker="w1")
    assert mine
    request = world.runtime.requests.ask(staff.tomas, _draft(world.person("w1"), "tool.viewer", timedelta(days=60)))
    staff.review("oskar", request)
    ends = {g.request: g.ends_at for c in _contracts(staff, "w1") for g in c.grants}
    assert ends[request] < utc(2026, 3, 21, 12), "his own contract ends on 20 March"
    with pytest.raises(NotPermitted):
        world.runtime.requests.ask(staff.tomas, _draft(world.person("w2"), "tool.viewer", timedelta(days=1)))
    with pytest.raises(NotPermitted):
        world.runtime.cut_offs.view(staff.tomas, world.person("w2"))


def _draft(person: str, right: str, asked: timedelta) -> Any:
    return Draft(person, right, asked, "for the handover")


def _contracts(staff: Staff, worker: str) -> Any:
    runtime = staff.world.runtime
    with runtime.store.read() as unit:
        return runtime.parties.contracts(unit, staff.world.person(worker))


def test_approvals_of_god_mode_do_not_pile_up(staff: Staff) -> None:
    world, activation = staff.world, staff.world.runtime.activation
    first = staff.approved(at_once=False, hours=8, window=timedelta(days=7))
    with pytest.raises(AlreadyAsked, match=first):
        staff.ask(hours=8)
    activation.activate(staff.carl, first)
    began = world.clock.now()
    world.clock.move(hours=5)
    staff.approved(hours=8, by=("ines", "petra"))
    assert {g.ends_at for c in _contracts(staff, "w1") for g in c.grants} == {began + timedelta(hours=8)}
    world.clock.move(to=began + timedelta(hours=7, minutes=59))
    world.tick()
    assert "god" in world.held("w1")
    world.clock.move(minutes=1)
    world.tick()
    assert "god" not in world.held("w1")
    staff.approved(hours=2, kind=Kind.NEW)
    world.clock.move(hours=1)
    with pytest.raises((NothingLeftToGrant, NotEligible)):
        staff.ask(hours=8, kind=Kind.RENEW, grant_id=next(g.id for c in _contracts(staff, "w1") for g in c.grants
                                                          if g.ends_at > world.clock.now()))  # fmt: skip


def test_what_has_not_begun_is_gone_when_it_is_ended(staff: Staff) -> None:
    """It once lived for a microsecond at its old start, which a tick at that very instant would have granted."""
    world, runtime = staff.world, staff.world.runtime
    staff.approved(hours=8)
    grant = _contracts(staff, "w1")[0].grants[0]
    world.clock.move(hours=7)
    staff.approved(kind=Kind.EXTEND, grant_id=grant.id, hours=2)
    starts = grant.ends_at
    world.clock.move(minutes=1)
    person = world.person("w1")
    runtime.cut_offs.end_now(staff.mia, person, typed="Carl Jones", reason="a mistake")
    runtime.cut_offs.undo(staff.petra, person, "it was a mistake")
    world.clock.move(to=starts)
    world.tick()
    assert "god" not in world.held("w1")
    assert not [g for g in _contracts(staff, "w1")[0].grants if g.starts_at >= starts]


def test_a_token_ends_with_the_role_of_whoever_made_it(staff: Staff) -> None:
    tokens = staff.world.runtime.tokens
    token, _ = tokens.make(staff.petra, "siem", ["trail:read"], 30)
    assert tokens.actor(token)
    root = staff.world.member("root", Role.IT_ADMINISTRATOR)
    staff.world.runtime.membership.set_roles(root, staff.petra.id, ["it-operator"])
    with pytest.raises(TokenRefused):
        tokens.actor(token)


def test_one_of_it_who_is_about_to_be_cut_off_reads_nothing_of_it(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        *(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(5)),
    )  # fmt: skip
    dana = world.member("dana", Role.IT_OPERATOR, Role.IT_ADMINISTRATOR, worker="w2")
    for n in range(5):
        runtime.cut_offs.end_now(staff.mia, world.person(f"x{n}"), typed=f"Many {n}", reason="all of them")
    held = runtime.cut_offs.end_now(staff.mia, world.person("w2"), typed="Dana Fox", reason="suspected theft")
    with pytest.raises(NotFound):
        runtime.reviews.sheet(dana, held)
    with pytest.raises(NotFound):
        runtime.reviews.mark_seen(dana, held)
    assert held not in {c.row.id for c in runtime.inbox.pending(dana)}
    assert held in {c.row.id for c in runtime.inbox.pending(staff.petra)}
    everything = Question()
    for actor, told in ((dana, False), (staff.petra, True)):
        assert ("theft" in repr(runtime.trail_search.page(actor, everything, limit=500))) is told
        assert ("theft" in repr(list(runtime.trail_search.export(actor, everything)))) is told
    assert "Dana" not in repr([a.title for a in runtime.overview.dashboard().alerts])


def test_many_reports_make_few_messages(staff: Staff) -> None:
    runtime = staff.world.runtime
    for n in range(50):
        runtime.team.report_mistake(staff.carl, f"this is wrong, for the {n}th time")
    with runtime.store.read() as unit:
        due = notices.due(unit, staff.world.clock.now() + timedelta(hours=1), 10_000)
        assert len([n for n in due if n.topic == "mistake-reported"]) == 3, "the sponsor, HR and IT are told once"


def test_a_slip_in_a_roster_locks_no_administrator_out(staff: Staff) -> None:
    """One row with her address made the only administrator a contractor whose contract had ended."""
    world, membership = staff.world, staff.world.runtime.membership
    token = world.sign_in("petra")
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("petra", role="agent", first=date(2026, 1, 1), last=date(2026, 2, 1)),
        line("oskar", role="agent", first=date(2026, 1, 1), last=date(2026, 2, 1)),
    )  # fmt: skip
    assert Role.CONTRACTOR not in world.runtime.sessions.actor(token).roles
    assert staff.review("petra", staff.ask()).reviews
    with pytest.raises(NotSignedIn):
        world.sign_in("oskar")
    with pytest.raises(MemberInvalid, match="your own"):
        membership.make_employee(staff.petra, staff.petra.id)
    membership.make_employee(staff.petra, staff.oskar.id)
    assert world.sign_in("oskar")
    assert staff.review("oskar", staff.ask(worker="w2")).reviews
    world.clock.move(days=5)
    world.roster(line("oskar", role="agent", contract="new", first=date(2026, 3, 3)), profile="delta")
    with world.runtime.store.read() as unit:
        row = members.get(unit, staff.oskar.id)
        assert row is not None
        assert not world.runtime.parties.of_member(unit, row).employee, "a later contract counts again"


def test_a_number_of_a_vendors_is_nobodys_name_here(staff: Staff) -> None:
    """A worker id that reads like his sign-in name ended an operator's sessions and kept him from reviewing."""
    world = staff.world
    world.roster(line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
                 "C-9,oskar,Other Oskar,Northgate,agent,berlin,2026-01-01,2026-03-31,n/a,boss@example.com",
                 "C-8,other,Fourth One,Southgate,agent,berlin,2026-01-01,2026-03-31,n/a,boss@example.com")  # fmt: skip
    token = world.sign_in("oskar")
    assert staff.review("oskar", staff.ask(worker="oskar")).reviews
    world.runtime.cut_offs.end_now(staff.mia, world.person("oskar"), typed="Other Oskar", reason="left in anger")
    assert world.runtime.sessions.actor(token)
    with world.runtime.store.read() as unit:
        one, other = (world.runtime.parties.identity(unit, world.person(w)) for w in ("oskar", "other"))
        assert one is not None and other is not None
        parties = [world.runtime.parties.of_identity(unit, identity) for identity in (one, other)]
    assert not parties[0].is_same_as(parties[1]), "n/a is nobody's address"


def test_naming_somebody_at_the_provider_keeps_no_reviewer_away(staff: Staff) -> None:
    """A contractor who called himself after the boss could not be reviewed, nor cut off, by anybody below."""
    world = staff.world
    for name in ("ines@example.com", "oskar@example.com"):
        at_the_provider(staff, "carl-there", email="w1@example.com", login=name, claimed_email=name)
    request = staff.approved(by=("ravi", "oskar"))
    world.roster(*(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(5)), profile="delta")
    for n in range(5):
        world.runtime.cut_offs.end_now(staff.mia, world.person(f"x{n}"), typed=f"Many {n}", reason="all of them")
    held = world.runtime.cut_offs.end_now(staff.mia, world.person("w1"), typed="Carl Jones", reason="theft")
    assert staff.review("oskar", held).resolution is Resolution.APPROVED
    assert request


def test_without_an_address_nobody_knows_whether_somebody_has_another_account(staff: Staff) -> None:
    staff.world.member("nameless", Role.IT_ADMINISTRATOR)
    with pytest.raises(ReviewRefused, match="known to be employees"):
        staff.review("nameless", staff.ask())
    nameless = staff.world.actor("nameless").id
    staff.world.runtime.membership.set_roles(staff.petra, nameless, ["it-administrator"], email="name@example.com")
    staff.review("nameless", staff.ask(worker="w2"))
    with pytest.raises(MemberInvalid):
        staff.world.runtime.membership.set_roles(staff.petra, nameless, [], email="two@x.example, three@x.example")


def test_a_chain_of_invitations_is_one_person_and_so_are_its_limits(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime

    def invite(by: Actor, login: str, *roles: str) -> Actor:
        code = runtime.membership.invite(by, login=login, email=f"{login}@example.com", roles=roles)
        runtime.sign_in.accept(code=code, login=login, password=PASSWORD, address="petra's")
        return world.actor(login)

    first = invite(staff.petra, "first", "it-administrator")
    second = invite(first, "second", "manager", "hr")
    people = [f"x{n}" for n in range(6)]
    world.roster(
        *(line(p, role="agent", name=p, sponsor="second@example.com") for p in people),
        line("w1", role="agent", name="Carl Jones"),
    )
    with pytest.raises(ReviewRefused, match="asked for this"):
        staff.review("petra", staff.ask(by="second", worker="x0"))
    by = [second, staff.petra, first, second, staff.petra, first]
    held = [
        runtime.cut_offs.end_now(who, world.person(p), typed=p, reason="all of them")
        for who, p in zip(by, people, strict=True)
    ]
    assert held[:5] == [""] * 5
    assert held[5] != ""
    with pytest.raises(SecondPersonNeeded):
        runtime.cut_offs.undo(staff.petra, world.person("x0"), "a mistake")


def test_what_could_take_an_account_over_is_told(staff: Staff) -> None:
    runtime = staff.world.runtime
    runtime.membership.invite_again(staff.petra, staff.ravi.id)
    runtime.membership.set_roles(staff.petra, staff.mia.id, ["manager", "it-administrator"])
    with runtime.store.read() as unit:
        due = notices.due(unit, staff.world.clock.now(), 10_000)
    told = {(n.recipient, n.subject.split(" for ")[0]) for n in due if n.topic == "members"}
    assert {
        ("ravi@example.com", "Petra made a new invitation"),
        ("boss@example.com", "Petra changed the account"),
    } <= told
    assert {r for r, _ in told} >= {"it@example.com"}


def test_god_mode_does_not_add_up_over_contracts_or_by_giving_it_back(staff: Staff) -> None:
    world, activation = staff.world, staff.world.runtime.activation
    world.roster(
        line("w1", role="agent", name="Carl Jones", contract="A"),
        line("w1", role="agent", name="Carl Jones", contract="B", sponsor="tomas@example.com"),
        line("w2", role="agent", name="Dana Fox"),
    )
    staff.approved(hours=8)
    began = world.clock.now()
    world.clock.move(hours=6)
    later = staff.ask(by="tomas", hours=8, at_once=False, window=timedelta(hours=4))
    staff.review("ravi", later)
    staff.review("petra", later)
    world.clock.move(hours=1, minutes=55)
    first = next(g for c in _contracts(staff, "w1") for g in c.grants)
    activation.end_early(staff.carl, first.id)
    grant = activation.activate(staff.carl, later)
    assert grant.ends_at == began + timedelta(hours=8)
    world.clock.move(to=grant.ends_at)
    fresh = staff.approved(hours=8, kind=Kind.RENEW, grant_id=first.id)
    assert {g.ends_at for c in _contracts(staff, "w1") for g in c.grants if g.request == fresh} == {
        began + timedelta(hours=16)
    }, "what is asked after the end is new"


def test_an_extension_is_asked_for_by_whoever_answers_for_the_contract(staff: Staff) -> None:
    world = staff.world
    world.roster(
        line("w1", role="agent", name="Carl Jones", contract="A"),
        line("w1", role="agent", name="Carl Jones", contract="B", sponsor="tomas@example.com"),
        line("w2", role="agent", name="Dana Fox"),
    )
    staff.approved(right="tool.power", hours=8, by=("oskar",))
    grant = next(g for c in _contracts(staff, "w1") for g in c.grants)
    world.clock.move(hours=7)
    more = {"right": "tool.power", "kind": Kind.EXTEND, "grant_id": grant.id, "hours": 8}
    with pytest.raises(NotEligible, match="Somebody else answers"):
        staff.ask(by="tomas", **more)
    unused = staff.ask(**more, at_once=False)
    staff.review("oskar", unused)
    with pytest.raises(NotEligible, match=unused):
        staff.ask(**more)


def test_an_extension_that_will_never_come_stands_in_nobodys_way(staff: Staff) -> None:
    world, activation = staff.world, staff.world.runtime.activation
    staff.approved(hours=8)
    grant = _contracts(staff, "w1")[0].grants[0]
    world.clock.move(hours=6, minutes=30)
    more = {"kind": Kind.EXTEND, "grant_id": grant.id}
    first = staff.approved(hours=2, **more)
    made = next(g for g in _contracts(staff, "w1")[0].grants if g.request == first)
    activation.end_early(staff.carl, made.id)
    second = staff.approved(hours=1, by=("ines", "petra"), **more)
    assert {g.request for g in _contracts(staff, "w1")[0].grants} >= {second}


def test_a_page_says_no_more_than_is_true_of_what_runs(staff: Staff) -> None:
    request = staff.approved(hours=8)
    staff.world.runtime.membership.disable(staff.petra, staff.mia.id)
    assert staff.world.runtime.reviews.sheet(staff.petra, request).closed == ""


def test_a_held_cut_off_leaves_nothing_where_its_victim_reads(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime
    world.roster(*(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(5)), profile="delta")
    for n in range(5):
        runtime.cut_offs.end_now(staff.mia, world.person(f"x{n}"), typed=f"Many {n}", reason="all of them")
    for ends in ("withdraw", "expire"):
        held = runtime.cut_offs.end_now(staff.mia, world.person("w1"), typed="Carl Jones", reason="theft")
        if ends == "withdraw":
            runtime.requests.withdraw(staff.mia, held)
        else:
            for who in ("petra", "oskar", "nora", "ines"):
                runtime.membership.disable(world.member(f"root-{who}", Role.IT_ADMINISTRATOR), world.actor(who).id)
            world.clock.move(minutes=5)
            runtime.housekeeping.run()
            world.clock.move(hours=5)
            runtime.housekeeping.run()
        own = runtime.trail.about(list(runtime.team.own_access(staff.carl).objects))
        assert not [r for r in own if r.request == held]


def test_whoever_changes_agency_is_not_locked_out_by_the_contract_that_ended(staff: Staff) -> None:
    """The new agency's feed makes another identity with the same address, whose contract runs on."""
    world = staff.world
    dana = at_the_provider(staff, "dana-there", email="w2@example.com")
    world.roster(line("other-7", role="agent", name="Dana Fox", last=date(2026, 12, 31), vendor="Southgate")
                 .replace("other-7@example.com", "w2@example.com"), profile="delta")  # fmt: skip
    world.clock.move(to=utc(2026, 4, 2))
    assert at_the_provider(staff, "dana-there", email="w2@example.com").id == dana.id
    world.clock.move(to=utc(2027, 1, 2))
    with pytest.raises(NotSignedIn):
        at_the_provider(staff, "dana-there", email="w2@example.com")

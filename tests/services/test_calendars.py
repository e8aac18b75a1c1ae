"""Last days as a calendar: whose, for how long, and how it is taken back."""

from datetime import date

import pytest
from icalendar import Calendar

from lifecycle.domain.errors import NotFound, NotPermitted
from tests.services.team import Staff
from tests.services.world import line


def summaries(staff: Staff, token: str) -> set[str]:
    calendar = Calendar.from_ical(staff.world.runtime.calendars.read(token))
    return {str(event["summary"]) for event in calendar.walk("VEVENT")}


def test_a_sponsor_sees_their_own_and_it_everybody(staff: Staff) -> None:
    world = staff.world
    world.roster(
        line("w1", role="agent", name="Carl Jones; Jr \\ the ünïcode"),
        line("w2", role="agent", name="Dana Fox", sponsor="tomas@example.com"),
        line("w3", role="agent", name="Long Gone", first=date(2025, 1, 1), last=date(2025, 6, 1)),
    )
    own = world.runtime.calendars.make(staff.mia, everybody=False)
    every = world.runtime.calendars.make(staff.petra, everybody=True)
    assert len(summaries(staff, own)) == 1
    assert len(summaries(staff, every)) == 2
    calendar = Calendar.from_ical(world.runtime.calendars.read(every))
    event = next(e for e in calendar.walk("VEVENT") if "Dana" in str(e["summary"]))
    assert event["dtstart"].dt == date(2026, 3, 31)
    assert event["dtend"].dt == date(2026, 4, 1)
    assert str(event["uid"]).endswith("@lifecycle")
    with pytest.raises(NotPermitted):
        world.runtime.calendars.make(staff.mia, everybody=True)
    with pytest.raises(NotPermitted):
        world.runtime.calendars.make(staff.carl, everybody=False)


def test_an_address_that_was_taken_back_or_whose_owner_has_gone_is_worth_nothing(staff: Staff) -> None:
    calendars = staff.world.runtime.calendars
    first, second = (calendars.make(staff.mia, everybody=False) for _ in range(2))
    feed = calendars.list(staff.mia)[0]
    with pytest.raises(NotFound):
        calendars.revoke(staff.tomas, feed.id)
    calendars.revoke(staff.mia, feed.id)
    with pytest.raises(NotFound):
        calendars.read(first)
    calendars.read(second)
    staff.world.runtime.membership.set_roles(staff.petra, staff.mia.id, ["hr"])
    with pytest.raises(NotFound):
        calendars.read(second)
    staff.world.runtime.membership.set_roles(staff.petra, staff.mia.id, ["manager"])
    staff.world.runtime.membership.disable(staff.petra, staff.mia.id)
    for token in (second, "made-up", ""):
        with pytest.raises(NotFound):
            calendars.read(token)

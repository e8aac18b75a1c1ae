"""Rows as the driver gives them: all of them, whatever text is asked for."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import literal, select

from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.store import people, roster_contracts
from lifecycle.store.unit import Store

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("source", ["plain", "it's", "100%", "a\\b", "%s %(x)s", "Zürich; DROP TABLE engagement; --"])
def test_a_million_rows_are_read_by_the_driver_whatever_their_source_is_called(ready_url: str, source: str) -> None:
    store = Store(ready_url)
    with store.write() as unit:
        person = IdentityId(f"i-{source}"[:36])
        people.add_identities(unit, [Identity(person, "Ada", "w1", source)], NOW)
        contracts = [
            Engagement(
                EngagementId(f"{n}-{source}"[:36]),
                person,
                source,
                f"C{n}",
                date(2026, 1, 1),
                date(2026, 9, n + 1),
                "UTC",
                "V",
            )
            for n in range(3)
        ]
        people.add_engagements(unit, contracts, NOW, {e.id: f"digest {e.reference}" for e in contracts[:2]})
    with store.read() as unit:
        stated = sorted(row for rows in roster_contracts.stated(unit, source, date(2026, 9, 2)) for row in rows)
        ids = [contract.id for contract in contracts]
        assert stated == [("", ids[2], 0), ("digest C0", "", 0), ("digest C1", ids[1], 0)]
        assert list(unit.stream(select(literal(1)).limit(0))) == []
    store.close()

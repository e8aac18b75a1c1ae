"""Every hostile file ends in words that a person can act on, and in no row that is not in it."""

import pytest

from lifecycle.domain.roster import Cause
from lifecycle.feed.matching import look
from lifecycle.feed.read import Unreadable
from tests.feed.corpus import Hostile, corpus
from tests.feed.reading import read


def test_there_are_enough_of_them_and_each_is_one_of_a_kind() -> None:
    files = corpus()
    assert len(files) >= 100
    assert len({file.name for file in files}) == len(files)


@pytest.mark.parametrize("hostile", corpus(), ids=lambda hostile: hostile.name)
def test_a_hostile_file_is_complained_about(hostile: Hostile) -> None:
    reading = read(hostile.content)
    assert reading.complaints, hostile.why
    assert len(reading.rows) == hostile.good_rows
    for complaint in reading.complaints:
        assert complaint.expected
        assert complaint.remedy.endswith(".")
        assert len(str(complaint)) < 1_000
        assert complaint.value.isprintable()
        if complaint.cause is not Cause.FILE:
            assert complaint.line > 0
    usable = {complaint.line for complaint in reading.complaints}
    assert usable.isdisjoint(row.line for row in reading.rows)


@pytest.mark.parametrize("hostile", corpus(), ids=lambda hostile: hostile.name)
def test_a_first_look_at_it_shows_something_or_says_why_not(
    hostile: Hostile, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("look") / "roster"
    path.write_bytes(hostile.content)
    try:
        seen = look(path)
    except Unreadable as exc:
        assert exc.complaint.remedy.endswith(".")
    else:
        assert all(cell.isprintable() for row in seen.rows for cell in row)

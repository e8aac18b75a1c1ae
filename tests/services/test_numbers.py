"""Whole numbers that strangers write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.services.numbers import MOST, whole


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1.0", "1e3", "\u0663", "\u00b2", "x", str(MOST + 1), "9" * 5_000, "1\n"]
)
def test_what_is_no_number_of_ours_is_none(text: str) -> None:
    assert whole(text) is None


@given(st.integers(0, MOST), st.integers(0, MOST))
def test_a_number_is_read_up_to_its_bound(number: int, most: int) -> None:
    assert whole(str(number), most) == (number if number <= most else None)

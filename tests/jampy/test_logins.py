"""How Jam.py logs somebody in: as whom, and what becomes of it."""

import pytest

from jamguard.jampy.logins import fold


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("ann", "ann"),
        ("Ann", "ann"),
        (" ann\t\n", "ann"),
        ("a n n", "a n n"),
        ("José", "jose"),
        ("JOSE\u0301", "jose"),
        ("straße", "strasse"),
        ("\uff41nn", "ann"),  # a letter of full width
        ("a\u200bn\u00adn\0", "ann"),  # what cannot be seen
        ("o'brien | x", "o'brien | x"),
        ("王小明", "王小明"),
        ("x" * 100, "x" * 100),
        ("x" * 101, ""),
        ("\ufdfa" * 30, ""),  # 18 letters each
        ("\ud800", ""),
        (" \u200b ", ""),
        ("", ""),
    ],
)
def test_what_a_database_may_take_for_one_name_is_one(name: str, folded: str) -> None:
    assert fold(name) == folded

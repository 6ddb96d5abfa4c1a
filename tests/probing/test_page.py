"""The scorecard as a page: what the command does not show of its own accord."""

import attrs

from jamguard.probing.page import page
from jamguard.probing.rows import questions
from jamguard.probing.scorecard import Row, Scorecard

ROWS = [Row(question, "passed") for question in questions()]


def test_a_site_without_a_finding_has_no_list_of_them() -> None:
    text = page([Scorecard("https://www.example.com", ROWS)])
    assert '<span class="grade A">A</span>' in text
    assert "nothing failed that was asked" in text
    assert "What an attacker gets" not in text


def test_a_page_says_that_not_all_was_asked_and_why() -> None:
    rows = [attrs.evolve(ROWS[0], outcome="unknown", said="banned & gone"), *ROWS[1:]]
    text = page([Scorecard("https://www.example.com", rows, "banned & gone")])
    assert "<p>Not all was asked: banned &amp; gone.</p>" in text
    assert '<td class="unknown">unknown<small>banned &amp; gone</small></td>' in text
    assert f"{len(ROWS) - 1} passed, 0 failed, 1 not asked" in text

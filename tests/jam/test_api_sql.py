"""Whatever a call has in it, none of it becomes SQL: seen at the driver of the database."""

from pathlib import Path

from support.inside import inside


def test_nothing_of_a_call_that_passes_is_in_the_sql_but_as_a_value(project: Path) -> None:
    """Calls to an item with a number for its key, then to one with a text."""
    seen = inside(project, "from support.tapped import run\nresult = run(create_application, 150)")
    assert seen["plain leaks"] >= 3, "the control: plain Jam.py pastes what is refused"
    assert seen["statements"] >= 30, "what passes does come to SQL"

"""The seal of a value."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamguard.jampy.session import Kind, Opened, Seal

SEAL: Final = Seal("a key")
VALUE: Final = "xyz=?_expires=MTc5&info=eyJp"
SEALED: Final = SEAL.close(VALUE, "application", 1_700_000_000, 1_700_000_060)
BODY, TAG = SEALED[:-32], SEALED[-32:]


def test_a_sealed_value_says_when_the_login_was_and_when_it_was_made() -> None:
    opened = SEAL.open(SEALED, "application")
    assert opened == Opened(VALUE, "application", 1_700_000_000, 1_700_000_060)
    assert f"{VALUE}.6553f100.6553f13c.{TAG}" == SEALED


@pytest.mark.parametrize(
    ("sealed", "kind", "tag", "value"),
    [
        (SEALED, "application", "application", VALUE),
        (SEALED, "builder", "application", VALUE),
        (SEAL.close(VALUE, "builder", 1, 1), "application", "builder", VALUE),
        (Seal("another key").close(VALUE, "builder", 1, 1), "builder", "false", VALUE),
        (SEALED.replace("xyz", "xyZ"), "application", "false", VALUE.replace("xyz", "xyZ")),
        (SEALED.replace(".6553f100.", ".6553f101."), "application", "false", VALUE),
        (SEALED.replace(".6553f13c.", ".6553f13d."), "application", "false", VALUE),
        (BODY + "A" * 32, "application", "false", VALUE),
        (BODY + TAG.swapcase(), "application", "false", VALUE),
        (f"{SEALED}.1.1.{TAG}", "application", "false", SEALED),
        # not in the form of a seal: as Jam.py makes them, or nothing at all
        (VALUE, "application", "none", VALUE),
        (SEALED[:-1], "application", "none", SEALED[:-1]),
        (SEALED + "A", "application", "none", SEALED + "A"),
        (BODY, "application", "none", BODY),
        (f"{VALUE}.{TAG}", "application", "none", f"{VALUE}.{TAG}"),
        (SEALED + "\n", "application", "none", SEALED + "\n"),
        (f"{VALUE}.x.y.{TAG}", "application", "false", VALUE),
        (BODY + "Ä" * 32, "application", "none", BODY + "Ä" * 32),
        ("", "application", "none", ""),
        (f".1.1.{TAG}", "application", "false", ""),
        ("a.b=?c.d=e", "builder", "none", "a.b=?c.d=e"),
        ("." * 100_000, "application", "none", "." * 100_000),
    ],
)
def test_a_tag_fits_one_value_of_one_kind(sealed: str, kind: Kind, tag: str, value: str) -> None:
    opened = SEAL.open(sealed, kind)
    assert (opened.tag, opened.value) == (tag, value)


@given(st.text(), st.sampled_from(["application", "builder"]))
def test_what_is_sealed_can_be_opened(value: str, kind: Any) -> None:
    assert SEAL.open(SEAL.close(value, kind, 1, 2), kind).tag in {kind, "none"}
    assert SEAL.open(value, kind).tag in {"none", "false"}

"""`[tool.jamguard.check]`: findings that an operator lives with, and why."""

from collections.abc import Mapping
from difflib import get_close_matches

import attrs

from ..config import Source, load_command
from .rules import RULES


def _have_reasons(_: object, __: object, silence: Mapping[str, str]) -> None:
    for number, reason in silence.items():
        if number not in RULES:
            near = get_close_matches(number.upper(), RULES, 1, 0.6)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"there is no finding {number!r}{hint}")
        if not reason.strip():
            raise ValueError(f"{number}: say why, for whoever comes after you")


@attrs.frozen(kw_only=True)
class Check:
    """The settings of `jamguard check`."""

    #: the id of a finding -> why it does not count
    silence: Mapping[str, str] = attrs.field(factory=dict[str, str], validator=_have_reasons)


def read_silence(source: Source) -> Mapping[str, str]:
    """Return what is silenced. Raises `ConfigError`."""
    return load_command(source, "check", Check).silence

"""The audit of a Jam.py project and its deployment, without running any of it.

What is found must be true: where it would take a guess, nothing is said. A hole that a guard
closes, on a project that is hardened, is no finding.
"""

import attrs

from . import (
    accounts,
    advisories,
    code,
    deployment,
    fields,
    files,
    guarding,
    pages,
    parameters,
)
from .findings import Finding, Level, Place, Rule
from .rules import RULES
from .silence import read_silence
from .target import Target, look_at

__all__ = ["RULES", "Finding", "Level", "Place", "Rule", "Target", "audit", "look_at"]

#: one for each subject
CHECKS = (
    parameters.check,
    accounts.check,
    fields.check,
    code.check,
    files.check,
    pages.check,
    deployment.check,
    guarding.check,
)


def audit(target: Target, *, ask_network: bool = False) -> list[Finding]:
    """Return all that is wrong, the worst first, and what is silenced with its reason.

    `ask_network`: whether known advisories are looked up, too. Raises `ConfigError` when
    `[tool.jamguard.check]` cannot be used.
    """
    silence = read_silence(target.source)
    found = [finding for check in CHECKS for finding in check(target)]
    if ask_network:
        found += advisories.check()
    found = [attrs.evolve(one, silenced=silence.get(one.id, "")) for one in found]
    return sorted(found, key=_order)


def _order(one: Finding) -> tuple[object, ...]:
    where = one.where
    return RULES[one.id].level.rank, one.id, where.file, where.part, where.line or 0

"""The catalogue of attacks on Jam.py."""

from . import browsers, builder, calls, files, load, sessions, uploads
from .attack import Attack, Ids

GROUPS = (files, calls, sessions, builder, browsers, uploads, load)


def catalogue(ids: Ids) -> list[Attack]:
    """Return all attacks, for a project with these ids."""
    return [row for group in GROUPS for row in group.rows(ids)]

"""The catalogue of attacks on Jam.py."""

from . import browsers, builder, calls, files, load, sessions, uploads, v5
from .attack import Attack, Project

GROUPS = (files, calls, sessions, builder, browsers, uploads, load, v5)


def catalogue(project: Project) -> list[Attack]:
    """Return all attacks, for a project with these project."""
    return [row for group in GROUPS for row in group.rows(project)]

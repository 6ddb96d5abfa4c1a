"""A site that takes itself for Jam.py's, without Jam.py: its routes, no sessions."""

from pathlib import Path
from types import SimpleNamespace

from jamguard.config import Settings
from jamguard.jampy.project import Project
from jamguard.site import Site


def jam_site(folder: Path = Path(), settings: Settings | None = None) -> Site:
    """A site whose project is loaded from nowhere."""
    app = SimpleNamespace(work_dir=str(folder), jam_dir=str(folder), _App__task=None)
    return Site(settings or Settings(), Project(app))

"""A site that takes itself for Jam.py's, without Jam.py: its routes and told sessions."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jamguard.config import Settings
from jamguard.jampy.project import Project
from jamguard.jampy.session import Proved
from jamguard.jampy.sessions import Sessions
from jamguard.site import Site

#: where a test puts the session that a request is to have, and the one for the builder
SESSION = "test.session"
BUILDER_SESSION = "test.builder-session"


class ToldSessions(Sessions):
    """Sessions that are told, not proved by a cookie."""

    def proved(self, environ: dict[str, Any]) -> Proved:
        return Proved(environ.get(SESSION), environ.get(BUILDER_SESSION))


def jam_site(folder: Path = Path(), settings: Settings | None = None) -> Site:
    """A site whose project is loaded from nowhere."""
    app = SimpleNamespace(
        work_dir=str(folder), jam_dir=str(folder), on_upload=print, _App__task=None
    )
    project = Project(app)
    project.sessions = ToldSessions(app)
    return Site(settings or Settings(storage="process"), project)

"""Put a Jam.py application, or any WSGI application, behind all the guards."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from .config import find_source, load
from .guard import Application, reports
from .guards import GUARDS
from .jampy.project import Project
from .log import LogFormat, logger
from .shield import Shield
from .site import Site

Config = str | os.PathLike[str] | Mapping[str, Any] | None


def harden(app: Application, config: Config = None) -> Shield:
    """Return `app` behind every guard.

    `config` is the path of a TOML file with a `[tool.jamguard]` table, or a mapping with
    the keys of that table: `{"rate-limit": {"api": "300/minute"}}`. Without it the settings
    are looked for as `config.find_source` says. Hardening a hardened application returns
    it unchanged and warns.

    Raises `ConfigError` when the settings cannot be used.
    """
    if isinstance(app, Shield):
        app.site.notice("JG009")
        return app
    project = Project.find(app)
    source = find_source(config, project.folder if project else None)
    settings, guards = load(source, GUARDS, os.environ)
    if not logger.hasHandlers():
        _log_to_stderr(settings.log)
    site = Site(settings, project)
    shield = Shield(app, guards, site)
    name = project.folder if project else getattr(app, "__name__", type(app).__name__)
    site.notice("JG001", app=name, guards=len(shield.guards), settings=settings.source)
    reporting = [guard.name for guard in shield.guards if reports(guard)]
    if reporting:
        site.notice("JG016", guards=", ".join(reporting))
    if project is None and "jam.wsgi" in sys.modules:
        site.notice("JG015", app=name)
    return shield


def _log_to_stderr(form: LogFormat) -> None:
    """Make the log visible where nobody has set up logging, as under a bare `python server.py`."""
    handler = logging.StreamHandler()
    if form == "key-value":  # JSON has the time in it, and is nothing but an object a line
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s jamguard %(message)s"))
    handler.addFilter(lambda _: not logging.root.handlers)  # set up since, as waitress does
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

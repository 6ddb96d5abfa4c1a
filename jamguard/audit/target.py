"""What is audited: a project's folder, its database, jamguard's settings for it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import attrs

from ..config import ConfigError, Settings, Source, find_source, load
from ..guard import Guard, reports
from ..guards import GUARDS
from .admin import DATABASE, Admin, AdminError, read_admin, text
from .disk import exists
from .entries import Entry, read_entries
from .source import literal

G = TypeVar("G", bound=Guard)

#: what Jam.py is called where it is installed from
PACKAGES: Final = ("jam.py-v7", "jam.py-v5", "jam.py")


@attrs.frozen(kw_only=True)
class Target:
    """All that the checks look at. Nothing of it is running, or was changed."""

    folder: Path
    #: the rows of `admin.sqlite`, or why there are none
    admin: Admin | None
    unreadable: str
    entries: list[Entry]
    #: those of them that servers load; none where another file is loaded, maybe from elsewhere
    served: list[Entry]
    #: whether jamguard stands in front of what servers load
    hardened: bool
    source: Source
    settings: Settings
    guards: Mapping[str, Guard]
    #: what is wrong with the settings; then those above are the defaults
    problems: tuple[str, ...]
    #: installed distributions of Jam.py and their versions, and where its files are
    installed: Mapping[str, str]
    package: Path | None

    @property
    def version(self) -> str:
        """Return Jam.py's version: that which is installed, else that which was here last."""
        last = text(self.admin.parameters, "F_JAM_VERSION") if self.admin else ""
        return next(iter(self.installed.values()), last)

    @property
    def is_v5(self) -> bool:
        """Whether this is the older Jam.py, which has other holes."""
        return self.version.startswith("5.")

    def guard(self, kind: type[G]) -> G:
        """Return the guard of a kind, as the settings make it."""
        return cast("G", self.guards[kind.name])

    def guarded(self, *names: str) -> bool:
        """Say whether these guards stand before the application, and refuse."""
        return self.hardened and all(
            self.guards[name].enabled and not reports(self.guards[name]) for name in names
        )


def look_at(folder: Path, *, hardened: bool | None = None) -> Target:
    """Gather what there is in `folder`. `hardened`: who asks knows what is served."""
    folder = folder.resolve()
    admin, unreadable = None, ""
    try:
        admin = read_admin(folder / DATABASE)
    except AdminError as error:
        unreadable = str(error)
    entries = read_entries(folder)
    served = [entry for entry in entries if not entry.runs]
    if not served and not exists(folder / "wsgi.py"):
        served = entries
    if hardened is None:
        hardened = bool(served) and not any(entry.bare for entry in served)
    source, settings, guards, problems = _settings(served, folder)
    return Target(
        folder=folder,
        admin=admin,
        unreadable=unreadable,
        entries=entries,
        served=served,
        hardened=hardened,
        source=source,
        settings=settings,
        guards={guard.name: guard for guard in guards},
        problems=problems,
        installed=_installed(),
        package=_package(),
    )


def _settings(
    entries: list[Entry], folder: Path
) -> tuple[Source, Settings, list[Guard], tuple[str, ...]]:
    """Return the settings and where they are, or the defaults and what is wrong with those."""
    source = defaults = Source("defaults", {})
    try:
        source = find_source(_config(entries, folder), folder)
        return source, *load(source, GUARDS, os.environ), ()
    except ConfigError as error:
        problems = error.problems
    except OSError as error:  # a folder that one may not look into
        problems = (f"{error.filename}: cannot be read: {error.strerror}",)
    return source, *load(defaults, GUARDS), problems


def _config(entries: list[Entry], folder: Path) -> "str | Mapping[str, Any] | None":
    """Return what a file gives to `harden()` as settings, if it stands there in full."""
    for entry in entries:
        if entry.config is not None:
            with suppress(ValueError):
                given = literal(entry.config)
                if isinstance(given, dict):
                    return cast("dict[str, Any]", given)
                if isinstance(given, str):
                    return str(folder / given)
    return None


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _package() -> Path | None:
    spec = find_spec("jam")  # which imports nothing
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None

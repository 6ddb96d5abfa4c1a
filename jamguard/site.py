"""What a shield knows of the application it protects, worked out once at start-up."""

from typing import TYPE_CHECKING, Any

from .cache import Bounded, lazy
from .config import Settings
from .jampy.project import Project
from .log import Log
from .notices import NOTICES
from .routes import HEALTH, OTHER, Route
from .servers import Server
from .stores import Store
from .stores.choose import open_store
from .stores.process import ProcessStore

if TYPE_CHECKING:
    from .address import IPNetwork


class Site:
    """The settings that concern all guards, the Jam.py project if there is one, the log."""

    def __init__(self, settings: Settings, project: Project | None) -> None:
        self.settings = settings
        self.project = project
        self.log = Log(settings.log)
        #: the networks of declared proxies (set by `proxy`)
        self.proxies: tuple[IPNetwork, ...] = ()
        self._health = frozenset(settings.health_paths)
        self._server: Server | None = None
        self._given: Bounded[tuple[object, ...], bool] = Bounded(256)

    @classmethod
    def of(cls, app: Any) -> "Site":  # noqa: ANN401 - any WSGI application
        """Make a site for `app` with default settings."""
        return cls(Settings(), Project.find(app))

    @lazy
    def store(self) -> Store:
        """Where hits are counted and marks are kept."""
        folder = self.project.folder if self.project else None
        return open_store(self.settings.storage, folder, self.notice)

    @lazy
    def counts_alone(self) -> bool:
        """Whether no other process sees what this one counts."""
        return isinstance(self.store, ProcessStore)

    def server(self, environ: dict[str, Any]) -> Server:
        """Return what is known of the server; to be called within a request of its own."""
        if self._server is None:
            self._server = Server.of(environ)
        return self._server

    def route(self, path: str) -> Route:
        """Return what kind of place `path` (`PATH_INFO`) leads to."""
        if path in self._health:
            return HEALTH
        return self.project.route(path) if self.project else OTHER

    def notice(self, number: str, *, again: bool = False, **details: object) -> None:
        """Log a notice, once for each set of details, or `again` for each change of a state."""
        key = (number, *details.values())
        if again or key not in self._given:
            self._given.put(key, True)
            self.log.notice(number, NOTICES[number].format(**details))

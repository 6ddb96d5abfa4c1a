"""Ask an application in this process, as a server would, without one."""

import io
from collections.abc import Callable, Iterable
from random import getrandbits
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.util import setup_testing_defaults

import attrs

from .ask import LOOKED_AT, Answer, Ask

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def somebody() -> str:
    """Return an address that has not been there yet, out of those that are nobody's."""
    return f"2001:db8:{getrandbits(16):x}:{getrandbits(16):x}::1"


@attrs.frozen
class WsgiSite:
    """An application, asked under `url` by one client from far away."""

    app: Application = attrs.field(repr=False)
    url: str = "https://localhost"
    client: str = attrs.field(factory=somebody)

    @property
    def https(self) -> bool:
        """Whether the address is one of https."""
        return self.url.startswith("https:")

    @property
    def named(self) -> bool:
        """Whether it is a name that the whole network knows."""
        return urlsplit(self.url).hostname != "localhost"

    @property
    def loopback(self) -> bool:
        """The client is elsewhere."""
        return False

    @property
    def wired(self) -> bool:
        """There is no connection."""
        return False

    def visitor(self) -> "WsgiSite":
        """Return the application as the next client sees it."""
        return attrs.evolve(self, client=somebody())

    def ask(self, ask: Ask) -> Answer:
        """Have the application answer; what it raises is what a server calls status 500."""
        try:
            return self._run(self.environ(ask))
        except Exception:  # noqa: BLE001 - whatever an application raises
            return Answer(500, secure=self.https)

    def environ(self, ask: Ask) -> dict[str, Any]:
        """Make of a request what gunicorn makes of it."""
        site, (path, _, query) = urlsplit(self.url), ask.target.partition("?")
        body = ask.body or b""
        made: dict[str, Any] = {
            "REQUEST_METHOD": ask.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": ask.target,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": site.hostname,
            "SERVER_PORT": str(site.port or (443 if self.https else 80)),
            "REMOTE_ADDR": self.client,
            "HTTP_HOST": site.netloc,
            "wsgi.url_scheme": site.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        for name, value in ask.headers:
            key = name.upper().replace("-", "_")
            made[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        if ask.body is not None:
            made["CONTENT_LENGTH"] = str(len(body))
        setup_testing_defaults(made)
        return made

    def _run(self, environ: dict[str, Any]) -> Answer:
        said: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: object = None
        ) -> Callable[[bytes], None]:
            said.append((status, headers))
            return written.append

        body = self.app(environ, start_response)
        try:
            written.extend(body)
        finally:
            getattr(body, "close", bool)()
        content = b"".join(written)
        status, headers = said[-1]
        return Answer(
            int(status[:3]), tuple(headers), content[:LOOKED_AT], len(content), secure=self.https
        )

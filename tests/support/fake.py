"""A site that answers as it is told, over a real connection."""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from support.servers import LOCAL
from support.wsgi import App, Environ

#: what Jam.py answers to a call of somebody who has not logged in
NOT_LOGGED_IN: Final = b'{"result": {"status": 5, "data": null, "modification": 1}, "error": null}'


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def site(
    status: str = "200 OK", *headers: tuple[str, str], until: int = 10_000, after: App | None = None
) -> App:
    """Make an application that answers like Jam.py, and from request `until` on like `after`."""
    asked = 0

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        nonlocal asked
        asked += 1
        if after and asked > until:
            return after(environ, start_response)
        call = environ["PATH_INFO"] == "/api"
        kind = "application/json" if call else "text/html"
        start_response(status, [("Content-Type", kind), *headers])
        return [NOT_LOGGED_IN if call else b"<!DOCTYPE html><script src='/jam/js/jam.js'></script>"]

    return app


@contextmanager
def served(app: App) -> Generator[str, None, None]:
    """Serve an application on 127.0.0.1; give its address."""
    with make_server(LOCAL, 0, app, Server, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://{LOCAL}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

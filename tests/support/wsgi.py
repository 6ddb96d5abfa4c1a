"""Call a WSGI application as a server would, without a server."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

import attrs

Environ = dict[str, Any]
App = Callable[..., Iterable[bytes]]


@attrs.frozen
class Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status[:3])

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def environ(
    path: str = "/", method: str = "GET", body: bytes | None = None, /, **more: Any
) -> Environ:
    """An environ as gunicorn makes it, for a request from 192.0.2.1."""
    made: Environ = {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "www.example.com",
        "SERVER_NAME": "www.example.com",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "QUERY_STRING": "",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.input_terminated": True,
    }
    if body is not None:
        made["CONTENT_LENGTH"] = str(len(body))
    made.update(more)
    setup_testing_defaults(made)
    return made


def serve(app: App, env: Environ) -> Answer:
    """Run one request to its end, as PEP 3333 has it."""
    answers: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        answers.append((status, headers))
        return written.append

    body = app(env, start_response)
    try:
        written.extend(body)
    finally:
        close = getattr(body, "close", None)
        if close:
            close()
    status, headers = answers[-1]
    return Answer(status, headers, b"".join(written))


def call(
    app: App, path: str = "/", method: str = "GET", body: bytes | None = None, /, **more: Any
) -> Answer:
    """Make an environ and serve it."""
    return serve(app, environ(path, method, body, **more))


def hello(env: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    """The smallest application."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"hi"]

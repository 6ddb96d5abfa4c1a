"""Ask the WSGI application of a project without a server: by a pipe to a process of its own.

It stands in for gunicorn, whose environ it makes, and answers in a millisecond.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from jamguard.cli.hardening import harden_project
from support.servers import LOCAL, HeaderList, Reply, Server, ServerError, stop

TESTS: Final = Path(__file__).parent.parent

LOOP: Final = f"""\
import io, json, os, re, sys
from urllib.parse import unquote_to_bytes, urlsplit

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Jam.py prints
sys.path[:0] = [os.getcwd(), {str(TESTS)!r}]
from support.wsgi import environ, serve
from wsgi import application


def dechunked(body):
    parts = []
    while size := int(re.match(rb"[0-9a-fA-F]+", body)[0], 16):
        start = body.index(b"\\r\\n") + 2
        parts.append(body[start : start + size])
        body = body[start + size + 2 :]
    return b"".join(parts)


def request(method, target, headers, body, source, port):
    uri = urlsplit(target) if "://" in target else urlsplit("//x" + target)
    made = dict(
        REMOTE_ADDR=source, SERVER_PORT=port, HTTP_HOST="127.0.0.1:" + port, RAW_URI=target,
        QUERY_STRING=uri.query,
    )
    sent = {{}}
    for name, value in headers:
        if "_" not in name:
            key = "HTTP_" + name.upper().replace("-", "_")
            sent[key] = sent[key] + "," + value if key in sent else value
    for key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
        if key in sent:
            made[key[5:]] = sent.pop(key)
    chunked = "HTTP_TRANSFER_ENCODING" in sent
    content = dechunked(body) if chunked else body
    path = unquote_to_bytes(uri.path).decode("latin-1")
    env = environ(path, method, content, **(made | sent))
    if chunked:
        del env["CONTENT_LENGTH"]
    return serve(application, env)


print("ready", file=answers, flush=True)
for line in sys.stdin:
    method, target, headers, body, source, port = json.loads(line)
    body = None if body is None else body.encode("latin-1")
    try:
        answer = request(method, target, headers, body, source, port)
        said = [answer.status, answer.headers, answer.body.decode("latin-1")]
    except Exception as error:  # what a server would answer
        said = ["500 " + type(error).__name__, [], ""]
    print(json.dumps(said), file=answers, flush=True)
"""


@attrs.frozen
class Direct(Server):
    """A project that is asked without a server."""

    def request(
        self,
        method: str,
        path: str,
        headers: HeaderList = (),
        body: bytes | None = None,
        *,
        source: str = LOCAL,
        address: str = LOCAL,
    ) -> Reply:
        """Have the application answer as if gunicorn had got this."""
        del address
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        text = None if body is None else body.decode("latin-1")
        assert self.process.stdin
        assert self.process.stdout
        line = json.dumps([method, path, pairs, text, source, str(self.port)])
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise ServerError(self.log())
        status, told, said = json.loads(answer)
        code, _, reason = status.partition(" ")
        sent = [(name, value) for name, value in told]
        return Reply(int(code), reason, sent, said.encode("latin-1"))

    def raw(self, data: bytes, *, source: str = LOCAL, quiet_seconds: float = 2) -> bytes:
        """Have the application answer the requests in `data`, one after the other."""
        del quiet_seconds
        answers = b""
        while data:
            head, _, data = data.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ", 2)
            parted = [line.partition(":") for line in lines]
            headers = [(name, value.strip()) for name, _, value in parted]
            length = int(dict(headers).get("Content-Length", 0))
            body, data = data[:length] or None, data[length:]
            reply = self.request(method, target, headers, body, source=source)
            answers += b"HTTP/1.1 %d\r\n\r\n" % reply.status + reply.body
        return answers


@contextmanager
def run_direct(
    folder: Path,
    *,
    harden: bool = True,
    config: str | None = None,
    python: str | Path = sys.executable,
) -> Generator[Server, None, None]:
    """Load `wsgi.py` of the project in `folder`, as `run_server` has it served."""
    if harden:
        harden_project(folder)
    if config is not None:
        (folder / "pyproject.toml").write_text(config, "utf-8")
    number, path = tempfile.mkstemp(prefix="direct-", suffix=".log", dir=folder.parent)
    with (
        os.fdopen(number, "wb") as output,
        subprocess.Popen(
            [str(python), "-c", LOOP],
            cwd=folder,
            env={**os.environ, "JAMGUARD_STORAGE": f"shared:{folder.parent}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
        ) as process,
    ):
        server = Direct(8000, Path(path), process)
        assert process.stdout
        try:
            if process.stdout.readline() != b"ready\n":
                raise ServerError(server.log())
            yield server
        finally:
            stop(process)

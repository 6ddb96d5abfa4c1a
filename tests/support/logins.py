"""A Jam.py that knows names and passwords, and nothing else: to log in without sleeping."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlencode

from jamguard import Guard, Shield
from jamguard.config import Settings
from jamguard.jampy.routes import route_v5
from support.jam import jam_site
from support.wsgi import Answer, call

#: in, not in, refused by a guard
Outcome = Literal["in", "out", "refused"]

PASSWORD: Final = "s3cret 'Passwort'"


class Jam:
    """As much of Jam.py's `App` as logs in, behind guards."""

    def __init__(
        self,
        guards: list[Guard],
        folder: Path = Path(),
        storage: str = "process",
        *,
        v5: bool = False,
        on_login: Callable[[Any], bool] | None = None,
    ) -> None:
        self.v5 = v5
        #: names whose password was looked at
        self.looked_at: list[Any] = []
        #: is called in the middle of an attempt
        self.meanwhile: Callable[[], object] = str
        self.site = jam_site(folder, Settings(storage=storage))
        assert self.site.project
        self.app = self.site.project.app
        self.app.login = self.login
        self.app.admin = SimpleNamespace(on_login=None)
        #: `on_login` is what a project has in place of Jam.py's table of users
        self.app.task = SimpleNamespace(on_login=on_login)
        self.app.on_api = self.on_api
        if v5:
            self.app.url_map = {}
            self.site.project.route = route_v5
        self.shield = Shield(self.serve, guards, self.site)

    def login(self, jams: Any, task: Any, form: Any) -> Any:
        del jams
        self.meanwhile()
        self.looked_at.append(form.get("login"))
        if task.on_login:
            return "a session" if task.on_login(form) else None
        form["login"].strip()
        return "a session" if form["password"] == PASSWORD else None

    def on_api(self, jams: Any) -> Any:
        """Answer a call as v5 does: whatever is raised is caught."""
        try:
            _, task, _, params, _ = json.loads(jams.environ["wsgi.input"].read())
            task = self.app.task if task else self.app.admin
            return bool(self.app.login(jams, task, params[0]))
        except Exception as error:  # noqa: BLE001 - as v5 has it
            return str(error)

    def serve(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        jams = SimpleNamespace(environ=env)
        if env["PATH_INFO"] == "/api":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"result": {"data": self.app.on_api(jams)}}).encode()]
        builder = env["PATH_INFO"] == "/builder_login.html"
        fields = parse_qs(env["wsgi.input"].read().decode(), keep_blank_values=True)
        form = {key: values[0] for key, values in fields.items()}
        task = self.app.admin if builder else self.app.task
        session = self.app.login(jams, task, form)
        start_response("302 Found" if session else "200 OK", [("Content-Type", "text/html")])
        return [b""]

    def post(self, name: Any, password: Any, source: str, **more: Any) -> Answer:
        """Try to log in; a `None` is left out of the form."""
        given = {"login": name, "password": password}
        form = {key: value for key, value in given.items() if value is not None}
        path = more.pop("path", "/api" if self.v5 else "/login.html")
        body = json.dumps(["login", more.pop("task", 1), 0, [form], 0])
        if not self.v5:
            body = urlencode(form)
        return call(self.shield, path, "POST", body.encode(), REMOTE_ADDR=source, **more)

    def attempt(
        self, name: Any, password: str = PASSWORD, source: str = "192.0.2.1", **more: Any
    ) -> Outcome:
        """Try to log in, and say how it went."""
        answer = self.post(name, password, source, **more)
        if answer.get("Jamguard-Refused"):
            return "refused"
        succeeded = answer.code == 302 or b'"data": true' in answer.body
        return "in" if succeeded else "out"

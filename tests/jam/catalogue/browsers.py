"""What a page elsewhere can do with the browser of somebody who is logged in here."""

from typing import Any, Final

from support.projects import CLERK
from support.servers import Reply

from .attack import (
    BOTH,
    KEEP_ALIVE,
    MARK,
    MULTIPART,
    TEXT,
    Ask,
    Attack,
    Project,
    Site,
    Spelling,
    a_changed_row,
    a_written_file,
    call,
    form,
    post,
)

#: the headers of a page of another site, as browsers send them with a POST
CROSS_SITE: Final = {
    "Chromium": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "an old one": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "an old one's sandboxed frame": {"Origin": "null"},
    "a page of a plain-http site": {"Origin": "http://evil.example"},
    "a name that ends alike": {"Origin": "http://evil-www.example.com"},
    "a name that begins alike": {"Origin": "http://www.example.com.evil.example"},
    "another port": {"Origin": "http://www.example.com:8081"},
}
#: those of a sibling, to which Jam.py's cookie goes: `SameSite=Lax` is about sites
SAME_SITE: Final = {
    "Chromium": {"Origin": "http://shop.example.com", "Sec-Fetch-Site": "same-site"},
    "an old one": {"Origin": "http://shop.example.com"},
    "the parent": {"Origin": "http://example.com", "Sec-Fetch-Site": "same-site"},
    "another port": {"Origin": "http://www.example.com:8081", "Sec-Fetch-Site": "same-site"},
    "another port, an old one": {"Origin": "http://www.example.com:8081"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "same-site"},
}
HERE: Final = {"Host": "www.example.com", **KEEP_ALIVE}


def rows(project: Project) -> list[Attack]:
    log: dict[str, Any] = {"log_index": 0, "record_status": 2, "record": [1, MARK], "details": {}}
    change: dict[str, Any] = {"fields": ["id", "name"], "expanded": False, "logs": [log]}
    apply = call("apply", project.customers, [change, {}], project.task)
    build = call("server", 0, ["server_save_file", [f"static/{MARK}.html", "x"]], 0)
    file = form(
        {
            "task_id": str(project.task),
            "item_id": str(project.customers),
            "field_id": str(project.doc),
            "path": "static/files",
            "file_name": f"{MARK}.txt",
        }
    )
    return [
        Attack(
            id="cross-site-calls-without-safe-mode",
            wants="to change data from a page on the web, where there is no login",
            who="user's browser",
            mode="open",
            spellings={
                name: post(apply, headers={**TEXT, **HERE, **sent})
                for name, sent in CROSS_SITE.items()
            },
            got=a_changed_row,
            leaves="data",
        ),
        Attack(
            id="cross-site-building-without-safe-mode",
            wants="to write files from a page on the web, where there is no login",
            who="builder's browser",
            mode="open",
            spellings={
                name: post(build, headers={**TEXT, **KEEP_ALIVE, "Host": "localhost", **sent})
                for name, sent in CROSS_SITE.items()
            },
            got=a_written_file,
            leaves="data",
            jam=BOTH,
        ),
        Attack(
            id="calls-from-a-sibling",
            wants="to change data as the user of another name or port of the same site",
            who="user's browser",
            spellings={
                name: post(apply, "{clerk}", headers={**TEXT, **HERE, **sent})
                for name, sent in SAME_SITE.items()
            },
            got=a_changed_row,
            leaves="data",
        ),
        Attack(
            id="uploads-from-a-sibling",
            wants="to upload a file as the user of another name or port of the same site",
            who="user's browser",
            spellings={
                name: Ask(
                    "POST", "/upload", {**MULTIPART, **HERE, **sent, "Cookie": "{clerk}"}, file
                )
                for name, sent in SAME_SITE.items()
            },
            got=a_written_file,
            leaves="data",
            jam=BOTH,
        ),
        Attack(
            id="logout-from-elsewhere",
            wants="to log users out by a picture or a frame on a page on the web",
            who="user's browser",
            spellings={
                # by plain http a browser says no more
                "a picture, by http": logout({"Referer": "http://www.example.com:8081/x"}),
                "a frame of a sibling, by http": logout({"Referer": "http://shop.example.com/"}),
            }
            | {
                name: logout(
                    {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
                )
                for name, site, mode, dest in (
                    ("a picture", "same-site", "no-cors", "image"),
                    ("a script", "same-site", "no-cors", "script"),
                    ("a frame", "same-site", "navigate", "iframe"),
                    ("a link", "cross-site", "navigate", "document"),
                    ("a fetch", "same-site", "no-cors", "empty"),
                )
            },
            got=session_ended,
        ),
        Attack(
            id="login-from-elsewhere",
            wants="to log users in as somebody else, who then sees what they enter",
            who="user's browser",
            spellings={name: login(sent) for name, sent in CROSS_SITE.items()},
            got=lambda _, reply: "_session" in (reply.get("Set-Cookie") or ""),
        ),
    ]


def logout(headers: dict[str, str]) -> Spelling:
    def send(site: Site) -> Reply:
        return Ask("GET", "/logout", {**HERE, **headers, "Cookie": site.server.login(CLERK)})(site)

    return send


def session_ended(_: Site, reply: Reply) -> bool:
    """Say whether the browser has been told to forget the session."""
    return any("_session" in cookie for cookie in reply.all("Set-Cookie"))


def login(headers: dict[str, str]) -> Spelling:
    return lambda site: site.server.try_login(CLERK, headers={**HERE, **headers})

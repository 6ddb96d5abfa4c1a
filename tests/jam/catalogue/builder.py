"""The Application Builder, for those who may not build: projects without safe mode, mostly."""

from typing import Final

from support.projects import ADMIN
from support.servers import Reply

from .attack import (
    BOTH,
    JSON,
    KEEP_ALIVE,
    MARK,
    MULTIPART,
    TEXT,
    URLENCODED,
    Ask,
    Attack,
    Project,
    Site,
    Spelling,
    a_written_file,
    body_has,
    form,
    post,
    raw,
)

#: what the builder's own items are called, in the answer to its first call
ITEMS: Final = body_has(b"sys_users")
PAGE: Final = body_has(b"<title>Application builder</title>")
#: how a caller from elsewhere looks: it knows the site by its name
AFAR: Final = {"Host": "www.example.com"}
#: what Python's `== 0` holds for zero
ZEROS: Final = (
    *("0", "-0", "0.0", "-0.0", "0e0", "0E+5", "-0e-1", "1e-400", "-1e-999"),
    *("0.000000000000", "false", " 0 ", "\n0\t"),
)
#: what `int()` reads as zero in a form
FORM_ZEROS: Final = (
    *("0", " 0", "0 ", "+0", "-0", "00", "0_0", "\t0", "0\n", "-0_0"),
    *("\u0660", "\uff10", "\u00a00", "\u20030\u2003", "0\x0b"),
)


def rows(project: Project) -> list[Attack]:
    load = b'["load",0,0,null,0]'
    headers = {**JSON, **AFAR}
    write = f'["server",0,0,["server_save_file",["static/{MARK}.html","x"]],0]'.encode()
    return [
        Attack(
            id="builder-calls",
            wants="to build, from any network",
            who="stranger",
            mode="open",
            spellings={
                **{
                    f"task {zero!r}": post(load.replace(b"0", zero.encode(), 1), headers=headers)
                    for zero in ZEROS
                },
                **{
                    path: post(load, path=path, headers=headers)
                    for path in (
                        "/api/",
                        "//api",
                        "/api/x",
                        "/%61pi",
                        "/api//",
                        "/api%2fx",
                        "/ap%69/..",
                    )
                },
                "text/plain": post(load, headers={**TEXT, **AFAR}),
                "a form": post(load, headers={**URLENCODED, **AFAR}),
                "an escaped word": post(b'["l\\u006fad",0,0,null,0]', headers=headers),
                "blanks": post(b' [ "load" ,\r\n0 , 0 ,\tnull , 0 ] \n', headers=headers),
                "a forged loopback": post(
                    load, headers={**headers, "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "::1"}
                ),
                "as a page here, but forwarded": post(
                    load, headers={**JSON, **KEEP_ALIVE, "Via": "1.1 proxy.example.com"}
                ),
                "as a page here, with a real address": post(
                    load, headers={**JSON, **KEEP_ALIVE, "X-Real-IP": "127.0.0.1"}
                ),
                "in chunks": post(
                    b"%x\r\n%s\r\n0\r\n\r\n" % (len(load), load),
                    headers={**headers, "Transfer-Encoding": "chunked"},
                ),
                "behind another request": raw(
                    "GET /login.html HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
                    "POST /api HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 19\r\n"
                    'Connection: close\r\n\r\n["load",0,0,null,0]'
                ),
                "by HTTP/1.0": raw(
                    "POST /api HTTP/1.0\r\nHost: www.example.com\r\nContent-Length: 19\r\n\r\n"
                    '["load",0,0,null,0]'
                ),
                "without a Host": raw(
                    'POST /api HTTP/1.0\r\nContent-Length: 19\r\n\r\n["load",0,0,null,0]'
                ),
                "by an absolute target": raw(
                    "POST http://localhost/api HTTP/1.1\r\nHost: www.example.com\r\n"
                    'Content-Length: 19\r\nConnection: close\r\n\r\n["load",0,0,null,0]'
                ),
            },
            got=ITEMS,
            jam=BOTH,
            not_v5=("/api/", "/api/x", "/api//", "/api%2fx", "/ap%69/.."),
        ),
        Attack(
            id="builder-writes",
            wants="to write any file of the machine, by the builder's editor",
            who="stranger",
            mode="open",
            spellings={
                f"task {zero!r}": post(write.replace(b"0", zero.encode(), 1), headers=headers)
                for zero in ZEROS
            },
            got=a_written_file,
            leaves="data",
            jam=BOTH,
        ),
        Attack(
            id="builder-uploads",
            wants="to write any file of the machine, by the builder's upload",
            who="stranger",
            mode="open",
            spellings={
                **{f"task {zero!r}": upload(task_id=zero) for zero in FORM_ZEROS},
                **{
                    path: upload(path)
                    for path in ("/upload/", "/upload/x", "/%75pload", "/upload//", "/upload%2f")
                },
                "another folder": upload(path_field="static/reports"),
                "an absolute name": absolute,
                "up from a folder that is there": upload(file_name=f"./.././../{MARK}.py"),
                "task 0 first, then 1": upload(extra=(("task_id", "1"),)),
                "a part named file twice": upload(
                    file_part='name="file"; filename="a.txt"; filename="b.txt"'
                ),
                "the camera's part": upload(file_part='name="myfile"; filename="a.txt"'),
                "a star": upload(file_part="name=\"file\"; filename*=UTF-8''a.txt"),
                "a name without quotes": upload(file_part="name=file; filename=a.txt"),
                "a name in capitals": upload(file_part='NAME="file"; FILENAME="a.txt"'),
                "a quoted boundary": upload(
                    headers={"Content-Type": 'multipart/form-data; boundary="b0undary"'}
                ),
                "another charset": upload(
                    headers={
                        "Content-Type": "multipart/form-data; charset=utf-16; boundary=b0undary"
                    }
                ),
                "a type in capitals": upload(
                    headers={"Content-Type": "MULTIPART/Form-Data; BOUNDARY=b0undary"}
                ),
                "a preamble": upload(before=b"task_id=1\r\n"),
                "more after the end": upload(after=b'--b0undary\r\nname="task_id"\r\n\r\n1\r\n'),
            },
            got=a_written_file,
            leaves="data",
            jam=BOTH,
            not_v5=(
                *("/upload/", "/upload/x", "/upload//", "/upload%2f"),
                *("the camera's part", "a name in capitals", "a type in capitals", "a preamble"),
            ),
        ),
        Attack(
            id="builder-pages",
            wants="the pages of the builder, from any network",
            who="stranger",
            mode="open",
            spellings={
                path: Ask("GET", path, AFAR)
                for path in (
                    *("/builder.html", "/builder.html/", "/builder.html/x", "//builder.html"),
                    *(
                        "/%62uilder.html",
                        "/builder%2ehtml",
                        "/builder.html?x=1",
                        "/builder.html%2f",
                    ),
                    *("/jam/html/builder.html", "/jam/html/%62uilder.html"),
                )
            },
            got=PAGE,
            jam=BOTH,
            not_v5=(
                *("/builder.html/", "/builder.html/x", "/builder.html%2f"),
                *("/jam/html/builder.html", "/jam/html/%62uilder.html"),
            ),
        ),
        Attack(
            id="builder-login",
            wants="to try passwords of administrators at the builder's door, from any network",
            who="stranger",
            spellings={
                path: login(path)
                for path in (
                    *("/builder_login.html", "/builder_login.html/", "/builder_login.html/x"),
                    *("/%62uilder_login.html", "/builder_login%2ehtml", "//builder_login.html"),
                )
            },
            got=lambda _, reply: "admin_session" in (reply.get("Set-Cookie") or ""),
        ),
        Attack(
            id="rebound-names",
            wants="to build from a page on the web, by a name that was rebound to this computer",
            who="builder's browser",
            mode="open",
            spellings={
                host: post(load, headers={**JSON, **KEEP_ALIVE, "Host": host})
                for host in (
                    *("evil.example", "evil.example:{port}", "localhost.evil.example:{port}"),
                    *("127.0.0.1.evil.example", "evil.example.", "evil.example:127.0.0.1"),
                    *("localhost.", "localhost%00.evil.example", "localhost@evil.example"),
                    *("[::1].evil.example", "0.0.0.0:{port}", "127.0.0.2", "127.1", "2130706433"),
                )
            },
            got=ITEMS,
            jam=BOTH,
        ),
        Attack(
            id="pages-on-this-computer",
            wants="to build from a page on the web, in the builder's own browser",
            who="builder's browser",
            mode="open",
            spellings={
                name: post(load, headers={**JSON, **KEEP_ALIVE, "Host": "localhost", **sent})
                for name, sent in FROM_ELSEWHERE.items()
            },
            got=ITEMS,
            jam=BOTH,
        ),
    ]


#: what the browsers of the last ten years say of a page from elsewhere
FROM_ELSEWHERE: Final = {
    "Chromium": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "empty",
        "Referer": "https://evil.example/",
    },
    "an old one": {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
    "without Origin": {"Referer": "https://evil.example/x"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "an old one's sandboxed frame": {"Origin": "null"},
    "a form": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Content-Type": "text/plain",
    },
    "another port": {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"},
    "a file": {"Origin": "file://", "Sec-Fetch-Site": "cross-site"},
    "a name that begins alike": {"Origin": "http://localhost.evil.example"},
}


def upload(
    path: str = "/upload",
    *,
    task_id: str = "0",
    path_field: str = "static/internal",
    file_name: str = f"../../{MARK}.py",
    extra: tuple[tuple[str, str], ...] = (),
    file_part: str = 'name="file"; filename="x.txt"',
    headers: dict[str, str] = MULTIPART,
    before: bytes = b"",
    after: bytes = b"",
) -> Ask:
    """Upload a file as the builder does."""
    fields = [
        *(("task_id", task_id), ("item_id", "-1"), ("field_id", "-1")),
        *(("path", path_field), ("file_name", file_name), *extra),
    ]
    body = before + form(fields, file_part=file_part) + after
    return Ask("POST", path, {**headers, **AFAR}, body)


def absolute(site: Site) -> Reply:
    """Name the file by its whole path."""
    return upload(file_name=str(site.folder / f"{MARK}.py"))(site)


def login(path: str) -> Spelling:
    return lambda site: site.server.try_login(ADMIN, path, AFAR)

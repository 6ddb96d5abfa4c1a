"""Uploads that run in the browser of whoever opens them."""

from typing import Final

import attrs
from support.servers import Reply

from .attack import BOTH, MARK, MULTIPART, Ask, Attack, Project, Site, Spelling, form, get

SCRIPT: Final = b"<script>document.title = 'ran'</script>"
HTML: Final = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
XHTML: Final = b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'
XSLT: Final = b'<?xml version="1.0"?><?xml-stylesheet href="#x" type="text/xsl"?>' + XHTML


def rows(project: Project) -> list[Attack]:
    def stored(name: str, content: bytes, field: int, **headers: str) -> Spelling:
        return lambda site: open_uploaded(site, project, name, content, field, headers)

    return [
        Attack(
            id="uploads-that-run",
            wants="to run a script with the rights of whoever opens the upload",
            who="user",
            spellings={
                **{
                    name: stored(name, content, project.doc)
                    for name, content in {
                        "x.html": HTML,
                        "x.HTM": HTML,
                        "x.shtml": HTML,
                        "x.svg": SVG,
                        "x.xhtml": XHTML,
                        "x.xht": XHTML,
                        "x.xml": XSLT,
                        "x.xsl": XSLT,
                        "x.rdf": XHTML,
                        "x.txt.html": HTML,
                        "x.pdf.svg": SVG,
                    }.items()
                },
                "an image": stored("x.svg", SVG, project.photo),
                "by a range": stored("x.html", HTML, project.doc, Range="bytes=0-"),
            },
            got=runs,
            leaves="data",
            jam=BOTH,
            # its field has a list of endings
            not_v5=("x.HTM", "x.shtml", "x.xhtml", "x.xht", "x.xml", "x.xsl", "x.rdf"),
        ),
        Attack(
            id="uploads-that-are-scripts",
            wants="a script in the site's own folder, which its policy trusts",
            who="user",
            spellings={
                name: stored(name, b"alert(1)", project.doc, Sec_Fetch_Dest="script")
                for name in ("x.js", "x.mjs", "x.JS", "x.txt.js", "x.txt")
            },
            got=is_a_script,
            leaves="data",
        ),
        Attack(
            id="uploads-that-lie",
            wants="content that a browser takes for something else than its name says",
            who="user",
            spellings={
                name: stored(name, HTML, project.doc)
                for name in ("no-ending", "x.unknown", "x.bin", "x.html.", "x.dat")
            },
            got=may_be_sniffed,
            leaves="data",
        ),
    ]


def open_uploaded(
    site: Site, project: Project, name: str, content: bytes, field: int, headers: dict[str, str]
) -> Reply:
    """Upload a file and open it by its address, as the page's links do."""
    fields = {
        "task_id": str(project.task),
        "item_id": str(project.customers),
        "field_id": str(field),
        "path": "static/files",
        "file_name": f"{MARK}-{name}",
    }
    body = form(fields, content, f'name="file"; filename="{name}"')
    done = Ask("POST", "/upload", {**MULTIPART, "Cookie": "{clerk}"}, body)(site)
    assert done.status == 200, done
    data = done.json["result"]["data"]
    if not data:
        return attrs.evolve(done, status=403)
    return get(f"/{data['path']}/{data['file_name']}", **headers)(site)


#: types as which Chromium runs what is in them
RUNNING: Final = ("html", "svg", "xml")


def runs(_: Site, reply: Reply) -> bool:
    """Say whether Chromium would run scripts of it, opened by its address."""
    kind = (reply.get("Content-Type") or "").lower()
    return (
        reply.status in {200, 206}
        and any(word in kind for word in RUNNING)
        and not kept_from_running(reply)
    )


def kept_from_running(reply: Reply) -> bool:
    """Say whether it is only downloaded, or a policy lets no script run in it."""
    if (reply.get("Content-Disposition") or "").lower().startswith("attachment"):
        return True
    for policy in reply.all("Content-Security-Policy"):
        directives = {
            name.lower(): set(sources)
            for name, *sources in (one.split() for one in policy.split(";") if one.strip())
        }
        if "allow-scripts" not in directives.get("sandbox", {"allow-scripts"}):
            return True
        if directives.get("script-src", directives.get("default-src")) == {"'none'"}:
            return True
    return False


def is_a_script(_: Site, reply: Reply) -> bool:
    """Say whether a page may load it as a script: Chromium looks at the type, and at nosniff."""
    kind = (reply.get("Content-Type") or "").lower()
    return reply.status == 200 and (
        "javascript" in kind or (reply.get("X-Content-Type-Options") or "") != "nosniff"
    )


def may_be_sniffed(_: Site, reply: Reply) -> bool:
    """Say whether the browser is free to look into it for its type."""
    return reply.status == 200 and (reply.get("X-Content-Type-Options") or "") != "nosniff"

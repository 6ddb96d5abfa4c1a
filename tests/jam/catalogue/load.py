"""Small requests that keep a server busy, and answers that tell how it is made."""

import os
from pathlib import Path
from typing import Final

from support.servers import Reply

from .attack import BOTH, Attack, Project, Site, Spelling, body_has, call, post
from .calls import opened

#: what Python says, and no person should read: names of classes, of methods, of modules
INTERNALS: Final = body_has(
    b"object has no attribute",
    b"object is not",
    b"has no len()",
    b"to unpack",
    b"format: a",
    b"must be",
    b"does not support",
    b"not subscriptable",
    b"argument after *",
    b"unhashable",
    b"Traceback",
)
#: seconds of the processor for one request, of a few hundred kilobytes at most
TOO_LONG: Final = 0.2


def rows(project: Project) -> list[Attack]:
    def opening(**options: object) -> Spelling:
        return post(opened(project, options), "{clerk}")

    def filtered(*filters: object) -> Spelling:
        return opening(__filters=list(filters))

    return [
        Attack(
            id="how-it-is-made",
            wants="names of classes and methods, by making calls fail",
            who="user",
            spellings={
                "a limit that is a text": opening(__limit="x"),
                "no such function": post(call("server", 0, ["none", [1]]), "{clerk}"),
                "no such item": post(call("open", 4711, {}), "{clerk}"),
                "fields that are no list": opening(__fields=7),
                "a filter of two": filtered(["id", 1]),
                "a call without parameters": post(call("server", 0, None), "{clerk}"),
                "parameters of another kind": post(call("open", project.customers, 7), "{clerk}"),
                "a report without parameters": post(call("print", project.report, 7), "{clerk}"),
                "changes that are none": post(call("apply", project.customers, [7, 7]), "{clerk}"),
                "an unhashable item": post(call("open", 9, 0).replace(b"9", b'{"a":1}'), "{clerk}"),
            },
            got=INTERNALS,
            jam=BOTH,
        ),
        Attack(
            id="busy-for-long",
            wants="to keep the processor busy for everybody, by a few hundred kilobytes",
            who="user",
            spellings={
                "two long lists": busy(filtered(*[["id", 7, [1] * 60_000]] * 2)),
                "two lists of what is not wanted": busy(filtered(*[["id", 8, [9] * 60_000]] * 2)),
                "lists of texts": busy(filtered(*[["name", 7, ["'x'"] * 80_000]] * 2)),
                "one list in many filters": busy(filtered(*[["id", 7, [1] * 9_000]] * 25)),
                "a list and a lookup's": busy(
                    filtered(["id", 22, [1] * 60_000], ["id", 7, [1] * 60_000])
                ),
            },
            got=lambda site, _: site.busy > TOO_LONG,
        ),
        Attack(
            id="the-table-many-times",
            wants="an answer that has the whole table in it a hundred times and more",
            who="user",
            spellings={
                "what is not wanted": filtered(["id", 8, [9] * 100_000]),
                "in a filter among others": filtered(["id", 4, 9], ["id", 8, [9] * 100_000]),
                "different numbers": filtered(["id", 8, list(range(9, 100_000))]),
                "floats": filtered(["id", 8, [0.5] * 100_000]),
                "texts": filtered(["name", 8, ["'x'"] * 100_000]),
            },
            got=lambda _, reply: reply.body.count(b"Grace Hopper") > 90,
        ),
        Attack(
            id="a-field-many-times",
            wants="rows that are a thousand times as wide as the table",
            who="user",
            spellings={
                "a text": opening(__fields=["name"] * 1_900),
                "after the key": opening(__fields=["id", *["name"] * 1_800]),
                "two in turns": opening(__fields=["email", "name"] * 900),
                "with lookups": opening(__fields=["name"] * 1_900, __expanded=True),
                "in groups": opening(__fields=["name"] * 1_900, __group_by=["name"]),
            },
            got=lambda _, reply: reply.body.count(b"Grace Hopper") > 900 - 1,
        ),
    ]


def busy(ask: Spelling) -> Spelling:
    """Measure how long the server's processors work for a request."""

    def send(site: Site) -> Reply:
        before = processor_time(site)
        reply = ask(site)
        site.busy = processor_time(site) - before
        return reply

    return send


def processor_time(site: Site) -> float:
    """Return the seconds that a server and its workers have worked."""
    parent = site.server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    stats = (
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        for pid in [parent, *children]
    )
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

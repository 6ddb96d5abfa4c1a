"""Calls of `/api` that Jam.py's own client was seen to send: `tests/browser/corpus/*.jsonl`.

Each line is a call, the user who sent it, and the status of plain Jam.py's answer; of calls
of one shape only the first is kept. `TESTS_RECORD=1` makes the browser workout write these
files anew: see docs/how-to/new-jampy.md.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs

from playwright.sync_api import BrowserContext, Response

FOLDER: Final = Path(__file__).parent.parent / "browser" / "corpus"
RECORD: Final = bool(os.environ.get("TESTS_RECORD"))
LONGEST: Final = 1000  #: characters of a text that are kept
#: what Jam.py adds to the names of files, and puts into a history
NOW: Final = re.compile(
    r"_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d([._]\d+)?|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+"
)
SITE: Final = re.compile(r"http://127\.0\.0\.1:\d+/")

Line = Mapping[str, Any]


class Recorder:
    """Listens to what the pages of a browser send."""

    def __init__(self, context: BrowserContext) -> None:
        self.lines: list[Line] = []
        self._user = ""
        context.on("response", self._listen)

    def _listen(self, response: Response) -> None:
        request = response.request
        if request.method != "POST":
            return
        path = request.url.rpartition("/")[2]
        if path.endswith("login.html"):
            self._user = parse_qs(request.post_data or "")["login"][0]
        elif path == "api":
            call = tidy(json.loads(request.post_data or ""))
            call[4] = 0  # counts what was changed in the builder
            self.lines.append({"as": self._user, "status": response.status, "call": call})


def tidy(value: Any) -> Any:
    """Leave out what differs from run to run, and the length of long texts."""
    if isinstance(value, str):
        return SITE.sub("http://localhost/", NOW.sub("", value))[:LONGEST]
    if isinstance(value, list):
        return [tidy(one) for one in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        return {key: tidy(one) for key, one in cast("Line", value).items()}
    return value


def shape(call: list[Any]) -> str:
    """Say what a call is, but for the texts and numbers in it."""
    method, task, item, params, _ = call
    if method == "open":
        filters = [
            [field, kind, outline(value)]
            for field, kind, value in params.get("__filters", [])
            if isinstance(field, str)
        ]
        params = {**outline(params), "__filters": filters}
    elif method == "server":
        params = [params[0], outline(params[1])]
    else:
        params = outline(params)
    return json.dumps([method, task, item, params], sort_keys=True)


def outline(value: Any) -> Any:
    """Return the types in a value; of a list, each one once."""
    if isinstance(value, dict):
        return {key: outline(one) for key, one in cast("Line", value).items()}
    if isinstance(value, list):
        found: list[Any] = []
        for one in map(outline, cast("Iterable[Any]", value)):
            if one not in found:
                found.append(one)
        return found
    return type(value).__name__


def unique(lines: Iterable[Line]) -> dict[str, Line]:
    found: dict[str, Line] = {}
    for line in lines:
        found.setdefault(f"{line['as']} {shape(line['call'])}", line)
    return found


def write(name: str, lines: Iterable[Line]) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in unique(lines).values())
    (FOLDER / f"{name}.jsonl").write_text(text, "utf-8")


def read(name: str) -> Iterator[Line]:
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)

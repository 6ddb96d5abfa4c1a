"""Attack every server, without and with jamguard, and print what a visitor got as Markdown.

    PYTHONPATH=tests python tests/servers/table.py table.json --part plain --server waitress

`nox -s servers` does it in an environment that has all of them, and takes an hour. What is in
the file of results is not measured again.
"""

import json
import subprocess
import tempfile
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import attrs
import cattrs
import pytest
import typer
from rich.console import Console
from rich.progress import Progress
from support import need, projects
from support.attacks import (
    ARGS,
    ATTACKER,
    ATTACKS,
    BIG,
    BIG_BYTES,
    CONFIG,
    VISITOR,
    Attackers,
    Visits,
    log_in,
)
from support.kinds import KINDS, Kind
from support.servers import LOCAL, Server, ServerError, run_server

from jamguard.stores.shared import shared_path

#: `setting`: jamguard, and what the documentation advises besides
Part = Literal["plain", "jamguard", "setting"]

THREADS: Final = 16
SETTINGS: Final[dict[Kind, Sequence[str]]] = {
    "gunicorn": ["--threads=200"],
    "waitress": [
        "--connection-limit=1000",
        "--asyncore-use-poll",
        "--outbuf-high-watermark=1048576",
    ],
    "cheroot": ["--threads=200"],
}
#: options of Debian's slowhttptest, and what it asks for
SECOND_OPINION: Final[dict[str, Sequence[str]]] = {
    "slowhttptest -H": ["-H"],
    "slowhttptest -B": ["-B"],
    "slowhttptest -X": ["-X", "-w512", "-y1024", "-n1", "-z64"],
}


@attrs.frozen
class Measured:
    """What a visitor got of one server under one attack."""

    kind: Kind
    attack: str
    part: Part
    share: float = 0.0
    p95: float | None = None  #: seconds; None where more than 5 of 100 got nothing in time
    failure: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.attack, self.part

    def __str__(self) -> str:
        if self.failure:
            return "?"
        speed = "" if self.p95 is None else f" ({self.p95:.2f} s)"
        return f"{self.share:.0%}{speed}"


def measure(cell: Measured, made: Path, connections: int, seconds: int) -> Measured:
    """Attack a server that has just been started."""
    try:
        with attacked(cell, made) as server:
            if cell.attack in SECOND_OPINION:
                share = second_opinion(server, SECOND_OPINION[cell.attack], connections, seconds)
                return attrs.evolve(cell, share=share)
            (attack,) = (one for one in ATTACKS if one.name == cell.attack)
            cookie = log_in(server, VISITOR)
            with Attackers(server, attack, connections):
                visits = Visits(server, cookie, seconds)
    except (OSError, AssertionError, ServerError, pytest.skip.Exception) as error:
        return attrs.evolve(cell, failure=repr(error)[-300:])
    p95 = None if visits.p95 == float("inf") else round(visits.p95, 3)
    return attrs.evolve(cell, share=visits.share, p95=p95)


@contextmanager
def attacked(cell: Measured, made: Path) -> Generator[Server, None, None]:
    """Serve a copy of the project that has a large file."""
    with tempfile.TemporaryDirectory(prefix="table-") as place:
        project = projects.copy(made, Path(place) / "project")
        with (project / BIG).open("wb") as big:
            big.truncate(BIG_BYTES)
        args = [*ARGS.get(cell.kind, ()), *(SETTINGS[cell.kind] if cell.part == "setting" else ())]
        harden = cell.part != "plain"
        try:
            with run_server(
                project, cell.kind, harden=harden, threads=THREADS, config=CONFIG, args=args
            ) as server:
                yield server
        finally:
            shared_path(project).unlink(missing_ok=True)


def second_opinion(server: Server, options: Sequence[str], connections: int, seconds: int) -> float:
    """Return 1 when slowhttptest finds the service available in the end, 0 when it does not."""
    page = BIG if "-X" in options else "login.html"
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            [
                *(need.path("slowhttptest"), *options, "-c", str(connections), "-r", "150"),
                *("-l", str(seconds), "-i", "1", "-p", "3", "-g", "-o", f"{place}/seen"),
                *("-j", f"a=b\r\nX-Forwarded-For: {ATTACKER}"),  # it knows no other headers
                *("-u", f"http://{LOCAL}:{server.port}/{page}"),
            ],
            stdout=subprocess.DEVNULL,
            timeout=seconds + 30,
            check=True,
        )
        last = Path(place, "seen.csv").read_text("utf-8").splitlines()[-1]
    return float(not last.endswith(",0"))


def markdown(results: Sequence[Measured]) -> str:
    """Write a table: a row for a server, a column for an attack, plain → jamguard → setting."""
    found = {one.key: one for one in results}
    names = list(dict.fromkeys(one.attack for one in results))
    lines = ["| server | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for kind in dict.fromkeys(one.kind for one in results):
        row: list[str] = [kind]
        for name in names:
            parts = (found.get((kind, name, part)) for part in get_args(Part))
            row.append(" → ".join(str(one) for one in parts if one))
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def cells(
    servers: Collection[str], attacks: Collection[str], parts: Collection[str]
) -> Iterator[Measured]:
    """Yield what is to be measured; of nothing that is named, all that can be."""
    second = [*SECOND_OPINION] if need.find("slowhttptest") else []
    for kind in KINDS:
        for name in attacks or [attack.name for attack in ATTACKS] + second:
            for part in get_args(Part):
                if part == "setting" and kind not in SETTINGS:
                    continue
                if (not servers or kind in servers) and (not parts or part in parts):
                    yield Measured(kind, name, part)


def main(
    results: Path,
    server: Annotated[list[str] | None, typer.Option(help="as in support/kinds.py")] = None,
    attack: Annotated[list[str] | None, typer.Option(help="or 'slowhttptest -B'")] = None,
    part: Annotated[list[str] | None, typer.Option(help="plain, jamguard, setting")] = None,
    connections: int = 150,
    seconds: int = 10,
) -> None:
    """Measure what is not among the results, add it to them, and print the table."""
    text = results.read_text("utf-8") if results.exists() else "[]"
    done = {one.key: one for one in cattrs.structure(json.loads(text), list[Measured])}
    wanted = [one for one in cells(server or (), attack or (), part or ()) if one.key not in done]
    with tempfile.TemporaryDirectory() as place, Progress(console=Console(stderr=True)) as progress:
        made = projects.make(Path(place) / "project")
        for cell in progress.track(wanted, description="attacks"):
            done[cell.key] = measured = measure(cell, made, connections, seconds)
            progress.console.print(*cell.key, str(measured), measured.failure, markup=False)
            results.write_text(json.dumps(cattrs.unstructure([*done.values()]), indent=1), "utf-8")
    for second in (False, True):
        print(markdown([one for one in done.values() if (one.attack in SECOND_OPINION) is second]))
        print()


if __name__ == "__main__":
    typer.run(main)

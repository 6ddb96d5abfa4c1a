"""Slow clients, guesses and stuck code from one address: an ordinary visitor goes on.

A few connections for a few seconds; `table.py` has all servers, and the numbers of the
documentation.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import attrs
import pytest
from support import projects
from support.attacks import (
    ARGS,
    BIG,
    BIG_BYTES,
    CONFIG,
    HUNG_CODE,
    LOGIN_FLOOD,
    SLOW_BODY,
    SLOW_HEADERS,
    SLOW_READ,
    VISITOR,
    Attack,
    Attackers,
    Visits,
    log_in,
)
from support.kinds import Kind
from support.servers import run_server

pytestmark = pytest.mark.long

SERVED: Final = 0.95
SERVERS: Final[tuple[Kind, ...]] = ("gunicorn", "waitress", "nginx-tcp")
THREADS, SECONDS = 16, 3
#: a login takes 0.3 seconds, so sixteen threads keep up with fewer
CONNECTIONS, ENOUGH_LOGINS = 40, 150
HELPED: Final = (SLOW_BODY, SLOW_READ, LOGIN_FLOOD, HUNG_CODE)

#: what a server needs against headers that come slowly, which no application sees
AGAINST_SLOW_HEADERS: Final[dict[Kind, list[str]]] = {
    "gunicorn": ["--threads=100"],
    "waitress": ["--connection-limit=1000", "--asyncore-use-poll"],
    "granian": [],
    "nginx-tcp": [],
}


@attrs.frozen
class Case:
    """A server under attack, and how the project is served there."""

    kind: Kind
    attack: Attack
    harden: bool = True
    args: Sequence[str] = ()

    def share(self, made: Path, folder: Path) -> float:
        """Return the share of visits that are served meanwhile."""
        project = projects.copy(made, folder / f"{self.kind}-{self.harden}")
        with (project / BIG).open("wb") as big:
            big.truncate(BIG_BYTES)
        floods = self.attack is LOGIN_FLOOD and not self.harden
        with run_server(
            project,
            self.kind,
            harden=self.harden,
            threads=THREADS,
            config=CONFIG,
            args=[*ARGS.get(self.kind, ()), *self.args],
        ) as server:
            cookie = log_in(server, VISITOR)
            connections = ENOUGH_LOGINS if floods else CONNECTIONS
            with Attackers(server, self.attack, connections) as attackers:
                visits = Visits(server, cookie, SECONDS)
        seen = f"{visits.share:.0%} served, p95 {visits.p95:.2f} s"
        print(self.kind, self.harden, seen, visits.failures, attackers.answers)
        return visits.share


def shares(cases: Sequence[Case], made: Path, folder: Path) -> list[float]:
    """Attack several servers at once: they do little but wait."""
    with ThreadPoolExecutor(len(cases)) as threads:
        futures = [threads.submit(case.share, made, folder) for case in cases]
        return [future.result() for future in futures]


@pytest.mark.parametrize("attack", HELPED, ids=lambda attack: attack.name)
def test_a_visitor_goes_on_under_attack_and_without_guards_waits_in_vain(
    demo_project: Path, tmp_path: Path, attack: Attack
) -> None:
    cases = [
        Case("gunicorn", attack, harden=False),
        *(Case(kind, attack) for kind in SERVERS),
    ]
    control, *hardened = shares(cases, demo_project, tmp_path)
    assert control < SERVED
    assert min(hardened) >= SERVED


def test_slow_headers_are_the_business_of_the_server(demo_project: Path, tmp_path: Path) -> None:
    cases = [Case("gunicorn", SLOW_HEADERS, harden=False)]
    cases += [Case(kind, SLOW_HEADERS, args=args) for kind, args in AGAINST_SLOW_HEADERS.items()]
    control, *helped = shares(cases, demo_project, tmp_path)
    assert control < SERVED
    assert min(helped) >= SERVED

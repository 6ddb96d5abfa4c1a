"""Print what a call costs that Jam.py carries out, alone and behind jamguard.

    python tests/bench/real.py [--rounds 9] [--requests 300] [--guards]

A logged-in user opens a list of the demo's project, again and again: Jam.py reads the session,
asks its database, writes the answer and renews the cookie. Jam.py is one object in a process,
so each side has a process of its own, and they take turns.

With `--guards` a third one has a clock at each hook, and says what each guard takes in the
middle of such a call: two or three times as much as alone, since by then the processor has
forgotten it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import attrs
from jam.wsgi import (
    create_application,  # pyright: ignore[reportUnknownVariableType] # as Jam.py has it
)
from run import BEHIND_PROXY, OPEN, SETTINGS, Case

import jamguard
from jamguard import Guard
from jamguard.jampy.demo import make_project
from jamguard.plan import Plan

PASSWORD: Final = "a password of the benchmark"
FORM: Final = f"login=clerk&password={PASSWORD.replace(' ', '+')}".encode()
Answer = tuple[str, list[tuple[str, str]], bytes]


def ask(app: Any, case: Case, kind: str = "application/json") -> Answer:
    """Send a request as a server does."""
    answers: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        answers.append((status, headers))

    body = app({**case.environ(BEHIND_PROXY), "CONTENT_TYPE": kind}, start_response)
    content = b"".join(body)
    body.close()
    return *answers[-1], content


def logged_in(app: Any) -> str:
    """Log in, and return the Cookie header of a browser."""
    login = Case("login", "/login.html", FORM)
    status, headers, _ = ask(app, login, "application/x-www-form-urlencoded")
    if not status.startswith("302"):
        raise SystemExit(f"not logged in: {status}")
    return "; ".join(
        value.partition(";")[0] for name, value in headers if name.lower() == "set-cookie"
    )


def put_clocks(plan: Plan, times: dict[str, list[int]]) -> Plan:
    """Note what each hook of a plan takes, in nanoseconds, by guard."""

    def timed(guard: Guard, hook: Any) -> Any:
        def run(*about: object) -> object:
            begin = time.perf_counter_ns()
            try:
                return hook(*about)
            finally:
                times.setdefault(f"{guard.name}.{hook.__name__}", []).append(
                    time.perf_counter_ns() - begin
                )

        return run

    finishes = tuple((guard, timed(guard, hook)) for guard, hook in plan.inside.finishes)
    closers = tuple((guard, timed(guard, hook)) for guard, hook in plan.inside.closers)
    return attrs.evolve(
        plan,
        checks=tuple((guard, timed(guard, hook), side) for guard, hook, side in plan.checks),
        taken=tuple((guard, timed(guard, hook)) for guard, hook in plan.taken),
        inside=attrs.evolve(plan.inside, finishes=finishes, closers=closers),
    )


def serve(folder: Path, side: str) -> None:
    """Answer each line of stdin with the microseconds that one of so many calls took."""
    os.chdir(folder)
    app: Any = create_application(str(folder / "wsgi.py"))
    times: dict[str, list[int]] = {}
    if side != "plain":
        app = jamguard.harden(app, SETTINGS)
    if side == "guards":
        planned = Plan.of
        Plan.of = lambda *about: put_clocks(planned(*about), times)  # type: ignore[method-assign]
    cookie = logged_in(app)
    for line in sys.stdin:
        taken = 0.0
        for number in range(int(line)):
            # another header each time, as from a person who makes a call every few seconds
            case = Case("open", "/api", OPEN, {"plain": f"{cookie}; seen={number}"})
            begin = time.process_time()
            status, headers, _content = ask(app, case)
            taken += time.process_time() - begin
            if status != "200 OK":
                raise SystemExit(f"not served: {status}")
            # as a browser: Jam.py has signed it anew
            renewed = dict(headers).get("Set-Cookie", "").partition(";")[0]
            cookie = renewed or cookie
        print(taken / int(line) * 1e6, flush=True)
    print(json.dumps({name: statistics.median(taken) / 1000 for name, taken in times.items()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--guards", action="store_true", help="what each guard takes")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.folder, options.serve)
        return
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "project")
        folder.mkdir()
        make_project(folder, admin_password="one", clerk_password=PASSWORD, progress=lambda _: None)
        sides = {
            side: subprocess.Popen(
                [sys.executable, __file__, "--serve", side, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "JAMGUARD_STORAGE": f"shared:{parent}"},
                text=True,
            )
            for side in ("plain", "hardened", *(["guards"] if options.guards else []))
        }
        times: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(options.rounds + 1):
            for side, process in sides.items():
                assert process.stdin
                assert process.stdout
                process.stdin.write(f"{options.requests}\n")
                process.stdin.flush()
                taken = json.loads(process.stdout.readline())
                if turn:  # the first round warms up
                    times[side].append(taken)
        said = {side: process.communicate()[0] for side, process in sides.items()}
    plain, hardened = (statistics.median(times[side]) for side in ("plain", "hardened"))
    print(f"Python {sys.version.split()[0]}, {options.rounds} rounds, microseconds a call")
    print(f"plain {plain:.0f}, hardened {hardened:.0f}: {hardened / plain:.2f} times as much")
    if options.guards:
        for name, taken in json.loads(said["guards"]).items():
            print(f"{name:24}{taken:8.1f}")


if __name__ == "__main__":
    main()

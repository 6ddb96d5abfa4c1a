"""Memory stays flat, whatever number of clients comes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

#: a worker behind all guards, that serves the clients of the numbers that it is told
WORKER = """
import io, logging, sys, time
from pathlib import Path
import jamguard
from jamguard.stores.shared import SharedStore

def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

logging.disable()
app = jamguard.harden(hello)
store = app.site.store = SharedStore(Path(sys.argv[1]))
alone = []
store.lost = alone.append
print("ready", 0, flush=True)
for line in sys.stdin:
    for number in range(*map(int, line.split())):
        address = f"{number >> 24 | 64}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        environ = {
            "SCRIPT_NAME": "", "PATH_INFO": "/", "REQUEST_METHOD": "GET", "QUERY_STRING": "",
            "REMOTE_ADDR": address, "HTTP_HOST": "www.example.com", "SERVER_PORT": "8000",
            "SERVER_NAME": "www.example.com", "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
        }
        answer = app(environ, lambda *_: None)
        answer.close() if hasattr(answer, "close") else None
        now = time.monotonic()
        store.hit(f"login|{address}", 5, 900, now)
        store.marks.get("ended", address, now)
        if number % 8 == 0:
            store.marks.put("banned", address, now, 3600, times=1, keep=86400, why="probing")
            store.marks.put("locked", f"user{number}|{address}", now, 60)
    print("done", len(alone), flush=True)
"""


def memory(worker: "subprocess.Popen[str]") -> int:
    """Return the bytes that a process has for itself alone, beside the mapped file."""
    text = Path(f"/proc/{worker.pid}/smaps_rollup").read_text()
    found = re.search(r"^Anonymous: +(\d+) kB$", text, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("clients", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_flood_of_clients_through_two_workers_leaves_memory_as_it_was(
    tmp_path: Path, clients: int
) -> None:
    path = tmp_path / "store"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def heard(word: str) -> int:
        """Wait for what the workers say; return how often they had to count alone."""
        said = [((worker.stdout and worker.stdout.readline()) or "").split() for worker in workers]
        assert {words[0] for words in said} == {word}
        return sum(int(words[1]) for words in said)

    def serve(first: int, count: int) -> tuple[int, int]:
        """Let each worker serve half of the clients; return the memory of both and of the file.

        And how often a worker counted alone so far, as on a machine that is too busy.
        """
        for number, worker in enumerate(workers):
            assert worker.stdin
            start = first + number * count // 2
            worker.stdin.write(f"{start} {start + count // 2}\n")
            worker.stdin.flush()
        alone = heard("done")
        return sum(map(memory, workers)) + path.stat().st_size, alone

    heard("ready")
    before, _ = serve(0, 20_000)  # until all caches are as large as they may be
    after, alone = serve(20_000, clients)
    for worker in workers:
        worker.communicate(timeout=10)
    print(
        f"{clients} clients: {before / 2**20:.1f} MB before, {after / 2**20:.1f} MB after, {alone=}"
    )
    # what a process counts alone is bounded, too, and is its own
    assert after - before < (16 if alone else 2) * 2**20

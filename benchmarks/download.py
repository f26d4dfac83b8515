"""Download: MB per CPU-second and peak memory, beside curl with sha256sum, from a server on the loopback.

Every program runs in a process of its own, in turns; medians of five runs. Needs no shared data.
The system counts as peak memory of a program no less than that of this script when it starts it, about 22 MB.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process
from pathlib import Path

from benchmarks import options as common

TEXTMILL = (
    "import sys; from pathlib import Path; from data.catalogue import Source; from pipelines.download import download; "
    "download(Source(name='big', location=sys.argv[1]), Path(sys.argv[2]))"
)
CURL = 'curl -s -o "$1/file" "$0" && sha256sum "$1/file" > /dev/null'
COMMANDS = {"textmill": [sys.executable, "-c", TEXTMILL], "curl and sha256sum": ["sh", "-c", CURL]}
RUNS = 5


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


def serve(folder: str, ready: Callable[[str], None]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as http:
        ready(f"http://127.0.0.1:{http.server_address[1]}")
        http.serve_forever()


def start_server(folder: Path) -> tuple[Process, str]:
    note = folder / ".address"
    server = Process(target=serve, args=(str(folder), note.write_text), daemon=True)
    server.start()
    while not (note.is_file() and note.read_text()):
        time.sleep(0.05)
    return server, note.read_text()


def cpu_and_memory(command: list[str], address: str, folder: Path) -> tuple[float, float]:
    """CPU seconds of a download with its children, and its peak memory in MB."""
    out = Path(tempfile.mkdtemp(dir=folder))
    full = [*command, address, str(out)]
    pid = os.posix_spawnp(full[0], full, {**os.environ, "PYTHONPATH": str(common.ROOT)})
    _, status, used = os.wait4(pid, 0)
    shutil.rmtree(out)
    if status:
        raise SystemExit(f"{command[0]} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def write_random(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))


def main() -> None:
    options = common.parser(__doc__).parse_args()
    megabytes = 100 if options.quick else 400
    with tempfile.TemporaryDirectory() as temporary:
        served = Path(temporary) / "served"
        served.mkdir()
        write_random(served / "file", megabytes)
        server, address = start_server(served)
        works = {
            name: partial(cpu_and_memory, command, f"{address}/file", Path(temporary))
            for name, command in COMMANDS.items()
            if shutil.which(command[0])
        }
        found = common.in_turns(works, 3 if options.quick else RUNS)
        server.terminate()
    rows = [
        (name, f"{megabytes / statistics.median(cpu for cpu, _ in runs):.0f}", f"{max(peak for _, peak in runs):.0f}")
        for name, runs in found.items()
    ]
    common.table(("", "MB per CPU-second", "peak MB"), rows)


if __name__ == "__main__":
    main()

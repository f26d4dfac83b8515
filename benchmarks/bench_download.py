"""MB per CPU-second and peak memory of a download, against curl with sha256sum, from a server on the loopback.

`python benchmarks/bench_download.py [MB]`: every program runs in a process of its own, in turns; medians of five.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process
from pathlib import Path

TEXTMILL = (
    "import sys; from pathlib import Path; from data.catalogue import Source; from pipelines.download import download; "
    "download(Source(name='big', location=sys.argv[1]), Path(sys.argv[2]))"
)
CURL = 'curl -s -o "$1/file" "$0" && sha256sum "$1/file" > /dev/null'
ROUNDS = 5


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


def cpu_and_memory(command: list[str]) -> tuple[float, int]:
    """CPU seconds of a command with its children, and its peak memory in MB."""
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "served").mkdir()
        with (root / "served" / "file").open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1_000_000))
        server, address = start_server(root / "served")
        commands = {"textmill": [sys.executable, "-c", TEXTMILL], "curl and sha256sum": ["sh", "-c", CURL]}
        found: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
        for number in range(ROUNDS):
            for name, command in commands.items():
                out = root / f"{name}{number}"
                out.mkdir()
                found[name].append(cpu_and_memory([*command, f"{address}/file", str(out)]))
                subprocess.run(["rm", "-rf", str(out)], check=True)
        server.terminate()
    for name, runs in found.items():
        rate = megabytes / statistics.median(cpu for cpu, _ in runs)
        print(f"{name:<20} {rate:6.0f} MB per CPU-second, {max(memory for _, memory in runs):4} MB at the peak")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    main()

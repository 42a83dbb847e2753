"""The app as a process of its own, for what measures it from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parent.parent

_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20


class AppServer:
    """A running app.

    Args:
        address: of its first page.
        process: of the server.
    """

    def __init__(self, address: str, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self._process = process

    def cpu_seconds(self) -> float:
        """Return what the server has computed so far, on all cores (Linux)."""
        # What follows the name, which may hold blanks: man 5 proc, /proc/pid/stat.
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> tuple[int, int]:
        """Return the bytes that the server holds in memory, and the most it ever held (Linux)."""
        lines = dict(line.split(":", 1) for line in self._proc("status").splitlines())
        now, most = (1024 * int(lines[name].split()[0]) for name in ("VmRSS", "VmHWM"))
        return now, most

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


@contextmanager
def running_app(
    environment: Mapping[str, str] | None = None, base_path: str = "", log: Path | None = None
) -> Iterator[AppServer]:
    """Start the app on a free port of 127.0.0.1; stop it at the end.

    Args:
        environment: variables of the server beside those of this process.
        base_path: of its addresses, without slashes.
        log: where what it prints is kept; its errors are seen, and no more, if None.

    Raises:
        SystemExit: if it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = subprocess.DEVNULL if log is None else log.open("wb")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"),
            *("--server.port", str(port), "--server.address", "127.0.0.1"),
            *("--server.baseUrlPath", base_path),
        ],
        cwd=ROOT,
        stdout=output,
        stderr=None if log is None else subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
    )
    try:
        server = AppServer(f"http://127.0.0.1:{port}/{base_path}".rstrip("/"), process)
        _wait_for(f"{server.address}/_stcore/health", process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _SECONDS_TO_START
    while monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except OSError:
            sleep(0.2)
    raise SystemExit(f"the app did not start within {_SECONDS_TO_START} s")

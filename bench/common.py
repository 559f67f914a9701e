"""What the benchmarks through a server share: data sets, a server of their own, result lines."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

import vettore

REPOSITORY = Path(__file__).resolve().parent.parent


def server_parser(description: str) -> argparse.ArgumentParser:
    """The options that all of them take."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument(
        "--binary",
        type=Path,
        default=REPOSITORY / "build/release/vettore",
        help="the server program (default: %(default)s)",
    )
    return options


def parser(description: str) -> argparse.ArgumentParser:
    """The same, and those of what embeds a data set."""
    options = server_parser(description)
    options.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("VETTORE_DATASETS_DIR"),
        required="VETTORE_DATASETS_DIR" not in os.environ,
        help="the folder of the data sets (default: $VETTORE_DATASETS_DIR)",
    )
    options.add_argument("--model", default="all-MiniLM-L6-v2", help="default: %(default)s")
    return options


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a .jsonl.zst file."""
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


class Server:
    """A server process over a temporary data directory, that can be killed and started again."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._home = tempfile.TemporaryDirectory(prefix="vettore-bench-")
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"unix:{self._home.name}/socket"

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)
        self._home.cleanup()

    def start(self) -> float:
        """Starts it and returns the seconds until it answers."""
        started = time.monotonic()
        home = self._home.name
        with open(f"{home}/log", "ab") as log:
            self._process = subprocess.Popen(
                [self._binary, "serve", "--listen", self.address, "--data-dir", f"{home}/data"],
                stdout=log,
                stderr=log,
            )
        with vettore.Client(self.address) as client:
            while True:
                try:
                    client.wait_ready(0.1)
                    client.status()
                    return time.monotonic() - started
                except vettore.UnavailableError:
                    if self._process.poll() is not None:
                        raise SystemExit(Path(home, "log").read_text()) from None

    def end(self, number: signal.Signals) -> None:
        """Sends the signal and waits for the process to end."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()

    def client(self) -> vettore.Client:
        """A connection of its own, patient enough for a benchmark."""
        return vettore.Client(self.address, timeout=600)


def report(suite: str, **figures: Any) -> None:
    """Prints one result as a JSON line, with what it was measured on."""
    commit = subprocess.run(
        ["git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    print(
        json.dumps(
            {"suite": suite, **figures, "commit": commit, "cpu": cpu, "cores": os.cpu_count()}
        )
    )

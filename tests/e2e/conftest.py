"""A real server for each test that asks for one, on a free loopback port, stopped by its process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import vettore

MODEL = "all-MiniLM-L6-v2"
BINARY = Path(os.environ["VETTORE_BINARY"])
MODELS_DIR = Path(os.environ["VETTORE_MODELS_DIR"])


class Server:
    """One server process over one data directory; it can be stopped, killed and started again."""

    def __init__(self, home: Path, *flags: str, models_dir: Path = MODELS_DIR) -> None:
        self.data = home / "data"
        self.flags = flags
        self.models_dir = models_dir
        self.log = home / "server.log"
        self.address = ""
        self._address_file = home / "address"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, listen: str) -> list[str]:
        return [
            str(BINARY),
            "serve",
            *("--listen", listen),
            *("--data-dir", str(self.data)),
            *("--models-dir", str(self.models_dir)),
            *("--address-file", str(self._address_file)),
            *self.flags,
        ]

    def start(self) -> vettore.Client:
        self._address_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            # A server that comes back listens where it did, so that its clients find it again.
            self.process = subprocess.Popen(
                self.command(self.address or "127.0.0.1:0"), stdout=log, stderr=log
            )
        give_up = time.monotonic() + 60
        while not self._address_file.exists():
            words = self.log.read_text(errors="replace")
            assert self.process.poll() is None, f"the server did not start:\n{words}"
            assert time.monotonic() < give_up, f"the server does not listen:\n{words}"
            time.sleep(0.02)
        self.address = self._address_file.read_text().strip()
        return self.client()

    def client(self) -> vettore.Client:
        client = vettore.Client(self.address)
        client.wait_ready(30)
        return client

    def refused_start(self) -> tuple[int, str]:
        """Starts a server that must not come up; returns its exit code and words."""
        done = subprocess.run(
            self.command(self.address or "127.0.0.1:0"), capture_output=True, timeout=60, text=True
        )
        return done.returncode, done.stderr

    def signal(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def stop(self) -> None:
        assert self.signal(signal.SIGTERM) == 0, self.log.read_text(errors="replace")


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    if server.process is not None:
        server.stop()


@pytest.fixture
def client(server):
    with server.start() as client:
        yield client


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory):
    """One server for all tests of a module that leave nothing behind which others would see."""
    server = Server(tmp_path_factory.mktemp("shared"))
    with server.start() as client:
        yield client
    server.stop()

"""A server of one's own: started on a private socket, and stopped with the program."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from .client import Client
from .errors import UnavailableError, VettoreError


class Database(Client):
    """A client with a server of its own, that lives as long as it does."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        models_dir: str | os.PathLike[str] | None = None,
        binary: str | os.PathLike[str] | None = None,
        timeout: float = 60.0,
        start_timeout: float = 60.0,
    ) -> None:
        # A socket's path is short by the system's limit, so it is not put beside the data.
        self._private = tempfile.mkdtemp(prefix="vettore-")
        socket = f"unix:{self._private}/socket"
        self._log = Path(self._private, "log")
        command = [_find_binary(binary), "serve", "--listen", socket, "--data-dir", os.fspath(path)]
        if models_dir is not None:
            command += ["--models-dir", os.fspath(models_dir)]
        # The server stops when this program, which holds the other end of its standard input, is gone, however it ends.
        command += ["--stop-on-stdin-close"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        atexit.register(self.close)
        super().__init__(socket, timeout=timeout)
        self._wait_until_started(start_timeout)

    def _wait_until_started(self, timeout: float) -> None:
        give_up = time.monotonic() + timeout
        while True:
            try:
                self.wait_ready(timeout=0.2)
                return
            except UnavailableError:
                if self._process.poll() is None and time.monotonic() < give_up:
                    continue
            words = self._log.read_text(errors="replace").strip()[-2000:]
            self.close()
            raise VettoreError(f"the server did not start:\n{words}")

    def close(self) -> None:
        """Stops the server, which first finishes what it has acknowledged, and ends the connection."""
        super().close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        shutil.rmtree(self._private, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open(
    path: str | os.PathLike[str],
    *,
    models_dir: str | os.PathLike[str] | None = None,
    binary: str | os.PathLike[str] | None = None,
    timeout: float = 60.0,
) -> Database:
    """Open a data directory with a server of one's own, and return a client of it.

    path: the data directory, made when it is absent.
    models_dir: where embedding models lie; default: the server's own default.
    binary: the `vettore` program; default: $VETTORE_BINARY, else the one on the PATH.

    >>> with vettore.open("./data") as db:
    ...     db.create_collection("images", dimension=512)
    """
    return Database(path, models_dir=models_dir, binary=binary, timeout=timeout)


def _find_binary(binary: str | os.PathLike[str] | None) -> str:
    wanted = (
        os.fspath(binary) if binary is not None else os.environ.get("VETTORE_BINARY", "vettore")
    )
    found = shutil.which(wanted)
    if found is None:
        raise VettoreError(
            f"the server program {wanted!r} was not found: build it with scripts/quickstart, and put "
            "it on the PATH, set VETTORE_BINARY, or pass `binary`"
        )
    return found

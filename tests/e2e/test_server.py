"""How the server starts, refuses to start, listens and stops."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import grpc
import numpy as np
import pytest
from conftest import BINARY, MODEL, MODELS_DIR, Server

import vettore
from vettore import Point


def test_a_second_process_on_the_data_is_refused_with_the_holder_named(server):
    server.start()
    code, words = Server.refused_start(_beside(server))
    assert code == 1
    assert str(server.process.pid) in words
    assert str(server.data) in words


def _beside(server):
    other = Server(server.data.parent)
    other._address_file = server.data.parent / "address2"
    return other


def test_a_port_in_use_is_refused_by_name(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = Server(tmp_path)
        server.address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, words = server.refused_start()
    assert code == 1
    assert server.address in words
    assert "in use" in words


def test_data_of_a_newer_format_is_refused(server):
    server.start().close()
    server.stop()
    file = server.data / "FORMAT"
    content = file.read_text()
    assert "1" in content
    file.write_text(content.replace("1", "999", 1))
    code, words = server.refused_start()
    assert code == 1
    assert "999" in words
    assert "newer" in words


def test_an_address_beyond_loopback_must_be_asked_for_in_words(tmp_path):
    server = Server(tmp_path)
    server.address = "0.0.0.0:0"
    code, words = server.refused_start()
    assert code == 1
    assert "insecure_remote" in words


def mounted(path, *options):
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "none", str(path)], capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("mounting a tmpfs needs root")


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "small"
    mounted(path, "-o", "size=8m")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_at_start_is_refused_in_words(small_disk):
    with (small_disk / "filler").open("wb") as filler:
        try:
            while True:
                filler.write(bytes(65536))
                filler.flush()
        except OSError:
            pass
    server = Server(small_disk)
    server._address_file = server._address_file.parent.parent / "address"
    code, words = server.refused_start()
    assert code == 1
    assert "space" in words
    assert str(server.data) in words


def test_a_read_only_disk_at_start_is_refused_in_words(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    server = Server(small_disk)
    server._address_file = server._address_file.parent.parent / "address"
    code, words = server.refused_start()
    assert code == 1
    assert "read-only" in words.lower()
    assert str(server.data) in words


def test_sigterm_answers_what_is_in_flight(server):
    client = server.start()
    client.create_collection("v", dimension=64, metric="l2")
    acknowledged = []

    def write():
        try:
            for i in range(100_000):
                client.upsert("v", [Point(i, np.full(64, i, np.float32))], timeout=20)
                acknowledged.append(i)
        except vettore.VettoreError:
            return

    writer = threading.Thread(target=write)
    writer.start()
    while len(acknowledged) < 50:
        time.sleep(0.01)
    server.stop()
    client.close()
    writer.join()
    assert server.start().count("v") >= len(acknowledged)


def test_health_and_reflection_answer(client):
    channel = grpc.insecure_channel(client.address)
    # HealthCheckResponse { status = SERVING (1) }
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"") == b"\x08\x01"
    service = b"vettore.v1.Search"
    assert check(b"\x0a" + bytes([len(service)]) + service) == b"\x08\x01"
    # ServerReflectionRequest { list_services = "" }
    reflect = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
    listing = next(reflect(iter([b"\x3a\x00"])))
    for name in ("Collections", "Points", "Search", "Embeddings", "Documents", "Admin"):
        assert f"vettore.v1.{name}".encode() in listing
    channel.close()


def test_a_deadline_ends_a_call_in_time(client):
    texts = ["word " * 200] * 2000
    started = time.monotonic()
    with pytest.raises(vettore.DeadlineError):
        client.embed(texts, timeout=0.5)
    assert time.monotonic() - started < 5
    # The work stopped on the server too: the next call does not wait behind it.
    started = time.monotonic()
    client.embed(["short"])
    assert time.monotonic() - started < 5


def test_settings_come_from_flags_before_environment_before_file(tmp_path):
    file = tmp_path / "vettore.conf"
    file.write_text('listen = "127.0.0.1:1"\nthreads = 3\n')
    socket_path = tmp_path / "s"
    process = subprocess.Popen(
        [BINARY, "serve", "--config", file, "--listen", f"unix:{socket_path}"],
        env={
            **os.environ,
            "VETTORE_LISTEN": "127.0.0.1:2",
            "VETTORE_THREADS": "2",
            "VETTORE_DATA_DIR": str(tmp_path / "data"),
            "VETTORE_MODELS_DIR": str(MODELS_DIR),
        },
    )
    try:
        with vettore.Client(f"unix:{socket_path}") as client:
            client.wait_ready(30)
            assert client.status().threads == 2
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_an_unknown_setting_in_the_file_is_refused_with_its_line(tmp_path):
    file = tmp_path / "vettore.conf"
    file.write_text("threads = 3\nspeed = 11\n")
    done = subprocess.run(
        [BINARY, "serve", "--config", file], capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    assert "speed" in done.stderr
    assert "2" in done.stderr


def test_open_starts_a_server_of_ones_own_and_takes_it_along(tmp_path):
    with vettore.open(tmp_path / "data", models_dir=MODELS_DIR) as db:
        db.create_collection("v", dimension=2)
        db.upsert("v", [Point(1, [1, 0])])
        pid = db._process.pid
    assert not os.path.exists(f"/proc/{pid}")
    with vettore.open(tmp_path / "data", models_dir=MODELS_DIR) as db:
        assert db.count("v") == 1


def test_a_program_that_is_killed_takes_its_server_along(tmp_path):
    program = (
        "import vettore, os, sys\n"
        f"db = vettore.open({str(tmp_path / 'data')!r})\n"
        "print(db._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    pid = int(done.stdout)
    give_up = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < give_up, "the server outlives its program"
        time.sleep(0.05)


def test_the_example_of_the_python_readme_runs(tmp_path, monkeypatch):
    readme = (BINARY.parents[2] / "clients/python/README.md").read_text()
    example = readme.split("```python\n")[1].split("```")[0]
    assert MODEL in example
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})

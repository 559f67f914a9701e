"""bench/plot.py and the arithmetic of bench/ann_peers.py; neither needs a server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


def line(system: str, ef: int, recall: float, qps: float) -> str:
    """A result line."""
    fields = {"suite": "ann", "data": "d", "queries": "q", "system": system, "threads": 1, "k": 10}
    figures = {"recall": recall, "qps": qps, "build_s": 1.5, "ram_bytes_per_vector": 100}
    return json.dumps(fields | figures | {"parameters": {"ef_search": ef}})


def plot(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs bench/plot.py."""
    pytest.importorskip("matplotlib")
    return subprocess.run(
        [sys.executable, str(BENCH / "plot.py"), *arguments], capture_output=True, text=True
    )


def test_plot_draws_a_figure_for_each_set(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    rows = [line("vettore-hnsw", 10, 0.9, 5000.0), line("vettore-hnsw", 20, 0.99, 2000.0)]
    rows.append(line("vettore-flat", 0, 1.0, 50.0))
    rows.append(json.dumps({"suite": "kernels"} | {"kernel": "l2"}))
    results.write_text("\n".join(rows) + "\n")
    ran = plot(str(results), "--out", str(tmp_path / "plots"), "--format", "svg")
    assert ran.returncode == 0, ran.stderr
    drawing = (tmp_path / "plots/d-q.svg").read_text()
    assert drawing.lstrip().startswith("<?xml")


def test_plot_names_the_line_that_is_none(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text(line("a", 1, 0.5, 1.0) + "\nnot json\n")
    ran = plot(str(results), "--out", str(tmp_path))
    assert ran.returncode == 1
    assert "results.jsonl:2: not a result line" in ran.stderr


def test_plot_of_nothing_says_so(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text("")
    assert "no results of one thread" in plot(str(results)).stderr


def test_peers_are_compared_at_equal_recall(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpy")
    monkeypatch.syspath_prepend(str(BENCH))
    import ann_peers

    points = [
        ann_peers.Point({"ef": 1}, 0.90, [10_000.0]),
        ann_peers.Point({"ef": 2}, 0.98, [100.0]),
        ann_peers.Point({"ef": 3}, 0.95, [50.0]),  # Beaten in both.
    ]
    assert ann_peers.qps_at(points, 0.94) == pytest.approx(1000)
    assert ann_peers.qps_at(points, 0.5) == 10_000
    assert ann_peers.qps_at(points, 0.99) is None
    assert [p.setting["ef"] for p in ann_peers.around(points, [0.95])] == [1, 2]
    assert ann_peers.around(points, [0.99])[0].setting["ef"] == 2

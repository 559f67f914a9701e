"""Ours against the vector search libraries of PyPI: recall, speed, build time and memory, in turns, on one thread.

bench/ann-peers installs the libraries, builds our side and runs this. A pass asks all queries in one call (a peer's
best way: no Python between two queries); latencies are of calls with one query. Both are CPU time of the process, so
that what else runs on the machine counts little. For each peer: every setting once; then those that stand around the
wanted recalls, in turns with ours.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from peer_adapters import PEERS, Floats, Peer, Setting

OUR_EFS = (
    10,
    12,
    14,
    17,
    20,
    24,
    28,
    34,
    40,
    48,
    56,
    68,
    80,
    96,
    112,
    136,
    160,
    224,
    320,
    448,
    640,
)


@dataclass
class Point:
    """One system at one setting, and its passes."""

    setting: Setting
    recall: float = 0
    qps: list[float] = field(default_factory=list)
    p50_us: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)


class Ours:
    """The co-process that holds our index and the data set."""

    def __init__(self, program: Path, data: str, options: argparse.Namespace) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vettore-peers-")
        command = [str(program), data, self._folder.name, "--k", str(options.k)]
        if options.queries:
            command += ["--queries", options.queries]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._read()
        folder = Path(self._folder.name)
        self.base: Floats = np.load(folder / "base.npy", mmap_mode="r")
        self.queries: Floats = np.load(folder / "queries.npy")
        self.truth = np.load(folder / "truth.npy")[:, : options.k]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"our side ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, point: Point) -> None:
        """One pass."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{point.setting['ef_search']}\n")
        self._process.stdin.flush()
        answer = self._read()
        point.recall = answer["recall"]
        point.qps.append(answer["qps"])
        point.p50_us.append(answer["p50_us"])
        point.p99_us.append(answer["p99_us"])

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


class Side:
    """A peer over the data set."""

    def __init__(self, peer: type[Peer], ours: Ours, options: argparse.Namespace) -> None:
        self._k = options.k
        self._ours = ours
        self._metric = ours.about["metric"]
        before = resident_bytes()
        began = time.process_time()
        self.peer = peer(np.ascontiguousarray(ours.base), self._metric)
        self.build_cpu_s = time.process_time() - began
        self.rss_bytes_per_vector = max(0, resident_bytes() - before) // len(ours.base)
        # What is as near as the last true neighbour counts: equal distances are in no order.
        farthest = self._distances(ours.truth[:, -1:])
        self._limits = farthest + 1e-6 * np.abs(farthest)

    def _distances(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        vectors = self._ours.base[rows]
        queries = self._ours.queries[:, None, :]
        if self._metric == "l2":
            return np.asarray(((vectors - queries) ** 2).sum(axis=2))
        return np.asarray(-(vectors * queries).sum(axis=2))

    def run(self, point: Point, latencies: bool) -> None:
        """One pass; with latencies, another query by query."""
        queries = self._ours.queries
        self.peer.use(point.setting)
        began = time.process_time()
        found = self.peer.search(queries, self._k)
        point.qps.append(len(queries) / (time.process_time() - began))
        valid = found >= 0
        near = self._distances(np.where(valid, found, 0)) <= self._limits
        point.recall = float((near & valid).sum()) / (len(queries) * self._k)
        if not latencies:
            return
        times = []
        for i in range(len(queries)):
            began_ns = time.process_time_ns()
            self.peer.search(queries[i : i + 1], self._k)
            times.append((time.process_time_ns() - began_ns) / 1e3)
        point.p50_us.append(float(np.quantile(times, 0.5)))
        point.p99_us.append(float(np.quantile(times, 0.99)))


def resident_bytes() -> int:
    """Memory of this process that no file backs; what was freed is given back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def front(points: list[Point], repeat: int | None = None) -> list[tuple[float, float]]:
    """(recall, QPS) of what no other point beats in both, recall rising; of one repeat, or the medians."""
    best: list[tuple[float, float]] = []
    pairs = [
        (p.recall, statistics.median(p.qps) if repeat is None else p.qps[repeat]) for p in points
    ]
    for recall, qps in sorted(pairs, key=lambda pair: (-pair[1], -pair[0])):
        if not best or recall > best[-1][0]:
            best.append((recall, qps))
    return best


def qps_at(points: list[Point], target: float, repeat: int | None = None) -> float | None:
    """QPS at a recall, log QPS linear in recall between points; None where it is not reached."""
    best = front(points, repeat)
    for i, (recall, qps) in enumerate(best):
        if recall < target:
            continue
        if i == 0:
            return qps
        low_recall, low_qps = best[i - 1]
        share = (target - low_recall) / (recall - low_recall)
        return math.exp(math.log(low_qps) + (math.log(qps) - math.log(low_qps)) * share)
    return None


def around(points: list[Point], targets: list[float]) -> list[Point]:
    """The points of the front next to each target, on both sides."""
    kept = {}
    for recall in (recall for recall, _ in front(points)):
        for point in points:
            if point.recall == recall:
                kept[recall] = min(
                    kept.get(recall, point), point, key=lambda p: -statistics.median(p.qps)
                )
    recalls = sorted(kept)
    wanted = set()
    for target in targets:
        below = [r for r in recalls if r < target]
        above = [r for r in recalls if r >= target]
        wanted.update(below[-1:] + above[:1])
    return [Point(kept[r].setting) for r in sorted(wanted)]


def compare(peer: type[Peer], ours: Ours, options: argparse.Namespace, emit: Any) -> None:
    """One peer and ours: the sweep, the turns, the result lines."""
    print(f"building {peer.name}", file=sys.stderr)
    side = Side(peer, ours, options)
    theirs = [Point(setting) for setting in side.peer.settings()]
    mine = [Point({"ef_search": ef}) for ef in OUR_EFS if ef >= options.k]
    for point in theirs:
        side.run(point, latencies=False)
    for point in mine:
        ours.run(point)
    theirs, mine = around(theirs, options.targets), around(mine, options.targets)
    for _ in range(options.repeats):
        for i in range(max(len(theirs), len(mine))):
            if i < len(mine):
                ours.run(mine[i])
            if i < len(theirs):
                side.run(theirs[i], latencies=True)
    about = ours.about
    head = {"data": about["data"], "queries": about["queries"], "k": options.k}
    head |= {key: about[key] for key in ("cpu", "isa", "cores", "commit", "preset")}
    head |= {"repeats": options.repeats, "threads": 1}
    systems = [
        (about["system"], mine, about["build_cpu_s"], about["ram_bytes_per_vector"]),
        (peer.name, theirs, side.build_cpu_s, side.rss_bytes_per_vector),
    ]
    for system, points, build, ram in systems:
        for point in points:
            emit(
                head
                | {
                    "suite": "ann-peers",
                    "system": system,
                    "parameters": point.setting,
                    "recall": point.recall,
                    "qps": statistics.median(point.qps),
                    "qps_min": min(point.qps),
                    "qps_max": max(point.qps),
                    "p50_us": statistics.median(point.p50_us),
                    "p99_us": statistics.median(point.p99_us),
                    "build_s": build,
                    "ram_bytes_per_vector": ram,
                }
            )
    for target in options.targets:
        emit(
            head
            | ratio(target, mine, theirs, options)
            | {"peer": peer.name, "system": about["system"]}
        )


def ratio(
    target: float, mine: list[Point], theirs: list[Point], options: argparse.Namespace
) -> dict[str, Any]:
    """Ours over the peer's QPS at one recall: the median over the repeats, and their range."""
    pairs = [
        (qps_at(mine, target, repeat), qps_at(theirs, target, repeat))
        for repeat in range(options.repeats)
    ]
    ratios = [a / b for a, b in pairs if a is not None and b is not None]
    return {
        "suite": "ann-ratio",
        "recall": target,
        "qps": qps_at(mine, target),
        "peer_qps": qps_at(theirs, target),
        "qps_ratio": statistics.median(ratios) if ratios else None,
        "qps_ratio_min": min(ratios, default=None),
        "qps_ratio_max": max(ratios, default=None),
    }


def show(line: dict[str, Any]) -> None:
    """A result line for people, on standard error."""
    if line["suite"] == "ann-peers":
        print(
            f"  {line['system']:18} {line['parameters']!s:38} recall {line['recall']:.4f} "
            f"{line['qps']:9,.0f} QPS  p99 {line['p99_us']:7,.0f} us",
            file=sys.stderr,
        )
        return

    def figure(name: str, form: str) -> str:
        return "never" if line[name] is None else format(line[name], form)

    print(
        f"== {line['data']} recall {line['recall']}: ours {figure('qps', ',.0f')}, {line['peer']} "
        f"{figure('peer_qps', ',.0f')}, ratio {figure('qps_ratio', '.2f')} "
        f"({figure('qps_ratio_min', '.2f')} to {figure('qps_ratio_max', '.2f')})",
        file=sys.stderr,
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/ann-peers")
    parser.add_argument("data", nargs="+", help="data sets, as vettore bench ann takes them")
    parser.add_argument("--ours", type=Path, required=True, help="the program vettore_bench_ours")
    names = [peer.name for peer in PEERS]
    parser.add_argument("--peers", default=",".join(names), help="default: %(default)s")
    parser.add_argument("--queries", default="", help="which set of queries; default: the first")
    parser.add_argument("--targets", default="0.9,0.95,0.99", help="recalls; default: %(default)s")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, help="a file to append result lines to")
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    if unknown := set(options.peers) - set(names):
        parser.error(f"--peers: wanted {', '.join(names)}, got {', '.join(sorted(unknown))}")
    options.targets = [float(target) for target in options.targets.split(",")]
    return options


def in_a_child(work: Callable[[], None], name: str) -> None:
    """A process for each peer: memory is counted from the same start, and a library that ends it ends only itself."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except Exception as error:  # Whatever a foreign library raises.
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        print(f"{name} is left out", file=sys.stderr)


def main() -> None:
    """Each data set with each peer; a peer that fails is named and left out."""
    options = arguments()

    def emit(line: dict[str, Any]) -> None:
        text = json.dumps(line)
        if options.out:
            with options.out.open("a") as file:
                file.write(text + "\n")
        else:
            print(text, flush=True)
        show(line)

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for data in options.data:
        ours = Ours(options.ours, data, options)
        for peer in PEERS:
            if peer.name not in options.peers:
                continue
            in_a_child(partial(compare, peer, ours, options, emit), peer.name)
        ours.close()


if __name__ == "__main__":
    main()

"""Draws benchmark result lines: recall against QPS, build time and memory, one figure for each set of queries.

usage: bench/plot.py RESULTS.jsonl... [--out FOLDER] [--format png|svg]

Reads what `vettore bench ann --out`, vettore_bench_peers and bench/ann-peers write. Only results of one thread and
without a filter are drawn; where a system was measured several times at one setting, the latest counts.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

Line = dict[str, Any]
# Ours in one strong colour, peers in others that colour-blind eyes tell apart (Okabe & Ito).
OURS = "#D55E00"
PEERS = (
    *("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444"),
    *("#8C6BB1", "#666600", "#88CCAA", "#AA4466", "#99BBFF", "#BB9977"),
)
MARKERS = "osD^vPX*<>hdp"


def read(paths: list[Path]) -> dict[tuple[str, str], dict[str, list[Line]]]:
    """(data, queries) -> system -> its lines; complains of what is no result line."""
    latest: dict[tuple[str, ...], Line] = {}
    for path in paths:
        for number, text in enumerate(path.read_text().splitlines(), 1):
            try:
                line = json.loads(text)
                if line["suite"] not in ("ann", "ann-peers") or line["threads"] != 1:
                    continue
                if line.get("filter", 1) != 1:
                    continue
                setting = json.dumps(line["parameters"], sort_keys=True)
                latest[(line["data"], line["queries"], line["system"], setting)] = line
            except (ValueError, TypeError, KeyError) as error:
                raise SystemExit(f"{path}:{number}: not a result line: {error!r}") from None
    sets: dict[tuple[str, str], dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for (data, queries, system, _), line in latest.items():
        sets[(data, queries)][system].append(line)
    return sets


def front(lines: list[Line]) -> list[Line]:
    """What no other line beats in both recall and QPS, recall rising."""
    best: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line["qps"], -line["recall"])):
        if not best or line["recall"] > best[-1]["recall"]:
            best.append(line)
    return best


def styles(systems: list[str]) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each system."""
    result = {}
    peers = 0
    for i, system in enumerate(systems):
        ours = system.startswith("vettore")
        colour = OURS if ours else PEERS[peers % len(PEERS)]
        peers += 0 if ours else 1
        result[system] = {
            "color": colour,
            "marker": MARKERS[i % len(MARKERS)],
            "linewidth": 2.4 if ours else 1.4,
        }
    return result


def draw_curves(axes: Axes, systems: dict[str, list[Line]], looks: dict[str, Any]) -> None:
    """Recall on a scale that opens towards 1, as -log10(1 - recall); QPS on a log scale."""

    def stretch(recall: float) -> float:
        return 1 - min(recall, 0.9999)

    lowest = 1.0
    for system, lines in systems.items():
        best = front(lines)
        axes.plot(
            [stretch(line["recall"]) for line in best],
            [line["qps"] for line in best],
            label=system,
            markersize=5,
            **looks[system],
        )
        lowest = min(lowest, *(line["recall"] for line in best))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_xaxis()
    ticks = [
        r for r in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999) if r >= lowest - 0.05
    ]
    axes.xaxis.set_major_locator(FixedLocator([stretch(tick) for tick in ticks]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{1 - value:.4g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(True, which="major", color="#dddddd")
    axes.grid(True, which="minor", axis="y", color="#eeeeee")
    k = next(iter(systems.values()))[0]["k"]
    axes.set_xlabel(f"recall@{k}")
    axes.set_ylabel("queries a second, one thread")
    axes.legend(fontsize=9, loc="best")


def draw_bars(
    axes: Axes, systems: dict[str, list[Line]], looks: dict[str, Any], figure: tuple[str, str]
) -> None:
    """A bar for each system, with its number."""
    name, title = figure
    names = list(systems)
    values = [systems[system][-1].get(name) or 0 for system in names]
    axes.barh(names, values, color=[looks[system]["color"] for system in names])
    for at, value in enumerate(values):
        text = f" {value:,.0f}" if value >= 10 else f" {value:.2g}"
        axes.text(value, at, text, va="center", fontsize=9)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlim(0, max([*values, 1e-9]) * 1.25)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)


def draw(name: tuple[str, str], systems: dict[str, list[Line]], path: Path) -> None:
    """One figure."""
    ordered = dict(
        sorted(systems.items(), key=lambda item: (not item[0].startswith("vettore"), item[0]))
    )
    looks = styles(list(ordered))
    drawing = plt.figure(figsize=(12, 6.5), layout="constrained")
    grid = drawing.add_gridspec(2, 2, width_ratios=(2.2, 1))
    draw_curves(drawing.add_subplot(grid[:, 0]), ordered, looks)
    draw_bars(drawing.add_subplot(grid[0, 1]), ordered, looks, ("build_s", "build, seconds"))
    draw_bars(
        drawing.add_subplot(grid[1, 1]),
        ordered,
        looks,
        ("ram_bytes_per_vector", "memory, bytes a vector"),
    )
    line = next(iter(ordered.values()))[0]
    machine = f"{line.get('cpu', '')}, {line.get('isa', '')}, commit {line.get('commit', '')}"
    drawing.suptitle(f"{name[0]}, {name[1]}   ({machine})", fontsize=12)
    drawing.savefig(path, dpi=140)
    plt.close(drawing)


def main() -> None:
    """Reads the files and draws each set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("."), help="default: this folder")
    parser.add_argument("--format", choices=("png", "svg"), default="png")
    options = parser.parse_args()
    sets = read(options.results)
    if not sets:
        raise SystemExit("there are no results of one thread in these files")
    options.out.mkdir(parents=True, exist_ok=True)
    for (data, queries), systems in sets.items():
        path = options.out / f"{data}-{queries}.{options.format}"
        draw((data, queries), systems, path)
        print(path)


if __name__ == "__main__":
    main()

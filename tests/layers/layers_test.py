"""Includes go down only: checks every source against the tables of ARCHITECTURE.md.

usage: layers_test.py REPOSITORY
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def block(document: str, name: str) -> list[str]:
    """The lines of the fenced block with this name."""
    found = re.search(rf"^```{name}\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    if found is None:
        sys.exit(f"ARCHITECTURE.md has no ```{name} block")
    return [line for line in found.group(1).splitlines() if line.strip()]


def table(document: str, name: str) -> dict[str, list[str]]:
    """The rows `left -> right...` of a block."""
    rows = (line.split("->") for line in block(document, name))
    return {left.strip(): right.split() for left, right in rows}


def main() -> int:
    """Prints each include that breaks a table; returns 1 when there is one."""
    repository = Path(sys.argv[1])
    document = (repository / "ARCHITECTURE.md").read_text()
    layers = table(document, "layers")
    third_parties = table(document, "third-parties")
    complaints = []
    checked = 0

    rooms = {p.name for p in (repository / "src").iterdir() if p.is_dir()}
    for room in sorted(rooms ^ set(layers)):
        complaints.append(f"src/{room}: in only one of the folder and the table")

    order = list(layers)
    for room, below in layers.items():
        for other in below:
            if other not in layers or order.index(other) <= order.index(room):
                complaints.append(f"table: {room} -> {other} does not go down")

    for source in sorted((repository / "src").rglob("*")):
        if source.suffix not in (".h", ".cc"):
            continue
        room = source.relative_to(repository / "src").parts[0]
        for quote, path in INCLUDE.findall(source.read_text()):
            checked += 1
            first = path.split("/")[0]
            where = source.relative_to(repository)
            if quote == '"' and first in layers:
                if first != room and first not in layers[room]:
                    complaints.append(f"{where}: includes {path}, but {room} may not use {first}")
                continue
            for prefix, allowed in third_parties.items():
                if path.startswith(prefix) and room not in allowed:
                    complaints.append(f"{where}: includes {path}, which belongs to {allowed}")

    print("\n".join(complaints) or f"{checked} includes, all of them down")
    return 1 if complaints or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

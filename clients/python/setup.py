"""Compiles the protocol buffers of ../../proto into the package while it is built; the rest is in pyproject.toml."""

import contextlib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "proto"


def generate(into: Path) -> None:
    from grpc_tools import protoc

    protos = sorted(str(p.relative_to(PROTO)) for p in (PROTO / "vettore/v1").glob("*.proto"))
    if not protos:
        raise SystemExit(f"no .proto files under {PROTO}: build the package inside a checkout")
    outputs = [f"--python_out={into}", f"--pyi_out={into}", f"--grpc_python_out={into}"]
    if protoc.main(["protoc", f"-I{PROTO}", *outputs, *protos]) != 0:
        raise SystemExit("protoc failed")
    (into / "vettore/v1/__init__.py").write_text('"""Generated from proto/vettore/v1."""\n')


class BuildWithProtos(build_py):
    def run(self) -> None:
        generate(HERE / "src")
        super().run()


def is_stale() -> bool:
    made = HERE / "src/vettore/v1/__init__.py"
    changed = [proto.stat().st_mtime for proto in PROTO.rglob("*.proto")]
    return bool(changed) and (not made.exists() or made.stat().st_mtime < max(changed))


# An editable install does not run build_py's copying step, but needs the generated modules all the same.
if is_stale():
    with contextlib.suppress(ImportError):  # Metadata only: grpc_tools is a build requirement.
        generate(HERE / "src")

setup(cmdclass={"build_py": BuildWithProtos})

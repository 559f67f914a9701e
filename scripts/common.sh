# Sourced by the scripts beside it: paths, and how they speak.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where models live: outside the repository, shared by all checkouts. VETTORE_MODELS_DIR moves it.
export VETTORE_MODELS_DIR=${VETTORE_MODELS_DIR:-$HOME/.local/share/vettore/models}
venv=$repo/build/venv
started=$SECONDS

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND...: as it is for root, through sudo for others.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "installing packages needs root: run as root, or install sudo"
  fi
}

# need_packages PACKAGE...: installs the Debian packages that are missing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# need_build_packages: what compiling the server takes.
need_build_packages() {
  need_packages g++ cmake ninja-build ccache pkg-config \
    libgrpc++-dev libgrpc-dev protobuf-compiler-grpc protobuf-compiler libprotobuf-dev libabsl-dev \
    librocksdb-dev libfaiss-dev libopenblas-dev libutf8proc-dev libxxhash-dev libzstd-dev \
    nlohmann-json3-dev libcli11-dev libspdlog-dev
}

# need_venv: a virtual environment at $venv for what comes from PyPI.
need_venv() {
  need_packages python3-venv
  [ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv "$venv"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  say "building ($preset)"
  [ -f "$repo/build/$preset/build.ninja" ] || (cd "$repo" && cmake --preset "$preset" >/dev/null)
  ninja -C "$repo/build/$preset" "$@"
}

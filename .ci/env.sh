# Sourced by every script here: strict mode, the repository's root, and the pinned tools of .venv first in PATH.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
export VIRTUAL_ENV="$ROOT/.venv"
export PATH="$VIRTUAL_ENV/bin:$PATH"
# The build directory, where cargo will put it (CARGO_TARGET_DIR may move it).
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
export TARGET

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Sourced by every script here. Sets strict mode, changes to the repository's root, and puts the pinned tools of .venv first in PATH.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
export VIRTUAL_ENV="$ROOT/.venv"
# Debian has nginx in /usr/sbin, which is not in the PATH of every user.
export PATH="$VIRTUAL_ENV/bin:$PATH:/usr/sbin"
# The build directory of cargo (CARGO_TARGET_DIR can change it).
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
export TARGET

# A suite builds first, and then tests. STAGE=build or STAGE=tests in the environment makes it do only one of them.
builds() { [ "${STAGE:-build}" = build ]; }
tests() { [ "${STAGE:-tests}" = tests ]; }

# Prints the path of Chromium, which has several names. CHROMIUM in the environment names another one.
find_chromium() {
    local name
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

# Go is often installed where PATH does not lead. Debian's is too old for the clients in tests/serve.
if ! command -v go >/dev/null && [ -x /usr/local/go/bin/go ]; then
    export PATH="$PATH:/usr/local/go/bin"
fi

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The number of turns of a benchmark.
turns() { echo "${TURNS:-$([ -n "${QUICK:-}" ] && echo 3 || echo 300)}"; }

# Installs the load generator of the benchmarks that have a server.
need_wrk() {
    if ! command -v wrk >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null
    fi
    command -v wrk >/dev/null || fail "wrk is missing: on Debian, apt-get install wrk"
}

# The nanoseconds of the signature check of HS256, which the hits of the token cache are compared with.
primitive() { cargo bench --quiet --locked -p jwtauth-ffi -- primitive; }

# Builds the release library as it is shipped. The command is exactly that of cmake/CMakeLists.txt, so that cargo does not
# link it twice.
build_library() {
    local output
    output=$(cargo rustc --locked --quiet --package jwtauth-ffi --lib --profile release \
        --target-dir "$TARGET" --crate-type cdylib,staticlib \
        -- --print native-static-libs="$TARGET/release/libjwtauth.native-libraries" \
        -C linker="$ROOT/crates/jwtauth-ffi/versioned-cc" 2>&1) || fail "$output"
}

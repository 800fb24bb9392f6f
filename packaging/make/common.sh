# Sourced by every script here: the platforms, the tools, and how a package is tried.
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/env.sh"

# What is made: `.ci/dist` sets these. PLATFORMS are names of bindings/node/lib/platforms.json, in which napi has its addons.
PLATFORMS=${PLATFORMS:-linux-x64-gnu linux-x64-musl linux-arm64-gnu linux-arm64-musl}
OUT=${OUT:-$ROOT/dist}
WORK=$TARGET/dist
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
mkdir -p "$OUT" "$WORK/tried"

# The oldest C libraries that the packages run with. Rust's own library needs glibc 2.17; the cryptography, SQLite and the rest
# need nothing newer. zig links against the symbols of that version.
GLIBC=2.17
MUSL=1.2

# The tools, in an environment of their own. A script that is called may put .venv before it, so zig has its full path.
export PATH="$WORK/tools/bin:$PATH"
zig_path() { echo "$WORK"/tools/lib/python3*/site-packages/ziglang/zig; }
tools() {
    local stamp
    stamp=$(cat packaging/requirements.txt <(python3 --version) | cksum)
    [ "$(cat "$WORK/tools/.stamp" 2>/dev/null)" != "$stamp" ] || return 0
    say "installing the tools of packaging/requirements.txt"
    rm -rf "$WORK/tools"
    python3 -m venv "$WORK/tools"
    "$WORK/tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement packaging/requirements.txt
    printf '%s\n' "$stamp" >"$WORK/tools/.stamp"
}

# debian PROGRAM:PACKAGE...: installs Debian packages whose program is missing, as root; otherwise names them.
debian() {
    local pair missing=()
    for pair; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "these Debian packages are needed: ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# machine PLATFORM: x86_64 or aarch64.  rust PLATFORM: the target of rustc.  zig PLATFORM: the same for cargo-zigbuild.
machine() { case $1 in *-x64-*) echo x86_64 ;; *-arm64-*) echo aarch64 ;; *) fail "$1 is not a known platform" ;; esac; }
rust() { echo "$(machine "$1")-unknown-linux-${1##*-}"; }
zig() { case $1 in *-gnu) echo "$(rust "$1").$GLIBC" ;; *) rust "$1" ;; esac; }
libc() { case $1 in *-gnu) echo "glibc $GLIBC" ;; *) echo "musl $MUSL" ;; esac; }
# here PLATFORM: whether the platform is that of this machine, with the same C library.
here() { [ "$(rust "$1")" = "$(rustc -vV | sed -n 's/^host: //p')" ]; }

# for_platform PLATFORM COMMAND...: runs a build with what the platform needs. A library for musl must load musl, and not contain it.
for_platform() {
    local target
    target=$(rust "$1")
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] || rustup target add "$target" ||
        fail "rustc has no $target: install its standard library, or set PLATFORMS to others"
    local flags=()
    [[ $1 != *-musl ]] || flags=(RUSTFLAGS="-C target-feature=-crt-static")
    env CARGO_TARGET_DIR="$TARGET" CARGO_ZIGBUILD_ZIG_PATH="$(zig_path)" "${flags[@]}" "${@:2}"
}

# sbom CRATE PLATFORM NAME [OPTION...]: prints the list of what a package contains.
sbom() { python3 packaging/sbom.py "$1" --target "$(rust "$2")" --name "$3" "${@:4}"; }

# tried FILE WHERE: notes for the table at the end that a package was used there.
tried() {
    local note=$WORK/tried/$(basename "$1")
    grep -qxF "$2" "$note" 2>/dev/null || echo "$2" >>"$note"
    echo "tried: $(basename "$1"): $2"
}
# made FILE: a new file has not been tried.
made() {
    rm -f "$WORK/tried/$(basename "$1")"
    echo "made: ${1#"$ROOT"/}"
}

# Sourced: roots of Debian in which packages are tried. A root is made once and copied for each try.

ROOTS=$WORK/roots
SUITES=${SUITES:-bullseye bookworm trixie}
MIRROR=${MIRROR:-http://deb.debian.org/debian}

# included SUITE: what a root has besides the essential packages: interpreters, and a compiler for the users of the C library.
included() {
    case $1 in
        bullseye) echo ca-certificates,gcc,libc6-dev,pkg-config ;; # its Python and Node are too old
        bookworm) echo ca-certificates,gcc,libc6-dev,pkg-config,python3,python3-venv ;;
        *) echo ca-certificates,gcc,libc6-dev,musl,nodejs,pkg-config,python3,python3-venv ;;
    esac
}

# root SUITE [arm64]: makes a root if it is missing.
root() {
    local path=$ROOTS/$1${2:+-$2}
    [ ! -e "$path.ready" ] || return 0
    [ "$(id -u)" = 0 ] || fail "only root can make a root of Debian"
    rm -rf "$path"
    mkdir -p "$ROOTS"
    echo "making a root of Debian $1 ${2:-}" >&2
    if [ -z "${2:-}" ]; then
        debootstrap --variant=minbase --include="$(included "$1")" "$1" "$path" "$MIRROR" >"$path.log" 2>&1 || fail "see $path.log"
    else
        # Scripts of packages would take long under qemu, and the interpreter works without them: the packages are only unpacked.
        debootstrap --foreign --variant=minbase --arch="$2" --include=libstdc++6,musl,python3 "$1" "$path" "$MIRROR" >"$path.log" 2>&1 ||
            fail "see $path.log"
        local package
        for package in "$path"/var/cache/apt/archives/*.deb; do
            dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$path"
        done
        cp "$(command -v qemu-aarch64-static)" "$path/usr/bin/"
    fi
    rm -f "$path"/var/cache/apt/archives/*.deb
    touch "$path.ready"
}

# fresh SUITE [arm64]: prints the path of a new copy. Copies are removed when the script ends.
COPIES=$(mktemp -d "$WORK/copies.XXXXXX")
trap 'rm -rf "$COPIES"' EXIT
fresh() {
    root "$@"
    local copy
    copy=$(mktemp -d "$COPIES/XXXXXX")
    cp -a --reflink=auto "$ROOTS/$1${2:+-$2}/." "$copy"
    echo "$copy"
}

# inside ROOT [NAME=VALUE...] PROGRAM [ARGUMENT...]: runs a program in a root, without the settings of this machine. qemu is named
# for a program of another machine, because the kernel may not know it; such a program needs its full path.
inside() {
    local path=$1 settings=() runner=()
    shift
    while [[ $1 == *=* ]]; do
        settings+=("$1")
        shift
    done
    [ ! -e "$path/usr/bin/qemu-aarch64-static" ] || runner=(/usr/bin/qemu-aarch64-static)
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${settings[@]}" \
        chroot "$path" "${runner[@]}" "$@" </dev/null
}

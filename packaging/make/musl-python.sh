# Sourced: a CPython for musl, to try the wheels with. No registry has one, so the source package of Debian is built with zig.

PYTHON_SOURCE=python3.11 # of Debian bookworm

# musl_python MACHINE: prints the folder with bin/python3, and makes it if it is missing. It has the modules that the tries need,
# so no TLS and no compression, and it uses no libraries of this machine. The Python for x86-64 runs here to cross-compile that
# for arm64, so it uses no functions that musl has only since 1.2.4.
musl_python() {
    local machine=$1 work=$WORK/musl-python options=() installed build
    installed=$work/$machine
    [ ! -e "$installed.ready" ] || {
        echo "$installed"
        return
    }
    if [ "$machine" != x86_64 ]; then
        options=(--host="$machine-linux-musl" --build=x86_64-linux-musl --with-build-python="$(musl_python x86_64)/bin/python3"
            ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no)
    fi
    python_source >&2
    build=$work/build-$machine
    rm -rf "$installed" "$build"
    mkdir -p "$build"
    # setup.py adds folders in which this machine has its headers, also to cross-compile.
    cat >"$work/cc-$machine" <<SCRIPT
#!/bin/sh
for argument; do
    shift
    case \$argument in -I/usr/include | -I/usr/local/include) ;; *) set -- "\$@" "\$argument" ;; esac
done
exec $(zig_path) cc -target $machine-linux-musl -dynamic -Wno-date-time "\$@"
SCRIPT
    chmod +x "$work/cc-$machine"
    echo "building CPython for musl on $machine" >&2
    (cd "$build" && {
        "$work"/source/Python-*/configure CC="$work/cc-$machine" AR="$(zig_path) ar" \
            RANLIB="$(zig_path) ranlib" READELF="$(command -v readelf)" PKG_CONFIG=false --prefix=/python --without-ensurepip --disable-ipv6 \
            --disable-test-modules ac_cv_func_preadv2=no ac_cv_func_pwritev2=no "${options[@]}" &&
            make -j"$(nproc)" && make install DESTDIR="$installed.root"
    } >"$installed.log" 2>&1) || fail "CPython was not built, see $installed.log"
    mv "$installed.root/python" "$installed"
    rm -rf "$installed.root" "$build"
    touch "$installed.ready"
    echo "$installed"
}

# python_source: downloads and unpacks the source package, without a change to the package lists of this machine.
python_source() {
    local source=$WORK/musl-python/source
    [ ! -e "$source.ready" ] || return 0
    rm -rf "$source"
    mkdir -p "$source/lists/partial"
    echo "deb-src $MIRROR bookworm main" >"$source/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::SourceList=$source/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$source/lists"
        -o APT::Sandbox::User=root)
    "${apt[@]}" update
    (cd "$source" && "${apt[@]}" source --download-only "$PYTHON_SOURCE" && tar -xzf "$PYTHON_SOURCE"_*.orig.tar.gz)
    touch "$source.ready"
}

"""Loads the extension module, and tells what to do where it does not load."""

from __future__ import annotations

import platform


def _load() -> None:
    """Imports the extension module; an error names the platforms and the way to build one."""
    try:
        import jwtauth._jwtauth
    except ImportError as why:
        raise ImportError(
            f"jwtauth has no extension module that loads on {platform.system()} {platform.machine()} with "
            f"{platform.python_implementation()} {platform.python_version()}: {why}; there are wheels for CPython 3.10 or newer on "
            "Linux x86_64 and aarch64, with glibc 2.17 or musl 1.2 or newer; elsewhere pip builds the sdist, which needs Rust and a "
            "C compiler: pip install --force-reinstall --no-binary jwtauth jwtauth",
            name="jwtauth._jwtauth",
        ) from why


_load()

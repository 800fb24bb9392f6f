"""Prints a table of the packages in a folder: size, what the binaries need, and where each was tried.

    table.py FOLDER NOTES [FILE]     NOTES is a folder with a file of notes for each package; FILE also gets the table
"""

import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path


def unpack(package: Path, into: str) -> None:
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            wheel.extractall(into)
    elif package.suffix == ".deb":
        subprocess.run(["dpkg-deb", "--extract", str(package), into], check=True)
    else:
        with tarfile.open(package) as archive:
            archive.extractall(into, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(into)  # noqa: S202


def needs(package: Path) -> str:
    """Returns the shared libraries that the binaries of a package load, and the newest version of glibc among their symbols."""
    libraries: set[str] = set()
    versions: set[tuple[int, ...]] = set()
    with tempfile.TemporaryDirectory() as folder:
        unpack(package, folder)
        for path in Path(folder).rglob("*"):
            if path.is_symlink() or not path.is_file() or path.open("rb").read(4) != b"\x7fELF" or path.suffix == ".o":
                continue
            dynamic = subprocess.run(["readelf", "--wide", "--dynamic", "--version-info", str(path)], capture_output=True, text=True).stdout
            libraries.update(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
            versions.update(tuple(map(int, one.split("."))) for one in re.findall(r"Name: GLIBC_([0-9.]+)", dynamic))
    if package.suffix == ".deb":
        depends = subprocess.run(["dpkg-deb", "--field", str(package), "Depends"], capture_output=True, text=True, check=True).stdout
        return depends.strip() or "nothing"
    if versions:
        libraries.add("glibc " + ".".join(map(str, max(versions))))
        libraries = {one for one in libraries if not re.match(r"(libc|libm|libdl|libpthread|librt|libutil|ld-linux)\b", one)}
    if "tar" in package.name and "libjwtauth" not in package.name:
        return "Rust and a C compiler"
    return ", ".join(sorted(libraries)) or "nothing"


def size(package: Path) -> str:
    return f"{package.stat().st_size / 1e6:.1f} MB" if package.stat().st_size >= 1e5 else f"{package.stat().st_size / 1e3:.0f} kB"


folder, notes = Path(sys.argv[1]), Path(sys.argv[2])
lines = ["| file | size | needs | tried |", "|---|---|---|---|"]
for package in sorted(path for path in folder.iterdir() if path.suffix in (".whl", ".deb", ".tgz", ".gz")):
    note = notes / package.name
    where = note.read_text().strip().replace("\n", "; ") if note.exists() else "not run"
    lines.append(f"| `{package.name}` | {size(package)} | {needs(package)} | {where} |")
print("\n".join(lines))

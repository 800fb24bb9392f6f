"""Prints what a package contains, as CycloneDX 1.5 in JSON: the crates that are built into it, and the C code of some of them.

    sbom.py CRATE --target TARGET --name NAME [--type library|application] [--purl PURL] [--features LIST]

The crates are those of `cargo tree` for the target and the features, and their checksums those of Cargo.lock. Procedural macros
and build scripts are not in the package, so they are not listed. The output depends only on the sources and on the compiler.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

# C code that a crate brings with it: its name, its licence, where its version is, and where it comes from.
BUNDLED = {
    "aws-lc-sys": ("aws-lc", "ISC AND (Apache-2.0 OR ISC)", "aws-lc/include/openssl/base.h", r'AWSLC_VERSION_NUMBER_STRING "([^"]+)"'),
    "libsqlite3-sys": ("sqlite", "blessing", "sqlite3/sqlite3.h", r'#define SQLITE_VERSION\s+"([^"]+)"'),
}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tree(arguments: argparse.Namespace) -> tuple[list[tuple[str, str]], dict[tuple[str, str], set[tuple[str, str]]]]:
    """Returns the crates, the package's own first, and what each of them uses."""
    command = ["cargo", "tree", "--locked", "--package", arguments.crate, "--target", arguments.target]
    command += ["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}"]
    if arguments.features:
        command += ["--features", arguments.features]
    crates: list[tuple[str, str]] = []
    uses: dict[tuple[str, str], set[tuple[str, str]]] = {}
    above: list[tuple[str, str]] = []
    for line in run(*command).splitlines():
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()  # type: ignore[union-attr]
        crate = (name, version)
        del above[int(depth) :]
        if crate not in uses:
            crates.append(crate)
            uses[crate] = set()
        if above:
            uses[above[-1]].add(crate)
        above.append(crate)
    return crates, uses


def checksums() -> dict[tuple[str, str], str]:
    """Returns the checksum of each crate in Cargo.lock. cargo writes the file, always in this form; Python reads TOML from 3.11."""
    entry = r'^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"$'
    return {(name, version): checksum for name, version, checksum in re.findall(entry, Path("Cargo.lock").read_text(), re.MULTILINE)}


def bundled(crate: dict[str, Any]) -> list[dict[str, Any]]:
    if crate["name"] not in BUNDLED:
        return []
    name, licence, header, pattern = BUNDLED[crate["name"]]
    found = re.search(pattern, (Path(crate["manifest_path"]).parent / header).read_text(errors="replace"))
    if not found:
        raise SystemExit(f"{header} of {crate['name']} does not have the version of {name}")
    reference = f"pkg:generic/{name}@{found[1]}"
    return [{"type": "library", "bom-ref": reference, "name": name, "version": found[1], "licenses": licences(licence), "purl": reference}]


def licences(expression: str) -> list[dict[str, Any]]:
    # Some crates from before 2018 write `/` for OR.
    return [{"expression": expression.replace("/", " OR ")}]


def component(crate: dict[str, Any], checksum: str | None) -> dict[str, Any]:
    reference = f"pkg:cargo/{crate['name']}@{crate['version']}"
    about: dict[str, Any] = {"type": "library", "bom-ref": reference, "name": crate["name"], "version": crate["version"]}
    if crate["description"]:
        about["description"] = " ".join(crate["description"].split())
    if checksum:
        about["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if crate["license"]:
        about["licenses"] = licences(crate["license"])
    about["purl"] = reference
    if crate["repository"]:
        about["externalReferences"] = [{"type": "vcs", "url": crate["repository"]}]
    if parts := bundled(crate):
        about["components"] = parts
    return about


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("crate")
    parser.add_argument("--target", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--type", default="library")
    parser.add_argument("--purl")
    parser.add_argument("--features")
    arguments = parser.parse_args()

    crates, uses = tree(arguments)
    packages = json.loads(run("cargo", "metadata", "--locked", "--all-features", "--format-version", "1"))["packages"]
    known = {(package["name"], package["version"]): package for package in packages}
    locked = checksums()

    own, *others = crates
    version = own[1]
    reference = arguments.purl or f"pkg:generic/{arguments.name}@{version}"
    subject = {"type": arguments.type, "bom-ref": reference, "name": arguments.name, "version": version, "purl": reference}
    subject["licenses"] = licences(known[own]["license"])

    # Rust's own library is in every package.
    rust = re.search(r"release: (\S+)", run("rustc", "-vV"))[1]  # type: ignore[index]
    standard = {"type": "library", "bom-ref": f"pkg:generic/rust-std@{rust}", "name": "rust-std", "version": rust}
    standard |= {"licenses": licences("MIT OR Apache-2.0"), "purl": standard["bom-ref"]}

    def name(crate: tuple[str, str]) -> str:
        return reference if crate == own else f"pkg:cargo/{crate[0]}@{crate[1]}"

    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": subject},
        "components": [*(component(known[crate], locked.get(crate)) for crate in sorted(others)), standard],
        "dependencies": [{"ref": name(crate), "dependsOn": sorted(map(name, uses[crate]))} for crate in sorted(crates)],
    }
    json.dump(document, sys.stdout, indent=2)
    print()


main()

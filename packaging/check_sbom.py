"""Checks that each given package has a list of its contents (SBOM) that is valid CycloneDX and names the code in C.

    check_sbom.py [--without-code] FILE...    a package, or the list itself; --without-code: nothing compiled is in it
"""

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def lists(path: str) -> list[str]:
    """Returns the text of each list in the package."""
    if path.endswith(".cdx.json"):
        return [Path(path).read_text()]
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            return [wheel.read(name).decode() for name in wheel.namelist() if "/sboms/" in name]
    if path.endswith(".deb"):
        names = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
        listed = subprocess.run(["tar", "-t"], input=names, check=True, capture_output=True).stdout.decode().split()
        found = [name for name in listed if name.endswith(".cdx.json")]
        command = ["tar", "-xO", *found]
        return [subprocess.run(command, input=names, check=True, capture_output=True).stdout.decode()] if found else []
    with tarfile.open(path) as archive:
        return [archive.extractfile(one).read().decode() for one in archive if one.name.endswith(".cdx.json")]  # type: ignore[union-attr]


def parts(components: list[dict[str, Any]]) -> Iterator[str]:
    """Returns what the components are, and what they contain."""
    for component in components:
        yield component.get("purl", "")
        yield from parts(component.get("components", []))


packages = sys.argv[1:]
without_code = packages[0] == "--without-code"
for package in packages[without_code:]:
    found = lists(package)
    if not found:
        sys.exit(f"{package} has no SBOM")
    for text in found:
        version = SchemaVersion[f"V{json.loads(text)['specVersion'].replace('.', '_')}"]
        if problem := JsonStrictValidator(version).validate_str(text):
            sys.exit(f"the SBOM of {package} is not valid: {problem}")
    named = [part for text in found for part in parts(json.loads(text).get("components", []))]
    for wanted in () if without_code else ("pkg:cargo/jwtauth-core@", "pkg:generic/aws-lc@", "pkg:generic/rust-std@"):
        if not any(part.startswith(wanted) for part in named):
            sys.exit(f"the SBOM of {package} does not name {wanted}")

"""Checks that each given package has a list of its contents (SBOM) that is valid CycloneDX and names the cryptography."""

import json
import subprocess
import sys
import tarfile
import zipfile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def lists(path: str) -> list[str]:
    """Returns the text of each list in the package."""
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


for package in sys.argv[1:]:
    found = lists(package)
    if not found:
        sys.exit(f"{package} has no SBOM")
    for text in found:
        version = SchemaVersion[f"V{json.loads(text)['specVersion'].replace('.', '_')}"]
        if problem := JsonStrictValidator(version).validate_str(text):
            sys.exit(f"the SBOM of {package} is not valid: {problem}")
    if not any(component["name"].startswith("aws-lc") for text in found for component in json.loads(text)["components"]):
        sys.exit(f"the SBOM of {package} does not name the cryptography")

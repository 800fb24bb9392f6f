"""Checks that all packages have the version of the workspace (Cargo.toml), and that the lists of platforms agree."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def text(path: str) -> str:
    return (ROOT / path).read_text()


def document(path: str) -> dict:  # type: ignore[type-arg]
    return json.loads(text(path))


version = re.search(r'\[workspace\.package\]\nversion = "([^"]+)"', text("Cargo.toml"))[1]  # type: ignore[index]
lock = document("bindings/node/package-lock.json")
found = {
    "bindings/node/package.json": document("bindings/node/package.json")["version"],
    "bindings/node/package-lock.json": lock["version"],
    "bindings/node/package-lock.json, packages": lock["packages"][""]["version"],
    "packaging/vcpkg/vcpkg.json": document("packaging/vcpkg/vcpkg.json")["version"],
    "packaging/debian/changelog, first entry": re.match(r"libjwtauth \(([^-)]+)", text("packaging/debian/changelog"))[1],  # type: ignore[index]
}
problems = [f"{place}: the version is {other}, not {version}" for place, other in found.items() if other != version]

# What an error, a page and a script say about platforms is what there is.
platforms = [platform["name"] for platform in document("bindings/node/lib/platforms.json")]
made = re.search(r"^PLATFORMS=\$\{PLATFORMS:-(.*)\}$", text("packaging/make/common.sh"), re.MULTILINE)[1].split()  # type: ignore[index]
if made != platforms:
    problems.append(f"packaging/make/common.sh: PLATFORMS is {made}, not {platforms}")
page = text("docs/packages.md")
problems += [f"docs/packages.md: {name} is missing" for name in platforms if name not in page]
oldest = {
    name: re.search(rf"^{name}=(.*)$", text("packaging/make/common.sh"), re.MULTILINE)[1]  # type: ignore[index]
    for name in ("GLIBC", "MUSL")
}
said = [
    (path, f"{name.lower()} {number}")
    for path in ("bindings/python/python/jwtauth/_platform.py", "docs/packages.md")
    for name, number in oldest.items()
]
said += [(path, f"libc6 (>= {oldest['GLIBC']})") for path in ("packaging/debian/control", "crates/jwtauth-cli/Cargo.toml")]
problems += [f"{path}: {what} is missing" for path, what in said if what not in text(path)]

# The tools that build a wheel are the same in both environments.
tools = dict(line.split("==") for line in text("packaging/requirements.txt").splitlines() if "==" in line)
for line in text(".ci/requirements.txt").splitlines():
    name, _, pinned = line.partition("==")
    if name in tools and tools[name] != pinned:
        problems.append(f"packaging/requirements.txt: {name} is {tools[name]}, not {pinned}")

if problems:
    sys.exit("\n".join(problems))
print(f"versions: all packages have {version}")

"""Checks the built crates of `cargo metadata` (standard input) against deny.toml (first argument).

The second argument is a file with `name vX.Y.Z` of each built crate. `cargo deny` does this and more, but takes minutes to
install; this script checks the part that a release depends on.
"""

import json
import re
import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def allowed(expression: str, allow: set[str]) -> bool:
    """Returns whether an SPDX expression can be satisfied with only the allowed licences."""
    # Some crates from before 2018 write `/` for OR. `WITH` joins two names into one licence.
    text = re.sub(r"\s+WITH\s+", " WITH ", expression.replace("/", " OR "))
    tokens = re.findall(r"\(|\)|[\w.+-]+ WITH [\w.+-]+|[\w.+-]+", text)

    def term() -> bool:
        token = tokens.pop(0)
        if token == "(":
            value = alternatives()
            if tokens.pop(0) != ")":
                raise ValueError("a parenthesis is not closed")
            return value
        return token in allow

    def conjunction() -> bool:
        value = term()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = term() and value
        return value

    def alternatives() -> bool:
        value = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = conjunction() or value
        return value

    value = alternatives()
    if tokens:
        raise ValueError(f"unexpected text at {tokens[0]!r}")
    return value


def problems(packages: list[dict], rules: dict) -> list[str]:
    allow = set(rules["licenses"]["allow"])
    banned = {entry["crate"] for entry in rules["bans"]["deny"]}
    registries = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}
    found = []
    for package in packages:
        crate = f"{package['name']} {package['version']}"
        licence = package["license"]
        if licence is None:
            found.append(f"{crate}: has no licence")
        elif not allowed(licence, allow):
            found.append(f"{crate}: its licence is {licence}")
        if package["name"] in banned:
            found.append(f"{crate}: is banned")
        # A package of this workspace has no source.
        if package["source"] is not None and package["source"] not in registries:
            found.append(f"{crate}: comes from {package['source']}")
    return found


def main() -> int:
    with open(sys.argv[1], "rb") as file:
        rules = tomllib.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        built = {tuple(line.split()[:2]) for line in file if line.strip()}
    packages = [
        package
        for package in json.load(sys.stdin)["packages"]
        if (package["name"], f"v{package['version']}") in built
    ]
    found = problems(packages, rules)
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print("error: deny.toml does not allow these crates", file=sys.stderr)
        return 1
    print(f"licences: {len(packages)} crates, all allowed by deny.toml")
    return 0


if __name__ == "__main__":
    sys.exit(main())

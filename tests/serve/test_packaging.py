"""The image, the Debian package and the units name files that exist, and the configuration that they install works."""

from __future__ import annotations

import configparser
import json
import re
import sys

from serve import ROOT, Serve, fetch

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGING = ROOT / "packaging"


def test_the_files_of_the_image_exist() -> None:
    text = (PACKAGING / "Dockerfile").read_text().replace("\\\n", " ")
    stages, copied = set(), []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["FROM"] and "AS" in words:
            stages.add(words[words.index("AS") + 1])
        if words[:1] == ["COPY"]:
            options = [word for word in words[1:] if word.startswith("--")]
            *sources, _ = [word for word in words[1:] if not word.startswith("--")]
            copied += sources
            for option in options:
                assert option.removeprefix("--from=") in stages, line
    # The folder of the first stage is the repository.
    names = [name.removeprefix("/src/") for name in copied if name != "."]
    assert names and all(name.startswith("target/") or (ROOT / name).is_file() for name in names), names
    package = re.search(r"cargo build .*--package (\S+)", text).group(1)
    assert (ROOT / "crates" / package / "Cargo.toml").is_file()
    ignored = (ROOT / "packaging/Dockerfile.dockerignore").read_text().split()
    assert not set(names) & set(ignored)


def test_the_files_of_the_debian_package_exist() -> None:
    crate = ROOT / "crates/jwtauth-cli"
    package = tomllib.loads((crate / "Cargo.toml").read_text())["package"]["metadata"]["deb"]
    installed = set()
    for source, target, _ in package["assets"]:
        assert source.startswith("target/release/") or (crate / source).is_file(), source
        installed.add("/" + target + (source.rsplit("/", 1)[1] if target.endswith("/") else ""))
    assert (crate / package["license-file"][0]).is_file() and (crate / package["changelog"]).is_file()
    assert package["variants"]["dist"]["name"] == package["name"]
    assert set(package["conf-files"]) <= installed
    units = crate / package["systemd-units"]["unit-scripts"]
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(units / f"{package['systemd-units']['unit-name']}.service")
    program, command, option, configuration = unit["Service"]["ExecStart"].split()
    assert (program, command, option) == ("/usr/bin/jwtauth", "serve", "--config")
    assert {program, configuration} <= installed
    documentation = unit["Unit"]["Documentation"].removeprefix("file:")
    assert documentation in installed


def test_the_configuration_that_is_installed_works() -> None:
    config = json.loads((PACKAGING / "jwtauth.json").read_text())
    with Serve(config) as serve:
        assert fetch(serve.url + "/v1/sys/health")[0] == 200
        # Nobody is the administrator before somebody makes a token.
        assert fetch(serve.url + "/v1/sys/auth", {"X-Vault-Token": "root"})[0] == 403
        assert fetch(serve.url + "/auth")[0] == 404

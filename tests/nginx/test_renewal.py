"""Cached keys are renewed before they become stale, and no request waits for it. The clock of nginx is moved forward."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import PATIENCE, PUBLIC_TOKEN, KeyServer, Site, remote

SERVER = """
    location @done { jwtauth off; return 204; }
    jwtauth_config remote.json;
    jwtauth on;
    location / { try_files /none @done; }
"""


class Clock:
    def __init__(self, directory: Path) -> None:
        self.file = directory / "offset"
        self.move(0)
        library = directory / "clock.so"
        source = Path(__file__).with_name("clock.c")
        flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", str(library), str(source)], check=True, timeout=PATIENCE)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(self.file)}

    def move(self, seconds: int) -> None:
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("l", seconds))


@pytest.fixture
def clock(site: Site, monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock(site.directory)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


def test_keys_that_are_due_are_renewed_next_to_the_requests(site: Site, clock: Clock, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url, cache_ttl="1h", max_stale="10h"))
    nginx = site.start(SERVER)
    nginx.wait_for("jwtauth: the keys of .* were renewed")
    assert [nginx.ask("/", PUBLIC_TOKEN).status for _ in range(3)] == [204] * 3
    assert key_server.asked.acquire(timeout=PATIENCE)

    for number, later in enumerate((3_500, 7_500), start=2):
        key_server.released.clear()
        start = len(nginx.lines)
        clock.move(later)
        # The request is decided at once, and the key server gets a request that it does not answer yet.
        assert nginx.ask("/", PUBLIC_TOKEN).status == 204
        assert key_server.asked.acquire(timeout=PATIENCE)
        assert [nginx.ask("/", PUBLIC_TOKEN).status for _ in range(3)] == [204] * 3
        assert key_server.requests == number
        key_server.released.set()
        nginx.wait_for("jwtauth: the keys of .* were renewed", start)


def test_a_failed_renewal_is_repeated_and_the_cached_keys_stay_in_use(site: Site, clock: Clock, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url, cache_ttl="1h", max_stale="10h"))
    nginx = site.start(SERVER)
    nginx.wait_for("jwtauth: the keys of .* were renewed")
    key_server.broken = True
    clock.move(3_500)
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204
    nginx.wait_for("the keys of .* cannot be fetched")
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204
    key_server.broken = False
    start = len(nginx.lines)
    clock.move(5_000)
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204
    nginx.wait_for("jwtauth: the keys of .* were renewed", start)


def test_keys_that_have_expired_are_fetched_before_the_decision(site: Site, clock: Clock, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url, cache_ttl="1h", max_stale="1h"))
    nginx = site.start(SERVER)
    nginx.wait_for("jwtauth: the keys of .* were renewed")
    key_server.broken = True
    clock.move(100_000)
    assert nginx.ask("/", PUBLIC_TOKEN).status == 503
    key_server.broken = False
    clock.move(200_000)
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204

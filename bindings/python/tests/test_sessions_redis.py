"""Sessions in a real Redis: shared by several values, and what happens while it is away."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import token
from sessions_config import keeping, spend

from jwtauth import Denied, Sessions, Unavailable


@contextmanager
def redis(socket: Path) -> Iterator[None]:
    """A Redis server that listens on a socket only, and keeps nothing."""
    server = shutil.which("redis-server")
    assert server is not None, "redis-server is missing: .ci/prepare installs it"
    command = [server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(socket.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("eady to accept connections" in line for line in process.stdout)
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def socket() -> Iterator[Path]:
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


def config(socket: Path, terms: dict[str, Any] | None = None) -> dict[str, Any]:
    return keeping(terms, store={"redis": {"socket": str(socket)}})


def test_redis_keeps_sessions_for_all(socket: Path) -> None:
    with redis(socket):
        one, other = Sessions(config(socket, {"num_uses": 10})), Sessions(config(socket))
        login = one.login(token())
        assert other.authorize(login.token).uses_left == 9
        assert spend(one, login.token, 5) + spend(other, login.token, 5) == 9
        held = one.login(token(sub="bob")).token
        assert other.revoke_all(subject="bob") == 1
        with pytest.raises(Denied):
            one.authorize(held)
        assert one.sweep() == 0


def test_a_server_that_comes_back_is_used_again(socket: Path) -> None:
    sessions = Sessions(config(socket))
    with pytest.raises(Unavailable):
        sessions.login(token())
    with redis(socket):
        held = sessions.login(token()).token
        assert sessions.authorize(held).subject == "alice"
    with pytest.raises(Unavailable) as caught:
        sessions.authorize(held)
    assert (caught.value.code, caught.value.stage) == ("store_unavailable", "session")
    assert held not in str(caught.value)
    with redis(socket):
        # The server has lost the session.
        with pytest.raises(Denied):
            sessions.authorize(held)
        assert sessions.authorize(sessions.login(token()).token).subject == "alice"

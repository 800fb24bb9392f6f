"""Configurations for the tests of sessions, and what other processes do with them."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import CONFIG, PUBLIC_KEYS

from jwtauth import Denied, Sessions

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier


# When ``PUBLIC_TOKEN`` is valid in Vault: it has an `exp` only, so Vault computes an `nbf` shortly before.
PUBLIC_NOW = 4_102_444_800 - 60


def keeping(terms: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A configuration of sessions with these terms of a session, and these members of ``sessions``."""
    session = {"ttl": "1h", "max_ttl": "2h", **(terms or {})}
    return {**CONFIG, "config": {**CONFIG["config"], "session": session}, "sessions": settings}


def in_file(folder: Path, terms: dict[str, Any] | None = None) -> dict[str, Any]:
    """A configuration of sessions in SQLite. Tests wait for another process, so the store waits long for it."""
    return keeping(terms, store={"sqlite": {"path": str(folder / "sessions.db"), "timeout": "10m"}})


def at(config: dict[str, Any], now: int) -> dict[str, Any]:
    """The configuration with another time."""
    return {**config, "options": {**config["options"], "now": now}}


def public_pem() -> str:
    """The key of ``PUBLIC_TOKEN`` as PEM."""
    raw = base64.urlsafe_b64decode(PUBLIC_KEYS["keys"][0]["x"] + "=")
    text = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + raw).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"


def vault(role: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Vault's dialect with one role for ``PUBLIC_TOKEN``."""
    web = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"], "token_policies": ["read"], **role}
    return {
        "dialect": "vault",
        "config": {"jwt_validation_pubkeys": [public_pem()], "roles": {"web": web}},
        "options": {"now": PUBLIC_NOW},
        "sessions": settings,
    }


def spend(sessions: Sessions, token: str, attempts: int) -> int:
    """How many of the attempts pass."""
    passed = 0
    for _ in range(attempts):
        try:
            sessions.authorize(token)
            passed += 1
        except Denied as refusal:
            assert refusal.code == "session_unknown"
    return passed


def spend_in_a_process(arguments: tuple[dict[str, Any], str, int]) -> int:
    """The same with sessions of a process of its own; all processes begin together."""
    config, token, attempts = arguments
    sessions = Sessions(config)
    start.wait()
    return spend(sessions, token, attempts)


def begin_together(barrier: Barrier) -> None:
    """Prepares a process."""
    global start
    start = barrier


start: Barrier


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds the write lock of a database. It has its own SQLite, which must not share a process with ours."""
    script = """
        import sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        sys.stdin.read()
        connection.execute("ROLLBACK")
        connection.close()
    """
    text = "\n".join(line.strip() for line in script.strip().splitlines())
    command = [sys.executable, "-c", text, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"locked"
        try:
            yield
        finally:
            process.stdin.close()
    assert process.returncode == 0

"""Shared by the tests: paths, tokens, a key server, and the count of conformance cases."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jwtauth import Verifier

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CONFORMANCE = Path(os.environ.get("CONFORMANCE_DIR", TARGET / "conformance"))

# The time limit of everything that a test waits for, in seconds. It only turns a hang into a failure.
PATIENCE = 600

NOW = 1_700_000_000
SECRET = b"a secret of the tests, of 32 bytes or more"

CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example",
    "sub": "alice",
    "aud": ["api"],
    "exp": NOW + 600,
    "email": "alice@example.com",
    "name": "Alice",
    "groups": ["staff", "ops"],
    "team": {"name": "blue"},
    "ratio": 1.5,
    "large": 2**70,
}

CONFIG: dict[str, Any] = {
    "dialect": "native",
    "config": {
        "keys": [{"secret": base64.urlsafe_b64encode(SECRET).rstrip(b"=").decode()}],
        "algorithms": ["HS256"],
        "issuer": "https://issuer.example",
        "audiences": ["api"],
        "identity": {
            "name": "sub",
            "email": "email",
            "display_name": "name",
            "groups": "groups",
            "metadata": {"team": {"jmespath": "team.name"}},
            "lists": {"teams": "groups"},
        },
        "roles": {"jmespath": "contains(groups, 'ops') && 'editor' || ''", "allowed": ["viewer", "editor"]},
        "policies": ["web-read"],
        "session": {"ttl": "1h", "max_ttl": "2h"},
        "profiles": {"closed": {"subject": "nobody"}, "office": {"bound_cidrs": ["10.0.0.0/8", "2001:db8::/32"]}},
    },
    "options": {"now": NOW, "max_token_bytes": 1024 * 1024},
}


# The key of RFC 8037, appendix A.2, and a token signed with its private part, valid until 2100.
# What a request for a key set accepts.
ACCEPT = "application/jwk-set+json, application/json;q=0.9, */*;q=0.1"
PUBLIC_KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
PUBLIC_TOKEN = (
    "eyJhbGciOiJFZERTQSIsImtpZCI6InRlc3QifQ."
    "eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiYXBpIiwic3ViIjoiYWxpY2UiLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29t"
    "IiwiZ3JvdXBzIjpbInN0YWZmIiwib3BzIl0sImV4cCI6NDEwMjQ0NDgwMH0."
    "-Wf_yh_CTf_A-W-OfxAp8zJOQyIIW-IbJNME4utbg4MnPUuordCAbbztpi9en4eGYnwVrmTxr78F6vxiOASMDg"
)


def remote(url: str, **settings: Any) -> dict[str, Any]:
    """A configuration that fetches the keys of ``PUBLIC_TOKEN``."""
    return {
        "dialect": "native",
        "config": {
            "keys": [{"jwks_url": url, **settings}],
            "algorithms": ["EdDSA"],
            "issuer": "https://issuer.example",
            "audiences": ["api"],
            "identity": {"name": "sub"},
        },
    }


def token(claims: dict[str, Any] | None = None, secret: bytes = SECRET, /, **changed: Any) -> str:
    """A signed token with the given claims, or with the default claims and some changes."""
    return signed(json.dumps({**CLAIMS, **changed} if claims is None else claims), secret)


def signed(payload: str, secret: bytes = SECRET) -> str:
    """A token with this payload, unchanged."""

    def encode(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    start = encode(b'{"alg":"HS256","typ":"JWT"}') + "." + encode(payload.encode())
    return start + "." + encode(hmac.digest(secret, start.encode(), hashlib.sha256))


def run(python: str | Path, script: str, *arguments: str) -> str:
    """The output of a script that runs in a separate process, in the folder of these tests."""
    done = subprocess.run(
        [str(python), "-W", "error", "-c", textwrap.dedent(script), *arguments],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class KeyServer(ThreadingHTTPServer):
    """Serves the keys of ``PUBLIC_TOKEN`` at ``/keys``, an error and a redirect."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), KeyHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/keys"
        self.lock = threading.Lock()
        self.requests = 0
        self.silent = 0  # this many requests get no response until the server is released
        self.released = threading.Event()
        self.asked = threading.Event()

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[KeyServer]:
        with cls() as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield server
            server.released.set()
            server.shutdown()
            thread.join()

    def handle_error(self, *_: object) -> None:
        """A client that disconnected is not an error."""


class KeyHandler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        if self.path == "/release":
            self.server.released.set()
        elif self.path == "/asked":
            # Answers when keys were asked for, so that another process can wait for it.
            self.server.asked.wait(PATIENCE)
        else:
            with self.server.lock:
                self.server.requests += 1
                is_silent = self.server.requests <= self.server.silent
            self.server.asked.set()
            if is_silent:
                self.server.released.wait(PATIENCE)
        status = {"/keys": 200, "/error": 500, "/moved": 302}.get(self.path, 404)
        self.send_response(status)
        self.send_header("Location", "/keys")
        self.end_headers()
        self.wfile.write(json.dumps(PUBLIC_KEYS).encode() if status == 200 else b"what a server says")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with KeyServer.started() as server:
        yield server


@pytest.fixture(scope="session")
def verifier() -> Verifier:
    return Verifier(CONFIG)


ran: dict[str, bool] = {}
"""The conformance cases that were run, and whether each one passed."""

ran_sessions: dict[str, bool] = {}
"""Those of sessions."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for cases, about, file in ((ran, "", "ran-python.txt"), (ran_sessions, " sessions", "ran-sessions-python.txt")):
        if cases:
            passed = sum(cases.values())
            terminalreporter.write_line(f"conformance{about} python: {passed} passed, {len(cases) - passed} failed")
            (CONFORMANCE / file).write_text(f"{len(cases)}\n")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt. A process that a shell starts in the background would ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

"""Starts `jwtauth serve`, and signs tokens with the program.

Nothing here waits for a time: a test waits for a line that a process writes. LIMIT only ends a test that hangs.
"""

from __future__ import annotations

import json
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("JWTAUTH", ROOT / "target/debug/jwtauth"))
KEY = ROOT / "tests/conformance/keys/ec256-1.private.pem"
OTHER_KEY = ROOT / "tests/conformance/keys/ec256-2.private.pem"
ADMIN = "admin-0123456789abcdef"
LIMIT = 300


def run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def public_pem() -> str:
    return run("openssl", "pkey", "-in", KEY, "-pubout") + "\n"


def token(key: Path = KEY, **claims: object) -> str:
    """A token that is valid for an hour. A claim of None is left out."""
    now = int(time.time())
    every = {"iss": "https://issuer.example", "sub": "alice", "aud": "api", "iat": now, "exp": now + 3600, "groups": ["eng"]}
    every |= claims
    every = {name: value for name, value in every.items() if value is not None}
    return run(PROGRAM, "sign", "--key", key, "--alg", "ES256", "--claims", json.dumps(every))


def expired() -> str:
    now = int(time.time())
    return token(iat=now - 7200, exp=now - 3600)


def free_port() -> int:
    """A port that is free. It is not one of those that the system gives to connections, which could take it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


NATIVE = {
    "dialect": "native",
    "config": {
        "algorithms": ["ES256"],
        "issuer": "https://issuer.example",
        "audiences": ["api"],
        "identity": {"name": "sub", "groups": "groups"},
    },
}


def native(**server: object) -> dict[str, object]:
    config = json.loads(json.dumps(NATIVE))
    config["config"]["keys"] = [{"pem": public_pem()}]
    config["server"] = server
    return config


class Lines:
    """The lines that a process writes."""

    def __init__(self, stream: IO[str]) -> None:
        self.seen: list[str] = []
        self._coming: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._coming.put(line)
        self._coming.put(None)

    def wait_for(self, text: str) -> str:
        """The next line that contains a text, after those that were waited for."""
        while (line := self._coming.get(timeout=LIMIT)) is not None:
            self.seen.append(line)
            if text in line:
                return line
        raise RuntimeError(f"ended without `{text}`:\n" + "".join(self.seen))


class Serve:
    """The program with a configuration, on a port of loopback."""

    def __init__(
        self, config: dict[str, object], *arguments: str, store: str | None = "memory", port: int = 0, **options: object
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jwtauth-serve-"))
        (self.folder / "admin.token").write_text(ADMIN)
        (self.folder / "config.json").write_text(json.dumps(config))
        self.port = port
        self.arguments = [*arguments, *(["--store", store] if store else [])]
        self.options = options
        self.log = open(self.folder / "log", "a")
        self.start()

    def start(self) -> None:
        """Starts the program, on the same port as before. When it says where it listens, it answers."""
        command = [str(PROGRAM), "serve", "--config", "config.json", "--listen", f"127.0.0.1:{self.port}", *self.arguments]
        self.process = subprocess.Popen(
            command, cwd=self.folder, stdout=self.log, stderr=subprocess.PIPE, text=True, **self.options)
        self.notes = Lines(self.process.stderr)
        self.port = int(self.notes.wait_for("listening on ").rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT)

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


OPENER = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))


def fetch(url: str, headers: dict[str, str] | None = None, method: str = "GET", data: bytes | None = None) -> tuple[int, dict[str, str], str]:
    """One request, without redirects. A refusal is an answer, too."""
    request = urllib.request.Request(url, headers=headers or {}, method=method, data=data)
    try:
        with OPENER.open(request, timeout=LIMIT) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()

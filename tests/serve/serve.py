"""Starts `jwtauth serve`, and signs tokens with the program."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("JWTAUTH", ROOT / "target/debug/jwtauth"))
KEY = ROOT / "tests/conformance/keys/ec256-1.private.pem"
OTHER_KEY = ROOT / "tests/conformance/keys/ec256-2.private.pem"
ADMIN = "admin-0123456789abcdef"


def run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def public_pem() -> str:
    return run("openssl", "pkey", "-in", KEY, "-pubout") + "\n"


def token(key: Path = KEY, **claims: object) -> str:
    """A token that is valid for five minutes. A claim of None is left out."""
    now = int(time.time())
    every = {"iss": "https://issuer.example", "sub": "alice", "aud": "api", "iat": now, "exp": now + 300, "groups": ["eng"]}
    every |= claims
    every = {name: value for name, value in every.items() if value is not None}
    return run(PROGRAM, "sign", "--key", key, "--alg", "ES256", "--claims", json.dumps(every))


def expired() -> str:
    now = int(time.time())
    return token(iat=now - 7200, exp=now - 3600)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


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


class Serve:
    """The program with a configuration, on a free port of loopback."""

    def __init__(self, config: dict[str, object], *arguments: str, store: str = "memory", **options: object) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jwtauth-serve-"))
        (self.folder / "admin.token").write_text(ADMIN)
        (self.folder / "config.json").write_text(json.dumps(config))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(PROGRAM), "serve", "--config", "config.json", "--listen", f"127.0.0.1:{self.port}", "--store", store]
        self.log = open(self.folder / "log", "w")
        self.notes = open(self.folder / "notes", "w+")
        self.process = subprocess.Popen([*command, *arguments], cwd=self.folder, stdout=self.log, stderr=self.notes, **options)
        self.wait()

    def wait(self) -> None:
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "notes").read_text())
            try:
                if urllib.request.urlopen(self.url + "/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the server does not answer")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.notes.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def fetch(url: str, headers: dict[str, str] | None = None, method: str = "GET", data: bytes | None = None) -> tuple[int, dict[str, str], str]:
    """One request, without redirects. A refusal is an answer, too."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    request = urllib.request.Request(url, headers=headers or {}, method=method, data=data)
    try:
        with urllib.request.build_opener(Stay).open(request) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()

"""Shared by the tests of the nginx module: tokens, configurations, nginx itself, and the servers that it talks to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import shlex
import signal
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NGINX = os.environ.get("NGINX", "/usr/sbin/nginx")
MODULE = os.environ["NGINX_MODULE"]
# A command in front of nginx, such as valgrind; it writes errors to files in the folder of the test.
RUNNER = shlex.split(os.environ.get("NGINX_RUNNER", ""))

# The time limit of everything that a test waits for, in seconds. It only turns a hang into a failure.
PATIENCE = 600

NOW = 1_700_000_000
SECRET = b"a secret of the tests, of 32 bytes or more"

CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example",
    "sub": "alice",
    "aud": "api",
    "exp": NOW + 600,
    "email": "alice@example.com",
    "groups": ["staff", "ops"],
    "admin": True,
    "level": 3,
    "departmentId": "d-7",
    "realm": {"team": "blue"},
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
            "groups": "groups",
            "metadata": {"team": {"jmespath": "realm.team"}},
            "lists": {"teams": "groups"},
        },
        "roles": {"jmespath": "contains(groups, 'ops') && 'editor' || ''", "allowed": ["viewer", "editor"]},
        "policies": ["web-read"],
        "profiles": {"closed": {"subject": "nobody"}, "office": {"bound_cidrs": ["10.0.0.0/8"]}},
    },
    "options": {"now": NOW},
}

# The key of RFC 8037, appendix A.2, and a token signed with its private part, valid until 2100.
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
            # A busy machine may take long, so only a test about the timeout sets one.
            "keys": [{"jwks_url": url, "timeout": "5m", "cool_down": "10m", **settings}],
            "algorithms": ["EdDSA"],
            "issuer": "https://issuer.example",
            "audiences": ["api"],
            "identity": {"name": "sub"},
        },
    }


def changed(**settings: Any) -> dict[str, Any]:
    """The usual configuration with some changes."""
    return {**CONFIG, "config": {**CONFIG["config"], **settings}}


def token(**claims: Any) -> str:
    """A signed token with the default claims and some changes."""

    def encode(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    start = encode(b'{"alg":"HS256","typ":"JWT"}') + "." + encode(json.dumps({**CLAIMS, **claims}).encode())
    return start + "." + encode(hmac.digest(SECRET, start.encode(), hashlib.sha256))


def errors_of(directory: Path, log: str = "") -> list[str]:
    """What valgrind has found: every error, and leaks of the module and the library. nginx does not free all of its own memory, and
    its processes for caches free nothing when they end."""
    for_caches = re.findall(r"start cache \w+ process (\d+)", log)
    found = []
    for file in directory.glob("valgrind.*"):
        frees = file.suffix[1:] not in for_caches
        for error in re.split(r"^==\d+== $", file.read_text(encoding="utf-8"), flags=re.MULTILINE):
            if error.strip() and ("lost in loss record" not in error or (frees and "jwtauth" in error)):
                found.append(error)
    return found


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def challenge(self) -> list[str]:
        return self.headers.get_all("WWW-Authenticate") or []


class Nginx:
    """nginx with the module, on a socket that it inherits, so that no request comes too early."""

    def __init__(self, directory: Path, listener: socket.socket, server: str, http: str, main: str) -> None:
        self.directory = directory
        self.port: int = listener.getsockname()[1]
        self.file = directory / "nginx.conf"
        self.configure(server, http, main)
        self.lines: list[str] = []
        self.has_ended = False
        self.changed = threading.Condition()
        valgrind = [part.replace("FOLDER", str(directory)) for part in RUNNER]
        self.process = subprocess.Popen(
            [*valgrind, NGINX, "-e", "stderr", "-p", str(directory), "-c", str(self.file)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
        )
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def configure(self, server: str, http: str = "", main: str = "") -> None:
        text = f"""
            load_module {MODULE};
            daemon off;
            worker_processes 1;
            error_log stderr info;
            pid nginx.pid;
            thread_pool default threads=4;
            {main}
            events {{}}
            http {{
                access_log off;
                client_body_temp_path body;
                proxy_temp_path proxy;
                fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi;
                scgi_temp_path scgi;
                {http}
                server {{
                    listen 127.0.0.1:{self.port};
                    {server}
                }}
            }}
        """
        if os.geteuid() == 0 and "user " not in main:
            text = "user root;\n" + text
        self.file.write_text(text, encoding="utf-8")

    def read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip())
                self.changed.notify_all()
        with self.changed:
            self.has_ended = True
            self.changed.notify_all()

    def wait_for(self, pattern: str, start: int = 0) -> str:
        """The first line of the log with the pattern."""
        found: list[str] = []

        def look() -> bool:
            found.extend(line for line in self.lines[start:] if re.search(pattern, line))
            return bool(found) or self.has_ended

        with self.changed:
            assert self.changed.wait_for(look, PATIENCE)
        assert found, "\n".join(self.lines)
        return found[0]

    def reload(self, pattern: str) -> str:
        """Reads the configuration again, and returns the line of the log that tells the result."""
        start = len(self.lines)
        os.kill(int((self.directory / "nginx.pid").read_text()), signal.SIGHUP)
        return self.wait_for(pattern, start)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.kill()
        log = "\n".join(self.lines)
        assert code == 0, log
        assert not re.search(r"\[(alert|emerg)\]|exited (on signal|with code [1-9])", log), log
        assert not errors_of(self.directory, log)

    def kill(self) -> None:
        """Ends what is still there."""
        assert self.process.stderr is not None
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, path: str, bearer: str | None = None, *, method: str = "GET", headers: Any = ()) -> Answer:
        """Sends a request. Headers are pairs, so that one can be repeated."""
        connection = self.connection()
        try:
            connection.putrequest(method, path)
            if bearer is not None:
                connection.putheader("Authorization", f"Bearer {bearer}")
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()


class Site:
    """Starts nginx for a test, and stops it at the end."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.stack = stack
        self.write("verifier.json", CONFIG)

    def write(self, name: str, config: Any) -> Path:
        file = self.directory / name
        file.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
        return file

    def start(self, server: str, http: str = "", main: str = "") -> Nginx:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            nginx = Nginx(self.directory, listener, server, http, main)
        try:
            nginx.wait_for("start worker process ")
        except AssertionError:
            nginx.kill()
            raise
        self.stack.callback(nginx.stop)
        return nginx

    def test(self, server: str, http: str = "", main: str = "") -> tuple[int, str]:
        """The exit code and the log of ``nginx -t``."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            nginx = object.__new__(Nginx)
            nginx.file = self.directory / "nginx.conf"
            nginx.port = listener.getsockname()[1]
            nginx.configure(server, http, main)
        runner = [part.replace("FOLDER", str(self.directory)) for part in RUNNER]
        command = [*runner, NGINX, "-t", "-e", "stderr", "-p", str(self.directory), "-c", str(nginx.file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        # nginx ends a test of its configuration without freeing anything.
        assert not [error for error in errors_of(self.directory) if "lost in loss record" not in error]
        return done.returncode, done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


class KeyServer(ThreadingHTTPServer):
    """Serves the keys of ``PUBLIC_TOKEN`` at ``/keys``, and an error at other paths. It may be silent for some time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), KeyHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/keys"
        self.lock = threading.Lock()
        self.requests = 0
        self.broken = False
        self.released = threading.Event()
        self.released.set()
        self.asked = threading.Semaphore(0)

    def handle_error(self, *_: object) -> None:
        """A client that disconnected is not an error."""


class KeyHandler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests += 1
        self.server.asked.release()
        self.server.released.wait(PATIENCE)
        is_good = self.path == "/keys" and not self.server.broken
        self.send_response(200 if is_good else 500)
        self.end_headers()
        self.wfile.write(json.dumps(PUBLIC_KEYS).encode() if is_good else b"what a server says")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            if isinstance(server, KeyServer):
                server.released.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with serving(KeyServer()) as server:
        yield server


class Upstream(socketserver.ThreadingTCPServer):
    """Answers every request with the lines of its head, as JSON."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), UpstreamHandler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class UpstreamHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        lines: list[str] = []
        length = 0
        for line in self.rfile:
            if line in (b"\r\n", b"\n"):
                break
            lines.append(line.decode("latin-1"))
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        body = json.dumps(lines).encode()
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving(Upstream()) as server:
        yield server

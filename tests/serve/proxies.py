"""Starts proxies of Debian with the configurations of `examples/proxies`, in front of a page."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from serve import LIMIT, ROOT, Lines, free_port

EXAMPLES = ROOT / "examples/proxies"


class Page(http.server.BaseHTTPRequestHandler):
    """The page behind the proxy. It shows the headers that it gets, or the page of a dashboard."""

    seen: list[tuple[str, str | None]] = []
    frame = ""

    def do_GET(self) -> None:
        Page.seen.append((self.path, self.headers["X-Auth-User"]))
        if self.path == "/outer":
            text = f'<iframe src="{Page.frame}"></iframe>'.encode()
        elif self.path.startswith("/dashboard"):
            text = b'<script src="/public/app.js"></script>'
        else:
            text = json.dumps({name.lower(): value for name, value in self.headers.items()} | {":path": self.path}).encode()
        self.send_response(200)
        if text.startswith(b"<"):
            self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


class Ports(NamedTuple):
    """Where the proxy listens, the page, and the server."""

    front: int
    page: int
    auth: int


class Started(NamedTuple):
    """How a proxy is started, and what it writes when it answers. None: its socket listens already."""

    command: list[str]
    ready: str | None = None
    socket: socket.socket | None = None


Proxy = Callable[[Path, Ports], Started]


def example(name: str, folder: Path, ports: Ports) -> Path:
    """A copy of an example, with other ports."""
    text = (EXAMPLES / name).read_text()
    for port, other in [(8080, ports.front), (8081, ports.page), (8200, ports.auth)]:
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{other}")
    copy = folder / name
    copy.write_text(text)
    return copy


def nginx_with(folder: Path, servers: str) -> Started:
    """nginx with these blocks in `http`."""
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    (folder / "main.conf").write_text(f"""
daemon off; pid {folder}/pid; worker_processes 1;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{ access_log off; {temporary} {servers} }}
""")
    # Its sockets listen before the first worker starts.
    return Started(["nginx", "-c", str(folder / "main.conf"), "-e", "stderr"], "start worker process ")


def nginx(folder: Path, ports: Ports) -> Started:
    return nginx_with(folder, f"include {example('nginx.conf', folder, ports)};")


def caddy(folder: Path, ports: Ports) -> Started:
    sites = example("Caddyfile", folder, ports).read_text()
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tstorage file_system {folder}\n}}\n{sites}")
    command = ["env", f"XDG_CONFIG_HOME={folder}", "caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return Started(command, "serving initial configuration")


def haproxy(folder: Path, ports: Ports) -> Started:
    example("jwtauth.lua", folder, ports)
    configuration = example("haproxy.cfg", folder, ports)
    listener = socket.create_server(("127.0.0.1", ports.front))
    text = configuration.read_text().replace(f"bind 127.0.0.1:{ports.front}", f"bind fd@{listener.fileno()}")
    configuration.write_text(text)
    return Started(["env", "-C", str(folder), "haproxy", "-db", "-f", str(configuration)], socket=listener)


def apache(folder: Path, ports: Ports) -> Started:
    script = example("apache_map.py", folder, ports)
    script.chmod(0o755)
    site = example("apache.conf", folder, ports).read_text().replace("/usr/local/lib/jwtauth/apache_map.py", str(script))
    modules = ["mpm_event", "authz_core", "rewrite", "proxy", "proxy_http", "headers", "macro"]
    loaded = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules)
    user = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    (folder / "main.conf").write_text(f"""
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog /dev/stderr
Mutex sem
StartServers 1
{loaded}
{user}
{site}""")
    # It listens before it says this, and starts its workers after it.
    return Started(["apache2", "-DFOREGROUND", "-f", str(folder / "main.conf")], "resuming normal operations")


class Running:
    """A proxy that runs."""

    def __init__(self, proxy: Proxy, page: int, auth: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jwtauth-proxy-"))
        self.folder.chmod(0o755)
        ports = Ports(free_port(), page, auth)
        self.port = ports.front
        self.url = f"http://127.0.0.1:{ports.front}"
        started = proxy(self.folder, ports)
        files = [started.socket.fileno()] if started.socket else []
        self.process = subprocess.Popen(
            started.command, pass_fds=files, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.output = Lines(self.process.stderr)
        if started.socket:
            started.socket.close()
        if started.ready:
            self.output.wait_for(started.ready)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(LIMIT)
        shutil.rmtree(self.folder, ignore_errors=True)


def serve_page() -> http.server.ThreadingHTTPServer:
    class Queued(http.server.ThreadingHTTPServer):
        request_queue_size = 128

    server = Queued(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

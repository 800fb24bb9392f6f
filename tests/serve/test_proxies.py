"""Proxies of Debian in front of a page: granted, denied, expired, forged headers, keys out of reach, logins through the URL."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serve import Serve, expired, fetch, free_port, native, public_pem, token


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


def nginx(folder: Path, port: int, page: int, auth: int) -> list[str]:
    (folder / "conf").write_text(f"""
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_request /_auth;
      auth_request_set $user $upstream_http_x_auth_user;
      auth_request_set $groups $upstream_http_x_auth_groups;
      auth_request_set $cookie $upstream_http_set_cookie;
      auth_request_set $challenge $upstream_http_www_authenticate;
      add_header Set-Cookie $cookie;
      proxy_set_header X-Auth-User $user;
      proxy_set_header X-Auth-Groups $groups;
      proxy_pass http://127.0.0.1:{page};
    }}
    location = /_auth {{
      internal; proxy_pass http://127.0.0.1:{auth}/auth; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header X-Forwarded-Uri $request_uri;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}""")
    return ["nginx", "-c", str(folder / "conf"), "-e", str(folder / "error.log")]


def caddy(folder: Path, port: int, page: int, auth: int) -> list[str]:
    (folder / "Caddyfile").write_text(f"""
{{
  admin off
  storage file_system {folder}
}}
http://127.0.0.1:{port} {{
  forward_auth 127.0.0.1:{auth} {{
    uri /auth
    copy_headers X-Auth-User X-Auth-Groups
  }}
  reverse_proxy 127.0.0.1:{page}
}}""")
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def apache(folder: Path, port: int, page: int, auth: int) -> list[str]:
    # Apache has no module for it in Debian; a map asks for each request. The answer is the user behind `u:`, or a status.
    script = folder / "ask.py"
    script.write_text(f"""#!/usr/bin/python3
import sys, urllib.request, urllib.error
for line in sys.stdin:
    authorization = line[1:].rstrip("\\n")
    request = urllib.request.Request("http://127.0.0.1:{auth}/auth", headers={{"Authorization": authorization}} if authorization else {{}})
    try:
        print("u:" + urllib.request.urlopen(request).headers["X-Auth-User"], flush=True)
    except urllib.error.HTTPError as why:
        print(why.code, flush=True)
""")
    script.chmod(0o755)
    modules = "/usr/lib/apache2/modules"
    loaded = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in
                       ["mpm_event", "authz_core", "rewrite", "proxy", "proxy_http", "headers"])
    (folder / "conf").write_text(f"""
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error.log
Listen 127.0.0.1:{port}
{loaded}
Mutex file:{folder}
RewriteEngine on
RewriteMap ask prg:{script}
RewriteCond ${{ask:-%{{HTTP:Authorization}}|503}} ^(.*)$
RewriteRule ^ - [E=ANSWER:%1]
RewriteCond %{{ENV:ANSWER}} =503
RewriteRule ^ - [R=503,L]
RewriteCond %{{ENV:ANSWER}} !^u:
RewriteRule ^ - [R=401,L]
RewriteCond %{{ENV:ANSWER}} ^u:(.*)$
RewriteRule ^ - [E=USER:%1]
RequestHeader set X-Auth-User %{{USER}}e
RequestHeader unset X-Auth-Groups
RewriteRule ^/(.*)$ http://127.0.0.1:{page}/$1 [P]
""")
    return ["apache2", "-X", "-f", str(folder / "conf")]


def haproxy(folder: Path, port: int, page: int, auth: int) -> list[str]:
    # HAProxy asks through Lua.
    (folder / "auth.lua").write_text(f"""
core.register_action("ask", {{ "http-req" }}, function(txn)
  local headers = {{}}
  for name, values in pairs(txn.http:req_get_headers()) do
    local list = {{}}
    for _, value in pairs(values) do list[#list + 1] = value end
    headers[name] = list
  end
  headers["host"] = {{ "127.0.0.1" }}
  headers["content-length"] = nil
  headers["x-forwarded-uri"] = {{ txn.sf:capture_req_uri() }}
  local answer = core.httpclient():get{{ url = "http://127.0.0.1:{auth}/auth", headers = headers }}
  local status = answer and answer.status or 503
  txn:set_var("txn.status", status)
  if status == 200 then
    txn:set_var("txn.user", answer.headers["x-auth-user"][0])
    txn:set_var("txn.groups", answer.headers["x-auth-groups"][0])
  end
end)
""")
    (folder / "conf").write_text(f"""
global
  lua-load {folder}/auth.lua
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend front
  bind 127.0.0.1:{port}
  http-request lua.ask
  http-request deny deny_status 401 if {{ var(txn.status) -m int 401 }}
  http-request deny deny_status 403 if {{ var(txn.status) -m int 403 }}
  http-request deny deny_status 503 unless {{ var(txn.status) -m int 200 }}
  http-request set-header X-Auth-User %[var(txn.user)]
  http-request set-header X-Auth-Groups %[var(txn.groups)]
  default_backend page
backend page
  server page 127.0.0.1:{page}
""")
    return ["haproxy", "-db", "-f", str(folder / "conf")]


Proxy = Callable[[Path, int, int, int], list[str]]


@pytest.fixture(scope="module")
def page() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


class Running:
    def __init__(self, proxy: Proxy, page: int, auth: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jwtauth-proxy-"))
        self.folder.chmod(0o755)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        output = open(self.folder / "output", "w")
        self.process = subprocess.Popen(proxy(self.folder, port, page, auth), stdout=output, stderr=output)
        for _ in range(400):
            try:
                fetch(self.url)
                return
            except OSError:
                assert self.process.poll() is None, (self.folder / "output").read_text()
                time.sleep(0.05)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_a_proxy_lets_pass_what_is_granted(proxy: Proxy, page: int) -> None:
    with Serve(native()) as serve, Running(proxy, page, serve.port) as running:
        def ask(jwt: str | None, **more: str) -> tuple[int, dict[str, str], str]:
            headers = {"Authorization": f"Bearer {jwt}"} if jwt else {}
            return fetch(running.url + "/x?y=1", headers | {name.replace("_", "-"): value for name, value in more.items()})

        status, _, text = ask(token(sub="alice"), X_Auth_User="admin", X_Auth_Groups="admins")
        seen = json.loads(text)
        assert (status, seen["x-auth-user"], seen[":path"]) == (200, "alice", "/x?y=1")
        assert seen.get("x-auth-groups", "") != "admins"
        # A caller without a group does not keep the group that the client wrote.
        status, _, text = ask(token(groups=None), X_Auth_Groups="admins")
        assert status == 200 and "admins" not in text
        assert ask(None)[0] == 401
        assert ask(expired())[0] == 401
        assert ask("garbage", X_Auth_User="admin")[0] == 401
        status, _, text = ask(token(sub="a\r\nX-Auth-Groups: admins"))
        assert status == 200 and json.loads(text)["x-auth-user"] == "a%0D%0AX-Auth-Groups: admins"
        many = {f"X_Many_{number}": "1" for number in range(50)}
        assert ask(token(), **many)[0] == 200


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_keys_out_of_reach_let_nothing_pass(proxy: Proxy, page: int) -> None:
    config = native()
    config["config"]["keys"] = [{"jwks_url": "http://127.0.0.1:1/keys", "insecure_http": True}]
    with Serve(config) as serve, Running(proxy, page, serve.port) as running:
        status = fetch(running.url + "/", {"Authorization": f"Bearer {token()}"})[0]
        # nginx reports every other answer as its own failure.
        assert status == (500 if proxy is nginx else 503)


def grafana(folder: Path, cookie: dict[str, object]) -> dict[str, object]:
    (folder / "key.pem").write_text(public_pem())
    return {
        "dialect": "grafana",
        "config": {"auth.jwt": {
            "enabled": True, "header_name": "X-JWT", "url_login": True, "username_claim": "sub", "key_file": "key.pem"}},
        "options": {"base_dir": str(folder)},
        "server": {"auth": {"cookie": {"secure": False} | cookie}},
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jwtauth-key-") as name:
        yield Path(name)


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_login_through_the_url_starts_a_session(proxy: Proxy, page: int, folder: Path) -> None:
    config = grafana(folder, {"redirect": proxy is caddy})
    with Serve(config) as serve, Running(proxy, page, serve.port) as running:
        jwt = token(aud=None)
        assert fetch(running.url + "/d/x")[0] == 401
        status, headers, text = fetch(running.url + f"/d/x?a=1&auth_token={jwt}")
        if proxy is caddy:
            assert (status, headers["location"]) == (303, "/d/x?a=1")
        else:
            assert (status, json.loads(text)["x-auth-user"]) == (200, "alice")
        cookie = headers["set-cookie"].split(";")[0]
        status, _, text = fetch(running.url + "/public/app.js", {"Cookie": cookie})
        assert (status, json.loads(text)["x-auth-user"]) == (200, "alice")
        assert fetch(running.url + "/d/x", {"Cookie": cookie + "x"})[0] == 401


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_page_in_a_frame_loads_its_files_in_chromium(proxy: Proxy, page: int, folder: Path) -> None:
    config = grafana(folder, {"redirect": proxy is caddy})
    with Serve(config) as serve, Running(proxy, page, serve.port) as running:
        Page.seen.clear()
        Page.frame = running.url + "/dashboard?auth_token=" + token(aud=None)
        command = [os.environ.get("CHROMIUM", "chromium"), "--headless", "--no-sandbox", "--disable-gpu",
                   f"--user-data-dir={folder}/profile", "--virtual-time-budget=5000", "--dump-dom", f"http://127.0.0.1:{page}/outer"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        assert ("/public/app.js", "alice") in Page.seen
        # The dashboard was asked for without the token, if the proxy passes redirects on.
        assert ("/dashboard", "alice") in Page.seen or proxy is nginx

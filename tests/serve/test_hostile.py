"""What no client and no disk may do to the server. The shapes of single requests are in crates/jwtauth-server/tests."""

from __future__ import annotations

import json
import re
import resource
import signal
import socket
from pathlib import Path

import pytest

from hostile import outcome, rows
from proxies import Ports, Running, Started, nginx_with
from serve import ADMIN, LIMIT, Serve, fetch, native, public_pem, token

IDLE = 10_000


def many_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = IDLE + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard if hard == resource.RLIM_INFINITY else max(hard, wanted)))


def metric(serve: Serve, name: str) -> int:
    lines = fetch(serve.url + "/metrics")[2].splitlines()
    return sum(int(line.split(" ")[1]) for line in lines if line.split(" ")[0].split("{")[0] == name)


def test_ten_thousand_idle_connections_do_not_matter() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    many_files()
    try:
        with Serve(native(limits={"header_timeout": "1h"}), preexec_fn=many_files) as serve:
            idle = [socket.create_connection(("127.0.0.1", serve.port)) for _ in range(IDLE)]
            # One byte each, so that a header has begun.
            for connection in idle:
                connection.send(b"G")
            headers = {"Authorization": f"Bearer {token()}"}
            answered = sum(fetch(serve.url + "/auth", headers)[0] == 200 for _ in range(20))
            # Each connection is counted by a task of its own, some of them after the requests above.
            assert any(metric(serve, "jwtauth_open_connections") >= IDLE for _ in range(IDLE))
            memory = next(line for line in open(f"/proc/{serve.process.pid}/status") if line.startswith("VmRSS"))
            small = int(memory.split()[1]) < 400_000
            for connection in idle:
                connection.close()
            assert serve.stop() == 0
            outcome("10,000 idle connections", f"{answered} of 20 other requests are answered; "
                    f"{'less' if small else 'more'} than 400 MB of memory")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def a_full_disk() -> None:
    # Files cannot grow any more, as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_logins_and_keeps_sessions() -> None:
    config = {
        "dialect": "vault",
        "config": {
            "jwt_validation_pubkeys": [public_pem()],
            "roles": {"demo": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "api"}},
        },
        "server": {"log": "off", "vault": {"token_file": "admin.token"}},
    }
    with Serve(config, store="sqlite:sessions.db", preexec_fn=a_full_disk) as serve:
        body = json.dumps({"role": "demo", "jwt": token()}).encode()

        def login() -> tuple[int, str]:
            status, _, text = fetch(serve.url + "/v1/auth/jwt/login", method="POST", data=body)
            return status, text

        def look_up(own: str) -> int:
            return fetch(serve.url + "/v1/auth/token/lookup-self", {"X-Vault-Token": own})[0]

        tokens = []
        for _ in range(3000):
            status, text = login()
            if status != 200:
                break
            tokens.append(json.loads(text)["auth"]["client_token"])
        assert tokens
        full = status
        assert fetch(serve.url + "/healthz")[0] == 200
        # Every session that was answered is there.
        kept = {look_up(own) for own in [tokens[0], tokens[len(tokens) // 2], tokens[-1]]}
        administrator = fetch(serve.url + "/v1/sys/auth", {"X-Vault-Token": ADMIN})[0]
        # There is space again.
        resource.prlimit(serve.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        again = login()[0]
        assert {look_up(own) for own in tokens[:3]} == {200}
        assert serve.stop() == 0
        outcome("a full disk under SQLite", f"login: {full}; sessions that exist: {', '.join(map(str, sorted(kept)))}; `sys/auth`: {administrator}; "
                f"login with space again: {again}")


def test_a_store_that_does_not_answer_does_not_stop_decisions() -> None:
    # A server that accepts connections and says nothing, as Redis behind a broken network.
    silent = socket.create_server(("127.0.0.1", 0))
    config = native(auth={"cookie": {}}, limits={"waiting": 1}, vault={"token_file": "admin.token"},
                    store={"redis": {"url": f"redis://127.0.0.1:{silent.getsockname()[1]}", "timeout": "1h"}})
    with Serve(config, store=None) as serve:
        hanging = []
        for _ in range(8):
            one = socket.create_connection(("127.0.0.1", serve.port))
            one.send(b"POST /v1/auth/jwt/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            hanging.append(one)
        # The first of them has reached the store.
        silent.settimeout(LIMIT)
        asked = silent.accept()
        decided = fetch(serve.url + "/auth", {"Authorization": f"Bearer {token()}"})[0]
        lives = fetch(serve.url + "/healthz")[0]
        outcome("a store that does not answer", f"`/auth` with a token: {decided}; `/healthz`: {lives}")
        for one in [*hanging, asked[0], silent]:
            one.close()


# Requests whose end two readers may see in different places. Each is followed by the request that it may hide.
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CHUNK = f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n"
POST = "POST /v1/auth/jwt/login HTTP/1.1\r\nHost: x\r\n"
SHAPES = {
    "a length and chunks": f"{POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNK}",
    "chunks and a length that ends before the hidden request": f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": f"{POST}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n",
    "a length with a sign": f"{POST}Content-Length: +{len(HIDDEN)}\r\n\r\n",
    "a length with a comma": f"{POST}Content-Length: 0, {len(HIDDEN)}\r\n\r\n",
    "an encoding with a letter more": f"{POST}Content-Length: {len(HIDDEN)}\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "an encoding with a tab": f"{POST}Content-Length: {len(HIDDEN)}\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n",
    "an encoding with a space before the colon": f"{POST}Content-Length: {len(HIDDEN)}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "an encoding on a folded line": f"{POST}Content-Length: {len(HIDDEN)}\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "two encodings": f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "an encoding with an underscore": f"{POST}Content-Length: {len(HIDDEN)}\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk with a huge size": f"{POST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n",
    "a chunk with an extension": f"{POST}Transfer-Encoding: chunked\r\n\r\n2;a=\"\r\n{{}}\r\n0\r\n\r\n",
    "lines that end in LF only": f"{POST}Content-Length: 0\n\n",
    "a body of GET": f"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {len(HIDDEN)}\r\n\r\n",
    "HTTP/1.0 with chunks": f"{POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".replace("HTTP/1.1", "HTTP/1.0"),
    "a header of two requests in an encoded line": f"{POST}X: a%0d%0aContent-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n",
}


def nginx_in_front(folder: Path, ports: Ports) -> Started:
    # Connections to the server are used again, as in production. The log has the requests that nginx passed on.
    return nginx_with(folder, f"""
log_format passed '$upstream_status $request_uri';
upstream all {{ server 127.0.0.1:{ports.auth}; keepalive 8; }}
server {{
  listen 127.0.0.1:{ports.front};
  access_log {folder}/access.log passed;
  client_header_timeout 1s; client_body_timeout 1s; keepalive_timeout 1s;
  location / {{ proxy_pass http://all; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream off; }}
}}""")


@pytest.mark.parametrize("what", SHAPES)
def test_no_request_hides_another_one_behind_nginx(what: str) -> None:
    with Serve(native(vault={"token_file": "admin.token"})) as serve, Running(nginx_in_front, 0, serve.port) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.settimeout(LIMIT)
            client.sendall((SHAPES[what] + HIDDEN).encode())
            answers = b""
            try:
                while part := client.recv(65536):
                    answers += part
            except ConnectionResetError:
                # nginx closes a connection on which it has not read everything.
                pass
        # An honest request follows on the same connections, and gets its own answer.
        assert fetch(running.url + "/healthz")[2] == "ok\n"
        # nginx writes its log when it is done with a request, and ends after that.
        running.process.send_signal(signal.SIGQUIT)
        running.process.wait(LIMIT)
        log = [line.split(" ", 1) for line in (running.folder / "access.log").read_text().splitlines()]
        passed = [path for status, path in log if status != "-"]
        # The request for the counts counts itself only in the next answer.
        assert metric(serve, "jwtauth_requests_total") == len(passed), (passed, answers)
        statuses = re.findall(r"HTTP/1\.[01] (\d{3})", answers.decode())
        # Without the honest one.
        number = {1: "nothing", 2: "one request", 3: "two requests"}[len(passed)]
        outcome(f"{what}, through nginx", f"{', '.join(statuses) or 'closed'}; nginx passes on {number}, and the server sees the same")


def test_the_table_has_no_other_rows() -> None:
    own = {"10,000 idle connections", "a full disk under SQLite", "a store that does not answer"}
    assert set(rows()) == own | {f"{what}, through nginx" for what in SHAPES}

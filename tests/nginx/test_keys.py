"""Keys from a URL: no request ever blocks another one, whatever the key server does."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor

from conftest import PATIENCE, PUBLIC_TOKEN, KeyServer, Site, remote, token

DONE = "location @done { jwtauth off; return 204; }"
SERVER = f"""
    {DONE}
    jwtauth_config remote.json;
    jwtauth on;
    location / {{ try_files /none @done; }}
    location /open {{ jwtauth off; return 204; }}
    location /local {{ jwtauth_config verifier.json; try_files /none @done; }}
    location /any {{ satisfy any; allow 127.0.0.1; deny all; try_files /none @done; }}
    location /any-denied {{ satisfy any; deny all; try_files /none @done; }}
"""


def test_a_worker_fetches_the_keys_when_it_starts(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url))
    nginx = site.start(SERVER)
    assert key_server.asked.acquire(timeout=PATIENCE)
    assert [nginx.ask("/", PUBLIC_TOKEN).status for _ in range(3)] == [204] * 3
    assert key_server.requests == 1


def test_while_keys_are_fetched_other_requests_are_answered(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url))
    key_server.released.clear()
    nginx = site.start(SERVER)
    assert key_server.asked.acquire(timeout=PATIENCE)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(nginx.ask, "/", PUBLIC_TOKEN) for _ in range(20)]
        # One worker answers all of these, also requests with tokens, while the others wait.
        for _ in range(10):
            assert nginx.ask("/open").status == 204
            assert nginx.ask("/local", token()).status == 204
            assert nginx.ask("/").status == 401
            assert nginx.ask("/any").status == 204
        assert not any(one.done() for one in waiting)
        key_server.released.set()
        assert [one.result().status for one in waiting] == [204] * 20
    assert key_server.requests == 1


def test_keys_out_of_reach_give_503(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url.replace("/keys", "/error")))
    nginx = site.start(SERVER)
    line = nginx.wait_for("the keys of .* cannot be fetched")
    assert re.search(r"\[error\].*remote\.json.*: keys\[0\]\.jwks_url|`keys\[0\]\.jwks_url`", line), line
    for path in ("/", "/any-denied"):
        answer = nginx.ask(path, PUBLIC_TOKEN)
        assert (answer.status, answer.headers["Retry-After"], answer.challenge) == (503, "5", [])
        assert "what a server says" not in answer.text
    # These need no keys.
    assert nginx.ask("/").status == 401
    assert nginx.ask("/any", PUBLIC_TOKEN).status == 204
    assert nginx.ask("/open").status == 204
    assert nginx.ask("/local", token()).status == 204
    # nginx has written all lines when it has ended.
    site.stack.close()
    assert "what a server says" not in "\n".join(nginx.lines)


def test_a_server_that_does_not_answer_ends_in_503(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url, timeout="1s"))
    key_server.released.clear()
    nginx = site.start(SERVER)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: nginx.ask("/", PUBLIC_TOKEN), range(10)))
    assert {answer.status for answer in answers} == {503}


def test_a_client_that_goes_away_leaves_the_fetch_alone(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url))
    key_server.released.clear()
    nginx = site.start(SERVER)
    assert key_server.asked.acquire(timeout=PATIENCE)
    request = f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {PUBLIC_TOKEN}\r\n\r\n".encode()
    for number in range(5):
        start = len(nginx.lines)
        with socket.create_connection(("127.0.0.1", nginx.port), timeout=PATIENCE) as client:
            client.sendall(request)
            # The worker reads one request after the other, so it has read that one when it answers this one.
            assert nginx.ask("/open").status == 204
            if number % 2:
                client.shutdown(socket.SHUT_WR)
                nginx.wait_for("client prematurely closed connection", start)
        nginx.wait_for("client prematurely closed connection", start)
    key_server.released.set()
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204
    assert key_server.requests == 1


def test_pipelined_requests_and_bodies_wait_too(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url))
    key_server.released.clear()
    nginx = site.start(SERVER)
    assert key_server.asked.acquire(timeout=PATIENCE)
    one = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nAuthorization: Bearer {PUBLIC_TOKEN}\r\n\r\nabc"
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=PATIENCE) as client:
        client.sendall((one + one + one.replace("POST", "GET").replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n")).encode())
        assert nginx.ask("/open").status == 204
        key_server.released.set()
        received = b""
        while part := client.recv(65536):
            received += part
    assert received.count(b"HTTP/1.1 204") == 3


def test_subrequests_wait_for_keys(site: Site, key_server: KeyServer) -> None:
    folder = site.directory / "html"
    folder.mkdir()
    (folder / "page").write_text('<!--# include virtual="/part" -->|<!--# include virtual="/part" -->|', encoding="utf-8")
    (folder / "part").write_text("part", encoding="utf-8")
    site.write("remote.json", remote(key_server.url))
    key_server.released.clear()
    nginx = site.start("""
        jwtauth_config remote.json;
        location /page { ssi on; ssi_types *; }
        location /part { jwtauth on; }
        location /open { return 204; }
        location = /ask { internal; jwtauth on; try_files /part =404; }
        location /asked { auth_request /ask; try_files /page =404; }
    """)
    assert key_server.asked.acquire(timeout=PATIENCE)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(nginx.ask, path, PUBLIC_TOKEN) for path in ("/page", "/asked", "/page", "/asked")]
        with socket.create_connection(("127.0.0.1", nginx.port), timeout=PATIENCE) as client:
            client.sendall(f"GET /asked HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {PUBLIC_TOKEN}\r\n\r\n".encode())
            assert nginx.ask("/open").status == 204
        assert nginx.ask("/open").status == 204
        key_server.released.set()
        answers = [one.result() for one in waiting]
    assert [answer.status for answer in answers] == [200] * 4
    assert answers[0].text == answers[2].text == "part|part|"


def test_keys_that_a_token_names_are_looked_for_once(site: Site, key_server: KeyServer) -> None:
    """Forged tokens cost the key server one request for each cool-down, and block nothing."""
    site.write("remote.json", remote(key_server.url))
    nginx = site.start(SERVER)
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204
    before = key_server.requests
    forged = PUBLIC_TOKEN[:-6] + "AAAAAA"
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: nginx.ask("/", forged), range(30)))
    assert {answer.status for answer in answers} == {401}
    assert key_server.requests - before <= 1


def test_a_reload_and_a_stop_wait_for_requests_that_wait_for_keys(site: Site, key_server: KeyServer) -> None:
    site.write("remote.json", remote(key_server.url))
    key_server.released.clear()
    nginx = site.start(SERVER)
    assert key_server.asked.acquire(timeout=PATIENCE)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(nginx.ask, "/", PUBLIC_TOKEN)
        assert nginx.ask("/open").status == 204
        nginx.reload("gracefully shutting down")
        # The new worker fetches for itself.
        assert key_server.asked.acquire(timeout=PATIENCE)
        assert nginx.ask("/open").status == 204
        key_server.released.set()
        assert waiting.result().status == 204
    assert nginx.ask("/", PUBLIC_TOKEN).status == 204

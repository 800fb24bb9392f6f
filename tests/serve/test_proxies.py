"""Proxies of Debian in front of a page: granted, denied, expired, forged headers, keys out of reach, logins through the URL."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxies import Page, Proxy, Running, apache, caddy, haproxy, nginx, serve_page
from serve import LIMIT, Serve, expired, fetch, native, public_pem, token

NAMES = ["User", "Email", "Name", "Groups", "Roles", "Policies", "Cleaned-Url"]


@pytest.fixture(scope="module")
def page() -> Iterator[int]:
    server = serve_page()
    yield server.server_address[1]
    server.shutdown()


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_a_proxy_lets_pass_what_is_granted(proxy: Proxy, page: int) -> None:
    # What a client may write to look like somebody else.
    forged = {f"X-Auth-{name}": "forged" for name in NAMES}
    with Serve(native()) as serve, Running(proxy, page, serve.port) as running:
        def ask(jwt: str | None, **more: str) -> tuple[int, dict[str, str], str]:
            headers = {"Authorization": f"Bearer {jwt}"} if jwt else {}
            return fetch(running.url + "/x?y=1", headers | more)

        status, _, text = ask(token(sub="alice"), **forged)
        assert status == 200 and "forged" not in text, text
        seen = json.loads(text)
        assert (seen["x-auth-user"], seen[":path"]) == ("alice", "/x?y=1")
        if proxy is not apache:
            assert seen["x-auth-groups"] == "eng"
        # A caller without a group does not keep the group that the client wrote.
        status, _, text = ask(token(groups=None), **forged)
        assert status == 200 and "forged" not in text, text
        assert ask(None, **forged)[0] == 401
        assert ask(expired())[0] == 401
        assert ask("garbage", **forged)[0] == 401
        status, _, text = ask(token(sub="a\r\nX-Auth-Groups: admins"))
        assert status == 200 and json.loads(text)["x-auth-user"] == "a%0D%0AX-Auth-Groups: admins"
        many = {f"X-Many-{number}": "1" for number in range(50)}
        assert ask(token(), **many)[0] == 200


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_no_other_spelling_of_a_header_reaches_the_application(proxy: Proxy, page: int) -> None:
    # Applications read `_`, and in PHP also `.`, in the name of a header as `-`, in any mix.
    parts = [["X", "Auth", *name.split("-")] for name in NAMES]
    spellings = {
        spell("".join(part + mark for part, mark in zip(words, [*marks, ""])))
        for words in parts for marks in itertools.product("-_.", repeat=len(words) - 1) for spell in [str, str.lower]}
    with Serve(native()) as serve, Running(proxy, page, serve.port) as running:
        jwt = {"Authorization": f"Bearer {token(sub='alice', groups=None)}"}
        for name in sorted(spellings):
            status, _, text = fetch(running.url + "/", jwt | {name: "forged"})
            assert status == 200 and "forged" not in text, (name, text)
            assert json.loads(text)["x-auth-user"] == "alice", name


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_a_token_that_does_not_allow_it_is_403_and_the_client_cannot_choose_the_profile(proxy: Proxy, page: int) -> None:
    config = native(auth={"profile": "strict"})
    config["config"]["profiles"] = {"strict": {"claims": [{"claim": "plan", "equals": "pro"}]}, "lax": {}}
    with Serve(config) as serve, Running(proxy, page, serve.port) as running:
        def status(plan: str, query: str) -> int:
            return fetch(running.url + "/x" + query, {"Authorization": f"Bearer {token(plan=plan)}"})[0]

        assert status("pro", "") == 200
        for query in ["", "?profile=lax", "?profile=lax&profile=strict", "?/profile/lax"]:
            assert status("free", query) == 403, query


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy])
def test_a_token_can_be_in_a_cookie(proxy: Proxy, page: int) -> None:
    config = native()
    config["config"]["token"] = {"header": None, "cookie": "jwt"}
    with Serve(config) as serve, Running(proxy, page, serve.port) as running:
        status, _, text = fetch(running.url + "/", {"Cookie": f"a=b; jwt={token()}"})
        assert (status, json.loads(text)["x-auth-user"]) == (200, "alice")
        assert fetch(running.url + "/", {"Cookie": f"a=b; jwt={expired()}"})[0] == 401
        assert fetch(running.url + "/", {"Cookie": f"jwt={token()}; jwt={token(sub='bob')}"})[0] == 401
        assert fetch(running.url + "/", {"Authorization": f"Bearer {token()}"})[0] == 401


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_keys_out_of_reach_let_nothing_pass(proxy: Proxy, page: int) -> None:
    config = native()
    config["config"]["keys"] = [{"jwks_url": "http://127.0.0.1:1/keys", "insecure_http": True}]
    with Serve(config) as serve, Running(proxy, page, serve.port) as running:
        assert fetch(running.url + "/", {"Authorization": f"Bearer {token()}"})[0] == 503


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy, apache])
def test_a_server_that_does_not_run_lets_nothing_pass(proxy: Proxy, page: int) -> None:
    with Serve(native()) as serve, Running(proxy, page, serve.port) as running:
        serve.kill()
        # Caddy reports that the server does not answer.
        assert fetch(running.url + "/", {"Authorization": f"Bearer {token()}"})[0] == (502 if proxy is caddy else 503)


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


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy])
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
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT)
        assert ("/public/app.js", "alice") in Page.seen
        # The dashboard was asked for without the token, if the proxy passes redirects on.
        assert ("/dashboard", "alice") in Page.seen or proxy is nginx

"""The examples of sessions do what the documentation shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import PATIENCE, PUBLIC_KEYS, PUBLIC_TOKEN, ROOT, token
from sessions_config import keeping
from test_examples import SESSIONS as README

import jwtauth
from jwtauth import Denied

(PAGE,) = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
PROGRAM = ROOT / "examples" / "python" / "login_server.py"


@pytest.mark.parametrize("text", [README, PAGE], ids=["README", "docs"])
def test_the_documented_sessions_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(PUBLIC_KEYS))
    monkeypatch.chdir(tmp_path)
    config = {
        "dialect": "native",
        "config": {
            "keys": [{"jwks_file": "keys.json"}],
            "algorithms": ["EdDSA"],
            "issuer": "https://issuer.example",
            "audiences": ["api"],
            "session": {"ttl": "1h"},
        },
    }
    names: dict[str, Any] = {
        **vars(jwtauth),
        "config": config,
        "jwt": PUBLIC_TOKEN,
        "request": SimpleNamespace(client_host="10.0.0.1"),
    }
    exec(text, names)
    assert names["session"].subject == "alice"
    with pytest.raises(Denied):
        names["sessions"].authorize(names["login"].token)


@contextmanager
def server(config: Path) -> Iterator[str]:
    """The address of the example server."""
    command = [sys.executable, "-W", "error", str(PROGRAM), str(config), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()


def ask(method: str, url: str, bearer: str | None = None) -> tuple[int, Any]:
    """The status and the content of an answer."""
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    request = urllib.request.Request(url, method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, json.load(answer)


def test_the_example_server_lets_in_who_has_logged_in(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(keeping()))
    with server(config) as url:
        assert ask("POST", f"{url}/login") == (401, {"error": "token_missing"})
        assert ask("POST", f"{url}/login", token(exp=1)) == (401, {"error": "token_expired"})
        assert ask("GET", f"{url}/") == (401, {"error": "session_unknown"})
        assert ask("GET", f"{url}/", token()) == (401, {"error": "session_unknown"})
        status, answer = ask("POST", f"{url}/login", token())
        assert (status, answer["lease_duration"]) == (200, 3600)
        held = answer["token"]
        status, page = ask("GET", f"{url}/", held)
        assert (status, page["hello"]) == (200, "alice")
        assert "Entitlement('role', 'editor')" in page["entitlements"]
        assert ask("POST", f"{url}/login", held) == (401, {"error": "token_malformed"})
        assert ask("GET", f"{url}/login", held) == (404, {"error": "not found"})
        assert ask("POST", f"{url}/logout", held) == (200, {})
        assert ask("GET", f"{url}/", held) == (401, {"error": "session_unknown"})
        assert ask("POST", f"{url}/logout", held) == (401, {"error": "session_unknown"})


def test_the_example_server_says_when_its_store_is_away(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(keeping(store={"sqlite": {"path": str(tmp_path / "none" / "sessions.db")}})))
    with server(config) as url:
        assert ask("POST", f"{url}/login", token()) == (503, {"error": "store_unavailable"})
        assert ask("GET", f"{url}/", "jas.x") == (503, {"error": "store_unavailable"})


def test_the_example_server_refuses_a_wrong_command_line(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"dialect": "nativ"}')
    for arguments, printed in (([], "usage: "), ([config], "refused: config_invalid: "), ([tmp_path], "refused: ")):
        command = [sys.executable, str(PROGRAM), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith(printed)

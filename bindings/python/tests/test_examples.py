"""The examples of the documentation do what the documentation shows."""

from __future__ import annotations

import asyncio
import doctest
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ACCEPT, CONFIG, PATIENCE, PUBLIC_KEYS, PUBLIC_TOKEN, ROOT, KeyServer, remote, token

import jwtauth
from jwtauth import Denied, FetchResponse, Grant, Unavailable, Verifier

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
FIRST, MANY, EXPLAIN, EVENTS, REFRESH, CLIENT, _, FRAMEWORK, SERVER, SESSIONS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
(SHOWN,) = re.findall(r"^```pycon\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)

def first_example(directory: Path, monkeypatch: pytest.MonkeyPatch, bearer: str) -> dict[str, Any]:
    """Runs the README's first example on a request, and returns its variables."""
    (directory / "keys.json").write_text(json.dumps(PUBLIC_KEYS))
    monkeypatch.chdir(directory)
    names: dict[str, Any] = {"request": SimpleNamespace(headers={"Authorization": f"Bearer {bearer}"})}
    exec(FIRST, names)
    return names


def test_the_first_example_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first_example(tmp_path, monkeypatch, PUBLIC_TOKEN)
    first_example(tmp_path, monkeypatch, PUBLIC_TOKEN[:-4] + "AAAA")
    assert capsys.readouterr().out.splitlines() == [
        "granted: alice (Entitlement('role', 'editor'),)",
        "refused: signature_invalid None",
    ]


def test_a_grant_is_as_the_readme_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = first_example(tmp_path, monkeypatch, PUBLIC_TOKEN)
    names = {"grant": names["grant"]}
    shown = doctest.DocTestParser().get_doctest(SHOWN, names, "README", None, None)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(shown)
    assert len(shown.examples) == 7
    assert runner.failures == 0


def test_many_tokens_are_decided_as_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = first_example(tmp_path, monkeypatch, PUBLIC_TOKEN)
    capsys.readouterr()
    exec(MANY, {"verifier": names["verifier"], "Grant": Grant, "tokens": [PUBLIC_TOKEN, "a.b.c"]})
    assert capsys.readouterr().out.splitlines() == ["granted: alice", "refused: token_malformed"]


def test_an_explanation_is_printed_as_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = first_example(tmp_path, monkeypatch, PUBLIC_TOKEN)
    capsys.readouterr()
    exec(EXPLAIN, {"verifier": names["verifier"], "request": names["request"]})
    printed = capsys.readouterr().out
    assert "passed expires `exp` is in" in printed
    assert "failed" not in printed


def test_events_are_logged_as_the_readme_shows(caplog: pytest.LogCaptureFixture) -> None:
    names: dict[str, Any] = {"Verifier": Verifier, "log_events": jwtauth.log_events, "config": CONFIG}
    exec(EVENTS, names)
    with pytest.raises(Denied):
        names["verifier"].authenticate("a.b.c")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("jwtauth", "WARNING")


def test_a_refresh_prints_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = first_example(tmp_path, monkeypatch, PUBLIC_TOKEN)
    capsys.readouterr()
    exec(REFRESH, {"verifier": names["verifier"]})
    assert capsys.readouterr().out == "keys[0].jwks_file fixed []\n"


def test_the_program_with_a_framework_is_that_of_its_page() -> None:
    page = (ROOT / "docs" / "frameworks" / "fastapi.md").read_text(encoding="utf-8")
    assert FRAMEWORK in page


def test_the_fetch_function_of_the_readme_works() -> None:
    seen: dict[str, Any] = {}

    class Session:
        @contextmanager
        def get(self, url: str, **options: Any) -> Iterator[SimpleNamespace]:
            seen.update(url=url, **options)
            content = json.dumps(PUBLIC_KEYS).encode()
            yield SimpleNamespace(status_code=200, content=content, headers={"Cache-Control": "max-age=60"})

    config = remote("https://issuer.example/keys", timeout="3s")
    names: dict[str, Any] = {"FetchResponse": FetchResponse, "Verifier": Verifier, "session": Session(), "config": config}
    exec(CLIENT, names)
    assert names["verifier"].authenticate(PUBLIC_TOKEN).identity.name == "alice"
    assert (seen["url"], seen["headers"]) == ("https://issuer.example/keys", {"Accept": ACCEPT})
    assert (seen["timeout"] <= 3, seen["allow_redirects"]) == (True, False)
    (source,) = names["verifier"].policy()["key_status"]
    assert source["next_refresh"] <= 60


@pytest.mark.parametrize(
    ("outcome", "status", "body"),
    [
        ("grant", None, {"name": "alice"}),
        (Denied("token_expired", "", http_status=403), 403, {"error": "token_expired"}),
        (Denied("token_missing", ""), 401, {"error": "token_missing"}),
        (Unavailable("key_source_unavailable", ""), 503, {"error": "try again"}),
    ],
    ids=["grant", "denial", "denial without a status", "outage"],
)
def test_the_server_of_the_readme_responds_as_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Any,
    status: int | None,
    body: dict[str, str],
) -> None:
    grant: Grant = first_example(tmp_path, monkeypatch, PUBLIC_TOKEN)["grant"]

    class Fixed:
        async def authenticate_async(self, **_: object) -> Grant:
            if isinstance(outcome, Exception):
                raise outcome
            return grant

    names: dict[str, Any] = {
        "Request": object,
        "Response": lambda body, status=None: (body, status),
        "Denied": Denied,
        "Unavailable": Unavailable,
        "verifier": Fixed(),
    }
    exec(SERVER, names)
    request = SimpleNamespace(headers={}, client_host="10.0.0.1")
    assert asyncio.run(names["whoami"](request)) == (body, status)


def program(
    *arguments: str | Path, name: str = "authenticate.py"
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / "python" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "printed"),
    [
        (["good"], 0, "granted: alice [Entitlement('policy', 'web-read'), Entitlement('role', 'editor')]"),
        (["good", "closed"], 1, "refused: subject_mismatch: "),
        (["expired"], 1, "refused: token_expired: the token has expired"),
        (["forged"], 1, "refused: signature_invalid: the signature is invalid"),
        ([], 2, "usage: authenticate.py CONFIG TOKEN [PROFILE]"),
        (["good", "closed", "more"], 2, "usage: authenticate.py CONFIG TOKEN [PROFILE]"),
    ],
    ids=["good", "profile", "expired", "forged", "nothing", "too much"],
)
def test_the_example_program_decides(tmp_path: Path, arguments: list[str], status: int, printed: str) -> None:
    forged = token(None, b"the secret of another issuer, just as long")
    tokens = {"good": token(), "expired": token(exp=1), "forged": forged}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    done = program(config, *(tokens.get(argument, argument) for argument in arguments))
    assert done.returncode == status
    assert (done.stdout if status < 2 else done.stderr).startswith(printed)


def test_the_example_program_reports_an_invalid_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"dialect": "nativ"}')
    for path, mistake in ((config, "refused: config_invalid: "), (tmp_path / "none.json", "refused: config_invalid: ")):
        done = program(path, "a.b.c")
        assert done.returncode == 2
        assert done.stderr.startswith(mistake)


@pytest.mark.parametrize(
    ("path", "settings", "status", "printed"),
    [
        ("/keys", {}, 0, "granted: alice []"),
        ("/keys", {"max_bytes": 64}, 3, "refused: key_source_unavailable: "),
        ("/error", {}, 3, "http: status 500"),
        ("/moved", {}, 3, "http: status 302"),
        ("/nowhere", {}, 3, "http: status 404"),
    ],
    ids=["keys", "too large", "error", "redirect", "not found"],
)
def test_the_example_with_its_own_client_decides(
    tmp_path: Path, key_server: KeyServer, path: str, settings: dict[str, Any], status: int, printed: str
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(remote(key_server.url.replace("/keys", path), **settings)))
    done = program(config, PUBLIC_TOKEN, name="own_client.py")
    assert done.returncode == status, done.stderr
    assert printed in (done.stdout if status == 0 else done.stderr)
    assert "what a server says" not in done.stdout + done.stderr


def test_the_example_with_its_own_client_reports_an_unreachable_server(tmp_path: Path) -> None:
    with KeyServer() as gone:
        url = gone.url
    config = tmp_path / "config.json"
    config.write_text(json.dumps(remote(url)))
    done = program(config, PUBLIC_TOKEN, name="own_client.py")
    assert done.returncode == 3
    assert f"{url}: connect: no connection to the key server" in done.stderr

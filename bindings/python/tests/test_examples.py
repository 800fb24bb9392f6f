"""What the documentation shows is what happens."""

from __future__ import annotations

import asyncio
import doctest
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import CONFIG, PUBLIC_KEYS, PUBLIC_TOKEN, ROOT, token

import jwtauth
from jwtauth import Denied, Grant, Unavailable

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
FIRST, _, SERVER = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
(SHOWN,) = re.findall(r"^```pycon\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)

def first_example(directory: Path, monkeypatch: pytest.MonkeyPatch, bearer: str) -> dict[str, Any]:
    """Runs the README's first example on a request, and returns its names."""
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
    names = {"grant": names["grant"], "Entitlement": jwtauth.Entitlement}
    shown = doctest.DocTestParser().get_doctest(SHOWN, names, "README", None, None)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(shown)
    assert len(shown.examples) == 7
    assert runner.failures == 0


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
def test_the_server_answers_as_the_readme_says(
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


def program(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / "python" / "authenticate.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "printed"),
    [
        (["good"], 0, "granted: alice [Entitlement('policy', 'web-read'), Entitlement('role', 'editor')]"),
        (["good", "closed"], 1, "refused: subject_mismatch: "),
        (["expired"], 1, "refused: token_expired: the token has expired"),
        (["forged"], 1, "refused: signature_invalid: the signature does not verify"),
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


def test_the_example_program_names_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"dialect": "nativ"}')
    for path, mistake in ((config, "refused: config_invalid: "), (tmp_path / "none.json", "refused: [Errno 2]")):
        done = program(path, "a.b.c")
        assert done.returncode == 2
        assert done.stderr.startswith(mistake)

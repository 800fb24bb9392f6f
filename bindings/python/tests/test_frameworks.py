"""The integrations with web frameworks: real applications on real servers, with real tokens of an OpenID Connect provider."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import CONFIG, NOW, PATIENCE, ROOT, KeyServer, token
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

HERE = Path(__file__).parent / "frameworks"

ASGI = {"asgi": "asgi_app", "starlette": "starlette_app", "fastapi": "fastapi_app"}
WSGI = {"wsgi": "wsgi_app", "flask": "flask_app"}
DJANGO = {
    "django": {"DJANGO": "middleware", "SERVER": "gunicorn"},
    "django with asgi": {"DJANGO": "middleware", "SERVER": "uvicorn"},
    "rest_framework": {"DJANGO": "rest", "SERVER": "gunicorn"},
}
# Without the middleware. REST framework itself has no asynchronous views.
ALONE = {"django alone with asgi": {"DJANGO": "rest", "SERVER": "uvicorn"}}
BACKEND = {"django with users": {"DJANGO": "users", "SERVER": "gunicorn"}}
OF_DJANGO = {**DJANGO, **ALONE, **BACKEND}
FRAMEWORKS = [*ASGI, *WSGI, *DJANGO]
REQUIRED = ["/deploy", "/admin", "/staff", "/both"]

CHALLENGE = 'Bearer realm="test"'


def challenge(error: str, description: str) -> str:
    return f'{CHALLENGE}, error="{error}", error_description="{description}"'


NOT_ENOUGH = challenge("insufficient_scope", "the grant does not have what this request requires")
Headers = dict[str, str | list[str]]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        found = json.loads(self.text)
        # FastAPI and REST framework have a member for the details of an error.
        return found["detail"] if isinstance(found.get("detail"), dict) else found


@dataclass
class Provider:
    """The OpenID Connect provider of tests/oidc, in a separate process."""

    process: subprocess.Popen[str]
    about: dict[str, Any] = field(init=False)
    issued: str = field(init=False)

    def __post_init__(self) -> None:
        self.about = self.ask("describe")
        self.issued = self.ask("tokens")[0]

    def ask(self, command: str) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    command = ["node", str(ROOT / "tests" / "oidc" / "rotation.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Provider(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def verifiers(provider: Provider) -> Iterator[dict[str, Any]]:
    """The configurations, by the names of their routes."""
    issuer, keys, audiences = (provider.about[name] for name in ("issuer", "jwks_uri", "audiences"))
    issued_at = json.loads(base64.urlsafe_b64decode(provider.issued.split(".")[1] + "=="))["iat"]

    # The time stands still, so that a slow run does not see the tokens expire.
    def fetched(now: int = issued_at, **changed: Any) -> dict[str, Any]:
        config = {
            "keys": [{"jwks_url": keys}],
            "algorithms": ["RS256"],
            "issuer": issuer,
            "audiences": [audiences[0]],
            "identity": {"name": "client_id", "groups": "groups"},
            "policies": ["deploy"],
            **changed,
        }
        return {"dialect": "native", "config": config, "options": {"now": now}}

    with KeyServer.started() as broken:
        yield {
            "main": fetched(),
            "late": fetched(issued_at + 3600),
            "down": fetched(keys=[{"jwks_url": broken.url.replace("/keys", "/error")}]),
            "strict": fetched(claims=[{"claim": "client_id", "equals": "somebody else"}]),
            "away": fetched(bound_cidrs=["192.0.2.0/24"]),
            "here": fetched(bound_cidrs=["127.0.0.0/8", "::1/128"]),
            "vault": {
                "dialect": "vault",
                "config": {
                    "jwt_supported_algs": ["RS256"],
                    "jwks_url": keys,
                    "default_role": "machine",
                    "roles": {"machine": {"role_type": "jwt", "user_claim": "client_id", "bound_audiences": audiences}},
                },
                "options": {"now": issued_at},
            },
            "own": CONFIG,
            # Its options are wrong, see common.py.
            "wrong": CONFIG,
        }


class Site:
    """The application of a framework on its servers. With Django, a process has one verifier."""

    def __init__(self, name: str, verifiers: dict[str, Any], directory: Path) -> None:
        self.name = name
        self.verifiers = verifiers
        self.directory = directory
        self.file = directory / "verifiers.json"
        self.file.write_text(json.dumps(verifiers), encoding="utf-8")
        self.running: dict[str, tuple[subprocess.Popen[bytes], tuple[str, int]]] = {}

    def place(self, path: str) -> tuple[tuple[str, int], str]:
        """The server and the path of a route."""
        verifier, route = "main", path
        if self.name in OF_DJANGO and path[1:] in self.verifiers:
            verifier, route = path[1:], "/me"
        if verifier not in self.running:
            self.running[verifier] = self.start(verifier)
        return self.running[verifier][1], route

    def start(self, verifier: str) -> tuple[subprocess.Popen[bytes], tuple[str, int]]:
        settings = OF_DJANGO.get(self.name, {})
        module = ASGI.get(self.name) or WSGI.get(self.name) or "django_app"
        with_uvicorn = self.name in ASGI or settings.get("SERVER") == "uvicorn"
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            number = str(listener.fileno())
            command = (
                ["serve.py", f"{module}:application", number]
                if with_uvicorn
                else ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "8", "--no-control-socket"]
                + ["--worker-tmp-dir", str(self.directory), "--bind", f"fd://{number}", f"{module}:application"]
            )
            with (self.directory / f"{verifier}.log").open("w") as log:
                process = subprocess.Popen(
                    [sys.executable, "-W", "error::DeprecationWarning:jwtauth", *command],
                    cwd=HERE,
                    env={**os.environ, "VERIFIERS": str(self.file), "VERIFIER": verifier, **settings},
                    pass_fds=[listener.fileno()],
                    stdout=log,
                    stderr=log,
                )
            address: tuple[str, int] = listener.getsockname()[:2]
            return process, address

    def stop(self) -> None:
        for process, _ in self.running.values():
            process.terminate()
        for process, _ in self.running.values():
            process.wait(PATIENCE)

    def connection(self, path: str) -> tuple[http.client.HTTPConnection, str]:
        address, route = self.place(path)
        return http.client.HTTPConnection(*address, timeout=PATIENCE), route

    def ask(self, path: str, bearer: str | None = None, /, method: str = "GET", **headers: str | list[str]) -> Answer:
        """Sends a request."""
        connection, route = self.connection(path)
        try:
            return send(connection, route, bearer, method, headers)
        finally:
            connection.close()

    def reached(self, path: str) -> int:
        """How often handlers were called on the server of a route."""
        address, _ = self.place(path)
        connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
        try:
            count: int = send(connection, "/reached").json["reached"]
            return count
        finally:
            connection.close()

    def refuse(self, path: str, bearer: str | None = None, /, method: str = "GET", **headers: str | list[str]) -> Answer:
        """Sends a request that must be refused: the handler is not called, and the answer shows nothing of the token."""
        before = self.reached(path)
        answer = self.ask(path, bearer, method, **headers)
        assert answer.status >= 400, answer
        assert self.reached(path) == before
        assert not re.search(r"eyJ|build-machine|somebody else|Traceback|File \"|alice", answer.text), answer.text
        return answer


def send(
    connection: http.client.HTTPConnection,
    path: str,
    bearer: str | None = None,
    method: str = "GET",
    headers: dict[str, Any] | None = None,
) -> Answer:
    connection.putrequest(method, path)
    if bearer is not None:
        connection.putheader("Authorization", f"Bearer {bearer}")
    for name, values in (headers or {}).items():
        for value in [values] if isinstance(values, str) else values:
            connection.putheader(name.replace("_", "-"), value)
    if method in ("POST", "PUT"):
        connection.putheader("Content-Length", "0")
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)


@pytest.fixture(scope="module", params=FRAMEWORKS)
def site(
    request: pytest.FixtureRequest, verifiers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    site = Site(request.param, verifiers, directory)
    failed = request.session.testsfailed
    try:
        yield site
    finally:
        site.stop()
        if request.session.testsfailed > failed:
            for log in directory.glob("*.log"):
                print(log.read_text())


def test_a_token_of_the_provider_is_let_in(site: Site, provider: Provider) -> None:
    for path in ("/me", "/me?x=1", "/mounted/me", "/deploy", "/staff", "/here", "/vault"):
        answer = site.ask(path, provider.issued)
        assert (path, answer.status, answer.text and answer.json) == (path, 200, {"name": "build-machine"})


def test_a_request_without_a_token_is_refused(site: Site) -> None:
    for path in ("/me", "/mounted/me", *REQUIRED, "/vault"):
        answer = site.refuse(path)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, CHALLENGE)
        assert answer.headers["content-type"] == "application/json"
        if site.name != "rest_framework":
            assert answer.json["code"] == "token_missing"
    assert site.refuse("/me", Authorization="Basic eHl6").headers["www-authenticate"] == CHALLENGE


def test_a_wrong_token_is_refused(site: Site, provider: Provider) -> None:
    forged = provider.issued[:-8] + "AAAAAAAA"
    for path, bearer, code, message in (
        ("/me", forged, "signature_invalid", "the signature is invalid"),
        ("/deploy", forged, "signature_invalid", "the signature is invalid"),
        ("/vault", forged, "signature_invalid", "the signature is invalid"),
        ("/late", provider.issued, "token_expired", "the token has expired"),
        ("/own", provider.issued, "algorithm_not_allowed", "the token's algorithm is not allowed"),
        ("/me", token(), "algorithm_not_allowed", "the token's algorithm is not allowed"),
    ):
        answer = site.refuse(path, bearer)
        found = answer.status, answer.json["code"], answer.headers["www-authenticate"]
        assert found == (401, code, challenge("invalid_token", message))
        assert answer.json["error"] == "invalid_token"


def test_two_tokens_are_refused(site: Site, provider: Provider) -> None:
    for path in ("/me", "/vault"):
        answer = site.refuse(path, provider.issued, Authorization="Bearer a.b.c")
        # Where the server joins the values of a header, they are one token of the wrong form.
        assert (answer.status, answer.json["code"]) in ((401, "token_ambiguous"), (401, "token_malformed"))


def test_a_valid_token_that_is_not_enough_is_refused(site: Site, provider: Provider) -> None:
    for path in ("/admin", "/both"):
        answer = site.refuse(path, provider.issued)
        found = answer.status, answer.headers["www-authenticate"], answer.json["error"]
        assert found == (403, NOT_ENOUGH, "insufficient_scope")
    mismatch = site.refuse("/strict", provider.issued)
    wanted = challenge("insufficient_scope", "a claim does not have the required value")
    assert (mismatch.status, mismatch.json["code"], mismatch.headers["www-authenticate"]) == (403, "claim_mismatch", wanted)
    outside = site.refuse("/away", provider.issued, X_Forwarded_For="192.0.2.1", Forwarded="for=192.0.2.1")
    assert (outside.status, outside.json["code"]) == (403, "address_not_allowed")


def test_while_the_keys_are_out_of_reach_the_status_is_503(site: Site, provider: Provider) -> None:
    answer = site.refuse("/down", provider.issued)
    assert (answer.status, answer.headers["retry-after"], answer.headers.get("www-authenticate")) == (503, "7", None)
    assert answer.json == {
        "error": "temporarily_unavailable",
        "code": "key_source_unavailable",
        "message": "the keys are currently unavailable",
    }


def test_an_error_of_the_program_has_the_status_500_and_shows_nothing(site: Site, provider: Provider) -> None:
    answer = site.refuse("/wrong", provider.issued)
    assert (answer.status, answer.headers.get("www-authenticate")) == (500, None)
    assert answer.json == {"error": "server_error", "message": "internal error"}


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_every_method_is_decided(site: Site, provider: Provider, method: str) -> None:
    before = site.reached("/me")
    answer = site.ask("/me", None, method)
    # Without a handler, Flask answers OPTIONS itself; a router may not know the method.
    allowed = {"OPTIONS": (401, 200), "BREW": (401, 405)}.get(method, (401,))
    assert answer.status in allowed
    assert site.reached("/me") == before
    if method == "HEAD":
        assert answer.text == ""
        assert site.ask("/me", provider.issued, method).status == 200


def test_routes_without_a_grant_exist_where_they_are_configured(site: Site, provider: Provider) -> None:
    assert site.ask("/public", provider.issued).json == {"name": None}
    assert site.ask("/public").json == {"name": None}
    assert site.ask("/public", "a.b.c").json == {"name": None}
    if site.name in ("flask", "django", "django with asgi"):
        return
    assert site.ask("/optional").json == {"name": None}
    assert site.ask("/optional", provider.issued).json == {"name": "build-machine"}
    answer = site.refuse("/optional", "a.b.c")
    assert (answer.status, answer.json["code"]) == (401, "token_malformed")


def test_concurrent_requests_are_kept_apart(site: Site, provider: Provider) -> None:
    for path in ("/own", "/admin", "/me"):
        site.place(path)

    def run(number: int) -> object:
        match number % 4:
            case 0:
                return site.ask("/own", token(sub=f"user-{number}")).json == {"name": f"user-{number}"}
            case 1:
                return site.ask("/own", token(exp=NOW - 600)).json["code"] == "token_expired"
            case 2:
                return site.ask("/admin", provider.issued).status == 403
            case _:
                return site.ask("/me", provider.issued).json == {"name": "build-machine"}

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(run, range(120))) == [True] * 120


def test_the_grant_of_a_request_is_forgotten_on_an_open_connection(site: Site, provider: Provider) -> None:
    connection, path = site.connection("/me")
    assert send(connection, path, provider.issued).status == 200
    assert send(connection, path).status == 401
    assert send(connection, path, provider.issued).status == 200
    connection.close()


def test_an_integration_loads_no_other_framework(site: Site) -> None:
    needed = {
        "starlette": ["starlette"],
        "fastapi": ["fastapi", "starlette"],
        "flask": ["flask"],
        "asgi": [],
        "wsgi": [],
    }.get(site.name, ["django", "rest_framework"])
    assert site.ask("/reached").json["modules"] == needed


@pytest.fixture(scope="module", params=list(ASGI))
def socket_site(
    request: pytest.FixtureRequest, verifiers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    site = Site(request.param, verifiers, tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


def test_a_websocket_needs_a_grant(socket_site: Site, provider: Provider) -> None:
    host, port = socket_site.place("/me")[0]
    url = f"ws://{host}:{port}/ws"

    def open_with(*headers: tuple[str, str]) -> Any:
        with connect(url, additional_headers=list(headers), proxy=None) as opened:
            return json.loads(opened.recv())

    assert open_with(("Authorization", f"Bearer {provider.issued}")) == {"name": "build-machine"}
    before = socket_site.reached("/me")
    for headers, wanted in (
        ([], CHALLENGE),
        ([("Authorization", "Bearer a.b.c")], challenge("invalid_token", "the token is not a compact JWS")),
    ):
        with pytest.raises(InvalidStatus) as refused:
            open_with(*headers)
        response = refused.value.response
        assert (response.status_code, response.headers["www-authenticate"]) == (401, wanted)
    assert socket_site.reached("/me") == before


@pytest.mark.parametrize("name", [*DJANGO, *ALONE])
def test_a_requirement_of_an_asynchronous_class_of_django_holds_on_every_server(
    name: str, verifiers: dict[str, Any], provider: Provider, tmp_path: Path
) -> None:
    site = Site(name, verifiers, tmp_path)
    try:
        assert site.ask("/class/deploy", provider.issued).json == {"name": "build-machine"}
        assert site.ask("/class/deploy", provider.issued, "OPTIONS").headers["allow"] == "GET, HEAD, OPTIONS"
        assert site.ask("/class/deploy", provider.issued, "DELETE").status == 405
        for path in ("/class/deploy", "/class/admin"):
            for method in ("GET", "DELETE", "OPTIONS"):
                assert site.refuse(path, None, method).headers["www-authenticate"] == CHALLENGE
            assert site.refuse(path, "a.b.c").json["code"] == "token_malformed"
        answer = site.refuse("/class/admin", provider.issued)
        assert (answer.status, answer.headers["www-authenticate"]) == (403, NOT_ENOUGH)
    finally:
        site.stop()


def test_the_backend_of_django_logs_in_the_user_that_a_token_names(
    verifiers: dict[str, Any], provider: Provider, tmp_path: Path
) -> None:
    site = Site("django with users", verifiers, tmp_path)
    try:
        site.place("/me")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: site.ask("/me", provider.issued), range(8)))
        # One user, whom the first of these requests created.
        assert {answer.status for answer in answers} == {200}
        assert {tuple(answer.json.items()) for answer in answers} == {
            (("name", "build-machine"), ("is_staff", False), ("pk", answers[0].json["pk"]))
        }
        forged = provider.issued[:-8] + "AAAAAAAA"
        for path, bearer in (
            ("/me", None),
            ("/me", "a.b.c"),
            ("/me", forged),
            ("/late", provider.issued),
            ("/down", provider.issued),
            ("/strict", provider.issued),
            ("/away", provider.issued),
            ("/wrong", provider.issued),
        ):
            assert (path, site.refuse(path, bearer).status) == (path, 401)
    finally:
        site.stop()


def test_an_inner_middleware_without_a_token_hides_the_grant_of_the_outer_one(
    verifiers: dict[str, Any], provider: Provider, tmp_path: Path
) -> None:
    # The inner one reads another header, in which there is no token.
    nested = json.loads(json.dumps(verifiers))
    nested["own"]["config"]["token"] = {"header": "X-Other", "prefix": None}
    site = Site("asgi", nested, tmp_path)
    try:
        assert site.ask("/nested", provider.issued).json == {"name": None}
        assert site.ask("/nested", provider.issued, X_Other=token()).json == {"name": "alice"}
        assert site.refuse("/nested", None, X_Other=token()).status == 401
    finally:
        site.stop()

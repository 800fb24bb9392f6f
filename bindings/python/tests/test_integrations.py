"""The parts of the integrations that no request over HTTP shows: arguments, what applications may do wrong, missing packages."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import CONFIG, NOW, PATIENCE, PUBLIC_TOKEN, ROOT, KeyServer, remote, token
from fastapi import Depends, FastAPI
from flask import Flask, Response

import jwtauth
from jwtauth import ConfigError, Denied, Entitlement, Error, Grant, InternalError, Unavailable, Verifier
from jwtauth.integrations import asgi, wsgi
from jwtauth.integrations import flask as for_flask
from jwtauth.integrations._core import _NOT_ENOUGH, Authenticator, Refused, Requirement, Status
from jwtauth.integrations.fastapi import JWTAuth as FastAPIAuth
from jwtauth.integrations.starlette import JWTAuth as StarletteAuth


@pytest.fixture(scope="module")
def grant() -> Grant:
    return Verifier(CONFIG).authenticate(token())


@pytest.mark.parametrize(
    ("names", "is_met"),
    [
        ({}, True),
        ({"role": "editor"}, True),
        ({"role": "viewer"}, False),
        ({"role": ["admin", "editor"]}, True),
        ({"role": {"admin", "editor"}, "group": "guests"}, False),
        ({"role": "editor", "group": ("guests", "ops"), "policy": "web-read"}, True),
        ({"policy": "editor"}, False),
        ({"group": "sta"}, False),
        ({"group": "Staff"}, False),
        ({"entitlement": Entitlement("role", "editor")}, True),
        ({"entitlement": Entitlement("role", "editor", scope="1")}, False),
        ({"entitlement": [Entitlement("policy", "x"), Entitlement("policy", "web-read")]}, True),
    ],
)
def test_a_requirement_needs_every_argument_and_one_of_several_names(
    grant: Grant, names: dict[str, Any], is_met: bool
) -> None:
    requirement = Requirement(**names)
    if is_met:
        assert requirement.check(grant) is grant
    else:
        with pytest.raises(Refused) as refused:
            requirement.check(grant)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    "names",
    [
        {"role": None},
        {"role": ""},
        {"role": []},
        {"role": [None]},
        {"role": ["editor", ""]},
        {"role": 1},
        {"role": b"editor"},
        {"role": {"editor": True}},
        {"policy": None},
        {"group": ()},
        {"entitlement": None},
        {"entitlement": "role"},
        {"rol": "editor"},
    ],
)
def test_a_requirement_that_is_not_one_is_refused_when_the_program_starts(names: dict[str, Any]) -> None:
    verifier = Verifier(CONFIG)
    for make in (
        asgi.requires,
        wsgi.requires,
        StarletteAuth(verifier).requires,
        FastAPIAuth(verifier).requires,
        for_flask.JWTAuth(verifier).requires,
    ):
        with pytest.raises((TypeError, ValueError)):
            make(**names)


def test_only_a_grant_meets_a_requirement() -> None:
    class Forged:
        def has(self, *_: object) -> bool:
            return True

    for forged in (Forged(), True, {"outcome": "granted"}):
        with pytest.raises(TypeError):
            Requirement().check(forged)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        Requirement().check(None)
    assert refused.value.status == 401


def test_wrong_arguments_are_refused_when_the_program_starts() -> None:
    verifier = Verifier(CONFIG)

    async def app(*_: object) -> None: ...

    makers: list[Callable[..., Any]] = [
        lambda verifier, **options: asgi.JWTAuthMiddleware(app, verifier, **options),
        lambda verifier, **options: wsgi.JWTAuthMiddleware(app, verifier, **options),  # type: ignore[arg-type]
        StarletteAuth,
        FastAPIAuth,
        for_flask.JWTAuth,
    ]
    for make in makers:
        for wrong in (None, CONFIG, "verifier", object()):
            with pytest.raises(TypeError):
                make(wrong)
        for options in ({"realm": 'a"b'}, {"realm": "a\r\nb"}, {"profile": 1}, {"retry_after": -1}, {"retry_after": True}):
            with pytest.raises((TypeError, ValueError)):
                make(verifier, **options)
        for name, wrong, must_be in (
            ("realm", b"a", "a string"),
            ("realm", 1, "a string"),
            ("remote_addr", "192.0.2.1", "a function"),
            ("remote_addr", False, "a function"),
        ):
            with pytest.raises(TypeError, match=f"`{name}` must be {must_be}"):
                make(verifier, **{name: wrong})
    with pytest.raises(TypeError, match="`scheme_name` must be a string"):
        FastAPIAuth(verifier, scheme_name=None)  # type: ignore[arg-type]
    for kind in (asgi.JWTAuthMiddleware, wsgi.JWTAuthMiddleware):
        with pytest.raises(ValueError, match="cannot be combined"):
            kind(app, verifier, optional=True, requires=Requirement(role="editor"))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="must be a result of requires"):
            kind(app, verifier, requires={"role": "editor"})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["false", "", "0", 0, 1, None, [0], object()])
def test_only_a_boolean_says_whether_tokens_are_optional(wrong: Any) -> None:
    """A text such as "false", from an environment variable, would let in requests without a token."""
    verifier = Verifier(CONFIG)
    makers: list[Callable[..., Any]] = [
        lambda **options: asgi.JWTAuthMiddleware(granted_app, verifier, **options),
        lambda **options: wsgi.JWTAuthMiddleware(granted_app, verifier, **options),  # type: ignore[arg-type]
        lambda **options: for_flask.JWTAuth(verifier, **options),
    ]
    for make in makers:
        for fits in (True, False):
            make(optional=fits)
        with pytest.raises(TypeError, match="`optional` must be True or False"):
            make(optional=wrong)


def error_codes() -> Iterator[tuple[str, str, str, str]]:
    """Class, code, stage and message of each code."""
    text = (ROOT / "docs" / "error-codes.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        kind = section.split("\n", 1)[0].strip()
        for code, stage, message in re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE):
            yield kind, code, stage, message


def test_each_failure_has_the_status_of_its_class_and_shows_only_its_message(caplog: pytest.LogCaptureFixture) -> None:
    authenticator = Authenticator(Verifier(CONFIG))
    classes: dict[str, type[Error]] = {
        "denied": Denied,
        "unavailable": Unavailable,
        "config": ConfigError,
        "argument": jwtauth.ArgumentError,
        "internal": InternalError,
    }
    codes = list(error_codes())
    assert len(codes) > 45
    for kind, code, stage, message in codes:
        made: Any = classes[kind]
        refused = authenticator.refusal(made(code, message, stage=stage, claim='x"y', detail="a secret place", http_status=400))
        allowed = {"denied": (401, 403), "unavailable": (503,)}.get(kind, (500,))
        assert refused.status in allowed, code
        assert refused.message == (message if 500 not in allowed else "internal error")
        assert re.fullmatch(r'|Bearer( error="[a-z_]+", error_description="[ !#-\[\]-~]+")?', refused.challenge or "")
        assert b"secret" not in refused.body
        assert b"x" + b'\\"' not in refused.body
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_the_failures_with_403_are_those_of_the_core() -> None:
    source = (ROOT / "crates" / "jwtauth-core" / "src" / "policy" / "response.rs").read_text(encoding="utf-8")
    (arm,) = re.findall(r"((?:Code::\w+[ |]*)+) => 403", source)
    names = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in re.findall(r"Code::(\w+)", arm)}
    assert names == _NOT_ENOUGH


def test_a_valid_token_that_is_not_enough_gets_403_as_in_the_native_configuration() -> None:
    """The statuses are those with which the native configuration responds, in every dialect."""
    config = {**CONFIG["config"], "claims": [{"claim": "team", "equals": "red"}]}
    verifier = Verifier({**CONFIG, "config": config})
    for bearer, status in ((token(), 403), (token(exp=1), 401), ("a.b.c", 401)):
        with pytest.raises(Denied) as denied:
            verifier.authenticate(bearer)
        assert Authenticator(verifier).refusal(denied.value).status == status == denied.value.http_status


def call_asgi(app: asgi.App, **scope: Any) -> list[Any]:
    """Sends a request to an application without a server. Returns the messages of the response."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    default = {"type": "http", "path": "/", "headers": [], "query_string": b"", "method": "GET"}
    asyncio.run(app({**default, **scope}, receive, send))  # type: ignore[arg-type]
    return sent


async def granted_app(scope: asgi.Scope, _: asgi.Receive, send: asgi.Send) -> None:
    grant = asgi.grant_of(scope)
    await send({"type": "reached", "name": grant and grant.identity.name})


def test_an_unknown_kind_of_scope_does_not_reach_the_application() -> None:
    app = asgi.JWTAuthMiddleware(granted_app, Verifier(CONFIG))
    for kind in ("http2", "", "websocket.http"):
        with pytest.raises(ValueError, match="carries no token"):
            call_asgi(app, type=kind)
    assert call_asgi(app, type="lifespan") == [{"type": "reached", "name": None}]


def test_a_websocket_is_closed_where_the_server_can_send_no_response() -> None:
    app = asgi.JWTAuthMiddleware(granted_app, Verifier(CONFIG))
    several: tuple[dict[str, Any] | None, ...] = ({}, None, {"websocket.other": {}})
    for extensions in several:
        assert call_asgi(app, type="websocket", extensions=extensions) == [{"type": "websocket.close", "code": 1008}]


def test_the_decision_of_another_middleware_is_not_taken() -> None:
    verifier = Verifier(CONFIG)
    grant = verifier.authenticate(token())
    app = asgi.JWTAuthMiddleware(granted_app, verifier)
    # As an outer middleware of another verifier, or of the same one, leaves it.
    headers: list[tuple[bytes, bytes]] = []
    decision = asgi.Decision(Authenticator(verifier), grant, {"headers": headers, "query_string": b""})
    (start, _) = call_asgi(app, jwtauth=decision, headers=headers)
    assert start["status"] == 401


def test_a_request_that_an_application_makes_from_another_one_is_decided_again() -> None:
    """As an endpoint does that gets many requests in one."""
    config = {**CONFIG["config"], "token": {"query": "token"}}
    auth = Authenticator(Verifier({**CONFIG, "config": config}))
    inner = asgi.Gate(granted_app, auth)
    changes: list[dict[str, Any]] = [{}, {"headers": [(b"authorization", b"")]}, {"headers": []}, {"query_string": b"token=a"}]

    async def outer(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        for changed in changes:
            await inner({**scope, **changed}, receive, send)

    header = [(b"authorization", f"Bearer {token()}".encode())]
    sent = call_asgi(asgi.Gate(outer, auth), headers=header)
    assert [message.get("status", message.get("name")) for message in sent if "body" not in message] == [
        "alice",
        401,
        401,
        "alice",
    ]
    query = f"token={token()}".encode()
    sent = call_asgi(asgi.Gate(outer, auth), query_string=query)
    assert [message.get("status", message.get("name")) for message in sent if "body" not in message] == [
        "alice",
        "alice",
        "alice",
        401,
    ]


def test_a_scope_is_not_changed_for_those_outside() -> None:
    verifier = Verifier(CONFIG)
    scope = {"type": "http", "path": "/", "headers": [(b"authorization", f"Bearer {token()}".encode())], "state": {}}
    before = dict(scope)
    assert call_asgi(asgi.JWTAuthMiddleware(granted_app, verifier), **scope) == [{"type": "reached", "name": "alice"}]
    assert scope == before


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([], None),
        (["Bearer {}"], "alice"),
        (["bEaReR   {}"], "alice"),
        (["Basic eHl6"], None),
        (["Bearer"], None),
        (["Bearer {}", "Bearer {}"], None),
        (["Basic eHl6", "Bearer {}"], None),
        (["Bearer {}, Bearer {}"], None),
        (["Bearer {} x"], None),
        (["Token {}"], None),
        (["\xff"], None),
    ],
)
def test_the_bearer_token_is_read_for_configurations_that_name_no_place(values: list[str], outcome: str | None) -> None:
    vault = {
        "dialect": "vault",
        "config": {
            "jwt_validation_pubkeys": [(ROOT / "examples" / "keys" / "issuer.public.pem").read_text()],
            "default_role": "web",
            "roles": {"web": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"]}},
        },
        "options": {"now": NOW},
    }
    verifier = Verifier(vault)
    authenticator = Authenticator(verifier)
    assert authenticator.reads_bearer
    headers: Any = {"authorization": [value.replace("{}", "a.b.c") for value in values]}
    with pytest.raises(Refused) as refused:
        authenticator.decide(headers, "/", None)
    # With a token of the right form, the denial is about the token; otherwise there is none, or more than one.
    if outcome is not None:
        assert refused.value.code == "token_malformed"
    else:
        assert refused.value.code in ("token_missing", "token_ambiguous", "token_malformed")
        assert (refused.value.code == "token_ambiguous") == (len(values) > 1)


def flask_status(
    build: Callable[[Flask, for_flask.JWTAuth], None], bearer: str | None = None, path: str = "/"
) -> tuple[int, str]:
    app = Flask("tested")
    auth = for_flask.JWTAuth(Verifier(CONFIG), app)
    build(app, auth)
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    response = app.test_client().get(path, headers=headers)
    return response.status_code, response.get_data(as_text=True)


def without_a_name(view: Any) -> Any:
    """A decorator that forgets what it decorates."""
    return lambda *arguments, **named: view(*arguments, **named)


def test_a_requirement_of_a_flask_view_holds_in_every_order_of_decorators() -> None:
    def above(app: Flask, auth: for_flask.JWTAuth) -> None:
        @auth.requires(role="admin")
        @app.get("/")
        def view() -> str:
            return "in"

    def far_above(app: Flask, auth: for_flask.JWTAuth) -> None:
        @auth.requires(role="admin")
        @auth.requires(role="editor")
        @app.get("/")
        def view() -> str:
            return "in"

    def below_a_careless_one(app: Flask, auth: for_flask.JWTAuth) -> None:
        @app.get("/", endpoint="view")
        @without_a_name
        @auth.requires(role="admin")
        def view() -> str:
            return "in"

    def public_too(app: Flask, auth: for_flask.JWTAuth) -> None:
        @app.get("/")
        @auth.public
        @auth.requires(role="admin")
        def view() -> str:
            return "in"

    def asynchronous(app: Flask, auth: for_flask.JWTAuth) -> None:
        @app.get("/")
        @auth.requires(role="admin")
        async def view() -> str:
            return "in"

    for build in (above, far_above, below_a_careless_one, public_too, asynchronous):
        assert flask_status(build, token())[0] == 403, build.__name__
        assert flask_status(build)[0] == 401, build.__name__


def test_a_flask_view_without_an_extension_that_was_started_is_protected_by_its_requirement() -> None:
    app = Flask("tested")
    auth = for_flask.JWTAuth(Verifier(CONFIG))

    @app.get("/")
    @auth.requires(role="editor")
    def view() -> Response:
        return Response(auth.grant and auth.grant.identity.name)

    client = app.test_client()
    assert client.get("/").status_code == 401
    response = client.get("/", headers={"Authorization": f"Bearer {token()}"})
    assert (response.status_code, response.text) == (200, "alice")


def test_flask_keeps_no_grant_for_a_later_request_of_the_same_context() -> None:
    app = Flask("tested")
    auth = for_flask.JWTAuth(Verifier(CONFIG), app)

    @app.get("/public")
    @auth.public
    def public() -> str:
        return str(auth.grant)

    @app.get("/")
    def view() -> str:
        return str(auth.grant)

    with app.app_context():
        client = app.test_client()
        assert client.get("/", headers={"Authorization": f"Bearer {token()}"}).status_code == 200
        assert client.get("/public").text == "None"
        assert client.get("/").status_code == 401


def test_static_files_of_flask_can_be_public(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("content")
    app = Flask("tested", static_url_path="/static", static_folder=str(tmp_path))
    auth = for_flask.JWTAuth(Verifier(CONFIG), app)
    assert app.test_client().get("/static/a.txt").status_code == 401
    auth.public(app.view_functions["static"])
    response = app.test_client().get("/static/a.txt")
    assert response.get_data(as_text=True) == "content"
    response.close()


def test_flask_asks_for_a_grant_before_it_says_which_routes_exist() -> None:
    assert flask_status(lambda app, auth: None, path="/unknown")[0] == 401
    assert flask_status(lambda app, auth: None, token(), "/unknown")[0] == 404


def test_the_openapi_description_has_the_place_of_the_token() -> None:
    for place, scheme in (
        (None, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        ({"header": "X-JWT"}, {"type": "apiKey", "in": "header", "name": "X-JWT"}),
        ({"header": None, "query": "token"}, {"type": "apiKey", "in": "query", "name": "token"}),
        ({"header": None, "cookie": "session"}, {"type": "apiKey", "in": "cookie", "name": "session"}),
    ):
        config = {**CONFIG["config"], **({} if place is None else {"token": place})}
        auth = FastAPIAuth(Verifier({**CONFIG, "config": config}))
        app = FastAPI()

        for path, dependency in (("/all", auth), ("/one", auth.requires(role="editor")), ("/optional", auth.optional)):
            app.get(path, dependencies=[Depends(dependency)])(lambda: None)
        described = app.openapi()
        assert described["components"]["securitySchemes"] == {"jwtauth": scheme}
        assert all(route["get"]["security"] == [{"jwtauth": []}] for route in described["paths"].values())


def test_an_asynchronous_integration_does_not_block_the_event_loop() -> None:
    with KeyServer.started() as server:
        server.silent = 1
        app = asgi.JWTAuthMiddleware(granted_app, Verifier(remote(server.url, timeout="300s")))
        scope = {"type": "http", "path": "/", "headers": [(b"authorization", f"Bearer {PUBLIC_TOKEN}".encode())]}
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {}

        async def main() -> None:
            waiting = asyncio.create_task(app(dict(scope), receive, send))
            await asyncio.to_thread(server.asked.wait, PATIENCE)
            # This line would not be reached if the middleware waited on the loop.
            assert sent == []
            server.released.set()
            await waiting

        asyncio.run(main())
    assert sent == [{"type": "reached", "name": "alice"}]


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("starlette", "starlette", "starlette"),
        ("fastapi", "fastapi", "fastapi"),
        ("flask", "flask", "flask"),
        ("django", "asgiref", "django"),
        ("django_auth", "asgiref", "django"),
        ("rest_framework", "rest_framework", "rest-framework"),
    ],
)
def test_a_missing_framework_says_which_extra_to_install(module: str, package: str, extra: str) -> None:
    script = f"""
import sys
sys.modules[{package!r}] = None
try:
    import jwtauth.integrations.{module}
except ImportError as why:
    print(why)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert f'jwtauth.integrations.{module} needs {package}' in done.stdout, done.stderr
    assert f'pip install "jwtauth[{extra}]"' in done.stdout


def test_the_package_itself_loads_no_integration() -> None:
    script = """
import sys, jwtauth
print([name for name in sys.modules if name.startswith("jwtauth.integrations")])
import jwtauth.integrations.asgi, jwtauth.integrations.wsgi
print([name for name in ("starlette", "fastapi", "flask", "django", "asgiref") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]


def test_a_refusal_is_json_for_every_status() -> None:
    for status in get_args(Status):
        refused = Refused(status, "some_error", "a message", code="a_code", retry_after=5 if status == 503 else None)
        assert json.loads(refused.body) == {"error": "some_error", "code": "a_code", "message": "a message"}
        assert ("WWW-Authenticate" in refused.headers) == (status in (401, 403))
        assert ("Retry-After" in refused.headers) == (status == 503)


def test_the_oldest_versions_that_the_extras_allow_are_tested() -> None:
    extras = (ROOT / "bindings/python/pyproject.toml").read_text(encoding="utf-8").split("[project.optional-dependencies]")[1]
    allowed = dict(re.findall(r'"([\w-]+)>=([\d.]+)"', extras.split("[tool.maturin]")[0]))
    pinned = (ROOT / ".ci/requirements-oldest.txt").read_text(encoding="utf-8")
    tested = {name.lower(): version for name, version in re.findall(r"^([\w-]+)==(\S+)$", pinned, re.MULTILINE)}
    assert set(allowed) == {"starlette", "fastapi", "flask", "django", "djangorestframework"}
    for name, version in allowed.items():
        assert tested[name].removesuffix(".0") == version, name

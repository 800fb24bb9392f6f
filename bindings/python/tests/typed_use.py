"""Uses of the package for a type checker only: mypy must infer these types and report these mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from jwtauth import (
    Code,
    Counters,
    DecisionEvent,
    Denied,
    Entitlement,
    Error,
    Event,
    ExplainedStep,
    Explanation,
    FetchError,
    FetchRequest,
    FetchResponse,
    Grant,
    Identity,
    Login,
    Session,
    SessionInfo,
    Sessions,
    SourceStatus,
    Unavailable,
    Verifier,
    log_events,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type


class Plan(TypedDict):
    plan: str


def configurations(mapping: Mapping[str, object]) -> None:
    Verifier({"dialect": "native", "config": {}})
    Verifier("{}")
    Verifier(mapping)
    Verifier(b"{}")  # type: ignore[arg-type]
    Verifier(None)  # type: ignore[arg-type]


async def decisions(verifier: Verifier, several: dict[str, list[str]], single: dict[str, str]) -> None:
    assert_type(verifier.authenticate("a.b.c"), Grant)
    assert_type(await verifier.authenticate_async(headers=single), Grant)
    assert_type(verifier.authenticate_json("{}"), Grant)
    assert_type(verifier.authenticate_many(iter(["a.b.c"]), threads=2), list[Grant | Error])
    assert_type([one for one in verifier.authenticate_many(("a.b.c",)) if isinstance(one, Grant)], list[Grant])
    verifier.authenticate_many([b"a.b.c"])  # type: ignore[list-item]
    grant = verifier.authenticate("a.b.c")
    assert_type(grant.has("role", "editor"), bool)
    grant.has("rolle", "editor")  # type: ignore[arg-type]
    assert_type(grant.claims_as(Plan), Plan)
    assert_type(verifier.policy(), dict[str, Any])
    verifier.authenticate(None, headers=several, url="/", profile="web", remote_addr="::1")
    verifier.authenticate(headers={"a": "b", "c": ("d", "e")}, remote_addr=ip_address("10.0.0.1"))
    verifier.authenticate(b"a.b.c")  # type: ignore[arg-type]
    verifier.authenticate("a.b.c", "web")  # type: ignore[call-arg, arg-type]
    verifier.authenticate(headers={"a": b"b"})  # type: ignore[dict-item]
    verifier.authenticate(remote_addr=("10.0.0.1", 80))  # type: ignore[arg-type]
    verifier.policy = dict  # type: ignore[method-assign]


async def explanations(verifier: Verifier) -> None:
    assert_type(verifier.explain("a.b.c", profile="web", show_values=True), Explanation)
    assert_type(await verifier.explain_async(headers={"a": "b"}), Explanation)
    explained = verifier.explain_json("{}")
    assert_type(explained.decision, Grant | Error)
    assert_type(explained.steps, list[ExplainedStep])
    assert_type(explained.json, str)
    assert_type([hint["name"] for hint in explained.hints], list[str])
    for step in explained.steps:
        assert_type(step["check"], str)
        assert_type(step["seen"]["length"], int)
        if step["outcome"] == "passt":  # type: ignore[comparison-overlap]
            pass
    verifier.explain(show_value=True)  # type: ignore[call-arg]


def fetch(request: FetchRequest) -> FetchResponse:
    assert_type(request.url, str)
    assert_type(request.headers, dict[str, str])
    assert_type(request.timeout, float)
    assert_type(request.max_bytes, int)
    request.url = ""  # type: ignore[misc]
    if request.max_bytes == 0:
        raise FetchError("dns", "no such host")
    if request.max_bytes == 1:
        raise FetchError("htp", "misspelt")  # type: ignore[arg-type]
    if request.max_bytes == 2:
        return FetchResponse(200, "{}")  # type: ignore[arg-type]
    return FetchResponse(200, b"{}", [("ETag", "1")] if request.headers else {"ETag": "1"})


async def fetch_async(request: FetchRequest) -> FetchResponse:
    return fetch(request)


async def keys(verifier: Verifier, failure: Unavailable) -> None:
    Verifier("{}", fetch=fetch)
    Verifier("{}", fetch=fetch_async)  # type: ignore[arg-type]
    Verifier("{}", fetch)  # type: ignore[call-arg]
    assert_type(verifier.refresh_keys(), list[SourceStatus])
    for source in failure.sources:
        assert_type(source["kids"], list[str])
        assert_type(source["last_failure"]["phase"], Literal["dns", "connect", "tls", "http", "parse"])
        if source["state"] == "old":  # type: ignore[comparison-overlap]
            pass
    verifier.authenticate("a.b.c", cached_only=True)
    await verifier.authenticate_async("a.b.c", cached_only=True)


def observed(event: Event) -> None:
    assert_type(event["duration_ns"], int)
    if event["event"] == "decision":
        assert_type(event, DecisionEvent)
        assert_type(event["code"], Code)
        if event["outcome"] == "fetched":  # type: ignore[comparison-overlap]
            pass
    else:
        assert_type(event["keys"], int)



def events() -> None:
    verifier = Verifier("{}", on_event=observed)
    Verifier.from_file("verifier.json", on_event=log_events())
    Verifier("{}", on_event=fetch)  # type: ignore[arg-type]
    assert_type(verifier.counters(), Counters)
    assert_type(verifier.counters()["denied"], dict[Code, int])
    assert_type(verifier.counters()["sources"][0]["fetches"], int)


def parts(grant: Grant) -> None:
    assert_type(grant.profile, str | None)
    assert_type(grant.identity, Identity)
    assert_type(grant.identity.name, str | None)
    assert_type(grant.identity.groups, tuple[str, ...])
    assert_type(grant.identity.metadata, dict[str, str])
    assert_type(grant.identity.lists, dict[str, tuple[str, ...]])
    assert_type(grant.entitlements, tuple[Entitlement, ...])
    assert_type(grant.session, Session)
    assert_type(grant.session.ttl, int | None)
    assert_type(grant.session.token_type, Literal["service", "batch"] | None)
    assert_type(grant.claims, dict[str, Any])
    assert_type(grant.json, str)
    grant.profile = "root"  # type: ignore[misc]
    for entitlement in grant.entitlements:
        if entitlement.kind == "plicy":  # type: ignore[comparison-overlap]
            pass
    Entitlement("role", "editor", scope="1", variables={"a": "b"})
    Entitlement("rôle", "editor")  # type: ignore[arg-type]


async def sessions(sessions: Sessions) -> None:
    Sessions({"dialect": "native", "config": {}, "sessions": {}}, fetch=fetch, on_event=observed)
    Sessions(b"{}")  # type: ignore[arg-type]
    assert_type(sessions.verifier, Verifier)
    login = sessions.login("a.b.c", profile="web", meta={"host": "a"})
    assert_type(login, Login)
    assert_type(await sessions.login_async(headers={"a": "b"}), Login)
    sessions.login("a.b.c", meta={"host": 1})  # type: ignore[dict-item]
    assert_type(login.token, str)
    assert_type(login.accessor, str | None)
    assert_type(login.response, dict[str, Any])
    assert_type(login.session, SessionInfo)
    login.token = "x"  # type: ignore[misc]
    assert_type(sessions.authorize(login.token, ip_address("10.0.0.1")), SessionInfo)
    assert_type(await sessions.authorize_async(login.token), SessionInfo)
    sessions.authorize(None)  # type: ignore[arg-type]
    sessions.lookup_accessor(login.accessor)  # type: ignore[arg-type]
    assert_type(sessions.renew(login.token, increment=60), Login)
    assert_type(await sessions.renew_async(login.token), Login)
    assert_type(sessions.revoke_all(profile="web"), int)
    assert_type(await sessions.revoke_all_async(subject="alice"), int)
    sessions.revoke_all()  # type: ignore[call-overload]
    sessions.revoke_all(profile="web", subject="alice")  # type: ignore[call-overload]
    assert_type(sessions.sweep(), int)
    assert_type(sessions.reload("{}"), Sessions)
    assert_type(sessions.call_json("lookup", "{}"), str)
    sessions.call_json("logon", "{}")  # type: ignore[arg-type]
    session = sessions.lookup(login.token)
    assert_type(session.type, Literal["service", "batch"])
    assert_type(session.identity, Identity)
    assert_type(session.entitlements, tuple[Entitlement, ...])
    assert_type(session.expires_at, int | None)
    assert_type(session.has("role", "editor"), bool)
    session.has("rolle", "editor")  # type: ignore[arg-type]
    session.ttl = 1  # type: ignore[misc]


def failures(error: Error) -> None:
    assert_type(error.code, Code)
    assert_type(error.claim, str | None)
    assert_type(error.http_status, int | None)
    if error.code == "token_expird":  # type: ignore[comparison-overlap]
        pass
    if error.code == "session_unknown" and error.stage == "session":
        pass
    Denied("token_expired", "the token has expired", claim="exp")
    Denied("expired", "the token has expired")  # type: ignore[arg-type]


class Extended(Verifier):  # type: ignore[misc]
    pass

"""The conformance cases of sessions: the same files, with byte-identical replies, as in Rust, C and Node."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from conftest import CONFORMANCE, ran_sessions
from test_conformance import CLASSES

from jwtauth import Error, Login, SessionInfo, Sessions

SESSIONS = CONFORMANCE / "sessions"
RELOADED = '{"outcome":"reloaded"}'


def index() -> list[str]:
    path = SESSIONS / "index.txt"
    if not path.is_file():
        pytest.fail(f"there are no flattened cases in {SESSIONS}: make conformance", pytrace=False)
    cases = path.read_text().split()
    assert cases, f"{path} names no case"
    return cases


def read(case: str, name: str) -> str:
    return (SESSIONS / case / name).read_bytes().decode()


def steps(case: str) -> list[tuple[str, str, str]]:
    """The verb, the request and the expected reply of each step."""
    verbs = enumerate(read(case, "steps.txt").split(), 1)
    return [(verb, read(case, f"{number}-request.json"), read(case, f"{number}-reply.json")) for number, verb in verbs]


def failed(why: Error) -> str:
    """An exception as the failure reply."""
    (name,) = (name for name, kind in CLASSES.items() if type(why) is kind)
    members = {
        "outcome": "failed",
        "class": name,
        "code": why.code,
        "stage": why.stage,
        "claim": why.claim,
        "message": why.message,
        "detail": why.detail,
        "applicable": why.applicable,
        "http_status": why.http_status,
    }
    present = {name: value for name, value in members.items() if value is not None}
    text = json.dumps(present, ensure_ascii=False, separators=(",", ":"))
    for letter in "\u0085\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def build(case: str) -> Sessions | None:
    """The sessions of a case. ``None``: they cannot be built, as expected."""
    try:
        sessions = Sessions(read(case, "sessions.json"))
    except Error as why:
        assert failed(why) == read(case, "build.json")
        return None
    assert not (SESSIONS / case / "build.json").exists()
    return sessions


def check_json(case: str, sessions: Sessions) -> None:
    """Each reply is the expected one, byte for byte."""
    for verb, request, expected in steps(case):
        reply = RELOADED
        if verb == "reload":
            try:
                sessions = sessions.reload(request)
            except Error as why:
                reply = failed(why)
        else:
            reply = sessions.call_json(verb, request)  # type: ignore[arg-type]
        assert reply == expected


def arguments(sessions: Sessions, verb: str, request: str) -> dict[str, Any] | None:
    """The request as arguments of the method. ``None``: a method cannot be called like this."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise ValueError
        return members

    if verb == "reload":
        return {"config": request}
    if verb == "sweep":
        return {}
    # The text has a limit, which its members have not.
    if len(request.encode()) > 4 * 1024 * 1024:
        return None
    try:
        members = json.loads(request, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    known = inspect.signature(getattr(sessions, verb)).parameters
    # In JSON, a member that is null is absent, or refused.
    return members if members.keys() <= known.keys() and None not in members.values() else None


def check_result(result: object, expected: str) -> None:
    """What a method returns has what the reply has."""
    reply = json.loads(expected)
    if isinstance(result, Login):
        assert result.response == reply["response"]
        assert (result.token, result.accessor) == (reply["token"], reply.get("accessor"))
        result = result.session
    if isinstance(result, SessionInfo):
        check_session(result, reply["session"])
    elif isinstance(result, Sessions):
        assert expected == RELOADED
    else:
        assert reply["outcome"] in ("revoked", "swept")
        assert (1 if result is None else result) == reply["count"]


def check_session(session: SessionInfo, expected: dict[str, Any]) -> None:
    assert session.to_dict() == expected
    assert session.bound_cidrs == tuple(expected.get("bound_cidrs", ()))
    assert [held.name for held in session.entitlements] == [held["name"] for held in expected["entitlements"]]
    assert [lost.name for lost in session.revocations] == [lost["name"] for lost in expected["revocations"]]
    assert session.identity.name == expected["identity"].get("name")
    for held in expected["entitlements"]:
        assert session.has(held["kind"], held["name"], held.get("scope")) is ("variables" not in held)
    for name in (
        "type",
        "profile",
        "subject",
        "display_name",
        "entity_id",
        "issued_at",
        "expires_at",
        "ttl",
        "creation_ttl",
        "explicit_max_ttl",
        "period",
        "num_uses",
        "uses_left",
        "renewable",
        "description",
        "auth_method",
        "local",
    ):
        assert getattr(session, name) == expected.get(name), name


async def check_methods(case: str, sessions: Sessions, do: Callable[..., Awaitable[object]]) -> None:
    """Each method has the outcome that the reply has."""
    for verb, request, expected in steps(case):
        given = arguments(sessions, verb, request)
        if given is None:
            assert sessions.call_json(verb, request) == expected  # type: ignore[arg-type]
            continue
        try:
            result = await do(sessions, verb, given)
        except Error as why:
            assert failed(why) == expected
        except (TypeError, ValueError):
            # A value of a wrong type.
            assert json.loads(expected)["class"] == "argument"
        else:
            check_result(result, expected)
            if isinstance(result, Sessions):
                sessions = result


async def call(sessions: Sessions, verb: str, given: dict[str, Any]) -> object:
    return getattr(sessions, verb)(**given)


async def call_async(sessions: Sessions, verb: str, given: dict[str, Any]) -> object:
    return await getattr(sessions, f"{verb}_async")(**given)


@pytest.mark.parametrize("case", index())
def test_case(case: str) -> None:
    ran_sessions[case] = False
    sessions = build(case)
    if sessions is not None:
        check_json(case, sessions)
    for do in (call, call_async):
        sessions = build(case)
        if sessions is not None:
            asyncio.run(check_methods(case, sessions, do))
    ran_sessions[case] = True

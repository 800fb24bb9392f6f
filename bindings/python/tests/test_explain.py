"""Explanations: the decision of ``authenticate``, with the checks that led to it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from conftest import PUBLIC_KEYS, PUBLIC_TOKEN, remote, token

from jwtauth import Denied, Error, FetchError, FetchRequest, FetchResponse, Grant, Unavailable, Verifier

URL = "https://issuer.example/keys"


def shown(outcome: Grant | Error) -> object:
    return outcome.json if isinstance(outcome, Grant) else (type(outcome), vars(outcome), str(outcome))


def alone(verifier: Verifier, text: str, **arguments: Any) -> Grant | Error:
    try:
        return verifier.authenticate(text, **arguments)
    except Error as why:
        return why


@pytest.mark.parametrize("text", [token(), token(sub=7), "a.b.c", "", "\ud800", token(None, b"another secret, of 32 bytes.....")])
@pytest.mark.parametrize("arguments", [{}, {"profile": "closed"}, {"profile": "\udfff"}, {"cached_only": True}])
def test_the_decision_is_that_of_the_request(verifier: Verifier, text: str, arguments: dict[str, Any]) -> None:
    decision = alone(verifier, text, **arguments)
    for explained in (
        verifier.explain(text, **arguments),
        verifier.explain(text, show_values=True, **arguments),
        asyncio.run(verifier.explain_async(text, **arguments)),
    ):
        assert shown(explained.decision) == shown(decision)
        assert bool(explained) is isinstance(decision, Grant)
        assert explained.to_dict() == json.loads(explained.json)
        assert explained.steps == explained.to_dict()["steps"]
        failed = [step for step in explained.steps if step["outcome"] == "failed"]
        assert bool(failed) is isinstance(decision, Error)


def test_values_are_shown_only_on_request(verifier: Verifier) -> None:
    secret = token(sub="a very private name", exp=1)
    for explained in (verifier.explain(secret), asyncio.run(verifier.explain_async(secret))):
        assert isinstance(explained.decision, Denied)
        assert "a very private name" not in explained.json + repr(explained)
        assert all("value" not in step.get("seen", {}) for step in explained.steps)
    with_values = verifier.explain(secret, show_values=True)
    assert any("value" in step.get("seen", {}) for step in with_values.steps)
    assert repr(with_values) == f"<jwtauth.Explanation granted=False steps={len(with_values.steps)}>"
    assert verifier.explain_json(json.dumps({"token": secret}), show_values=True).json == with_values.json
    assert asyncio.run(verifier.explain_async(secret, show_values=True)).json == with_values.json


def test_a_request_that_cannot_be_read_is_explained(verifier: Verifier) -> None:
    for text, code in (("{", "request_invalid"), ("\ud800", "argument_not_utf8"), ('{"tokn":"x"}', "request_invalid")):
        explained = verifier.explain_json(text)
        assert isinstance(explained.decision, Error)
        assert explained.decision.code == code
        assert [step["outcome"] for step in explained.steps] == ["failed"]


def test_wrong_types_are_a_type_error(verifier: Verifier) -> None:
    for arguments in ({"token": b"a.b.c"}, {"headers": 7}, {"profile": 1}, {"show_values": "yes"}):
        with pytest.raises(TypeError):
            verifier.explain(**arguments)
        with pytest.raises(TypeError):
            asyncio.run(verifier.explain_async(**arguments))
    with pytest.raises(TypeError):
        verifier.explain_json(b"{}")  # type: ignore[arg-type]


def test_an_explanation_fetches_keys() -> None:
    calls = 0

    def fetch(request: FetchRequest) -> FetchResponse:
        nonlocal calls
        calls += 1
        return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())

    for explain in (Verifier.explain, lambda *given: asyncio.run(Verifier.explain_async(*given))):
        calls = 0
        verifier = Verifier(remote(URL), fetch=fetch)
        assert isinstance(verifier.explain(PUBLIC_TOKEN, cached_only=True).decision, Unavailable)
        assert calls == 0
        assert explain(verifier, PUBLIC_TOKEN)
        assert explain(verifier, PUBLIC_TOKEN)
        assert calls == 1


def test_what_the_fetch_function_raised_is_the_cause() -> None:
    why = FetchError("connect", "the proxy is down")

    def fetch(request: FetchRequest) -> FetchResponse:
        raise why

    request = json.dumps({"token": PUBLIC_TOKEN})
    for explained in (
        Verifier(remote(URL), fetch=fetch).explain(PUBLIC_TOKEN),
        Verifier(remote(URL), fetch=fetch).explain_json(request),
        asyncio.run(Verifier(remote(URL), fetch=fetch).explain_async(PUBLIC_TOKEN)),
    ):
        decision = explained.decision
        assert isinstance(decision, Unavailable)
        assert decision.__cause__ is why


def test_an_exception_that_ends_the_program_propagates() -> None:
    def fetch(request: FetchRequest) -> FetchResponse:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Verifier(remote(URL), fetch=fetch).explain(PUBLIC_TOKEN)
    with pytest.raises(KeyboardInterrupt):
        Verifier(remote(URL), fetch=fetch).explain_json(json.dumps({"token": PUBLIC_TOKEN}))
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(Verifier(remote(URL), fetch=fetch).explain_async(PUBLIC_TOKEN))

"""The conformance cases: the same files, with byte-identical replies, as in Rust, C and Node."""

from __future__ import annotations

import json

import pytest
from conftest import CONFORMANCE, ran

from jwtauth import ArgumentError, ConfigError, Denied, Error, Grant, InternalError, Unavailable, Verifier

CLASSES: dict[str, type[Error]] = {
    "denied": Denied,
    "config": ConfigError,
    "unavailable": Unavailable,
    "argument": ArgumentError,
    "internal": InternalError,
}


def index() -> list[str]:
    path = CONFORMANCE / "index.txt"
    if not path.is_file():
        pytest.fail(f"there are no flattened cases in {CONFORMANCE}: make conformance", pytrace=False)
    cases = path.read_text().split()
    assert cases, f"{path} names no case"
    return cases


def outcome(found: Grant | Error) -> object:
    """What a program sees of a grant or of an exception."""
    return found.json if isinstance(found, Grant) else (type(found), vars(found), str(found))


def check_batch(verifier: Verifier, request: str) -> None:
    """A request with a token only is also decided in a batch, with the outcome of the token alone."""
    try:
        members = json.loads(request)
    except (ValueError, RecursionError):
        return
    if not isinstance(members, dict) or list(members) != ["token"] or not isinstance(members["token"], str):
        return
    alone: Grant | Error
    try:
        alone = verifier.authenticate(members["token"])
    except Error as why:
        alone = why
    batch = verifier.authenticate_many([members["token"]] * 3)
    assert [outcome(found) for found in batch] == [outcome(alone)] * 3


def check_explained(verifier: Verifier, request: str, reply: str | Error) -> None:
    """The decision of an explanation is that of the request: a grant byte for byte."""
    explained = verifier.explain_json(request)
    decision = explained.decision
    assert bool(explained) is isinstance(reply, str)
    if isinstance(reply, str):
        assert explained.json.startswith(f'{{"decision":{reply},"steps":[')
        assert isinstance(decision, Grant)
        assert decision.json == reply
    else:
        assert isinstance(decision, Error)
        assert outcome(decision) == outcome(reply)
    assert explained.steps


def check_with_cache(case: str, request: str, expect: str) -> None:
    """A verifier with a token cache decides twice as one without. A second grant is from the cache."""
    verifier = Verifier((CONFORMANCE / case / "verifier-with-cache.json").read_bytes().decode())
    for hits in range(2):
        if isinstance(check_decision(verifier, request, expect), str):
            assert verifier.policy()["token_cache"]["hits"] == hits


def check_decision(verifier: Verifier, request: str, expect: str) -> str | Error:
    """Compares a decision with the expected one, and returns it."""
    try:
        reply = verifier.authenticate_json(request).json
    except Error as why:
        check_failure(why, expect)
        return why
    assert reply == expect
    return reply


def check_failure(why: Error, expect: str) -> None:
    expected = json.loads(expect)
    assert (why.code, expected["outcome"]) == (expected.get("code"), "failed")
    assert type(why) is CLASSES[expected["class"]]
    assert why.claim == expected.get("claim", why.claim)


@pytest.mark.parametrize("case", index())
def test_case(case: str) -> None:
    ran[case] = False
    verifier, request, expect = (
        (CONFORMANCE / case / name).read_bytes().decode() for name in ("verifier.json", "request.json", "expect.json")
    )
    try:
        built = Verifier(verifier)
    except ConfigError as why:
        check_failure(why, expect)
    else:
        check_batch(built, request)
        check_explained(built, request, check_decision(built, request, expect))
        check_with_cache(case, request, expect)
    ran[case] = True

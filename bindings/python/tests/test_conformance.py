"""The conformance cases: the same files, with byte-identical replies, as in Rust, C and Node."""

from __future__ import annotations

import json

import pytest
from conftest import CONFORMANCE, ran

from jwtauth import ArgumentError, ConfigError, Denied, Error, InternalError, Unavailable, Verifier

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


@pytest.mark.parametrize("case", index())
def test_case(case: str) -> None:
    ran[case] = False
    verifier, request, expect = (
        (CONFORMANCE / case / name).read_bytes().decode() for name in ("verifier.json", "request.json", "expect.json")
    )
    try:
        reply = Verifier(verifier).authenticate_json(request).json
    except Error as why:
        expected = json.loads(expect)
        assert (why.code, expected["outcome"]) == (expected.get("code"), "failed")
        assert type(why) is CLASSES[expected["class"]]
        assert why.claim == expected.get("claim", why.claim)
    else:
        assert reply == expect
    ran[case] = True

"""The exceptions that a caller gets instead of a grant."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from typing import get_args

import pytest
from conftest import CONFIG, CONFORMANCE, token

import jwtauth
from jwtauth import ArgumentError, ConfigError, Denied, Error, InternalError, Unavailable, Verifier

CLASSES: list[type[Error]] = [Denied, ConfigError, Unavailable, ArgumentError, InternalError]


@pytest.fixture
def expired(verifier: Verifier) -> Denied:
    with pytest.raises(Denied) as caught:
        verifier.authenticate(token(exp=1))
    return caught.value


def test_a_denial_gives_the_reason(expired: Denied) -> None:
    assert expired.code == "token_expired"
    assert expired.message == "the token has expired"
    assert expired.stage == "validate_claims"
    assert expired.claim == "exp"
    assert expired.applicable is True
    assert expired.http_status == 401
    assert str(expired).startswith('token_expired: the token has expired (claim "exp")')
    assert "\n" not in str(expired)


def test_one_handler_catches_every_failure() -> None:
    for kind in CLASSES:
        assert issubclass(kind, Error)
        assert kind.__bases__ == (Error,)
    assert Error.__bases__ == (Exception,)
    assert not issubclass(Unavailable, Denied)


def test_failures_survive_pickling_and_copying(expired: Denied) -> None:
    for twin in (pickle.loads(pickle.dumps(expired)), copy.copy(expired), copy.deepcopy(expired)):
        assert type(twin) is Denied
        assert vars(twin) == vars(expired)
        assert str(twin) == str(expired)
        assert twin.args == expired.args


def test_an_application_can_create_failures_for_its_tests() -> None:
    for kind in CLASSES:
        made = kind("claim_missing", "a required claim is missing", claim="team", detail="it is needed")
        assert str(made) == 'claim_missing: a required claim is missing (claim "team"): it is needed'
        assert (made.stage, made.applicable, made.http_status) == ("configure", None, None)
    assert str(Denied("token_missing", "the request contains no token")) == "token_missing: the request contains no token"


def test_a_traceback_shows_the_public_module(expired: Denied) -> None:
    assert traceback.format_exception_only(expired)[0].startswith("jwtauth.Denied: token_expired: ")


def test_a_denial_contains_nothing_from_the_token(verifier: Verifier) -> None:
    mallory = "mallory-9"
    for changed in ({"sub": mallory, "exp": 1}, {"iss": mallory}, {"aud": mallory}, {"groups": {"x": mallory}}):
        with pytest.raises(Denied) as caught:
            verifier.authenticate(token(**changed))
        assert mallory not in str(caught.value) + repr(caught.value) + str(vars(caught.value))


def test_the_stub_has_every_code_of_the_cases() -> None:
    known = get_args(jwtauth.Code)
    assert len(set(known)) == len(known)
    for case in (CONFORMANCE / "index.txt").read_text().split():
        expected = json.loads((CONFORMANCE / case / "expect.json").read_bytes())
        if expected["outcome"] == "failed":
            assert expected["code"] in known
    assert set(get_args(jwtauth.Stage)) >= {"configure", "extract", "decode", "decide"}


def test_failures_do_not_change_a_verifier(verifier: Verifier) -> None:
    before = verifier.authenticate(token()).json
    for bad in ("", "a.b.c", token(exp=1), token() + "x"):
        with pytest.raises(Denied):
            verifier.authenticate(bad)
    with pytest.raises(ConfigError):
        Verifier({**CONFIG, "dialect": "none such"})
    assert verifier.authenticate(token()).json == before

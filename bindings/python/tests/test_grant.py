"""Grants, their parts, and the operations on them."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, get_args

import pytest
from conftest import CLAIMS, CONFORMANCE, signed, token

import jwtauth
from jwtauth import Entitlement, Grant, Identity, Session, Verifier


@pytest.fixture
def grant(verifier: Verifier) -> Grant:
    return verifier.authenticate(token())


def granted_replies() -> list[str]:
    texts = (
        (CONFORMANCE / case / "expect.json").read_bytes().decode()
        for case in (CONFORMANCE / "index.txt").read_text().split()
    )
    return [text for text in texts if text.startswith('{"outcome":"granted"')]


def test_a_grant_has_the_identity_and_the_entitlements(grant: Grant) -> None:
    assert grant.profile is None
    assert grant.cleaned_url is None
    assert grant.identity.name == "alice"
    assert grant.identity.subject == "alice"
    assert grant.identity.email == "alice@example.com"
    assert grant.identity.display_name == "Alice"
    assert grant.identity.requested_org is None
    assert grant.identity.groups == ("staff", "ops")
    assert grant.identity.metadata == {"team": "blue"}
    assert grant.identity.lists == {"teams": ("staff", "ops")}
    assert grant.revocations == ()
    assert (grant.session.ttl, grant.session.max_ttl, grant.session.renewable) == (3600, 7200, None)
    assert set(grant.entitlements) == {Entitlement("role", "editor"), Entitlement("policy", "web-read")}


def test_claims_are_python_values(grant: Grant) -> None:
    assert grant.claims == CLAIMS
    assert isinstance(grant.claims["ratio"], float)
    assert grant.claims["large"] == 2**70


@pytest.mark.parametrize(
    "value",
    [
        "0", "-0", "-0.0", "1E5", "1e-7", "0.1", "9007199254740993", "18446744073709551616", "-9223372036854775809",
        "9" * 308, "0." + "3" * 5000, "1.7976931348623157e308", "5e-324", "1e-400", '"\\ud83d\\ude00"', '"\\u0000"',
        '"\u2028\x7f\U0001f600"', '{"": {"__proto__": [[], {}, null, true, false]}}', "[" * 60 + "]" * 60,
    ],
    ids=lambda value: value[:24],
)  # fmt: skip
def test_claims_are_read_as_python_reads_json(verifier: Verifier, value: str) -> None:
    payload = json.dumps(CLAIMS)[:-1] + f', "odd": {value}}}'
    grant = verifier.authenticate(signed(payload))
    expected = json.loads(payload)["odd"]
    for odd in (grant.claims["odd"], grant.to_dict()["claims"]["odd"]):
        assert (type(odd), repr(odd)) == (type(expected), repr(expected))


def test_the_reply_is_the_wire_format(grant: Grant) -> None:
    assert grant.json.startswith('{"outcome":"granted","identity":{"name":"alice"')
    assert grant.to_dict() == json.loads(grant.json)


def test_parts_are_made_once(grant: Grant) -> None:
    assert grant.identity is grant.identity
    assert grant.entitlements is grant.entitlements
    assert grant.revocations is grant.revocations
    assert grant.session is grant.session
    assert grant.claims is grant.claims
    assert grant.json is grant.json


def test_every_part_of_every_reply_can_be_read() -> None:
    """Every member of the wire format has an attribute."""

    def plain(part: object, members: dict[str, Any]) -> dict[str, Any]:
        values = {name: getattr(part, name) for name in members}
        for name, value in values.items():
            if isinstance(value, (Identity, Session)):
                values[name] = plain(value, members[name])
            elif isinstance(value, tuple):
                values[name] = list(value)
            elif name == "lists":
                values[name] = {key: list(items) for key, items in value.items()}
        return values

    replies = granted_replies()
    assert len(replies) > 50
    for text in replies:
        reply = json.loads(text)
        grant = Grant._restore(text)  # type: ignore[attr-defined]
        del reply["outcome"]
        entitlements = [*reply.pop("entitlements"), *reply.pop("revocations")]
        parts = [*grant.entitlements, *grant.revocations]
        assert [plain(part, of) for part, of in zip(parts, entitlements, strict=True)] == entitlements
        assert plain(grant, reply) == reply
        assert grant.to_dict() == json.loads(text)


def test_grants_are_equal_when_their_replies_are(verifier: Verifier, grant: Grant) -> None:
    again = verifier.authenticate(token())
    other = verifier.authenticate(token(sub="bob"))
    assert grant == again
    assert hash(grant) == hash(again)
    assert grant.identity == again.identity
    assert hash(grant.identity) == hash(again.identity)
    assert grant.session == other.session
    assert grant != other
    assert grant.identity != other.identity
    assert {grant, again, other} == {grant, other}
    for stranger in (None, grant.json, grant.to_dict()):
        assert grant != stranger
        assert grant.identity != stranger
        assert grant.session != stranger
        assert Entitlement("role", "editor") != stranger


@pytest.mark.parametrize("copied", [pickle.loads, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_grants_and_their_parts_survive_copying(grant: Grant, copied: Any) -> None:
    for original in (grant, grant.identity, grant.session, *grant.entitlements):
        twin = copied(pickle.dumps(original)) if copied is pickle.loads else copied(original)
        assert type(twin) is type(original)
        assert twin == original
        assert hash(twin) == hash(original)
    assert copied(pickle.dumps(grant) if copied is pickle.loads else grant).json == grant.json


def test_a_deep_copy_has_separate_claims(grant: Grant) -> None:
    copy.deepcopy(grant).claims["groups"].append("admins")
    assert grant.claims == CLAIMS


def test_only_a_valid_reply_is_restored() -> None:
    for text in ("", "{}", '{"outcome":"failed"}', '{"outcome":"granted"}'):
        with pytest.raises(jwtauth.ArgumentError):
            Grant._restore(text)  # type: ignore[attr-defined]
        parts: list[Any] = [Identity, Session, Entitlement]
        for part in parts:
            with pytest.raises(ValueError, match="invalid pickled data"):
                part._restore("{" + text)


def test_values_read_from_a_grant_cannot_change_it(grant: Grant) -> None:
    before = grant.json
    grant.identity.metadata["team"] = "red"
    grant.identity.lists.clear()
    grant.to_dict()["identity"].clear()
    grant.claims["sub"] = "root"
    assert grant.identity.metadata == {"team": "blue"}
    assert grant.identity.lists == {"teams": ("staff", "ops")}
    assert grant.json == before
    assert copy.copy(grant).claims["sub"] == "alice"
    for part, attribute in (
        (grant, "profile"),
        (grant, "identity"),
        (grant, "claims"),
        (grant, "invented"),
        (grant.identity, "name"),
        (grant.session, "ttl"),
        (Entitlement("role", "viewer"), "name"),
    ):
        with pytest.raises(AttributeError):
            setattr(part, attribute, "root")
        with pytest.raises(AttributeError):
            delattr(part, attribute)


def test_a_grant_has_entitlements_in_exactly_their_scope(grant: Grant) -> None:
    assert grant.has("role", "editor")
    assert not grant.has("role", "admin")
    assert not grant.has("role", "editor", "1")
    assert not grant.has("role", "editor", scope="")
    assert not grant.has("policy", "editor")
    assert not grant.has("king", "editor")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        grant.has("role", None)  # type: ignore[arg-type]
    assert grant.claims_as(dict) is grant.claims


def test_entitlements_can_be_looked_for(grant: Grant) -> None:
    assert Entitlement("role", "editor") in grant.entitlements
    assert Entitlement("role", "admin") not in grant.entitlements
    assert Entitlement("role", "editor", scope="1") not in grant.entitlements
    assert Entitlement("policy", "editor") not in grant.entitlements
    made = Entitlement("templated_policy", "builtin/service", scope="dc1", variables={"name": "web"})
    assert (made.kind, made.name, made.scope, made.variables) == (
        "templated_policy",
        "builtin/service",
        "dc1",
        {"name": "web"},
    )
    assert repr(made) == "Entitlement('templated_policy', 'builtin/service', scope='dc1', variables={'name': 'web'})"
    assert eval(repr(made)) == made


def test_an_entitlement_has_a_known_kind() -> None:
    for kind in get_args(jwtauth.EntitlementKind):
        assert Entitlement(kind, "x").kind == kind
    with pytest.raises(ValueError, match="king"):
        Entitlement("king", "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Entitlement("role", 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Entitlement("role")  # type: ignore[call-arg]


def test_representations_contain_nothing_from_the_token(verifier: Verifier) -> None:
    grant = verifier.authenticate(token(sub="mallory-9", name="mallory-9", email="mallory-9", groups=["mallory-9"]))
    for part in (grant, grant.identity, grant.session):
        assert "mallory" not in repr(part) + str(part)
    assert repr(grant) == "<jwtauth.Grant profile=None entitlements=1 revocations=0>"
    assert repr(grant.identity) == "<jwtauth.Identity groups=1 metadata=1 lists=1>"
    assert repr(grant.session) == "<jwtauth.Session ttl=3600 max_ttl=7200 renewable=None>"


def test_grants_and_parts_come_from_decisions_only() -> None:
    for part in (Grant, Identity, Session):
        with pytest.raises(TypeError):
            part()
        with pytest.raises(TypeError):
            part.__new__(part)


def test_the_classes_cannot_be_extended() -> None:
    for part in (Verifier, Grant, Identity, Entitlement, Session):
        with pytest.raises(TypeError):
            type("Forged", (part,), {})

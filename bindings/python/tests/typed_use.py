"""How the package is used, for the eyes of a type checker only: mypy must see these types, and these mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal

from jwtauth import Code, Denied, Entitlement, Error, Grant, Identity, Session, Verifier

if TYPE_CHECKING:
    from typing_extensions import assert_type


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
    assert_type(verifier.policy(), dict[str, Any])
    verifier.authenticate(None, headers=several, url="/", profile="web", remote_addr="::1")
    verifier.authenticate(headers={"a": "b", "c": ("d", "e")}, remote_addr=ip_address("10.0.0.1"))
    verifier.authenticate(b"a.b.c")  # type: ignore[arg-type]
    verifier.authenticate("a.b.c", "web")  # type: ignore[call-arg, arg-type]
    verifier.authenticate(headers={"a": b"b"})  # type: ignore[dict-item]
    verifier.authenticate(remote_addr=("10.0.0.1", 80))  # type: ignore[arg-type]
    verifier.policy = dict  # type: ignore[method-assign]


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


def failures(error: Error) -> None:
    assert_type(error.code, Code)
    assert_type(error.claim, str | None)
    assert_type(error.http_status, int | None)
    if error.code == "token_expird":  # type: ignore[comparison-overlap]
        pass
    Denied("token_expired", "the token has expired", claim="exp")
    Denied("expired", "the token has expired")  # type: ignore[arg-type]


class Extended(Verifier):  # type: ignore[misc]
    pass

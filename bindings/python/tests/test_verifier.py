"""The inputs of a verifier: configurations, requests, and their types."""

from __future__ import annotations

import asyncio
import collections
import ipaddress
import json
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CONFIG, token

import jwtauth
from jwtauth import ArgumentError, ConfigError, Denied, Error, Grant, Verifier


def with_config(**changed: Any) -> dict[str, Any]:
    return {**CONFIG, "config": {**CONFIG["config"], **changed}}


# Configurations


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        json.dumps(CONFIG),
        types.MappingProxyType(CONFIG),
        collections.ChainMap(CONFIG),
        with_config(session=types.MappingProxyType({"ttl": "1h", "max_ttl": "2h"})),
        with_config(audiences=("api",)),
    ],
    ids=["dict", "text", "mapping", "chain", "nested mapping", "tuple"],
)
def test_a_configuration_is_a_mapping_or_its_text(config: Any) -> None:
    assert Verifier(config).authenticate(token()).json == Verifier(CONFIG).authenticate(token()).json


def test_a_configuration_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "verifier.json"
    path.write_text(json.dumps(CONFIG), encoding="utf-8")
    for given in (path, str(path)):
        assert Verifier.from_file(given).authenticate(token()).json == Verifier(CONFIG).authenticate(token()).json
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="verifier.json: ") as caught:
        Verifier.from_file(path)
    assert caught.value.code == "config_invalid"
    for missing in (tmp_path / "no.json", "", "no\0.json"):
        with pytest.raises(ConfigError):
            Verifier.from_file(missing)
    wrong: Any
    for wrong in (None, 1, b"verifier.json"):
        with pytest.raises(TypeError):
            Verifier.from_file(wrong)
    with pytest.raises(TypeError):
        Verifier.from_file(path, fetch="no function")  # type: ignore[arg-type]


def test_a_configuration_error_names_the_key() -> None:
    with pytest.raises(ConfigError) as caught:
        Verifier(with_config(audience=["api"]))
    assert caught.value.code == "config_invalid"
    assert caught.value.stage == "configure"
    assert caught.value.applicable is None
    assert "`audience`" in str(caught.value)


@pytest.mark.parametrize(
    "config", [None, 1, b"{}", ["native"], {"native"}, object()], ids=lambda config: type(config).__name__
)
def test_a_configuration_of_another_type_is_a_type_error(config: Any) -> None:
    with pytest.raises(TypeError, match=f"config must be a mapping or str, not {type(config).__name__}"):
        Verifier(config)


@pytest.mark.parametrize("value", [b"key", {1}, object()], ids=lambda value: type(value).__name__)
def test_a_value_without_a_json_form_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match=f"not {type(value).__name__}"):
        Verifier(with_config(subject=value))


def test_values_that_json_cannot_write_are_a_configuration_error() -> None:
    circle: dict[str, Any] = {}
    circle["circle"] = circle
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value in (float("nan"), float("inf"), circle, deep):
        with pytest.raises(ConfigError) as caught:
            Verifier(with_config(subject=value))
        assert caught.value.code == "config_invalid"
        assert caught.value.__cause__ is not None


def test_lone_surrogates_are_an_argument_error(verifier: Verifier) -> None:
    lone = "a\ud800b"
    attempts: list[Callable[[], object]] = [
        lambda: Verifier(lone),
        lambda: Verifier(with_config(subject=lone)),
        lambda: verifier.authenticate(lone),
        lambda: verifier.authenticate(headers={"Authorization": lone}),
        lambda: verifier.authenticate(headers={lone: "x"}),
        lambda: verifier.authenticate(url=lone),
        lambda: verifier.authenticate(token(), profile=lone),
        lambda: verifier.authenticate(token(), remote_addr=lone),
        lambda: verifier.authenticate_json(lone),
    ]
    for attempt in attempts:
        with pytest.raises(ArgumentError) as caught:
            attempt()
        assert caught.value.code == "argument_not_utf8"
        assert "\ud800" not in str(caught.value)


# Requests


def test_a_token_is_used_unchanged(verifier: Verifier) -> None:
    assert verifier.authenticate(token()).identity.name == "alice"
    # A token cannot select a profile.
    with pytest.raises(Denied) as caught:
        verifier.authenticate(token() + '","profile":"office')
    assert caught.value.code == "token_malformed"


class Pairs:
    """Headers as in web frameworks: not a mapping, and a repeated header appears twice."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = pairs

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)


def test_headers_come_in_any_shape(verifier: Verifier) -> None:
    bearer = "Bearer " + token()
    shapes: list[Any] = [
        {"Authorization": bearer},
        {"AUTHORIZATION": bearer, "Accept": ["a", "b"]},
        {"authorization": [bearer]},
        {"authorization": (bearer,)},
        types.MappingProxyType({"authorization": bearer}),
        Pairs(("Accept", "a"), ("Accept", "b"), ("Authorization", bearer)),
    ]
    for headers in shapes:
        assert verifier.authenticate(headers=headers).identity.name == "alice"


def test_a_repeated_header_is_refused(verifier: Verifier) -> None:
    bearer = "Bearer " + token()
    shapes: list[Any] = [
        {"Authorization": [bearer, bearer]},
        {"Authorization": bearer, "authorization": bearer},
        Pairs(("Authorization", bearer), ("authorization", bearer)),
    ]
    for headers in shapes:
        with pytest.raises(Denied) as caught:
            verifier.authenticate(headers=headers)
        assert caught.value.code in ("token_malformed", "token_ambiguous")


def test_a_header_that_changes_its_mapping_is_harmless(verifier: Verifier) -> None:
    headers: dict[str, Any] = {}

    class Value(collections.UserList[str]):
        def __iter__(self) -> Iterator[str]:
            headers["another"] = "header"
            return iter(["value"])

    headers["accept"] = Value()
    headers["authorization"] = "Bearer " + token()
    assert verifier.authenticate(headers=headers).identity.name == "alice"


def test_a_token_in_the_url_is_found_and_cleaned_away() -> None:
    verifier = Verifier(with_config(token={"query": "auth_token"}))
    grant = verifier.authenticate(url=f"/d/abc?orgId=1&auth_token={token()}")
    assert grant.identity.name == "alice"
    assert grant.to_dict().get("cleaned_url") == grant.cleaned_url


def test_a_request_without_a_token_is_denied(verifier: Verifier) -> None:
    basic = {"Authorization": "Basic eA=="}
    requests: list[dict[str, Any]] = [{}, {"token": None}, {"token": ""}, {"headers": {}}, {"headers": basic}]
    for arguments in requests:
        with pytest.raises(Denied) as caught:
            verifier.authenticate(**arguments)
        assert caught.value.code == "token_missing"


def test_the_profile_decides(verifier: Verifier) -> None:
    assert verifier.authenticate(token()).profile is None
    assert verifier.authenticate(token(), profile="office", remote_addr="10.1.2.3").profile == "office"
    for profile, code in (("closed", "subject_mismatch"), ("none such", "profile_unknown")):
        with pytest.raises(Denied) as caught:
            verifier.authenticate(token(), profile=profile)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "inside",
    [
        "10.1.2.3",
        "10.1.2.3:8080",
        "2001:db8::1",
        "[2001:db8::1]:443",
        "::ffff:10.1.2.3",
        ipaddress.ip_address("10.1.2.3"),
        ipaddress.ip_address("2001:db8::1"),
    ],
    ids=str,
)
def test_an_address_inside_the_networks_passes(verifier: Verifier, inside: Any) -> None:
    assert verifier.authenticate(token(), profile="office", remote_addr=inside).profile == "office"


@pytest.mark.parametrize("outside", ["192.0.2.1", ipaddress.ip_address("::1"), None], ids=str)
def test_an_address_outside_the_networks_is_denied(verifier: Verifier, outside: Any) -> None:
    with pytest.raises(Denied) as caught:
        verifier.authenticate(token(), profile="office", remote_addr=outside)
    assert caught.value.code == "address_not_allowed"


@pytest.mark.parametrize("address", ["", "localhost", "10.1.2", "10.0.0.0/8", "fe80::1%eth0", "10.1.2.3\n"])
def test_a_text_that_is_not_an_address_is_denied_only_where_networks_are_bound(
    verifier: Verifier, address: str
) -> None:
    assert verifier.authenticate(token(), remote_addr=address).profile is None
    with pytest.raises(Denied) as caught:
        verifier.authenticate(token(), profile="office", remote_addr=address)
    assert caught.value.code == "address_not_allowed"
    with pytest.raises(Denied) as caught:
        verifier.authenticate_json(json.dumps({"token": token(), "profile": "office", "remote_addr": address}))
    assert caught.value.code == "address_not_allowed"


def test_an_address_object_follows_the_rules_of_the_text(verifier: Verifier) -> None:
    """An address with a zone is refused in both forms (RFC 4007 §11): a zone is about one interface of one machine."""
    with pytest.raises(Denied) as caught:
        verifier.authenticate(token(), profile="office", remote_addr=ipaddress.ip_address("2001:db8::1%eth0"))
    assert caught.value.code == "address_not_allowed"


class Shell:
    """Has the attribute of an address, but is not an address."""

    packed = b"\x0a\x00\x00"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"token": b"eyJ"}, "token must be str, not bytes"),
        ({"token": 1}, "token must be str, not int"),
        ({"url": b"/"}, "url must be str, not bytes"),
        ({"profile": 1}, "profile must be str, not int"),
        ({"headers": "Authorization"}, "headers must be a mapping, not str"),
        ({"headers": [("a", "b")]}, "headers must be a mapping, not list"),
        ({"headers": {b"a": "b"}}, "the names of headers must be str, not bytes"),
        ({"headers": {"a": b"b"}}, "the value of header 'a' must be str or a sequence of str, not bytes"),
        ({"headers": {"a": bytearray(b"b")}}, "must be str or a sequence of str, not bytearray"),
        ({"headers": {"a": {"b"}}}, "must be str or a sequence of str, not set"),
        ({"headers": {"a": ["b", 1]}}, "must be str or a sequence of str, not int"),
        ({"headers": {"a": None}}, "must be str or a sequence of str, not NoneType"),
        ({"remote_addr": 1}, "remote_addr must be str or an IP address, not int"),
        ({"remote_addr": ("10.0.0.1", 80)}, "remote_addr must be str or an IP address, not tuple"),
        ({"remote_addr": Shell()}, "remote_addr must be str or an IP address, not Shell"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_argument_of_the_wrong_type_is_a_type_error(
    verifier: Verifier, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        verifier.authenticate(**arguments)
    assert message in str(caught.value)


def test_only_the_token_is_positional(verifier: Verifier) -> None:
    with pytest.raises(TypeError):
        verifier.authenticate(token(), {})  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        verifier.authenticate(token(), now=1)  # type: ignore[call-arg]


def test_subclasses_of_str_are_text(verifier: Verifier) -> None:
    class Loud(str):
        def __str__(self) -> str:
            return "shouted"

    assert verifier.authenticate(Loud(token())).identity.name == "alice"
    address = Loud("10.0.0.1")
    assert verifier.authenticate(Loud(token()), profile=Loud("office"), remote_addr=address).profile == "office"


def test_json_requests_are_read_strictly(verifier: Verifier) -> None:
    request = {"token": token(), "profile": "office", "remote_addr": "10.0.0.1"}
    assert verifier.authenticate_json(json.dumps(request)).profile == "office"
    for text in ("", "{", "[]", '{"tokens":"x"}', '{"token":1}', '{"token":"a","token":"b"}', "[" * 100_000):
        with pytest.raises(ArgumentError) as caught:
            verifier.authenticate_json(text)
        assert caught.value.code == "request_invalid"
    with pytest.raises(TypeError, match="request must be str, not bytes"):
        verifier.authenticate_json(b"{}")  # type: ignore[arg-type]


def test_large_inputs_are_refused_and_not_crashed_on(verifier: Verifier) -> None:
    megabytes = "a" * (8 * 1024 * 1024)
    for attempt, code in (
        (lambda: verifier.authenticate(megabytes), "token_too_large"),
        (lambda: verifier.authenticate("." * 200_000), "token_malformed"),
        (lambda: verifier.authenticate(headers={"Authorization": "Bearer " + megabytes}), "token_too_large"),
        (lambda: verifier.authenticate(headers=dict.fromkeys(map(str, range(100_000)), "x")), "token_missing"),
        (lambda: verifier.authenticate(url=megabytes), "token_too_large"),
        (lambda: verifier.authenticate(token(), profile=megabytes), "token_too_large"),
        (lambda: verifier.authenticate_json('{"token":"' + megabytes + '"}'), "token_too_large"),
        (lambda: Verifier(megabytes), "config_invalid"),
        (lambda: Verifier({"dialect": megabytes}), "config_invalid"),
    ):
        with pytest.raises(Error) as caught:
            attempt()
        assert caught.value.code == code
        assert len(str(caught.value)) < 1000


# The other methods


def test_a_verifier_can_be_built_from_the_policy() -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    config = with_config(keys=[{"jwk": key}], algorithms=["EdDSA"])
    policy = Verifier(config).policy()
    assert policy["dialect"] == "native"
    assert policy["warnings"] == []
    assert Verifier(policy).policy() == policy


def test_every_call_of_policy_returns_a_new_dictionary(verifier: Verifier) -> None:
    verifier.policy()["config"].clear()
    assert verifier.policy()["config"]["issuer"] == "https://issuer.example"


def test_secrets_are_redacted_in_the_policy(verifier: Verifier) -> None:
    assert CONFIG["config"]["keys"][0]["secret"] not in json.dumps(verifier.policy())


def test_a_probable_mistake_is_a_warning() -> None:
    config = {key: value for key, value in CONFIG["config"].items() if key not in ("issuer", "profiles")}
    (warning,) = Verifier({**CONFIG, "config": config}).policy()["warnings"]
    assert warning["key"] == "issuer"
    assert "no issuer" in warning["message"]


def test_fixed_keys_need_no_refresh(verifier: Verifier) -> None:
    (source,) = verifier.refresh_keys()
    assert source == {"source": "keys[0].secret", "state": "fixed", "keys": 1, "kids": []}


def test_a_verifier_shows_no_secret(verifier: Verifier) -> None:
    assert repr(verifier) == "<jwtauth.Verifier profiles=3 warnings=0>"


# Asynchronous use


def test_async_decides_on_the_event_loop_with_cached_keys(verifier: Verifier) -> None:
    seen: list[int] = []

    class Headers:
        def items(self) -> list[tuple[str, str]]:
            seen.append(threading.get_ident())
            return [("Authorization", "Bearer " + token())]

    grant = asyncio.run(verifier.authenticate_async(headers=Headers()))
    assert grant.identity.name == "alice"
    assert seen == [threading.get_ident()]


def test_async_accepts_and_raises_the_same_as_sync(verifier: Verifier) -> None:
    async def decide() -> list[Grant | BaseException]:
        return await asyncio.gather(
            verifier.authenticate_async(token(), profile="office", remote_addr="10.0.0.1"),
            verifier.authenticate_async(token(exp=1), url="/"),
            verifier.authenticate_async(1),  # type: ignore[arg-type]
            *(verifier.authenticate_async(token(sub=str(number))) for number in range(100)),
            return_exceptions=True,
        )

    granted, denied, wrong, *many = asyncio.run(decide())
    assert isinstance(granted, Grant)
    assert granted.profile == "office"
    assert isinstance(denied, Denied)
    assert denied.code == "token_expired"
    assert isinstance(wrong, TypeError)
    assert [grant.identity.name for grant in many if isinstance(grant, Grant)] == [str(number) for number in range(100)]


def test_all_lists_the_public_names() -> None:
    assert sorted(jwtauth.__all__) == jwtauth.__all__
    for name in jwtauth.__all__:
        value = getattr(jwtauth, name)
        if isinstance(value, type):
            assert value.__module__ == "jwtauth"
            assert value.__doc__
            for member, thing in vars(value).items():
                if not member.startswith("_") and (callable(thing) or isinstance(thing, types.GetSetDescriptorType)):
                    assert thing.__doc__, f"{name}.{member}"

"""Sessions: what each verb does, and how it fails."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from conftest import CLAIMS, CONFIG, NOW, PUBLIC_KEYS, PUBLIC_TOKEN, SECRET, remote, token
from sessions_config import at, in_file, keeping, vault

from jwtauth import (
    ArgumentError,
    ConfigError,
    Denied,
    Entitlement,
    Error,
    Event,
    FetchError,
    FetchRequest,
    FetchResponse,
    Login,
    SessionInfo,
    Sessions,
    Unavailable,
    Verifier,
)


def denied(call: Callable[..., object], *arguments: Any, **named: Any) -> str:
    with pytest.raises(Denied) as caught:
        call(*arguments, **named)
    return caught.value.code


def test_a_login_makes_a_session_that_later_requests_use() -> None:
    sessions = Sessions(keeping())
    login = sessions.login(headers={"Authorization": f"Bearer {token()}"})
    assert isinstance(login, Login)
    session = sessions.authorize(login.token)
    assert isinstance(session, SessionInfo)
    assert (session.type, session.profile, session.subject, session.display_name) == ("service", None, "alice", None)
    assert (session.issued_at, session.expires_at, session.ttl, session.creation_ttl) == (NOW, NOW + 3600, 3600, 3600)
    assert (session.num_uses, session.uses_left, session.renewable, session.bound_cidrs) == (None, None, True, ())
    assert (session.period, session.explicit_max_ttl) == (None, None)
    assert (session.description, session.auth_method, session.local) == (None, None, None)
    assert session.identity == sessions.verifier.authenticate(token()).identity
    assert set(session.entitlements) == {Entitlement("role", "editor"), Entitlement("policy", "web-read")}
    assert session.revocations == ()
    assert session.to_dict()["subject"] == "alice"
    assert session.entity_id == sessions.login(token()).session.entity_id
    assert session == login.session == sessions.lookup(login.token)
    assert hash(session) == hash(login.session)
    assert session != sessions.login(token(sub="bob")).session
    assert session != "alice"


def test_a_session_has_its_entitlements() -> None:
    session = Sessions(keeping()).login(token()).session
    assert session.has("role", "editor")
    assert session.has("policy", "web-read")
    assert not session.has("role", "viewer")
    assert not session.has("role", "editor", "1")
    assert not session.has("rôle", "editor")  # type: ignore[arg-type]
    assert session.entitlements is session.entitlements


def test_a_login_answers_as_the_library_does() -> None:
    login = Sessions(keeping()).login(token())
    assert login.response["token"] == login.token
    assert login.response["accessor"] == login.accessor
    assert login.response["lease_duration"] == 3600
    assert login.response is login.response


def test_a_login_answers_as_vault_does() -> None:
    login = Sessions(vault({"token_ttl": "1h", "token_num_uses": 3})).login(PUBLIC_TOKEN, profile="web")
    auth = login.response["auth"]
    assert (auth["client_token"], auth["accessor"]) == (login.token, login.accessor)
    assert (auth["policies"], auth["lease_duration"], auth["num_uses"]) == (["default", "read"], 3600, 3)
    assert login.token.startswith("hvs.")
    assert (login.session.profile, login.session.num_uses, login.session.uses_left) == ("web", 3, 3)


def test_an_accessor_finds_a_session_and_is_no_token() -> None:
    sessions = Sessions(keeping())
    login = sessions.login(token())
    assert login.accessor is not None
    assert sessions.lookup_accessor(login.accessor) == sessions.lookup(login.token)
    assert denied(sessions.authorize, login.accessor) == "session_unknown"
    assert denied(sessions.lookup, login.accessor) == "session_unknown"
    assert denied(sessions.lookup_accessor, login.token) == "session_unknown"


def test_a_renewed_session_lasts_longer() -> None:
    config = keeping()
    sessions = Sessions(config)
    login = sessions.login(token())
    later = sessions.reload(at(config, NOW + 1800))
    assert later.lookup(login.token).ttl == 1800
    renewed = later.renew(login.token)
    assert (renewed.token, renewed.accessor) == (login.token, login.accessor)
    assert (renewed.session.expires_at, renewed.session.ttl) == (NOW + 5400, 3600)
    assert later.renew(login.token, 60).session.ttl == 60
    assert later.renew(login.token, increment=2**64 - 1).session.expires_at == NOW + 7200
    # The old sessions use the same store.
    assert sessions.lookup(login.token).expires_at == NOW + 7200
    ended = later.reload(at(config, NOW + 7200))
    assert denied(ended.renew, login.token) == "session_unknown"
    assert denied(ended.authorize, login.token) == "session_unknown"


def test_a_revoked_session_is_unknown() -> None:
    sessions = Sessions(keeping())
    first, second = sessions.login(token()), sessions.login(token())
    assert second.accessor is not None
    sessions.revoke(first.token)
    sessions.revoke_accessor(second.accessor)
    for login in (first, second):
        assert denied(sessions.authorize, login.token) == "session_unknown"
        assert denied(sessions.revoke, login.token) == "session_unknown"
    assert denied(sessions.revoke_accessor, second.accessor) == "session_unknown"


def test_all_sessions_of_a_subject_or_a_profile_are_revoked() -> None:
    sessions = Sessions(keeping())
    for sub in ("alice", "alice", "bob", "bob", "bob"):
        sessions.login(token(sub=sub))
    office = sessions.login(token(), profile="office", remote_addr="10.0.0.1")
    assert sessions.revoke_all(subject="stranger") == 0
    assert sessions.revoke_all(profile="office") == 1
    assert denied(sessions.authorize, office.token) == "session_unknown"
    assert sessions.revoke_all(subject="alice") == 2
    assert sessions.revoke_all(profile="") == 3


def test_uses_are_counted_and_the_last_one_passes() -> None:
    sessions = Sessions(keeping({"num_uses": 3}))
    login = sessions.login(token())
    assert sessions.lookup(login.token).uses_left == 3
    assert [sessions.authorize(login.token).uses_left for _ in range(3)] == [2, 1, 0]
    assert denied(sessions.authorize, login.token) == "session_unknown"
    assert denied(sessions.lookup, login.token) == "session_unknown"


@pytest.mark.parametrize(
    ("address", "passes"),
    [
        ("10.1.2.3", True),
        ("10.1.2.3:443", True),
        ("[2001:db8::1]:443", True),
        (ip_address("10.1.2.3"), True),
        (ip_address("::ffff:10.1.2.3"), True),
        ("11.0.0.1", False),
        (ip_address("::1"), False),
        ("testclient", False),
        ("", False),
        (None, False),
    ],
)
def test_a_session_is_bound_to_its_networks(address: Any, passes: bool) -> None:
    sessions = Sessions(keeping({"bound_cidrs": ["10.0.0.0/8", "2001:db8::/32"], "num_uses": 1}))
    login = sessions.login(token())
    assert login.session.bound_cidrs == ("10.0.0.0/8", "2001:db8::/32")
    if passes:
        assert sessions.authorize(login.token, remote_addr=address).uses_left == 0
    else:
        assert denied(sessions.authorize, login.token, address) == "session_address_not_allowed"
        assert sessions.lookup(login.token).uses_left == 1


def test_a_sweep_removes_what_has_ended() -> None:
    config = keeping()
    sessions = Sessions(config)
    for _ in range(3):
        sessions.login(token())
    assert sessions.sweep() == 0
    assert sessions.reload(at(config, NOW + 3600)).sweep() == 3
    assert sessions.sweep() == 0


def test_a_full_memory_removes_no_session_that_lives() -> None:
    config = keeping(store={"memory": {"max_sessions": 2}})
    sessions = Sessions(config)
    first, second = sessions.login(token()), sessions.login(token())
    with pytest.raises(Unavailable) as caught:
        sessions.login(token())
    assert (caught.value.code, caught.value.stage) == ("store_full", "session")
    assert caught.value.detail is not None
    assert "2 sessions" in caught.value.detail
    sessions.revoke(first.token)
    sessions.login(token())
    assert sessions.authorize(second.token).subject == "alice"
    # What has ended makes room.
    sessions.reload(at(config, NOW + 3600)).login(token(exp=NOW + 7200))


def test_the_memory_of_sessions_is_limited() -> None:
    sessions = Sessions(keeping(store={"memory": {"max_bytes": 65_536}}))
    kept = 0
    with pytest.raises(Unavailable) as caught:
        for kept in range(100_000):
            sessions.login(token(groups=["ops", "x" * 1000]))
    assert caught.value.code == "store_full"
    assert 1 < kept < 65


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({**CONFIG, "sessions": {"stroe": {}}}, "sessions_invalid"),
        ({**CONFIG, "sessions": {"store": {"disk": {}}}}, "sessions_invalid"),
        ({**CONFIG, "sessions": {"seed": 1, "store": {"sqlite": {"path": "s.db"}}}}, "sessions_invalid"),
        ({**CONFIG, "dialect": "nativ", "sessions": {}}, "config_invalid"),
        ({"dialect": "grafana", "config": {"ini": "[auth.jwt]\nenabled = true\nheader_name = X\njwk_set_url = https://k.example\n"
          "username_claim = sub\n"}, "sessions": {}}, "sessions_unsupported"),
        ("{", "config_invalid"),
        ("[]", "config_invalid"),
    ],
)
def test_an_invalid_configuration_is_refused(config: Any, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Sessions(config)
    assert caught.value.code == code


def test_sessions_need_no_member_of_their_own() -> None:
    assert Sessions(CONFIG).login(token()).session.ttl == 3600


def test_a_reload_keeps_the_store_and_must_not_change_it(tmp_path: Path) -> None:
    sessions = Sessions(keeping())
    login = sessions.login(token())
    for other in (in_file(tmp_path), vault({})):
        with pytest.raises(ConfigError) as caught:
            sessions.reload(other)
        assert caught.value.code == "sessions_invalid"
    again = sessions.reload(json.dumps(keeping({"ttl": "2h"})))
    assert again.authorize(login.token).subject == "alice"
    assert again.login(token()).session.ttl == 7200


def test_sessions_are_built_from_a_file_with_paths_from_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    file.write_text(json.dumps(keeping(store={"sqlite": {"path": "sessions.db"}})))
    held = Sessions.from_file(file).login(token()).token
    assert Sessions(in_file(tmp_path)).authorize(held).subject == "alice"
    file.write_text(json.dumps(keeping(stroe={})))
    for path in (file, tmp_path / "none.json"):
        with pytest.raises(ConfigError) as caught:
            Sessions.from_file(path)
        assert caught.value.detail is not None
        assert str(path) in caught.value.detail


def test_relative_paths_of_a_reload_start_in_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "batch.key").write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
    config = keeping(batch_keys=[{"id": "a", "key_file": "batch.key"}])
    file = tmp_path / "sessions.json"
    file.write_text(json.dumps(config))
    sessions = Sessions.from_file(file)
    held = sessions.login(token()).token
    assert sessions.reload(config).reload(config).authorize(held).subject == "alice"
    with pytest.raises(ConfigError):
        Sessions(config)


def test_a_store_that_cannot_be_opened_gives_out_no_token(tmp_path: Path) -> None:
    sessions = Sessions(in_file(tmp_path / "none"))
    calls: list[Callable[[], object]] = [
        lambda: sessions.login(token()),
        lambda: sessions.authorize("jas.x"),
        lambda: sessions.lookup("jas.x"),
        lambda: sessions.revoke("jas.x"),
        lambda: sessions.revoke_all(subject="alice"),
        sessions.sweep,
    ]
    for call in calls:
        with pytest.raises(Unavailable) as caught:
            call()
        assert (caught.value.code, caught.value.stage) == ("store_unavailable", "session")
    (tmp_path / "none").mkdir()
    assert sessions.login(token()).session.subject == "alice"


def test_sqlite_keeps_sessions_for_other_values(tmp_path: Path) -> None:
    login = Sessions(in_file(tmp_path)).login(token())
    other = Sessions(in_file(tmp_path))
    assert other.authorize(login.token).subject == "alice"
    other.revoke(login.token)
    assert denied(Sessions(in_file(tmp_path)).authorize, login.token) == "session_unknown"


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError) as caught:
        Sessions(in_file(tmp_path)).login(token())
    assert caught.value.code == "store_version"


def test_a_batch_token_needs_no_store() -> None:
    config = vault({"token_type": "batch"}, batch_keys=[{"id": "a", "key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}])
    sessions = Sessions(config)
    login = sessions.login(PUBLIC_TOKEN, profile="web")
    assert (login.accessor, login.session.type) == (None, "batch")
    assert Sessions(config).authorize(login.token).type == "batch"
    assert denied(sessions.revoke, login.token) == "batch_token_limited"
    assert denied(sessions.renew, login.token) == "batch_token_limited"


def test_a_denied_login_fails_as_a_decision_does() -> None:
    sessions = Sessions(keeping())
    several: list[dict[str, Any]] = [{"token": token(exp=1)}, {}, {"token": token(), "profile": "closed"}, {"token": "a.b.c"}]
    for arguments in several:
        with pytest.raises(Denied) as decided:
            Verifier(CONFIG).authenticate(**arguments)
        with pytest.raises(Denied) as caught:
            sessions.login(**arguments)
        assert vars(caught.value) == vars(decided.value)
        assert str(caught.value) == str(decided.value)
    assert sessions.revoke_all(profile="") == 0


def test_a_failure_of_a_session_is_like_other_failures() -> None:
    with pytest.raises(Denied) as caught:
        Sessions(keeping()).authorize("jas.unknown")
    why = caught.value
    assert (why.code, why.stage, why.message) == ("session_unknown", "session", "no session has this token or accessor")
    assert (why.claim, why.detail, why.applicable, why.http_status) == (None, None, None, None)
    assert str(why) == "session_unknown: no session has this token or accessor"
    assert vars(pickle.loads(pickle.dumps(why))) == vars(why)


WRONG: list[tuple[type[Exception], Callable[[Any], object]]] = [
    (TypeError, lambda sessions: sessions.login(1)),
    (TypeError, lambda sessions: sessions.login(token(), meta="a")),
    (TypeError, lambda sessions: sessions.login(token(), meta={"a": 1})),
    (TypeError, lambda sessions: sessions.login(token(), meta={1: "a"})),
    (TypeError, lambda sessions: sessions.login(token(), remote_addr=("10.0.0.1", 80))),
    (TypeError, lambda sessions: sessions.authorize()),
    (TypeError, lambda sessions: sessions.authorize(None)),
    (TypeError, lambda sessions: sessions.authorize(b"jas.x")),
    (TypeError, lambda sessions: sessions.authorize("jas.x", 1)),
    (TypeError, lambda sessions: sessions.lookup(1)),
    (TypeError, lambda sessions: sessions.lookup_accessor(1)),
    (TypeError, lambda sessions: sessions.renew(1)),
    (TypeError, lambda sessions: sessions.renew("jas.x", "60")),
    (TypeError, lambda sessions: sessions.renew("jas.x", 1.5)),
    (ValueError, lambda sessions: sessions.renew("jas.x", -1)),
    (ValueError, lambda sessions: sessions.renew("jas.x", 2**64)),
    (TypeError, lambda sessions: sessions.revoke(1)),
    (TypeError, lambda sessions: sessions.revoke_accessor(1)),
    (TypeError, lambda sessions: sessions.revoke_all(subject=1)),
    (TypeError, lambda sessions: sessions.revoke_all("alice")),
    (TypeError, lambda sessions: sessions.reload(1)),
    (TypeError, lambda sessions: sessions.call_json(1, "{}")),
    (TypeError, lambda sessions: sessions.call_json("lookup", {})),
    (ValueError, lambda sessions: sessions.call_json("reload", "{}")),
    (ValueError, lambda sessions: sessions.call_json("log in", "{}")),
    (ArgumentError, lambda sessions: sessions.login("\ud800")),
    (ArgumentError, lambda sessions: sessions.login(token(), meta={"a": "\ud800"})),
    (ArgumentError, lambda sessions: sessions.authorize("\ud800")),
    (ArgumentError, lambda sessions: sessions.authorize("jas.x", "\ud800")),
    (ArgumentError, lambda sessions: sessions.lookup_accessor("\ud800")),
    (ArgumentError, lambda sessions: sessions.revoke_all(subject="\ud800")),
    (ArgumentError, lambda sessions: sessions.revoke_all()),
    (ArgumentError, lambda sessions: sessions.revoke_all(subject="alice", profile="")),
    (ArgumentError, lambda sessions: sessions.call_json("lookup", "\ud800")),
    (TypeError, lambda _: Sessions(None)),  # type: ignore[arg-type]
    (TypeError, lambda _: Sessions(CONFIG, fetch=1)),  # type: ignore[arg-type]
    (TypeError, lambda _: Sessions(CONFIG, on_event=1)),  # type: ignore[arg-type]
    (TypeError, lambda _: Sessions(CONFIG, None)),  # type: ignore[call-arg]
]


@pytest.mark.parametrize("wrong", range(len(WRONG)))
def test_a_wrong_argument_is_refused(wrong: int) -> None:
    kind, call = WRONG[wrong]
    sessions = Sessions(keeping())
    with pytest.raises(kind):
        call(sessions)
    assert sessions.revoke_all(profile="") == 0


def test_nothing_that_is_printed_shows_a_token_or_a_claim() -> None:
    config = keeping({"num_uses": 1})
    sessions = Sessions(config)
    login = sessions.login(token(sub="mallory-9", groups=["ops", "mallory-9"]))
    assert login.accessor is not None
    session = sessions.authorize(login.token)
    texts = [repr(thing) for thing in (sessions, login, session)] + [str(thing) for thing in (sessions, login, session)]
    for call in (sessions.authorize, sessions.renew, sessions.revoke):
        with pytest.raises(Denied) as caught:
            call(login.token)
        texts += [str(caught.value), repr(caught.value), str(vars(caught.value))]
    for text in texts:
        for secret in (login.token, login.token[4:16], login.accessor, "mallory-9", SECRET.decode()):
            assert secret not in text
    assert texts[:3] == [
        "<jwtauth.Sessions profiles=3 warnings=0>",
        "<jwtauth.Login session=<jwtauth.SessionInfo profile=None ttl=3600 uses_left=1>>",
        "<jwtauth.SessionInfo profile=None ttl=3600 uses_left=0>",
    ]


def test_a_login_can_be_neither_pickled_nor_changed() -> None:
    login = Sessions(keeping()).login(token())
    for thing in (login, login.session):
        for use in (pickle.dumps, copy.copy):
            with pytest.raises(TypeError):
                use(thing)
        with pytest.raises(AttributeError):
            thing.token = "x"  # type: ignore[misc,union-attr]
    for kind in (Login, SessionInfo):
        with pytest.raises(TypeError):
            kind()


def test_the_verifier_of_sessions_is_theirs() -> None:
    sessions = Sessions(keeping())
    assert sessions.verifier is sessions.verifier
    sessions.login(token())
    assert sessions.verifier.counters()["granted"] == 1
    assert sessions.verifier.authenticate(token()).identity.name == CLAIMS["sub"]
    assert sessions.verifier.policy()["key_status"][0]["state"] == "fixed"
    assert "sessions" not in sessions.verifier.policy()


def test_events_of_logins_are_reported_also_after_a_reload() -> None:
    seen: list[Event] = []
    sessions = Sessions(keeping(), on_event=seen.append)
    login = sessions.login(token())
    sessions.authorize(login.token)
    sessions.reload(keeping()).login(token())
    sessions.call_json("login", json.dumps({"token": "a.b.c"}))
    assert [(event["event"], event["outcome"]) for event in seen] == [("decision", "granted")] * 2 + [("decision", "denied")]
    assert login.token not in str(seen)


def test_the_application_fetches_the_keys_of_logins_also_after_a_reload() -> None:
    asked: list[FetchRequest] = []

    def fetch(request: FetchRequest) -> FetchResponse:
        asked.append(request)
        return FetchResponse(200, json.dumps(PUBLIC_KEYS).encode())

    config = {**remote("https://issuer.example/keys"), "sessions": {}}
    sessions = Sessions(config, fetch=fetch)
    token = sessions.login(PUBLIC_TOKEN).token
    reloaded = sessions.reload(config)
    reply = json.loads(reloaded.call_json("login", json.dumps({"token": PUBLIC_TOKEN})))
    assert reply["outcome"] == "login"
    assert reloaded.authorize(token).subject == "alice"
    assert [source["keys"] for source in reloaded.verifier.refresh_keys()] == [1]
    assert len(asked) == 3


def test_what_the_function_raises_reaches_the_caller_of_a_login() -> None:
    raised: list[BaseException] = []

    def fetch(_: FetchRequest) -> FetchResponse:
        raise raised[0]

    config = {**remote("https://issuer.example/keys"), "sessions": {}}
    raised[:] = [FetchError("dns", "no such host")]
    with pytest.raises(Unavailable) as caught:
        Sessions(config, fetch=fetch).login(PUBLIC_TOKEN)
    assert caught.value.__cause__ is raised[0]
    raised[:] = [SystemExit(3)]
    with pytest.raises(SystemExit):
        Sessions(config, fetch=fetch).login(PUBLIC_TOKEN)
    with pytest.raises(SystemExit):
        Sessions(config, fetch=fetch).call_json("login", json.dumps({"token": PUBLIC_TOKEN}))


def test_cached_keys_are_enough_for_a_login_that_must_not_wait() -> None:
    config = {**remote("https://issuer.example/keys"), "sessions": {}}
    sessions = Sessions(config, fetch=lambda _: FetchResponse(200, json.dumps(PUBLIC_KEYS).encode()))
    with pytest.raises(Unavailable):
        sessions.login(PUBLIC_TOKEN, cached_only=True)
    sessions.verifier.refresh_keys()
    assert sessions.login(PUBLIC_TOKEN, cached_only=True).session.subject == "alice"


def test_a_function_that_refers_to_its_sessions_is_freed_with_them() -> None:
    class Host:
        sessions: Sessions

        def fetch(self, _: FetchRequest) -> FetchResponse:
            raise FetchError("dns", "no such host")

    host = Host()
    host.sessions = Sessions({**remote("https://issuer.example/keys"), "sessions": {}}, fetch=host.fetch)
    host.sessions = host.sessions.reload({**remote("https://issuer.example/keys"), "sessions": {}})
    reference = weakref.ref(host)
    with pytest.raises(Error):
        host.sessions.login(PUBLIC_TOKEN)
    del host
    gc.collect()
    assert reference() is None


def test_a_call_in_json_answers_in_json() -> None:
    sessions = Sessions(keeping())
    login = json.loads(sessions.call_json("login", json.dumps({"token": token()})))
    held = json.dumps({"token": login["token"]})
    assert json.loads(sessions.call_json("authorize", held))["session"]["subject"] == "alice"
    assert json.loads(sessions.call_json("renew", held))["outcome"] == "renewed"
    assert sessions.call_json("sweep") == '{"outcome":"swept","count":0}'
    assert sessions.call_json("revoke", held) == '{"outcome":"revoked","count":1}'
    failed = json.loads(sessions.call_json("lookup", held))
    assert (failed["outcome"], failed["class"], failed["code"]) == ("failed", "denied", "session_unknown")
    assert json.loads(sessions.call_json("lookup"))["code"] == "session_request_invalid"
